// SPDX-License-Identifier: Apache-2.0
#include "client/users.h"

#include <array>
#include <utility>

#include "auth/digest.h"
#include "auth/principal.h"
#include "client/request_parts.h"
#include "wire/messages/alter_user_scram_credentials_request.h"
#include "wire/messages/alter_user_scram_credentials_response.h"
#include "wire/messages/create_delegation_token_request.h"
#include "wire/messages/create_delegation_token_response.h"
#include "wire/messages/describe_delegation_token_request.h"
#include "wire/messages/describe_delegation_token_response.h"
#include "wire/messages/describe_user_scram_credentials_request.h"
#include "wire/messages/describe_user_scram_credentials_response.h"
#include "wire/messages/expire_delegation_token_request.h"
#include "wire/messages/expire_delegation_token_response.h"
#include "wire/messages/renew_delegation_token_request.h"
#include "wire/messages/renew_delegation_token_response.h"

namespace leat::client {
namespace {

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}
std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

constexpr auto verdict_of = [](const auto& message) { return message.error_code; };

std::string principal_of(std::string_view type, std::string_view name) {
    return auth::Principal{type, name}.text();
}

Result<Outcome> alter(Admin& admin, const wire::AlterUserScramCredentialsRequest& request) {
    LEAT_TRY(
        const auto answer,
        admin.cluster().ask<wire::AlterUserScramCredentialsResponse>(
            Target::controller(), request, [](const wire::AlterUserScramCredentialsResponse& m) {
                return m.results.empty() ? std::int16_t{0} : m.results[0].error_code;
            }));
    if (answer.message.results.size() != 1)
        return Error{Errc::kMalformed, "the broker did not answer for the user"};
    const auto& result = answer.message.results[0];
    return outcome_of(result.user, result.error_code, result.error_message);
}

}  // namespace

Result<std::vector<ScramUser>> list_users(Admin& admin) {
    const wire::DescribeUserScramCredentialsRequest request{.users = std::nullopt};
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::DescribeUserScramCredentialsResponse>(
                                    Target::any(), request, verdict_of));
    const auto& message = answer.message;
    if (message.error_code != 0)
        return Error{errc_from_wire(message.error_code), message.error_message.value_or("")};
    std::vector<ScramUser> out;
    for (const auto& one : message.results) {
        ScramUser& user = out.emplace_back();
        user.name = one.user;
        for (const auto& credential : one.credential_infos)
            user.credentials.push_back(
                {static_cast<auth::ScramMechanism>(credential.mechanism), credential.iterations});
    }
    return out;
}

// A request may name a user once: one request for each mechanism.

Result<Outcome> put_user(Admin& admin, const NewUser& user) {
    Outcome last;
    for (const auth::ScramMechanism mechanism : user.mechanisms) {
        const std::string salt = auth::random_bytes(auth::kScramSaltBytes);
        const std::string salted =
            auth::pbkdf2(auth::hash_of(mechanism), user.password, salt, user.iterations);
        std::array<wire::AlterUserScramCredentialsRequest::ScramCredentialUpsertion, 1> rows{
            {{.name = user.name,
              .mechanism = static_cast<std::int8_t>(mechanism),
              .iterations = user.iterations,
              .salt = bytes_of(salt),
              .salted_password = bytes_of(salted)}}};
        wire::AlterUserScramCredentialsRequest request;
        request.upsertions = rows;
        LEAT_TRY(last, alter(admin, request));
        if (last.code != Errc::kNone) return last;
    }
    return last;
}

Result<Outcome> remove_user(Admin& admin, std::string_view name,
                            std::span<const auth::ScramMechanism> mechanisms) {
    Outcome last;
    for (const auth::ScramMechanism mechanism : mechanisms) {
        std::array<wire::AlterUserScramCredentialsRequest::ScramCredentialDeletion, 1> rows{
            {{.name = name, .mechanism = static_cast<std::int8_t>(mechanism)}}};
        wire::AlterUserScramCredentialsRequest request;
        request.deletions = rows;
        LEAT_TRY(last, alter(admin, request));
        if (last.code != Errc::kNone) return last;
    }
    return last;
}

Result<TokenInfo> create_token(Admin& admin, std::span<const std::string> renewers,
                               std::int64_t max_lifetime_ms, std::string_view owner) {
    std::vector<auth::Principal> principals;
    principals.reserve(renewers.size());
    for (const std::string& one : renewers) principals.push_back(auth::Principal::parse(one));
    std::vector<wire::CreateDelegationTokenRequest::CreatableRenewers> rows;
    rows.reserve(principals.size());
    for (const auth::Principal& one : principals)
        rows.push_back({.principal_type = one.type(), .principal_name = one.name()});
    wire::CreateDelegationTokenRequest request;
    request.renewers = rows;
    request.max_lifetime_ms = max_lifetime_ms;
    constexpr std::int16_t kFirstWithOwner = 3;
    const auth::Principal owned_by = auth::Principal::parse(owner);
    if (!owner.empty()) {
        request.owner_principal_type = owned_by.type();
        request.owner_principal_name = owned_by.name();
    }
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::CreateDelegationTokenResponse>(
                                    Target::controller(), request, verdict_of, INT16_MAX, false,
                                    owner.empty() ? std::int16_t{0} : kFirstWithOwner));
    const auto& message = answer.message;
    if (message.error_code != 0) return Error{errc_from_wire(message.error_code)};
    return TokenInfo{.id = std::string{message.token_id},
                     .hmac = text_of(message.hmac),
                     .owner = principal_of(message.principal_type, message.principal_name),
                     .requester = principal_of(message.token_requester_principal_type,
                                               message.token_requester_principal_name),
                     .renewers = {renewers.begin(), renewers.end()},
                     .issued_ms = message.issue_timestamp_ms,
                     .expires_ms = message.expiry_timestamp_ms,
                     .ends_ms = message.max_timestamp_ms};
}

Result<std::int64_t> renew_token(Admin& admin, std::string_view hmac, std::int64_t period_ms) {
    const wire::RenewDelegationTokenRequest request{.hmac = bytes_of(hmac),
                                                    .renew_period_ms = period_ms};
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::RenewDelegationTokenResponse>(
                                    Target::controller(), request, verdict_of));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    return answer.message.expiry_timestamp_ms;
}

Result<std::int64_t> expire_token(Admin& admin, std::string_view hmac, std::int64_t period_ms) {
    const wire::ExpireDelegationTokenRequest request{.hmac = bytes_of(hmac),
                                                     .expiry_time_period_ms = period_ms};
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::ExpireDelegationTokenResponse>(
                                    Target::controller(), request, verdict_of));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    return answer.message.expiry_timestamp_ms;
}

Result<std::vector<TokenInfo>> list_tokens(Admin& admin) {
    const wire::DescribeDelegationTokenRequest request{.owners = std::nullopt};
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::DescribeDelegationTokenResponse>(
                                    Target::any(), request, verdict_of));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    std::vector<TokenInfo> out;
    for (const auto& one : answer.message.tokens) {
        TokenInfo& token = out.emplace_back();
        token.id = one.token_id;
        token.hmac = text_of(one.hmac);
        token.owner = principal_of(one.principal_type, one.principal_name);
        token.requester =
            principal_of(one.token_requester_principal_type, one.token_requester_principal_name);
        for (const auto& renewer : one.renewers)
            token.renewers.push_back(principal_of(renewer.principal_type, renewer.principal_name));
        token.issued_ms = one.issue_timestamp;
        token.expires_ms = one.expiry_timestamp;
        token.ends_ms = one.max_timestamp;
    }
    return out;
}

}  // namespace leat::client
