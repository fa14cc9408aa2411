// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/router.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "stream_endpoint/answer_text.h"
#include "stream_endpoint/parameters.h"
#include "streams/store_query.h"

namespace leat::stream_endpoint {
namespace {

using streams::ApplicationState;
using streams::KeyQueryMetadata;
using streams::QueryFailure;
using streams::detail::RawAnswer;

constexpr std::int16_t kMisdirected = 421;
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

http::Response state_response(ApplicationState state, bool is_well) {
    return {.status = static_cast<std::int16_t>(is_well ? 200 : 503),
            .body = name_of(state) + "\n"};
}

/// What a call of the application ended with.
http::Response refused(const Error& why) {
    const Errc code = why.code();
    if (code == Errc::kNotFound) return refusal(404, "UNKNOWN_STORE", why.detail());
    if (code == Errc::kUsage) return refusal(503, "NOT_RUNNING", why.detail());
    if (code == Errc::kNotCoordinator) return refusal(503, "NOT_READY", why.detail());
    if (code == Errc::kTimedOut) return refusal(503, "HELD_UP", why.detail());
    if (code == Errc::kInvalidRequest) return refusal(400, "INVALID_REQUEST", why.detail());
    return refusal(500, "STORE_EXCEPTION", why.detail());
}

http::Response failed(const RawAnswer& answer) {
    const std::string where = "partition " + std::to_string(answer.partition) + ": ";
    const auto as = [&](std::int16_t status) {
        return refusal(status, name_of(*answer.failure), where + answer.reason);
    };
    switch (*answer.failure) {
        case QueryFailure::kUnknownQueryType:
            return as(400);
        case QueryFailure::kDoesNotExist:
            return as(404);
        case QueryFailure::kNotActive:
        case QueryFailure::kNotPresent:
        case QueryFailure::kNotUpToBound:
            return as(503);
        case QueryFailure::kStoreException:
            return answer.reason.starts_with(streams::detail::kTooManyRows)
                       ? refusal(413, "TOO_MANY_ROWS", where + answer.reason)
                       : as(500);
    }
    return as(500);
}

}  // namespace

std::optional<http::Response> Router::at_once(const http::Request& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
        auto out = refusal(405, "METHOD_NOT_ALLOWED", "only GET and HEAD");
        out.headers.emplace_back("Allow", "GET, HEAD");
        return out;
    }
    const ApplicationState state = instance_.state();
    if (request.path == "/readyz")
        return state_response(state, state == ApplicationState::kRunning);
    if (request.path == "/healthz")
        return state_response(state, state != ApplicationState::kPendingError &&
                                         state != ApplicationState::kError &&
                                         state != ApplicationState::kNotRunning);
    return std::nullopt;
}

http::Response Router::stores() const {
    std::string out = "{\"stores\":[";
    std::string_view separator;
    for (const ExposedStore& store : stores_) {
        const auto owners = instance_.owners(store.name);
        if (!owners) return refused(owners.error());
        out += std::exchange(separator, ",");
        out += owners_text(store.name, *owners);
    }
    return json_response(out + "]}");
}

std::optional<http::Response> Router::find_owners(Question& question,
                                                  std::vector<KeyQueryMetadata>& out) const {
    const std::string& store = question.store->name;
    auto owners = instance_.owners(store);
    if (!owners) return refused(owners.error());
    const bool is_of_key =
        question.query.key && question.query.kind != streams::detail::RawQuery::Kind::kRange;
    if (!question.partition && is_of_key) {
        const auto partition = instance_.partition_of(store, *question.query.key);
        if (!partition) return refused(partition.error());
        question.partition = *partition;
    }
    if (question.partition) {
        const auto at =
            std::ranges::find(*owners, *question.partition, &KeyQueryMetadata::partition);
        if (at == owners->end())
            return refusal(404, name_of(QueryFailure::kDoesNotExist),
                           store + " has no partition " + std::to_string(*question.partition));
        out.push_back(*at);
    } else {
        out = *std::move(owners);
    }
    return std::nullopt;
}

void Router::take(const RawAnswer& answer, const KeyQueryMetadata& owner, Progress& out) const {
    const Question& question = out.question;
    if (answer.failure) {
        const bool is_elsewhere = *answer.failure == QueryFailure::kNotPresent ||
                                  *answer.failure == QueryFailure::kNotActive ||
                                  // A copy may be behind; whoever runs the task is not.
                                  (*answer.failure == QueryFailure::kNotUpToBound &&
                                   question.stale && owner.active != instance_.address());
        if (!is_elsewhere)
            out.response = failed(answer);
        else if (question.was_forwarded)
            out.response = refusal(kMisdirected, "NOT_HERE",
                                   "partition " + std::to_string(answer.partition) + " of " +
                                       question.store->name + ": " + answer.reason);
        else
            out.missing.push_back(owner);
        return;
    }
    if (question.is_lookup() && answer.rows.empty()) {
        out.response = refusal(404, "KEY_NOT_FOUND",
                               question.store->name + " has no such key in partition " +
                                   std::to_string(answer.partition) + " at position '" +
                                   position_text(answer.position) + "'");
        return;
    }
    auto text = partition_text(*question.store, question.query, answer, instance_.address());
    if (text)
        out.parts.emplace(answer.partition, *std::move(text));
    else
        out.response = refusal(500, "STORE_EXCEPTION", text.error().detail());
}

bool Router::asks_a_store(const http::Request& request) {
    return request.path != "/metrics" && request.path != "/stores";
}

Progress Router::read(const http::Request& request) const {
    Progress out;
    if (request.path == "/metrics") {
        out.response = http::Response{.content_type = std::string{kPrometheus},
                                      .body = streams::prometheus_text(instance_.metrics())};
        return out;
    }
    if (request.path == "/stores") {
        out.response = stores();
        return out;
    }
    auto parsed = parse_question(request, stores_, limits_.rows_max);
    if (auto* refused_one = std::get_if<http::Response>(&parsed)) {
        out.response = std::move(*refused_one);
        return out;
    }
    out.question = std::move(std::get<Question>(parsed));
    std::vector<KeyQueryMetadata> owners;
    out.response = find_owners(out.question, owners);
    if (out.response) return out;
    streams::QueryOptions options{.require_active = !out.question.stale,
                                  .at_least = out.question.at_least,
                                  .rows_max = out.question.rows_max,
                                  .wait_max = limits_.wait_max};
    for (const auto& one : owners) options.partitions.insert(one.partition);
    const auto answers = instance_.ask(out.question.store->name, out.question.query, options);
    if (!answers) {
        out.response = refused(answers.error());
        return out;
    }
    for (const RawAnswer& answer : *answers) {
        const auto owner =
            std::ranges::find(owners, answer.partition, &KeyQueryMetadata::partition);
        if (owner != owners.end()) take(answer, *owner, out);
        if (out.response) return out;
    }
    if (out.missing.empty()) out.response = whole(out);
    return out;
}

http::Response Router::whole(const Progress& progress) const {
    if (progress.question.partition) return json_response(progress.parts.begin()->second);
    std::vector<std::string> parts;
    parts.reserve(progress.parts.size());
    for (const auto& [partition, text] : progress.parts) parts.push_back(text);
    return json_response(partitions_text(progress.question.store->name, parts));
}

http::Response Router::pass_on(const Question& question, const KeyQueryMetadata& owner,
                               Peers& peers) const {
    const std::string what =
        "partition " + std::to_string(owner.partition) + " of " + question.store->name;
    std::vector<std::string> candidates{owner.active};
    if (question.stale)
        candidates.insert(candidates.end(), owner.standby.begin(), owner.standby.end());
    std::erase_if(candidates, [&](const std::string& one) {
        return one.empty() || one == instance_.address();
    });
    http::Response last =
        owner.active.empty()
            ? refusal(
                  503, "OWNER_UNKNOWN",
                  what + " is not here, and no instance that tells its application.server has it")
            : refusal(503, "NOT_READY", what + " is being restored here");
    for (const std::string& address : candidates) {
        auto fetched = peers.get(address, question.target_of(owner.partition));
        if (!fetched) {
            const bool is_late = fetched.error().code() == Errc::kTimedOut;
            last =
                refusal(is_late ? 504 : 502, is_late ? "OWNER_TIMED_OUT" : "OWNER_UNREACHABLE",
                        what + " is at " + address + ": " + std::string{fetched.error().detail()});
        } else if (fetched->status == kMisdirected) {
            last =
                refusal(503, "NOT_READY",
                        what + " is not at " + address + " as the group had it: it is being moved");
        } else {
            auto out = json_response(std::move(fetched->body));
            out.status = fetched->status;
            if (out.body.ends_with("\n\n")) out.body.pop_back();
            return out;
        }
    }
    return last;
}

http::Response Router::finish(Progress progress, Peers& peers) const {
    for (const KeyQueryMetadata& owner : progress.missing) {
        http::Response one = pass_on(progress.question, owner, peers);
        if (progress.question.partition || one.status != 200) return one;
        while (one.body.ends_with('\n')) one.body.pop_back();
        progress.parts.emplace(owner.partition, std::move(one.body));
    }
    return whole(progress);
}

}  // namespace leat::stream_endpoint
