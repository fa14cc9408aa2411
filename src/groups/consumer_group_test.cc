// SPDX-License-Identifier: Apache-2.0
// Method: heartbeats against a coordinator whose appends the test completes; the codes, epochs and
// assignments are those that a Kafka 4.3.1 node gave to the same requests
// (tests/interop/consumer_group_cases.py).
#include <gtest/gtest.h>

#include <algorithm>

#include "base/endian.h"
#include "groups/consumer_records.h"
#include "groups/coordinator.h"
#include "groups/subscription.h"

namespace leat::groups {
namespace {

using namespace std::chrono_literals;
using Buffer = std::vector<std::byte>;
using Parts = std::vector<std::int32_t>;

Buffer bytes(std::string_view text) {
    const auto view = std::as_bytes(std::span{text.data(), text.size()});
    return {view.begin(), view.end()};
}

/// A consumer's subscription, version 0, of one topic.
Buffer subscription(std::string_view topic) {
    Buffer out(8);
    store_be(out.data() + 2, std::int32_t{1});
    store_be(out.data() + 6, static_cast<std::int16_t>(topic.size()));
    const Buffer text = bytes(topic);
    out.insert(out.end(), text.begin(), text.end());
    out.resize(out.size() + 4, std::byte{0xFF});
    return out;
}

struct Topics final : ClusterView {
    std::map<std::string, TopicInfo, std::less<>> all;
    GroupOverrides settings;

    void add(const std::string& name, std::int32_t count) {
        const auto at = all.try_emplace(name).first;
        if (at->second.id.is_zero())
            at->second.id.bytes[15] = static_cast<std::uint8_t>(all.size());
        at->second.name = at->first;
        at->second.partition_count = count;
    }
    [[nodiscard]] std::optional<TopicInfo> find(std::string_view topic) const override {
        const auto at = all.find(topic);
        return at == all.end() ? std::nullopt : std::optional{at->second};
    }
    [[nodiscard]] std::optional<TopicInfo> find(const Uuid& id) const override {
        for (const auto& [name, topic] : all)
            if (topic.id == id) return topic;
        return std::nullopt;
    }
    void for_each_topic(const std::function<void(std::string_view)>& visit) const override {
        for (const auto& [name, topic] : all) visit(name);
    }
    [[nodiscard]] std::int64_t version() const override { return 1; }
    [[nodiscard]] GroupOverrides overrides(std::string_view /*group_id*/) const override {
        return settings;
    }
};

struct Fixture {
    explicit Fixture(const Settings& given = {}) : settings(given) {
        topics.add("t", 4);
        settings.initial_rebalance_delay = 0ms;
        restart();
    }
    void restart() {
        unwritten.clear();
        c = std::make_unique<Coordinator>(settings, [this] { return ++bits; }, &topics);
        for (const RecordToWrite& record : log)
            c->load_record(record.key,
                           record.value ? std::optional<Bytes>{*record.value} : std::nullopt, now);
        c->finish_load(now);
    }
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
    void pass(std::chrono::milliseconds time) {
        const Instant until = now.mono + time;
        for (auto at = c->next_deadline(); at && *at <= until; at = c->next_deadline()) {
            const auto step = std::max(*at - now.mono, MonoClock::duration{0});
            now.mono += step;
            now.wall.value += std::chrono::duration_cast<std::chrono::milliseconds>(step).count();
            c->advance(now);
            write();
        }
        now.wall.value +=
            std::chrono::duration_cast<std::chrono::milliseconds>(until - now.mono).count();
        now.mono = until;
    }

    struct Beat {
        std::string member = "m1";
        std::int32_t epoch = 0;
        std::optional<std::string> instance = {};
        std::optional<std::vector<std::string>> topics = {};
        std::optional<std::string> regex = {};
        std::optional<std::string> assignor = {};
        std::optional<Parts> owned = {};
        std::int32_t rebalance_ms = -1;
        std::string group = "g";
        bool own_id = true;
        std::string topic_of_owned = "t";
    };
    static Beat joining(std::string member, std::optional<std::string> instance = {}) {
        return {.member = std::move(member),
                .instance = std::move(instance),
                .topics = {{"t"}},
                .owned = Parts{},
                .rebalance_ms = 30'000};
    }
    std::shared_ptr<std::optional<ConsumerHeartbeatAnswer>> send(const Beat& beat) {
        auto out = std::make_shared<std::optional<ConsumerHeartbeatAnswer>>();
        std::vector<std::string_view> names;
        if (beat.topics) names.assign(beat.topics->begin(), beat.topics->end());
        std::vector<OwnedTopic> owned;
        const auto topic = topics.find(beat.topic_of_owned);
        if (beat.owned && !beat.owned->empty())
            owned.push_back({.topic_id = topic ? topic->id : Uuid{}, .partitions = *beat.owned});
        ConsumerHeartbeat request{.group_id = beat.group,
                                  .member_id = beat.member,
                                  .member_epoch = beat.epoch,
                                  .instance_id = beat.instance,
                                  .rebalance_timeout_ms = beat.rebalance_ms,
                                  .regex = beat.regex,
                                  .assignor = beat.assignor,
                                  .client_id = "app",
                                  .client_host = "/127.0.0.1",
                                  .makes_own_id = beat.own_id};
        if (beat.topics) request.topics = names;
        if (beat.owned) request.owned = owned;
        c->consumer_heartbeat(request, now,
                              [out](ConsumerHeartbeatAnswer answer) { *out = std::move(answer); });
        return out;
    }
    ConsumerHeartbeatAnswer beat(const Beat& beat) {
        const auto out = send(beat);
        write();
        return out->value_or(ConsumerHeartbeatAnswer{.error = Errc::kRequestTimedOut});
    }
    Errc error(const Beat& b) { return beat(b).error; }
    /// What it was told to read of "t"; nullopt: as before.
    std::optional<Parts> told(const ConsumerHeartbeatAnswer& answer) {
        if (!answer.assignment) return std::nullopt;
        Parts out;
        for (const auto& [topic, partitions] : *answer.assignment)
            out.insert(out.end(), partitions.begin(), partitions.end());
        std::ranges::sort(out);
        return out;
    }
    DescribedConsumerGroup describe(std::string_view group = "g") {
        std::optional<DescribedConsumerGroup> out;
        c->describe_consumer(group, now, [&out](DescribedConsumerGroup d) { out = std::move(d); });
        write();
        return *out;
    }
    Errc commit(std::int32_t epoch, std::string_view member, std::int32_t partition = 0) {
        return commit_all(epoch, member, {partition});
    }
    /// The error of the whole, else of the last one. In a transaction when `producer` is set.
    Errc commit_all(std::int32_t epoch, std::string_view member, const Parts& partitions) {
        std::optional<Errc> out;
        std::vector<OffsetToCommit> offsets;
        for (const std::int32_t partition : partitions)
            offsets.push_back({.topic = "t", .partition = partition, .offset = 5});
        c->commit_offsets({.group_id = "g",
                           .member_id = member,
                           .generation = epoch,
                           .offsets = offsets,
                           .transaction = producer},
                          now, [&out](const CommitAnswer& answer) {
                              out = answer.error != Errc::kNone ? answer.error
                                                                : answer.partitions.back();
                          });
        write();
        return out.value_or(Errc::kRequestTimedOut);
    }
    /// m2 has joined: what m1 keeps of its four partitions at its new epoch 3.
    Parts share_with_second() {
        beat(joining("m2"));
        pass(1s);
        beat({.member = "m2", .epoch = 2});
        Parts kept = *told(beat({.epoch = 2, .owned = Parts{0, 1, 2, 3}}));
        EXPECT_EQ(beat({.epoch = 2, .owned = kept}).member_epoch, 3);
        return kept;
    }
    std::shared_ptr<std::optional<JoinAnswer>> join_classic(std::string_view member,
                                                            std::string_view instance = "") {
        auto out = std::make_shared<std::optional<JoinAnswer>>();
        const Buffer metadata = subscription("t");
        const Protocol protocol{.name = "range", .metadata = metadata};
        Join request{.group_id = "g",
                     .member_id = member,
                     .client_id = "old",
                     .client_host = "/127.0.0.1",
                     .protocol_type = "consumer",
                     .protocols = {&protocol, 1},
                     .session_timeout_ms = 10'000,
                     .rebalance_timeout_ms = 20'000,
                     .member_id_required = true};
        if (!instance.empty()) request.instance_id = instance;
        c->join(request, now, [out](JoinAnswer answer) { *out = std::move(answer); });
        write();
        return out;
    }
    SyncAnswer sync_classic(std::string_view member, std::int32_t generation,
                            const std::vector<std::pair<std::string, Buffer>>& shares = {}) {
        std::optional<SyncAnswer> out;
        std::vector<Assignment> given;
        given.reserve(shares.size());
        for (const auto& [id, share] : shares) given.push_back({id, share});
        c->sync(
            {.group_id = "g", .member_id = member, .generation = generation, .assignments = given},
            now, [&out](SyncAnswer answer) { out = std::move(answer); });
        write();
        return out.value_or(SyncAnswer{.error = Errc::kRequestTimedOut});
    }

    Settings settings;
    Topics topics;
    Now now{Instant{std::chrono::hours{1}}, WallMs{1'000'000'000}};
    std::vector<RecordToWrite> log;
    std::vector<Write> unwritten;
    std::uint64_t bits = 0;
    std::optional<Producer> producer;  ///< Whose transaction commits are of.
    std::unique_ptr<Coordinator> c;
};

using Beat = Fixture::Beat;
Beat joining(std::string member, std::optional<std::string> instance) {
    return Fixture::joining(std::move(member), std::move(instance));
}

TEST(ConsumerHeartbeat, FirstMemberGetsAllPartitionsAtOnce) {
    Fixture f;
    const auto answer = f.beat(joining("m1", {}));
    EXPECT_EQ(answer.error, Errc::kNone);
    EXPECT_EQ(answer.member_id, "m1");
    EXPECT_EQ(answer.member_epoch, 2);
    EXPECT_EQ(answer.heartbeat_interval_ms, 5'000);
    EXPECT_EQ(f.told(answer), (Parts{0, 1, 2, 3}));
    // Nothing new is not told again; a full request asks for it.
    EXPECT_EQ(f.told(f.beat({.epoch = 2})), std::nullopt);
    EXPECT_EQ(
        f.told(f.beat(
            {.epoch = 2, .topics = {{"t"}}, .owned = Parts{0, 1, 2, 3}, .rebalance_ms = 30'000})),
        (Parts{0, 1, 2, 3}));
}

TEST(ConsumerHeartbeat, AnswersOnlyWhenDurable) {
    Fixture f;
    const auto answer = f.send(joining("m1", {}));
    const auto second = f.send({.epoch = 2});
    EXPECT_FALSE(answer->has_value());
    EXPECT_FALSE(second->has_value());
    f.write();
    ASSERT_TRUE(answer->has_value() && second->has_value());
    EXPECT_EQ((*second)->error, Errc::kNone);
}

TEST(ConsumerHeartbeat, RevokesBeforeItAssigns) {
    Fixture f;
    EXPECT_EQ(f.beat(joining("m1", {})).member_epoch, 2);
    // Within the interval the target stays: the newcomer waits, at the old epoch.
    const auto early = f.beat(joining("m2", {}));
    EXPECT_EQ(early.member_epoch, 2);
    EXPECT_EQ(f.told(early), Parts{});
    EXPECT_EQ(f.describe().state, "Assigning");
    f.pass(1s);
    const auto second = f.beat({.member = "m2", .epoch = 2, .owned = Parts{}});
    EXPECT_EQ(second.member_epoch, 3);
    EXPECT_EQ(f.told(second), std::nullopt);
    // The first has to give two up, keeps its epoch meanwhile, and is told once.
    const auto first = f.beat({.epoch = 2, .owned = Parts{0, 1, 2, 3}});
    EXPECT_EQ(first.member_epoch, 2);
    const Parts kept = *f.told(first);
    EXPECT_EQ(kept.size(), 2U);
    EXPECT_EQ(f.told(f.beat({.member = "m2", .epoch = 3})), std::nullopt);
    EXPECT_EQ(f.describe().state, "Reconciling");
    const auto done = f.beat({.epoch = 2, .owned = kept});
    EXPECT_EQ(done.member_epoch, 3);
    EXPECT_EQ(f.told(f.beat({.member = "m2", .epoch = 3}))->size(), 2U);
    EXPECT_EQ(f.describe().state, "Stable");
}

TEST(ConsumerHeartbeat, RefusesWhatIsNoRequest) {
    Fixture f;
    Beat beat = joining("", {});
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    beat.own_id = false;
    EXPECT_EQ(f.error(beat), Errc::kNone);
    beat = joining("m1", {});
    beat.group = " ";
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    beat = joining("m1", "");
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    beat = joining("m1", {});
    beat.rebalance_ms = -1;
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    beat = joining("m1", {});
    beat.owned.reset();
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    beat = joining("m1", {});
    beat.topics.reset();
    EXPECT_EQ(f.error(beat), Errc::kInvalidRequest);
    EXPECT_EQ(f.error({.epoch = -2}), Errc::kInvalidRequest);
    EXPECT_EQ(f.error({.epoch = -3}), Errc::kInvalidRequest);
    beat = joining("m1", {});
    beat.assignor = "sticky";
    EXPECT_EQ(f.error(beat), Errc::kUnsupportedAssignor);
}

TEST(ConsumerHeartbeat, KnowsNeitherGroupNorMemberThatDidNotJoin) {
    Fixture f;
    EXPECT_EQ(f.error({.epoch = 5}), Errc::kGroupIdNotFound);
    EXPECT_EQ(f.error({.epoch = -1}), Errc::kGroupIdNotFound);
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.error({.member = "other", .epoch = 2}), Errc::kUnknownMemberId);
    EXPECT_EQ(f.error({.member = "other", .epoch = -1}), Errc::kUnknownMemberId);
    EXPECT_EQ(f.error({.epoch = 2, .instance = "i1"}), Errc::kUnknownMemberId);
}

TEST(ConsumerHeartbeat, FencesEpochsThatAreNotTheMembers) {
    Fixture f;
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.error({.epoch = 3}), Errc::kFencedMemberEpoch);
    EXPECT_EQ(f.error({.epoch = 1}), Errc::kFencedMemberEpoch);
    // The epoch before this one was 0; who joins again keeps what it has.
    const auto again = f.beat(joining("m1", {}));
    EXPECT_EQ(again.member_epoch, 2);
    EXPECT_EQ(f.told(again)->size(), 4U);
}

TEST(ConsumerHeartbeat, TakesThePreviousEpochOfWhoOwnsNoMore) {
    Fixture f;
    f.beat(joining("m1", {}));
    f.beat(joining("m2", {}));
    f.pass(1s);
    f.beat({.member = "m2", .epoch = 2});
    const Parts kept = *f.told(f.beat({.epoch = 2, .owned = Parts{0, 1, 2, 3}}));
    EXPECT_EQ(f.beat({.epoch = 2, .owned = kept}).member_epoch, 3);
    // The answer was lost.
    EXPECT_EQ(f.beat({.epoch = 2, .owned = kept}).member_epoch, 3);
    EXPECT_EQ(f.error({.epoch = 2, .owned = Parts{0, 1, 2, 3}}), Errc::kFencedMemberEpoch);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kFencedMemberEpoch);
}

TEST(ConsumerHeartbeat, StaticMemberComesBackToWhatItHad) {
    Fixture f;
    f.beat(joining("m1", "i1"));
    EXPECT_EQ(f.error(joining("m2", "i1")), Errc::kUnreleasedInstanceId);
    EXPECT_EQ(f.error({.member = "m2", .epoch = 2, .instance = "i1"}), Errc::kFencedInstanceId);
    EXPECT_EQ(f.error({.member = "m2", .epoch = -1, .instance = "i1"}), Errc::kFencedInstanceId);
    EXPECT_EQ(f.beat({.epoch = -2, .instance = "i1"}).member_epoch, -2);
    const auto back = f.beat(joining("m2", "i1"));
    EXPECT_EQ(back.member_epoch, 2);
    EXPECT_EQ(f.told(back), (Parts{0, 1, 2, 3}));
    EXPECT_EQ(f.describe().members.size(), 1U);
    EXPECT_EQ(f.beat({.member = "m2", .epoch = -1, .instance = "i1"}).error, Errc::kNone);
    EXPECT_EQ(f.describe().state, "Empty");
}

TEST(ConsumerHeartbeat, StaticMemberThatStaysAwayIsLost) {
    Fixture f;
    f.beat(joining("m1", "i1"));
    f.beat({.epoch = -2, .instance = "i1"});
    f.pass(44s);
    EXPECT_EQ(f.describe().members.size(), 1U);
    f.pass(1s);
    EXPECT_EQ(f.describe().members.size(), 0U);
}

TEST(ConsumerHeartbeat, SilenceEndsTheSession) {
    Fixture f;
    f.beat(joining("m1", {}));
    f.beat(joining("m2", {}));
    f.pass(30s);
    EXPECT_EQ(f.error({.member = "m2", .epoch = 2}), Errc::kNone);
    f.pass(15s);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kUnknownMemberId);
    EXPECT_EQ(f.told(f.beat({.member = "m2", .epoch = 3, .owned = Parts{}})), (Parts{0, 1, 2, 3}));
}

TEST(ConsumerHeartbeat, WhoDoesNotRevokeInTimeIsLost) {
    Fixture f;
    f.beat(joining("m1", {}));
    f.beat(joining("m2", {}));
    f.pass(1s);
    f.beat({.member = "m2", .epoch = 2});
    f.beat({.epoch = 2, .owned = Parts{0, 1, 2, 3}});
    f.pass(20s);
    EXPECT_EQ(f.error({.epoch = 2, .owned = Parts{0, 1, 2, 3}}), Errc::kNone);
    f.pass(10s);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kUnknownMemberId);
}

TEST(ConsumerHeartbeat, GroupIsFullAtItsBound) {
    Settings settings;
    settings.consumer_members_max = 1;
    Fixture f{settings};
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.error(joining("m2", {})), Errc::kGroupMaxSizeReached);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kNone);
}

TEST(ConsumerHeartbeat, WhatMembersSayIsBounded) {
    Settings settings;
    settings.member_bytes_max = 1'000;
    settings.group_bytes_max = 1'300;
    Fixture f{settings};
    Beat large = joining("m1", {});
    large.topics = {{std::string(900, 'x')}};
    EXPECT_EQ(f.error(large), Errc::kInvalidRequest);
    large.topics = {{std::string(500, 'x')}};
    EXPECT_EQ(f.error(large), Errc::kNone);
    Beat second = joining("m2", {});
    second.topics = {{std::string(300, 'y')}};
    EXPECT_EQ(f.error(second), Errc::kGroupMaxSizeReached);
    EXPECT_EQ(f.error(joining("m2", {})), Errc::kNone);
    f.restart();
    EXPECT_EQ(f.error(second), Errc::kGroupMaxSizeReached) << "counted from the log too";
    EXPECT_EQ(f.error(joining("m1", {})), Errc::kNone) << "it takes less than before";
    EXPECT_EQ(f.error(second), Errc::kNone);
}

TEST(ConsumerHeartbeat, RangeAssignorIsPickedByVotes) {
    Fixture f;
    Beat beat = joining("m1", {});
    beat.assignor = "range";
    f.beat(beat);
    EXPECT_EQ(f.describe().assignor, "range");
}

TEST(ConsumerRegex, StandsForTopicsThatMatchAsAWhole) {
    Fixture f;
    f.topics.add("t2", 1);
    f.topics.add("other", 1);
    Beat beat = joining("m1", {});
    beat.topics.reset();
    beat.regex = "t.?";
    const auto answer = f.beat(beat);
    EXPECT_EQ(answer.member_epoch, 1);
    EXPECT_LT(answer.heartbeat_interval_ms, 5'000);
    const auto next = f.beat({.epoch = 1, .owned = Parts{}});
    EXPECT_EQ(next.member_epoch, 2);
    EXPECT_EQ(f.told(next), (Parts{0, 0, 1, 2, 3}));
    const auto described = f.describe();
    EXPECT_EQ(described.members.front().regex, "t.?");
}

TEST(ConsumerRegex, MalformedIsRefusedAndLeavesNothing) {
    Fixture f;
    Beat beat = joining("m1", {});
    beat.regex = "(";
    EXPECT_EQ(f.error(beat), Errc::kInvalidRegularExpression);
    EXPECT_EQ(f.describe().error, Errc::kGroupIdNotFound);
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.error({.epoch = 2, .regex = "["}), Errc::kInvalidRegularExpression);
}

TEST(ConsumerRegex, SeesTopicsThatCome) {
    Fixture f;
    Beat beat = joining("m1", {});
    beat.topics.reset();
    beat.regex = "t.*";
    f.beat(beat);
    f.beat({.epoch = 1, .owned = Parts{}});
    f.topics.add("t9", 2);
    f.c->on_topic_changed("t9", true);
    f.pass(11s);
    f.beat({.epoch = 2});
    EXPECT_EQ(f.told(f.beat({.epoch = 2}))->size(), 6U);
}

TEST(ConsumerRegex, AreTriedSomeAtATime) {
    Settings settings;
    settings.patterns_at_once_max = 2;
    Fixture f{settings};
    const std::vector<std::string> members{"m1", "m2", "m3", "m4", "m5"};
    std::map<std::string, std::int32_t> epochs;
    for (const std::string& member : members) {
        Beat beat = joining(member, {});
        beat.topics.reset();
        beat.regex = "t.*" + member + "|t";
        epochs[member] = f.beat(beat).member_epoch;
    }
    f.pass(11s);
    f.topics.add("t-m4", 1);
    f.c->on_topic_changed("t-m4", true);
    const auto tried = [&f] {
        return std::ranges::count_if(f.log, [](const RecordToWrite& record) {
            const auto value = record.value ? std::optional<Bytes>{*record.value} : std::nullopt;
            const auto decoded = decode_consumer_record(record.key, value);
            return decoded && std::holds_alternative<RegexRecord>(decoded->record);
        });
    };
    // A round is under way until each was tried once more, and no call tries more than two.
    std::vector<std::ptrdiff_t> steps;
    for (const std::string& member : members) {
        const auto before = tried();
        EXPECT_EQ(f.error({.member = member, .epoch = epochs[member]}), Errc::kNone);
        steps.push_back(tried() - before);
    }
    EXPECT_EQ(steps, (std::vector<std::ptrdiff_t>{2, 2, 1, 0, 0}));
}

TEST(ConsumerHeartbeat, SubscriptionSaidAgainChangesNothing) {
    Fixture f;
    f.topics.add("u", 1);
    Beat beat = joining("m1", {});
    beat.topics = {{"t", "u"}};
    ASSERT_EQ(f.beat(beat).member_epoch, 2);
    const auto written = f.log.size();
    beat.epoch = 2;
    beat.topics = {{"u", "t", "u"}};  // In another order, and one of them twice.
    beat.owned = Parts{0, 1, 2, 3};
    const auto again = f.beat(beat);
    EXPECT_EQ(again.error, Errc::kNone);
    EXPECT_EQ(f.log.size(), written);
    EXPECT_TRUE(again.assignment.has_value());  // All of it was said, so all of it is told.
    beat.topics = {{"u"}};
    f.beat(beat);
    EXPECT_GT(f.log.size(), written);
}

TEST(ConsumerTopics, GrowthAndDeletionReachTheGroup) {
    Fixture f;
    f.beat(joining("m1", {}));
    f.topics.add("t", 6);
    f.c->on_topic_changed("t", false);
    f.pass(1s);
    EXPECT_EQ(f.told(f.beat({.epoch = 2})), (Parts{0, 1, 2, 3, 4, 5}));
    f.topics.all.clear();
    f.c->on_topic_deleted("t", f.now);
    f.pass(1s);
    const auto gone = f.beat({.epoch = 3});
    EXPECT_EQ(f.told(gone), Parts{});
}

TEST(ConsumerOffsets, AreTakenFromWhoOwnsThePartition) {
    Fixture f;
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.commit(2, "m1"), Errc::kNone);
    EXPECT_EQ(f.commit(3, "m1"), Errc::kStaleMemberEpoch);
    EXPECT_EQ(f.commit(1, "m1"), Errc::kStaleMemberEpoch);
    EXPECT_EQ(f.commit(2, "other"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.commit(-1, ""), Errc::kUnknownMemberId);
    const Parts kept = f.share_with_second();
    // What it has had since before may be committed with the epoch of then.
    EXPECT_EQ(f.commit(2, "m1", kept.front()), Errc::kNone);
    const std::int32_t other = kept == Parts{0, 1} ? 3 : 0;
    EXPECT_EQ(f.commit(2, "m1", other), Errc::kStaleMemberEpoch);
    EXPECT_EQ(f.c->admit_fetch("g", "m1", 3), Errc::kNone);
    EXPECT_EQ(f.c->admit_fetch("g", "m1", 2), Errc::kStaleMemberEpoch);
    EXPECT_EQ(f.c->admit_fetch("g", "x", 3), Errc::kUnknownMemberId);
    EXPECT_EQ(f.c->admit_fetch("g", std::nullopt, -1), Errc::kNone);
}

TEST(ConsumerOffsets, OnePartitionThatIsNotItsOwnRefusesAllOfAnOlderEpoch) {
    Fixture f;
    f.beat(joining("m1", {}));
    const Parts kept = f.share_with_second();
    EXPECT_EQ(f.commit_all(2, "m1", kept), Errc::kNone);
    const std::int32_t other = kept == Parts{0, 1} ? 3 : 0;
    EXPECT_EQ(f.commit_all(2, "m1", {other, kept.front()}), Errc::kStaleMemberEpoch);
    EXPECT_EQ(f.commit_all(3, "m1", {other, kept.front()}), Errc::kNone);
}

TEST(ConsumerOffsets, AStaleMemberOfATransactionIsToldTheClassicWord) {
    Fixture f;
    f.beat(joining("m1", {}));
    f.producer = Producer{.id = 7, .epoch = 0};
    EXPECT_EQ(f.commit(2, "m1"), Errc::kNone);
    EXPECT_EQ(f.commit(3, "m1"), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit(1, "m1"), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit(2, "other"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.commit(-1, ""), Errc::kNone);  // Older versions say nothing of members.
    const Parts kept = f.share_with_second();
    EXPECT_EQ(f.commit(2, "m1", kept.front()), Errc::kNone);
    const std::int32_t other = kept == Parts{0, 1} ? 3 : 0;
    EXPECT_EQ(f.commit(2, "m1", other), Errc::kIllegalGeneration);
}

TEST(ConsumerLog, RestartKeepsMembersAndWhatTheyOwn) {
    Fixture f;
    f.beat(joining("m1", "i1"));
    f.beat(joining("m2", {}));
    f.pass(1s);
    f.beat({.member = "m2", .epoch = 2});
    f.beat({.epoch = 2, .owned = Parts{0, 1, 2, 3}});
    const auto before = f.describe();
    f.restart();
    const auto after = f.describe();
    EXPECT_EQ(after.epoch, before.epoch);
    EXPECT_EQ(after.assignment_epoch, before.assignment_epoch);
    EXPECT_EQ(after.state, before.state);
    ASSERT_EQ(after.members.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(after.members[i].member_epoch, before.members[i].member_epoch);
        EXPECT_EQ(after.members[i].instance_id, before.members[i].instance_id);
        ASSERT_EQ(after.members[i].assigned.size(), before.members[i].assigned.size());
        ASSERT_EQ(after.members[i].target.size(), 1U);
        EXPECT_EQ(after.members[i].target[0].partitions, before.members[i].target[0].partitions);
    }
    EXPECT_EQ(f.error({.epoch = 2, .owned = Parts{0, 1, 2, 3}}), Errc::kNone);
    f.pass(45s);
    EXPECT_EQ(f.describe().state, "Empty");
}

TEST(ConsumerLog, DeletedGroupLeavesNothing) {
    Fixture f;
    f.beat(joining("m1", {}));
    std::optional<Errc> outcome;
    f.c->delete_group("g", f.now, [&](Errc error) { outcome = error; });
    EXPECT_EQ(outcome, Errc::kNonEmptyGroup);
    f.beat({.epoch = -1});
    f.c->delete_group("g", f.now, [&](Errc error) { outcome = error; });
    f.write();
    EXPECT_EQ(outcome, Errc::kNone);
    EXPECT_TRUE(f.c->list().empty());
    std::map<Buffer, bool> live;
    for (const RecordToWrite& record : f.log) live[record.key] = record.value.has_value();
    for (const auto& [key, is_live] : live) EXPECT_FALSE(is_live);
    f.restart();
    EXPECT_TRUE(f.c->list().empty());
}

TEST(ConsumerLog, FailedAppendIsMadeUpForWithTheNext) {
    Fixture f;
    const auto answer = f.send(joining("m1", {}));
    f.write(Errc::kNoSpace);
    EXPECT_EQ((*answer)->error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(f.describe().error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kNone);
    f.restart();
    EXPECT_EQ(f.describe().members.size(), 1U);
    EXPECT_EQ(f.error({.epoch = 2}), Errc::kNone);
}

TEST(Migration, ClassicGroupBecomesAConsumerGroupWithItsMembers) {
    Fixture f;
    const auto first = f.join_classic("");
    const std::string id = (*first)->member_id;
    const auto joined = f.join_classic(id);
    f.pass(0ms);
    ASSERT_TRUE(joined->has_value());
    const Buffer share =
        encode_assignment({{f.topics.find("t")->id, {0, 1, 2, 3}}}, f.topics, subscription("t"));
    EXPECT_EQ(f.sync_classic(id, 1, {{id, share}}).error, Errc::kNone);
    const auto second = f.beat(joining("m2", {}));
    EXPECT_EQ(second.error, Errc::kNone);
    EXPECT_EQ(f.c->list().front().type, "consumer");
    EXPECT_EQ(f.describe().members.size(), 2U);
    // The classic member is told to join again, gives two up by saying that it owns none.
    EXPECT_EQ(f.c->heartbeat({.group_id = "g", .member_id = id, .generation = 1}, f.now),
              Errc::kRebalanceInProgress);
    const auto again = f.join_classic(id);
    ASSERT_TRUE(again->has_value());
    EXPECT_EQ((*again)->error, Errc::kNone);
    EXPECT_EQ((*again)->protocol, "range");
    const SyncAnswer synced = f.sync_classic(id, (*again)->generation);
    EXPECT_EQ(synced.error, Errc::kNone);
    EXPECT_EQ(parse_assignment(synced.assignment, f.topics)->begin()->second.size(), 2U);
    f.restart();
    EXPECT_EQ(f.describe().members.size(), 2U);
    // When the only one of the new protocol leaves, it is a classic group again.
    EXPECT_EQ(f.beat({.member = "m2", .epoch = -1}).error, Errc::kNone);
    EXPECT_EQ(f.c->list().front().type, "classic");
    EXPECT_EQ(f.c->describe("g").members.size(), 1U);
    f.restart();
    EXPECT_EQ(f.c->describe("g").members.size(), 1U);
}

TEST(Migration, PolicyForbidsIt) {
    Settings settings;
    settings.migration = MigrationPolicy::kDisabled;
    Fixture f{settings};
    const auto first = f.join_classic("");
    f.join_classic((*first)->member_id);
    f.pass(0ms);
    EXPECT_EQ(f.error(joining("m2", {})), Errc::kGroupIdNotFound);
    Fixture other{settings};
    other.beat(joining("m1", {}));
    EXPECT_EQ((*other.join_classic(""))->error, Errc::kInconsistentGroupProtocol);
}

TEST(Migration, StaticMemberComesBackToANodeThatIsFull) {
    Fixture f;
    f.beat(joining("m1", {}));
    const auto first = f.join_classic("", "i1");
    ASSERT_TRUE(first->has_value());
    EXPECT_EQ((*first)->error, Errc::kNone);
    f.settings.all_groups_bytes_max = 1;
    f.c->set_settings(f.settings);
    const auto again = f.join_classic("", "i1");
    ASSERT_TRUE(again->has_value());
    EXPECT_EQ((*again)->error, Errc::kNone);
    EXPECT_NE((*again)->member_id, (*first)->member_id);
    EXPECT_EQ((*f.join_classic("", "i2"))->error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(f.error(joining("m2", {})), Errc::kCoordinatorLoadInProgress);
    EXPECT_EQ(f.describe().members.size(), 2U);
}

TEST(Migration, EmptyGroupChangesEitherWay) {
    Fixture f;
    f.beat(joining("m1", {}));
    EXPECT_EQ(f.commit(2, "m1"), Errc::kNone);
    f.beat({.epoch = -1});
    const auto joined = f.join_classic("");
    EXPECT_EQ((*joined)->error, Errc::kMemberIdRequired);
    EXPECT_EQ(f.c->list().front().type, "classic");
    EXPECT_EQ(f.c->fetch_all_offsets("g").size(), 1U);
    f.pass(11s);
    f.restart();
    EXPECT_EQ(f.beat(joining("m2", {})).member_epoch, 2);
    EXPECT_EQ(f.c->list().front().type, "consumer");
    EXPECT_EQ(f.c->fetch_all_offsets("g").size(), 1U);
    EXPECT_EQ(f.c->describe("g").error, Errc::kGroupIdNotFound);
}

}  // namespace
}  // namespace leat::groups
