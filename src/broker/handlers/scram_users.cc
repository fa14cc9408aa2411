// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/scram_users.h"

#include <set>
#include <string>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "rt/on_pool.h"

namespace leat::broker {
namespace {

using Described = wire::DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult;
using CredentialInfo = wire::DescribeUserScramCredentialsResponse::CredentialInfo;

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

Described describe(Arena& arena, std::string_view user,
                   const metadata::Credentials::OfUser* known) {
    Described out;
    out.user = arena.copy(user);
    if (known == nullptr) {
        out.error_code = wire_code(Errc::kResourceNotFound);
        out.error_message = arena.copy(
            "Attempt to describe a user credential that does not exist: " + std::string{user});
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
    out.user = arena.copy(user);
    out.error_code = wire_code(Errc::kDuplicateResource);
    out.error_message = arena.copy(
        "Cannot describe SCRAM credentials for the same user twice in a single request: " +
        std::string{user});
    return out;
}

using Altered = wire::AlterUserScramCredentialsResponse::AlterUserScramCredentialsResult;

/// As Kafka refuses the whole request: once for each user that it names.
std::span<Altered> all_denied(Request& request,
                              const wire::AlterUserScramCredentialsRequest& message) {
    std::set<std::string_view> users;
    for (const auto& one : message.deletions) users.insert(one.name);
    for (const auto& one : message.upsertions) users.insert(one.name);
    const std::span<Altered> out = request.arena.array<Altered>(users.size());
    std::size_t i = 0;
    for (const std::string_view user : users) {
        out[i++] = {.user = user,
                    .error_code = wire_code(Errc::kClusterAuthorizationFailed),
                    .error_message = kNotAuthorized};
        count_error(request, wire_code(Errc::kClusterAuthorizationFailed));
    }
    return out;
}

/// Hashes what may be taken and nothing else: the controller refuses the others without a look at
/// their credential.
metadata::ScramUpsertion upsertion_of(
    const wire::AlterUserScramCredentialsRequest::ScramCredentialUpsertion& one) {
    metadata::ScramUpsertion out;
    out.user = one.name;
    out.mechanism = static_cast<auth::ScramMechanism>(one.mechanism);
    out.iterations = one.iterations;
    if (metadata::may_be_taken(out) && !one.salt.empty() && !one.salted_password.empty())
        out.credential = std::make_shared<const auth::ScramCredential>(auth::credential_from_salted(
            out.mechanism, text_of(one.salted_password), text_of(one.salt), out.iterations));
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
    wire::AlterUserScramCredentialsResponse out;
    if (!may_cluster(*request, auth::Operation::kAlter)) {
        out.results = all_denied(*request, *message);
        co_return out;
    }
    std::vector<metadata::ScramDeletion> deletions;
    deletions.reserve(message->deletions.size());
    for (const auto& one : message->deletions)
        deletions.push_back(
            {std::string{one.name}, static_cast<auth::ScramMechanism>(one.mechanism)});
    // A request may name a million users, and the shard has others to serve.
    const auto hash_all = [message] {
        std::vector<metadata::ScramUpsertion> all;
        all.reserve(message->upsertions.size());
        for (const auto& one : message->upsertions) all.push_back(upsertion_of(one));
        return all;
    };
    const std::vector<metadata::ScramUpsertion> upsertions = co_await rt::on_pool_for_long(
        request->shard->broker().pool(), request->shard->executor(), hash_all);
    const auto make = [&deletions, &upsertions](metadata::Controller& controller,
                                                std::vector<metadata::Delta>& deltas) {
        return controller.alter_scram(deletions, upsertions, deltas);
    };
    const auto changed =
        co_await request->shard->broker().authority().change(&request->shard->executor(), make);
    out.results = request->arena.array<Altered>(changed.result.size());
    for (std::size_t i = 0; i < changed.result.size(); ++i) {
        const metadata::Outcome& outcome = changed.result[i];
        Altered& one = out.results[i];
        one.user = request->arena.copy(outcome.name);
        const Errc code = outcome.error == Errc::kNone && !changed.durable.has_value()
                              ? changed.durable.error().code()
                              : outcome.error;
        one.error_code = wire_code(code);
        one.error_message.reset();
        if (!outcome.message.empty()) one.error_message = request->arena.copy(outcome.message);
        count_error(*request, one.error_code);
    }
    co_return out;
}

}  // namespace leat::broker
