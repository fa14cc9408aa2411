// SPDX-License-Identifier: Apache-2.0
#include "groups_sim.h"

#include <set>

namespace leat::groups::sim {
namespace {

using std::chrono::milliseconds;

constexpr int kConsumers = 5;
constexpr milliseconds kBeat{700};
constexpr milliseconds kPatience{12'000};  ///< For an answer, before a client tries again.

std::vector<std::byte> bytes_of(const std::vector<std::int32_t>& partitions) {
    std::vector<std::byte> out;
    out.reserve(partitions.size());
    for (const std::int32_t partition : partitions)
        out.push_back(static_cast<std::byte>(partition));
    return out;
}

std::vector<std::int32_t> partitions_of(const std::vector<std::byte>& bytes) {
    std::vector<std::int32_t> out;
    out.reserve(bytes.size());
    for (const std::byte byte : bytes) out.push_back(static_cast<std::int32_t>(byte));
    return out;
}

/// Of a topic whose offsets nobody looks at: those that are may be deleted while all read.
std::vector<std::byte> subscription() {
    constexpr std::string_view kText{"\0\0\0\0\0\1\0\5other\xff\xff\xff\xff", 17};
    const auto view = std::as_bytes(std::span{kText.data(), kText.size()});
    return {view.begin(), view.end()};
}

NodeOptions options_with(const Faults& faults) {
    NodeOptions out{.settings = {}, .cluster = nullptr, .slow_percent = 3};
    out.settings.initial_rebalance_delay = milliseconds{500};
    out.settings.faults = faults;
    return out;
}

}  // namespace

// Consumers.

Consumer::Consumer(World& world, int number)
    : world_(world), client_("c" + std::to_string(number)) {
    // One in two is static.
    if (number % 2 == 1) instance_ = "i" + std::to_string(number);
}

void Consumer::after(milliseconds delay, std::function<void()> fn) {
    world_.at(world_.now().mono + delay, [this, fn = std::move(fn)] {
        if (world_.now().mono < frozen_until_)
            held_up_.push_back(fn);
        else
            fn();
    });
}

void Consumer::freeze(milliseconds time) {
    frozen_until_ = world_.now().mono + time;
    world_.at(frozen_until_, [this] {
        for (auto& fn : std::exchange(held_up_, {})) fn();
    });
}

template <class T>
Answer<T> Consumer::back(std::function<void(const T&)> fn) {
    return [this, fn = std::move(fn), attempt = attempt_, life = world_.life()](const T& answer) {
        if (life != world_.life()) return;
        after(world_.delay(), [this, fn, attempt, life, answer] {
            // What was on its way when the coordinator crashed is lost.
            if (attempt == attempt_ && life == world_.life()) fn(answer);
        });
    };
}

void Consumer::start() {
    join();
    after(kBeat, [this] { tick(); });
}

void Consumer::tick() {
    if (state_ == State::kActive) {
        beat();
        if (world_.random().percent(50)) commit();
    }
    after(kBeat + milliseconds{world_.random().below(300)}, [this] { tick(); });
}

void Consumer::join() {
    state_ = State::kJoining;
    owned_.clear();
    const std::uint64_t attempt = ++attempt_;
    after(world_.delay(), [this, attempt] {
        if (attempt != attempt_) return;
        auto answer = back<JoinAnswer>([this](const JoinAnswer& a) { on_joined(a); });
        world_.call([&](Coordinator& coordinator) {
            const std::vector<std::byte> metadata = subscription();
            const std::vector<Protocol> protocols{{.name = "range", .metadata = metadata}};
            coordinator.join(
                {.group_id = World::kGroup,
                 .member_id = member_,
                 .instance_id = instance_,
                 .client_id = client_,
                 .client_host = "/127.0.0.1",
                 .protocol_type = "consumer",
                 .protocols = protocols,
                 .session_timeout_ms = static_cast<std::int32_t>(World::kSession.count()),
                 .rebalance_timeout_ms = static_cast<std::int32_t>(World::kRebalance.count()),
                 .member_id_required = true,
                 .can_skip_assignment = true},
                world_.now(), [this, answer = std::move(answer)](const JoinAnswer& a) mutable {
                    world_.model().joined(a);
                    answer(a);
                });
        });
    });
    after(kPatience, [this, attempt] {
        if (attempt == attempt_ && state_ == State::kJoining) join();
    });
}

void Consumer::rejoin(Errc error) {
    if (error == Errc::kUnknownMemberId || error == Errc::kFencedInstanceId) member_.clear();
    join();
}

void Consumer::on_joined(const JoinAnswer& answer) {
    if (answer.error == Errc::kMemberIdRequired) {
        member_ = answer.member_id;
        return join();
    }
    if (answer.error != Errc::kNone) return rejoin(answer.error);
    member_ = answer.member_id;
    generation_ = answer.generation;
    sync(answer);
}

void Consumer::sync(const JoinAnswer& joined) {
    state_ = State::kSyncing;
    const std::uint64_t attempt = ++attempt_;
    std::vector<std::pair<std::string, std::vector<std::byte>>> shares;
    if (!joined.members.empty() && !joined.skip_assignment) {
        for (std::size_t i = 0; i < joined.members.size(); ++i) {
            std::vector<std::int32_t> share;
            const auto stride = static_cast<std::int32_t>(joined.members.size());
            for (auto p = static_cast<std::int32_t>(i); p < World::kPartitions; p += stride)
                share.push_back(p);
            shares.emplace_back(joined.members[i].member_id, bytes_of(share));
        }
    }
    after(world_.delay(), [this, attempt, shares = std::move(shares)] {
        if (attempt != attempt_) return;
        auto answer = back<SyncAnswer>([this](const SyncAnswer& a) { on_synced(a); });
        std::vector<Assignment> assignments;
        assignments.reserve(shares.size());
        for (const auto& [member, share] : shares) assignments.push_back({member, share});
        world_.call([&](Coordinator& coordinator) {
            coordinator.sync({.group_id = World::kGroup,
                              .member_id = member_,
                              .instance_id = instance_,
                              .generation = generation_,
                              .assignments = assignments},
                             world_.now(),
                             [this, member = instance_.value_or(member_), generation = generation_,
                              answer = std::move(answer)](const SyncAnswer& a) mutable {
                                 if (a.error == Errc::kNone)
                                     world_.model().assigned(member, generation,
                                                             partitions_of(a.assignment));
                                 answer(a);
                             });
        });
    });
    after(kPatience, [this, attempt] {
        if (attempt == attempt_ && state_ == State::kSyncing) join();
    });
}

void Consumer::on_synced(const SyncAnswer& answer) {
    if (answer.error != Errc::kNone) return rejoin(answer.error);
    state_ = State::kActive;
    owned_ = partitions_of(answer.assignment);
}

void Consumer::beat() {
    auto answer = back<Errc>([this](const Errc& error) { on_beat(error); });
    after(world_.delay(), [this, member = member_, generation = generation_,
                           answer = std::make_shared<Answer<Errc>>(std::move(answer))] {
        const bool is_active = state_ == State::kActive && member == member_;
        world_.call([&](Coordinator& coordinator) {
            const Errc error = coordinator.heartbeat({.group_id = World::kGroup,
                                                      .member_id = member,
                                                      .instance_id = instance_,
                                                      .generation = generation},
                                                     world_.now());
            world_.model().beat(member, is_active, error, world_.now().mono, World::kSession);
            (*answer)(error);
        });
    });
}

void Consumer::on_beat(Errc error) {
    if (error != Errc::kNone && state_ == State::kActive) rejoin(error);
}

void Consumer::commit() {
    if (owned_.empty()) return;
    after(world_.delay(), [this, member = member_, generation = generation_, owned = owned_] {
        world_.call([&](Coordinator& coordinator) {
            Model& model = world_.model();
            std::vector<OffsetToCommit> offsets;
            for (const std::int32_t partition : owned) {
                const std::int64_t number = model.next_number();
                model.commit_sent(partition, number);
                offsets.push_back(
                    {.topic = World::kTopic, .partition = partition, .offset = number});
            }
            std::vector<std::pair<std::int32_t, std::int64_t>> numbers;
            numbers.reserve(offsets.size());
            for (const OffsetToCommit& o : offsets) numbers.emplace_back(o.partition, o.offset);
            coordinator.commit_offsets(
                {.group_id = World::kGroup,
                 .member_id = member,
                 .instance_id = instance_,
                 .generation = generation,
                 .offsets = offsets},
                world_.now(),
                [this, numbers, generation,
                 newest = model.newest_generation()](const CommitAnswer& answer) {
                    if (answer.error != Errc::kNone) return;
                    world_.model().commit_admitted(generation, newest);
                    for (std::size_t i = 0; i < numbers.size(); ++i)
                        if (answer.partitions[i] == Errc::kNone)
                            world_.model().commit_acknowledged(numbers[i].first, numbers[i].second);
                });
        });
    });
}

void Consumer::leave() {
    world_.model().forget_member(member_);
    world_.call([&](Coordinator& coordinator) {
        const std::vector<LeavingMember> members{{.member_id = member_, .instance_id = instance_}};
        (void)coordinator.leave({.group_id = World::kGroup, .members = members}, world_.now());
    });
    member_.clear();
    state_ = State::kOut;
    ++attempt_;
    after(milliseconds{world_.random().below(5'000)}, [this] {
        if (state_ == State::kOut) join();
    });
}

// The world.

World::World(std::uint64_t seed, const Faults& faults)
    : CoordinatorNode(seed, options_with(faults)) {
    for (int i = 0; i < kConsumers; ++i) consumers_.push_back(std::make_unique<Consumer>(*this, i));
}

void World::restarted(Coordinator& coordinator, const std::vector<RecordToWrite>& log) {
    model_.restarted(log, coordinator, kGroup, kTopic);
}

void World::disturb() {
    if (is_quiet()) return;
    Consumer& one = *consumers_[random().below(consumers_.size())];
    switch (random().below(8)) {
        case 0:
            crash();
            break;
        case 1:
        case 2:
            one.freeze(milliseconds{random().below(20'000)});
            break;
        case 3:
            one.leave();
            break;
        case 4:
            forget_some();
            break;
        default:
            break;
    }
    at(now().mono + milliseconds{200 + random().below(2'500)}, [this] { disturb(); });
}

void World::forget_some() {
    call([this](Coordinator& coordinator) {
        const auto partition = static_cast<std::int32_t>(random().below(kPartitions));
        const TopicPartition which{.topic = kTopic, .partition = partition};
        model_.delete_sent(partition);
        coordinator.delete_offsets(
            kGroup, {&which, 1}, now(), [this, partition](const DeleteOffsetsAnswer& answer) {
                const bool is_done =
                    answer.error == Errc::kNone && answer.partitions[0] == Errc::kNone;
                model_.delete_answered(partition, is_done);
            });
    });
}

void World::read_offsets() {
    call([this](Coordinator& coordinator) {
        for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
            const TopicPartition which{.topic = kTopic, .partition = partition};
            model_.read(partition, coordinator.fetch_offsets(kGroup, {&which, 1}).front().offset);
        }
    });
    at(now().mono + milliseconds{50 + random().below(200)}, [this] { read_offsets(); });
}

void World::run(milliseconds time) {
    CoordinatorNode::run(time, [this] {
        for (const auto& consumer : consumers_) consumer->start();
        disturb();
        read_offsets();
    });
    check_settled();
}

void World::check_settled() {
    std::set<std::int32_t> owned;
    for (const auto& consumer : consumers_) {
        if (!consumer->is_active()) return model_.violated("settled: a consumer is not active");
        if (consumer->generation() != consumers_.front()->generation())
            return model_.violated("settled: consumers are of different generations");
        owned.insert(consumer->owned().begin(), consumer->owned().end());
    }
    if (owned.size() != static_cast<std::size_t>(kPartitions))
        model_.violated("settled: a partition has no owner");
}

}  // namespace leat::groups::sim
