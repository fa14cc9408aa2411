// SPDX-License-Identifier: Apache-2.0
#include "metadata/sqlite_credentials.h"

#include <span>
#include <utility>

namespace leat::metadata {
namespace {

using auth::ScramMechanism;

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

/// A character that no name of a principal on the wire is split by twice: names may hold any other.
constexpr char kBetween = '\n';

std::string joined(const std::vector<auth::Principal>& all) {
    std::string out;
    for (const auth::Principal& one : all) out += one.text() + kBetween;
    return out;
}

std::vector<auth::Principal> split(std::string_view text) {
    std::vector<auth::Principal> out;
    for (std::size_t end = text.find(kBetween); end != std::string_view::npos;
         end = text.find(kBetween)) {
        out.push_back(auth::Principal::parse(text.substr(0, end)));
        text.remove_prefix(end + 1);
    }
    return out;
}

Error damaged() {
    return Error{Errc::kDataDirFormat, "metadata: a credential is damaged"};
}

Result<void> load_scram(Database& database, Credentials& into) {
    LEAT_TRY(Statement rows, Statement::prepare(database,
                                                "SELECT user, mechanism, iterations, salt, "
                                                "stored_key, server_key FROM scram"));
    for (;;) {
        LEAT_TRY(const bool has_row, rows.step());
        if (!has_row) return {};
        const auto mechanism = static_cast<ScramMechanism>(rows.column_number(1));
        if (mechanism != ScramMechanism::kSha256 && mechanism != ScramMechanism::kSha512)
            return damaged();
        auth::ScramCredential one{.salt = text_of(rows.column_bytes(3)),
                                  .stored_key = text_of(rows.column_bytes(4)),
                                  .server_key = text_of(rows.column_bytes(5)),
                                  .iterations = static_cast<std::int32_t>(rows.column_number(2))};
        const std::size_t size = auth::size_of(auth::hash_of(mechanism));
        if (one.stored_key.size() != size || one.server_key.size() != size || one.iterations <= 0)
            return damaged();
        into.apply(ScramChanged{rows.column_text(0), mechanism,
                                std::make_shared<const auth::ScramCredential>(std::move(one))});
    }
}

Result<void> load_tokens(Database& database, Credentials& into) {
    LEAT_TRY(
        Statement rows,
        Statement::prepare(database,
                           "SELECT id, hmac, owner, requester, renewers, issued, expires, "
                           "ends, stored_256, server_256, stored_512, server_512 FROM tokens"));
    for (;;) {
        LEAT_TRY(const bool has_row, rows.step());
        if (!has_row) return {};
        auth::DelegationToken token;
        token.id = rows.column_text(0);
        token.hmac = text_of(rows.column_bytes(1));
        token.owner = auth::Principal::parse(rows.column_text(2));
        token.requester = auth::Principal::parse(rows.column_text(3));
        token.renewers = split(rows.column_text(4));
        token.issued = WallMs{rows.column_number(5)};
        token.expires = WallMs{rows.column_number(6)};
        token.ends = WallMs{rows.column_number(7)};
        int column = 8;
        for (const ScramMechanism mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512}) {
            auth::ScramCredential& one = token.credentials[mechanism];
            one.salt = auth::token_salt(token.hmac, mechanism);
            one.stored_key = text_of(rows.column_bytes(column++));
            one.server_key = text_of(rows.column_bytes(column++));
            one.iterations = auth::kScramIterationsMin;
            if (one.stored_key.size() != auth::size_of(auth::hash_of(mechanism))) return damaged();
        }
        std::string id = token.id;
        into.apply(TokenChanged{std::move(id),
                                std::make_shared<const auth::DelegationToken>(std::move(token))});
    }
}

}  // namespace

Result<CredentialTables> CredentialTables::prepare(Database& database) {
    const auto make = [&database](std::string_view sql) {
        return Statement::prepare(database, sql);
    };
    CredentialTables out;
    LEAT_TRY(out.put_scram_, make("INSERT OR REPLACE INTO scram VALUES(?,?,?,?,?,?)"));
    LEAT_TRY(out.drop_scram_, make("DELETE FROM scram WHERE user=? AND mechanism=?"));
    LEAT_TRY(out.put_token_, make("INSERT OR REPLACE INTO tokens VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"));
    LEAT_TRY(out.drop_token_, make("DELETE FROM tokens WHERE id=?"));
    LEAT_TRY(out.put_super_, make("INSERT OR REPLACE INTO super_users VALUES(?)"));
    LEAT_TRY(out.drop_super_, make("DELETE FROM super_users WHERE principal=?"));
    return out;
}

Result<void> CredentialTables::write(const ScramChanged& change) {
    const auto mechanism = static_cast<std::int64_t>(change.mechanism);
    if (change.credential == nullptr)
        return drop_scram_.bind(1, std::string_view{change.user}).bind(2, mechanism).run();
    const auth::ScramCredential& one = *change.credential;
    return put_scram_.bind(1, std::string_view{change.user})
        .bind(2, mechanism)
        .bind(3, std::int64_t{one.iterations})
        .bind(4, bytes_of(one.salt))
        .bind(5, bytes_of(one.stored_key))
        .bind(6, bytes_of(one.server_key))
        .run();
}

Result<void> CredentialTables::write(const TokenChanged& change) {
    if (change.token == nullptr) return drop_token_.bind(1, std::string_view{change.id}).run();
    const auth::DelegationToken& token = *change.token;
    const std::string renewers = joined(token.renewers);
    const auth::ScramCredential& first = token.credentials.at(ScramMechanism::kSha256);
    const auth::ScramCredential& second = token.credentials.at(ScramMechanism::kSha512);
    return put_token_.bind(1, std::string_view{token.id})
        .bind(2, bytes_of(token.hmac))
        .bind(3, std::string_view{token.owner.text()})
        .bind(4, std::string_view{token.requester.text()})
        .bind(5, std::string_view{renewers})
        .bind(6, token.issued.value)
        .bind(7, token.expires.value)
        .bind(8, token.ends.value)
        .bind(9, bytes_of(first.stored_key))
        .bind(10, bytes_of(first.server_key))
        .bind(11, bytes_of(second.stored_key))
        .bind(12, bytes_of(second.server_key))
        .run();
}

Result<void> CredentialTables::write(const SuperUserChanged& change) {
    return (change.is_super ? put_super_ : drop_super_)
        .bind(1, std::string_view{change.principal})
        .run();
}

Result<void> CredentialTables::load(Database& database, Credentials& into) {
    LEAT_TRY_VOID(load_scram(database, into));
    LEAT_TRY_VOID(load_tokens(database, into));
    LEAT_TRY(std::string secret,
             database.text("SELECT value FROM facts WHERE name='stranger_secret'"));
    into.set_stranger_secret(std::move(secret));
    LEAT_TRY(Statement rows, Statement::prepare(database, "SELECT principal FROM super_users"));
    for (;;) {
        LEAT_TRY(const bool has_row, rows.step());
        if (!has_row) return {};
        into.apply(SuperUserChanged{rows.column_text(0), true});
    }
}

}  // namespace leat::metadata
