// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/scram_users.h"

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

using Described = wire::DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult;
using CredentialInfo = wire::DescribeUserScramCredentialsResponse::CredentialInfo;

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

std::string_view in_arena(Arena& arena, std::string_view text) {
    const std::span<char> out = arena.array<char>(text.size());
    if (!text.empty()) std::memcpy(out.data(), text.data(), text.size());
    return {out.data(), out.size()};
}

Described describe(Arena& arena, std::string_view user,
                   const metadata::Credentials::OfUser* known) {
    Described out;
    out.user = in_arena(arena, user);
    if (known == nullptr) {
        out.error_code = wire_code(Errc::kResourceNotFound);
        out.error_message =
            in_arena(arena, "Attempt to describe a user credential that does not exist: " +
                                std::string{user});
        return out;
    }
    out.credential_infos = arena.array<CredentialInfo>(known->size());
    std::size_t i = 0;
    for (const auto& [mechanism, credential] : *known)
        out.credential_infos[i++] = {.mechanism = static_cast<std::int8_t>(mechanism),
                                     .iterations = credential->iterations};
    return out;
}

Described duplicate(Arena& arena, std::string_view user) {
    Described out;
    out.user = in_arena(arena, user);
    out.error_code = wire_code(Errc::kDuplicateResource);
    out.error_message = in_arena(
        arena, "Cannot describe SCRAM credentials for the same user twice in a single request: " +
                   std::string{user});
    return out;
}

}  // namespace

wire::DescribeUserScramCredentialsResponse handle_describe_scram_users(
    Request& request, const wire::DescribeUserScramCredentialsRequest& message) {
    wire::DescribeUserScramCredentialsResponse out;
    if (!may_cluster(request, auth::Operation::kDescribe)) {
        out.error_code = wire_code(Errc::kClusterAuthorizationFailed);
        out.error_message = kNotAuthorized;
        // Kafka's answer also has the error once for each user that was asked for, without names.
        out.results = request.arena.array<Described>(message.users ? message.users->size() : 0);
        for (Described& each : out.results)
            each = {.error_code = out.error_code, .error_message = kNotAuthorized};
        return out;
    }
    const metadata::Credentials& known = request.shard->image().credentials();
    std::vector<Described> results;
    if (!message.users || message.users->empty()) {
        for (const auto& [user, credentials] : known.users())
            results.push_back(describe(request.arena, user, &credentials));
    } else {
        std::set<std::string_view> seen;
        std::set<std::string_view> twice;
        for (const auto& user : *message.users)
            if (!seen.insert(user.name).second) twice.insert(user.name);
        for (const std::string_view user : seen)
            results.push_back(twice.contains(user)
                                  ? duplicate(request.arena, user)
                                  : describe(request.arena, user, known.find_user(user)));
    }
    out.results = request.arena.array<Described>(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        out.results[i] = results[i];
        count_error(request, results[i].error_code);
    }
    return out;
}

rt::Task<wire::AlterUserScramCredentialsResponse> handle_alter_scram_users(
    Request* request, const wire::AlterUserScramCredentialsRequest* message) {
    using Result = wire::AlterUserScramCredentialsResponse::AlterUserScramCredentialsResult;
    std::vector<metadata::ScramDeletion> deletions;
    std::vector<metadata::ScramUpsertion> upsertions;
    deletions.reserve(message->deletions.size());
    for (const auto& one : message->deletions)
        deletions.push_back(
            {std::string{one.name}, static_cast<auth::ScramMechanism>(one.mechanism)});
    for (const auto& one : message->upsertions) {
        const auto mechanism = static_cast<auth::ScramMechanism>(one.mechanism);
        metadata::ScramUpsertion& out = upsertions.emplace_back();
        out.user = one.name;
        out.mechanism = mechanism;
        out.iterations = one.iterations;
        if (!one.salt.empty() && !one.salted_password.empty())
            out.credential =
                std::make_shared<const auth::ScramCredential>(auth::credential_from_salted(
                    mechanism, text_of(one.salted_password), text_of(one.salt), one.iterations));
    }
    wire::AlterUserScramCredentialsResponse out;
    if (!may_cluster(*request, auth::Operation::kAlter)) {
        std::set<std::string_view> users;
        for (const auto& one : message->deletions) users.insert(one.name);
        for (const auto& one : message->upsertions) users.insert(one.name);
        out.results = request->arena.array<Result>(users.size());
        std::size_t i = 0;
        for (const std::string_view user : users) {
            out.results[i++] = {.user = user,
                                .error_code = wire_code(Errc::kClusterAuthorizationFailed),
                                .error_message = kNotAuthorized};
            count_error(*request, wire_code(Errc::kClusterAuthorizationFailed));
        }
        co_return out;
    }
    const auto make = [&deletions, &upsertions](metadata::Controller& controller,
                                                std::vector<metadata::Delta>& deltas) {
        return controller.alter_scram(deletions, upsertions, deltas);
    };
    const auto changed =
        co_await request->shard->broker().authority().change(&request->shard->executor(), make);
    out.results = request->arena.array<Result>(changed.result.size());
    for (std::size_t i = 0; i < changed.result.size(); ++i) {
        const metadata::Outcome& outcome = changed.result[i];
        Result& one = out.results[i];
        one.user = in_arena(request->arena, outcome.name);
        const Errc code = outcome.error == Errc::kNone && !changed.durable.has_value()
                              ? changed.durable.error().code()
                              : outcome.error;
        one.error_code = wire_code(code);
        one.error_message.reset();
        if (!outcome.message.empty()) one.error_message = in_arena(request->arena, outcome.message);
        count_error(*request, one.error_code);
    }
    co_return out;
}

}  // namespace leat::broker
