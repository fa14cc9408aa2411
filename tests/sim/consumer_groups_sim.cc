// SPDX-License-Identifier: Apache-2.0
#include "consumer_groups_sim.h"

#include <algorithm>
#include <utility>

namespace leat::groups::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::int32_t kPartitions = 7;
constexpr int kReaders = 5;
constexpr std::string_view kGroup = "readers";
constexpr std::string_view kTopic = "events";
constexpr milliseconds kSession{6'000};
constexpr milliseconds kRequestTimeout{3'000};

struct Topics final : ClusterView {
    Uuid id{{1}};
    [[nodiscard]] TopicInfo topic() const { return {id, kTopic, kPartitions}; }
    [[nodiscard]] std::optional<TopicInfo> find(std::string_view name) const override {
        return name == kTopic ? std::optional{topic()} : std::nullopt;
    }
    [[nodiscard]] std::optional<TopicInfo> find(const Uuid& wanted) const override {
        return wanted == id ? std::optional{topic()} : std::nullopt;
    }
    void for_each_topic(const std::function<void(std::string_view)>& visit) const override {
        visit(kTopic);
    }
    [[nodiscard]] std::int64_t version() const override { return 1; }
    [[nodiscard]] GroupOverrides overrides(std::string_view /*group_id*/) const override {
        return {};
    }
};

const Topics& topics() {
    static const Topics all;
    return all;
}

NodeOptions options_with(const Faults& faults) {
    NodeOptions out{.settings = {}, .cluster = &topics(), .slow_percent = 4};
    out.settings.faults = faults;
    out.settings.consumer_session_timeout = kSession;
    out.settings.consumer_heartbeat_interval = milliseconds{700};
    return out;
}

std::set<std::int32_t> partitions_of(const ConsumerHeartbeatAnswer& answer) {
    std::set<std::int32_t> out;
    for (const auto& [topic_id, partitions] : *answer.assignment)
        out.insert(partitions.begin(), partitions.end());
    return out;
}

}  // namespace

// Readers.

void Reader::become_new() {
    id = "r" + std::to_string(number_) + "-" + std::to_string(++lives_);
    epoch = 0;
    owned.clear();
    in_group = false;
    is_revoking_ = false;
    waits_since_.reset();
    told_.reset();
    ++attempt_;
}

void Reader::after(milliseconds delay, std::function<void()> fn) {
    world_.at(world_.now().mono + delay, [this, fn = std::move(fn)] {
        if (world_.now().mono < frozen_until_)
            held_up_.push_back(fn);
        else
            fn();
    });
}

void Reader::freeze(milliseconds time) {
    frozen_until_ = world_.now().mono + time;
    world_.at(frozen_until_, [this] {
        for (auto& fn : std::exchange(held_up_, {})) fn();
    });
}

void Reader::die() {
    world_.told_epoch.erase(id);
    become_new();
}

void Reader::leave() {
    owned.clear();
    world_.told_epoch.erase(id);
    world_.call([this](Coordinator& c) {
        c.consumer_heartbeat({.group_id = kGroup, .member_id = id, .member_epoch = -1},
                             world_.now(), [](const ConsumerHeartbeatAnswer&) {});
    });
    become_new();
}

void Reader::tick() {
    beat();
    if (world_.random().percent(60)) commit();
    after(interval_ + milliseconds{world_.random().below(200)}, [this] { tick(); });
}

void Reader::beat() {
    // As clients do: one request at a time; after one that was lost, all is said again.
    if (waits_since_ && world_.now().mono < *waits_since_ + kRequestTimeout) return;
    if (std::exchange(waits_since_, world_.now().mono)) must_tell_all_ = true;
    const std::uint64_t beat = ++beats_;
    const bool tells_all = epoch == 0 || std::exchange(must_tell_all_, false);
    const bool tells_owned = std::exchange(must_tell_owned_, false) || tells_all;
    after(world_.delay(), [this, beat, tells_all, tells_owned, attempt = attempt_, sent_id = id,
                           sent_epoch = epoch,
                           numbers = std::vector<std::int32_t>(owned.begin(), owned.end())] {
        // With a newer one, the connection of this one was closed.
        if (attempt != attempt_ || beat != beats_) return;
        world_.call([&](Coordinator& c) {
            const std::string_view topic = kTopic;
            std::vector<OwnedTopic> has;
            if (!numbers.empty()) has.push_back({topics().id, numbers});
            ConsumerHeartbeat request{.group_id = kGroup,
                                      .member_id = sent_id,
                                      .member_epoch = sent_epoch,
                                      .client_id = "sim"};
            if (tells_all) request.topics = std::span{&topic, 1};
            if (tells_all) request.rebalance_timeout_ms = 20'000;
            if (tells_owned) request.owned = has;
            c.consumer_heartbeat(
                request, world_.now(),
                [this, beat, attempt, taken = world_.now().mono](
                    const ConsumerHeartbeatAnswer& answer) { took(answer, beat, attempt, taken); });
        });
    });
}

void Reader::took(const ConsumerHeartbeatAnswer& answer, std::uint64_t beat, std::uint64_t attempt,
                  Instant at) {
    if (answer.error == Errc::kNone && attempt == attempt_) {
        heard = at;
        in_group = true;
        world_.told_epoch[answer.member_id] = answer.member_epoch;
        if (answer.assignment) world_.given(*this, partitions_of(answer));
    }
    after(world_.delay(), [this, answer, beat, attempt] {
        if (attempt == attempt_ && beat == beats_) on_answer(answer);
    });
}

void Reader::on_answer(const ConsumerHeartbeatAnswer& answer) {
    waits_since_.reset();
    if (answer.error == Errc::kFencedMemberEpoch || answer.error == Errc::kUnknownMemberId ||
        answer.error == Errc::kGroupIdNotFound) {
        // Abandons all and joins again under the same id.
        world_.told_epoch.erase(id);
        owned.clear();
        told_.reset();
        epoch = 0;
        in_group = false;
        is_revoking_ = false;
        ++attempt_;
        return;
    }
    if (answer.error != Errc::kNone) {
        must_tell_all_ = true;
        return;
    }
    epoch = answer.member_epoch;
    interval_ = milliseconds{answer.heartbeat_interval_ms};
    if (answer.assignment) told_ = partitions_of(answer);
    reconcile();
}

void Reader::reconcile() {
    if (!told_ || is_revoking_ || owned == *told_) return;
    if (std::ranges::includes(*told_, owned)) {
        owned = *told_;
        must_tell_owned_ = true;
        return;
    }
    // What has to go is worked off first, then the rest is taken.
    is_revoking_ = true;
    after(milliseconds{world_.random().below(500)}, [this, attempt = attempt_] {
        if (attempt != attempt_) return;
        is_revoking_ = false;
        std::erase_if(owned, [this](std::int32_t p) { return !told_->contains(p); });
        must_tell_owned_ = true;
        reconcile();
    });
}

void Reader::commit() {
    if (owned.empty()) return;
    const std::int32_t partition = *owned.begin();
    after(world_.delay(), [this, partition, sent_id = id, sent_epoch = epoch] {
        world_.call([&](Coordinator& c) {
            const auto held = world_.owner.find(partition);
            const bool is_others = held != world_.owner.end() && held->second != sent_id;
            const OffsetToCommit offset{.topic = kTopic, .partition = partition, .offset = 1};
            c.commit_offsets(
                {.group_id = kGroup,
                 .member_id = sent_id,
                 .generation = sent_epoch,
                 .offsets = {&offset, 1}},
                world_.now(), [this, is_others](const CommitAnswer& answer) {
                    if (answer.error != Errc::kNone || answer.partitions[0] != Errc::kNone) return;
                    ++world_.commits;
                    if (is_others) world_.violated("fenced: a commit of another's partition");
                });
        });
    });
}

// The world.

ConsumerGroupWorld::ConsumerGroupWorld(std::uint64_t seed, const Faults& faults)
    : CoordinatorNode(seed, options_with(faults)) {
    for (int i = 0; i < kReaders; ++i) readers_.push_back(std::make_unique<Reader>(*this, i));
}

void ConsumerGroupWorld::given(const Reader& to, const std::set<std::int32_t>& partitions) {
    for (const auto& other : readers_) {
        const bool stands =
            other.get() != &to && other->in_group && other->heard + kSession > now().mono;
        if (!stands) continue;
        for (const std::int32_t partition : partitions)
            if (other->owned.contains(partition))
                violated("exclusive: " + to.id + " is given what " + other->id + " reads");
    }
    for (const std::int32_t partition : partitions) owner[partition] = to.id;
    gifts += partitions.empty() ? 0 : 1;
}

void ConsumerGroupWorld::restarted(Coordinator& coordinator,
                                   const std::vector<RecordToWrite>& /*log*/) {
    std::map<std::string, std::int32_t> there;
    coordinator.describe_consumer(kGroup, now(), [&](const DescribedConsumerGroup& told) {
        for (const DescribedConsumer& member : told.members)
            there[member.member_id] = member.member_epoch;
    });
    for (const auto& [id, epoch] : there) {
        const auto told = told_epoch.find(id);
        if (told != told_epoch.end() && epoch < told->second)
            violated("durable: " + id + " went back in time");
    }
    for (const auto& reader : readers_) {
        const auto told = told_epoch.find(reader->id);
        const bool stands = reader->in_group && reader->heard + kSession > now().mono;
        if (!stands || told == told_epoch.end() || told->second <= 0) continue;
        ++found_again;
        if (!there.contains(reader->id)) violated("durable: " + reader->id + " is gone");
    }
}

void ConsumerGroupWorld::disturb() {
    if (is_quiet()) return;
    Reader& one = *readers_[random().below(readers_.size())];
    switch (random().below(9)) {
        case 0:
            crash();
            break;
        case 1:
        case 2:
            one.freeze(milliseconds{random().below(15'000)});
            break;
        case 3:
            one.leave();
            break;
        case 4:
            one.die();
            break;
        default:
            break;
    }
    at(now().mono + milliseconds{500 + random().below(4'000)}, [this] { disturb(); });
}

void ConsumerGroupWorld::run(milliseconds time) {
    CoordinatorNode::run(time, [this] {
        for (const auto& reader : readers_) reader->start();
        disturb();
    });
    check_settled();
}

void ConsumerGroupWorld::check_settled() {
    std::map<std::int32_t, int> readers;
    for (const auto& reader : readers_) {
        if (reader->epoch != readers_.front()->epoch || reader->epoch <= 0)
            return violated("settled: readers are at different epochs");
        for (const std::int32_t partition : reader->owned) ++readers[partition];
    }
    for (std::int32_t partition = 0; partition < kPartitions; ++partition)
        if (readers[partition] != 1)
            return violated("settled: partition " + std::to_string(partition) + " has " +
                            std::to_string(readers[partition]) + " readers");
}

}  // namespace leat::groups::sim
