// SPDX-License-Identifier: Apache-2.0
//
// Instances without a cluster, for tests: each has some partitions, whose state is a test driver's.
// Layer: stream_endpoint (L7).
// Threading: one thread's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "stream_endpoint/instance.h"
#include "stream_endpoint/router.h"
#include "streams/store_query.h"

namespace leat::stream_endpoint {

/// Topic "in" counted by key, by window and by session; "table" kept with its history.
inline streams::Topology counting() {
    using std::chrono::milliseconds;
    using Text = std::string;
    streams::Builder builder;
    const auto grouped = builder.stream<Text, Text>("in").group_by_key();
    static_cast<void>(grouped.count({.store = "counts"}));
    static_cast<void>(
        grouped.windowed(streams::tumbling(milliseconds{100}).grace(milliseconds{1000}))
            .count({.store = "windows"}));
    static_cast<void>(grouped.windowed(streams::session(milliseconds{50}).grace(milliseconds{1000}))
                          .count({.store = "sessions"}));
    static_cast<void>(builder.table<Text, Text>(
        "table", {}, {.store = "versions", .history = milliseconds{1000}}));
    auto topology = builder.build();
    LEAT_CHECK(topology.has_value());
    return *std::move(topology);
}

inline std::vector<ExposedStore> exposed() {
    using Text = std::string;
    return {expose<Text, std::int64_t>("counts"), expose<Text, std::int64_t>("windows"),
            expose<Text, std::int64_t>("sessions"), expose<Text, Text>("versions")};
}

/// Keys that begin with a letter of an even code are in partition 0, others in 1.
class FakeInstance final : public Instance {
  public:
    explicit FakeInstance(std::string address) : address_(std::move(address)) {}

    struct Held {
        std::shared_ptr<streams::TestDriver> state;
        bool is_active = true;
        std::int64_t position = 0;
    };
    std::map<std::int32_t, Held> held;
    std::vector<streams::KeyQueryMetadata> told{{.partition = 0}, {.partition = 1}};
    streams::ApplicationState now = streams::ApplicationState::kRunning;

    [[nodiscard]] streams::ApplicationState state() const override { return now; }
    [[nodiscard]] std::string address() const override { return address_; }
    [[nodiscard]] std::vector<streams::MetricValue> metrics() const override {
        return {{.group = "stream-metrics", .name = "client-state", .value = 2}};
    }
    [[nodiscard]] Result<std::vector<streams::detail::RawAnswer>> ask(
        std::string_view store, const streams::detail::RawQuery& query,
        const streams::QueryOptions& options) const override {
        if (now != streams::ApplicationState::kRunning)
            return Error{Errc::kUsage, "the application is " + name_of(now)};
        std::vector<streams::detail::RawAnswer> out;
        out.reserve(options.partitions.size());
        for (const std::int32_t partition : options.partitions)
            out.push_back(answer(partition, store, query, options));
        return out;
    }
    [[nodiscard]] Result<std::vector<streams::KeyQueryMetadata>> owners(
        std::string_view /*store*/) const override {
        if (told.empty()) return Error{Errc::kNotCoordinator, "the group has not laid out yet"};
        return told;
    }
    [[nodiscard]] Result<std::int32_t> partition_of(std::string_view /*store*/,
                                                    std::string_view key) const override {
        return key.empty() ? 0 : key.front() % 2;
    }

  private:
    [[nodiscard]] streams::detail::RawAnswer answer(std::int32_t partition, std::string_view store,
                                                    const streams::detail::RawQuery& query,
                                                    const streams::QueryOptions& options) const {
        using streams::QueryFailure;
        streams::detail::RawAnswer out{.partition = partition};
        const auto found = held.find(partition);
        if (found == held.end()) {
            out.failure = QueryFailure::kNotPresent;
            out.reason = "it is not on this instance";
            return out;
        }
        out.position["in"][partition] = found->second.position;
        if (options.require_active && !found->second.is_active) {
            out.failure = QueryFailure::kNotActive;
            return out;
        }
        if (!streams::detail::is_up_to(out.position, options.at_least, partition)) {
            out.failure = QueryFailure::kNotUpToBound;
            return out;
        }
        auto answers = found->second.state->ask(store, query, {.rows_max = options.rows_max});
        LEAT_CHECK(answers.has_value() && answers->size() == 1);
        auto& only = answers->front();
        only.partition = partition;
        only.position = out.position;
        return std::move(only);
    }

    std::string address_;
};

/// Passes questions to routers in this process.
class FakePeers final : public Peers {
  public:
    std::map<std::string, const Router*> known;
    std::vector<std::string> asked;
    Errc failure = Errc::kNetworkException;  ///< Of those that are not known.

    Result<Fetched> get(const std::string& address, const std::string& target) override {
        asked.push_back(address + target);
        const auto found = known.find(address);
        if (found == known.end()) return Error{failure, "connection refused"};
        const auto cut = target.find('?');
        http::Request request;
        request.method = "GET";
        request.path = target.substr(0, cut);
        if (cut != std::string::npos) request.query = target.substr(cut + 1);
        request.headers.emplace_back(std::string{kForwardedHeader}, "1");
        auto progress = found->second->read(request);
        LEAT_CHECK(progress.response.has_value());
        return Fetched{.status = progress.response->status, .body = progress.response->body};
    }
};

}  // namespace leat::stream_endpoint
