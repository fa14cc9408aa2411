// SPDX-License-Identifier: Apache-2.0
//
// A coordinator whose appends the test completes, and which comes back with what was written.
// Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/endian.h"
#include "groups/coordinator.h"

namespace leat::groups::testing {

using Buffer = std::vector<std::byte>;

inline Buffer bytes(std::string_view text) {
    const auto view = std::as_bytes(std::span{text.data(), text.size()});
    return {view.begin(), view.end()};
}

/// A consumer's subscription of one topic.
inline Buffer subscription(std::string_view topic) {
    Buffer out(8);
    store_be(out.data() + 2, std::int32_t{1});
    store_be(out.data() + 6, static_cast<std::int16_t>(topic.size()));
    const Buffer text = bytes(topic);
    out.insert(out.end(), text.begin(), text.end());
    out.resize(out.size() + 4, std::byte{0xFF});
    return out;
}

inline Settings quick() {
    Settings settings;
    settings.initial_rebalance_delay = {};
    return settings;
}

/// Usage: commands; write() completes their appends; restart() reads back what was written.
struct Fixture {
    explicit Fixture(const Settings& given = quick()) : settings(given) { restart(); }

    /// A new coordinator that has read the log.
    void restart() {
        unwritten.clear();
        c = std::make_unique<Coordinator>(settings, [this] { return ++bits; });
        for (const RecordToWrite& record : log) {
            c->load_record(record.key,
                           record.value ? std::optional<Bytes>{*record.value} : std::nullopt, now);
        }
        c->finish_load(now);
    }
    /// Completes all appends in order, and those that follow from it.
    void write(Errc outcome = Errc::kNone) {
        for (collect(); !unwritten.empty(); collect()) {
            const Write next = std::move(unwritten.front());
            unwritten.erase(unwritten.begin());
            if (outcome == Errc::kNone)
                log.insert(log.end(), next.records.begin(), next.records.end());
            c->on_written(next.token, outcome, now);
        }
    }
    void collect() {
        for (Write& each : c->take_writes()) unwritten.push_back(std::move(each));
    }
    /// Lets time pass, timer by timer.
    void pass(std::chrono::milliseconds time) {
        const Instant until = now.mono + time;
        for (auto at = c->next_deadline(); at && *at <= until; at = c->next_deadline()) {
            const auto step = std::max(*at - now.mono, MonoClock::duration{0});
            now.mono += step;
            now.wall.value += std::chrono::duration_cast<std::chrono::milliseconds>(step).count();
            c->advance(now);
        }
        now.wall.value +=
            std::chrono::duration_cast<std::chrono::milliseconds>(until - now.mono).count();
        now.mono = until;
    }

    struct Options {
        std::string member = {};
        std::optional<std::string> instance = {};
        std::int32_t session_ms = 10'000;
        std::int32_t rebalance_ms = 3'000;
        std::string type = "consumer";
        std::vector<std::string> protocols = {"range"};
        std::string topic = "t1";
        bool id_required = false;
        bool can_skip = false;
    };
    /// Answers arrive in the place that is returned.
    std::shared_ptr<std::optional<JoinAnswer>> join(std::string_view group, const Options& o) {
        auto out = std::make_shared<std::optional<JoinAnswer>>();
        const Buffer metadata = subscription(o.topic);
        std::vector<Protocol> protocols;
        protocols.reserve(o.protocols.size());
        for (const auto& name : o.protocols) protocols.push_back({name, metadata});
        c->join({.group_id = group,
                 .member_id = o.member,
                 .instance_id = o.instance,
                 .client_id = "app",
                 .client_host = "/127.0.0.1",
                 .protocol_type = o.type,
                 .protocols = protocols,
                 .session_timeout_ms = o.session_ms,
                 .rebalance_timeout_ms = o.rebalance_ms,
                 .member_id_required = o.id_required,
                 .can_skip_assignment = o.can_skip},
                now, [out](JoinAnswer answer) { *out = std::move(answer); });
        return out;
    }
    /// A group of one that is stable; the member's id.
    std::string stable(std::string_view group, const Options& o) {
        auto joined = join(group, o);
        pass({});
        EXPECT_TRUE(joined->has_value());
        if (!*joined) return {};
        const std::string id = (*joined)->member_id;
        const auto synced = sync(group, (*joined)->generation, id, {{id, "AA"}});
        write();
        EXPECT_TRUE(synced->has_value() && (*synced)->error == Errc::kNone);
        return id;
    }
    std::string stable(std::string_view group) { return stable(group, {}); }

    std::shared_ptr<std::optional<SyncAnswer>> sync(
        std::string_view group, std::int32_t generation, std::string_view member,
        std::vector<std::pair<std::string, std::string>> assignments = {},
        std::optional<std::string_view> instance = std::nullopt,
        std::optional<std::string_view> protocol = std::nullopt) {
        auto out = std::make_shared<std::optional<SyncAnswer>>();
        std::vector<Buffer> blobs;
        blobs.reserve(assignments.size());
        for (const auto& [id, text] : assignments) blobs.push_back(bytes(text));
        std::vector<Assignment> given;
        given.reserve(blobs.size());
        for (std::size_t i = 0; i < blobs.size(); ++i)
            given.push_back({assignments[i].first, blobs[i]});
        c->sync({.group_id = group,
                 .member_id = member,
                 .instance_id = instance,
                 .generation = generation,
                 .protocol = protocol,
                 .assignments = given},
                now, [out](SyncAnswer answer) { *out = std::move(answer); });
        return out;
    }
    Errc heartbeat(std::string_view group, std::int32_t generation, std::string_view member,
                   std::optional<std::string_view> instance = std::nullopt) {
        return c->heartbeat({group, member, instance, generation}, now);
    }
    Errc leave(std::string_view group, std::string_view member,
               std::optional<std::string_view> instance = std::nullopt) {
        const LeavingMember leaving{member, instance};
        const auto answer = c->leave({group, {&leaving, 1}}, now);
        return answer.error != Errc::kNone ? answer.error : answer.members.front();
    }
    std::shared_ptr<std::optional<CommitAnswer>> commit(
        std::string_view group, std::int32_t generation, std::string_view member,
        const OffsetToCommit& offset, std::optional<std::string_view> instance = std::nullopt,
        std::int64_t retention_ms = -1) {
        auto out = std::make_shared<std::optional<CommitAnswer>>();
        c->commit_offsets({group, member, instance, generation, retention_ms, {&offset, 1}}, now,
                          [out](CommitAnswer answer) { *out = std::move(answer); });
        return out;
    }
    /// The one code that the client sees, when the append succeeds.
    Errc commit_error(std::string_view group, std::int32_t generation, std::string_view member,
                      const OffsetToCommit& offset = {.topic = "t1", .offset = 5},
                      std::optional<std::string_view> instance = std::nullopt) {
        const auto out = commit(group, generation, member, offset, instance);
        write();
        EXPECT_TRUE(out->has_value());
        return (*out)->error != Errc::kNone ? (*out)->error : (*out)->partitions.front();
    }
    std::int64_t committed(std::string_view group, std::string_view topic = "t1",
                           std::int32_t partition = 0) {
        const TopicPartition asked{topic, partition};
        return c->fetch_offsets(group, {&asked, 1}).front().offset;
    }

    Settings settings;
    Now now{Instant{} + std::chrono::hours{1}, WallMs{1'000'000}};
    std::uint64_t bits = 0;
    std::vector<RecordToWrite> log;
    std::vector<Write> unwritten;
    std::unique_ptr<Coordinator> c;
};

}  // namespace leat::groups::testing
