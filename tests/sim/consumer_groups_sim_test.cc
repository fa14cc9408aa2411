// SPDX-License-Identifier: Apache-2.0
// Method: members of the consumer protocol that are slow, silent, gone and back, a network between,
// failing writes and crashes by seed against one coordinator. What must hold:
//   exclusive  nobody is given a partition that a member in good standing still reads;
//   fenced     nobody commits what has been given to another;
//   durable    after a restart each member is there, where it was told to be, or further;
//   settled    once it is quiet, all are at one epoch and every partition has one reader.
// Each deliberate fault must break one of them. LEAT_TEST_SEED replays one seed, LEAT_SIM_SEEDS
// sets how many are run.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <queue>
#include <set>

#include "groups/coordinator.h"
#include "seeds.h"
#include "testkit/sim_random.h"

namespace leat::groups {
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

class World;

/// A client of the consumer protocol: heartbeats, gives up what it has to after a while, commits.
class Reader {
  public:
    Reader(World& world, int number) : world_(world), number_(number) { become_new(); }
    void start() { tick(); }
    void freeze(milliseconds time);
    /// Gone without a word; somebody new takes its seat.
    void die();
    void leave();

    std::string id;
    std::int32_t epoch = 0;
    std::set<std::int32_t> owned;
    Instant heard{};  ///< When the coordinator last took a heartbeat of it.
    bool in_group = false;

  private:
    void become_new();
    void tick();
    void beat();
    /// The coordinator answers a heartbeat that reached it then; the answer is still on its way.
    void took(const ConsumerHeartbeatAnswer& answer, std::uint64_t beat, std::uint64_t attempt,
              Instant at);
    void on_answer(const ConsumerHeartbeatAnswer& answer);
    /// One step towards what it was told to own, if it is not there.
    void reconcile();
    void commit();
    void after(milliseconds delay, std::function<void()> fn);

    World& world_;
    int number_;
    int lives_ = 0;
    std::uint64_t attempt_ = 0;
    std::uint64_t beats_ = 0;                       ///< Sent so far; the last may be on its way.
    std::optional<Instant> waits_since_{};          ///< For the answer to the last.
    std::optional<std::set<std::int32_t>> told_{};  ///< By the last answer that said so.
    bool must_tell_all_ = false;                    ///< An answer was lost, or an error.
    bool must_tell_owned_ = false;
    bool is_revoking_ = false;
    milliseconds interval_{500};
    Instant frozen_until_{};
    std::deque<std::function<void()>> held_up_;
};

class World {
  public:
    World(std::uint64_t seed, const Faults& faults) : random(seed) {
        settings_.faults = faults;
        settings_.consumer_session_timeout = kSession;
        settings_.consumer_heartbeat_interval = milliseconds{700};
        for (int i = 0; i < kReaders; ++i) readers_.push_back(std::make_unique<Reader>(*this, i));
    }
    void run(milliseconds chaos);
    void at(Instant when, std::function<void()> fn) {
        events_.push({when, ++order_, std::move(fn)});
    }
    [[nodiscard]] milliseconds delay() {
        if (!is_quiet_ && random.percent(4)) return milliseconds{random.below(4'000)};
        return milliseconds{1 + random.below(20)};
    }
    void call(const std::function<void(Coordinator&)>& fn) {
        if (coordinator_ == nullptr) return;
        fn(*coordinator_);
        pump();
    }
    void violated(std::string what) { violations.push_back(std::move(what)); }
    /// Told by the coordinator, durable: from now on they are this reader's.
    void given(const Reader& to, const std::set<std::int32_t>& partitions);

    testkit::SimRandom random;
    Now now{Instant{std::chrono::hours{1}}, WallMs{1'000'000'000}};
    std::vector<std::string> violations;
    std::uint64_t commits = 0;                  ///< That were accepted.
    std::uint64_t gifts = 0;                    ///< Answers that gave a reader partitions.
    std::uint64_t found_again = 0;              ///< Readers that had to be there after a restart.
    std::map<std::int32_t, std::string> owner;  ///< Who was given it last.
    std::map<std::string, std::int32_t> told_epoch;  ///< Of members, by the last answer.
    Topics topics;

  private:
    struct Event {
        Instant when;
        std::uint64_t order;
        std::function<void()> fn;
        bool operator>(const Event& other) const {
            return std::pair{when, order} > std::pair{other.when, other.order};
        }
    };
    void run_until(Instant end);
    void pump();
    void write_next();
    void crash();
    void restart();
    void disturb();
    void check_durable();
    void check_settled();

    Settings settings_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t order_ = 0;
    std::unique_ptr<Coordinator> coordinator_;
    std::uint64_t life_ = 0;
    std::vector<RecordToWrite> log_;
    std::deque<Write> writing_;
    bool is_writing_ = false;
    bool is_quiet_ = false;
    std::vector<std::unique_ptr<Reader>> readers_;
};

// Readers.

std::set<std::int32_t> partitions_of(const ConsumerHeartbeatAnswer& answer) {
    std::set<std::int32_t> out;
    for (const auto& [topic_id, partitions] : *answer.assignment)
        out.insert(partitions.begin(), partitions.end());
    return out;
}

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
    world_.at(world_.now.mono + delay, [this, fn = std::move(fn)] {
        if (world_.now.mono < frozen_until_)
            held_up_.push_back(fn);
        else
            fn();
    });
}

void Reader::freeze(milliseconds time) {
    frozen_until_ = world_.now.mono + time;
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
        c.consumer_heartbeat({.group_id = kGroup, .member_id = id, .member_epoch = -1}, world_.now,
                             [](const ConsumerHeartbeatAnswer&) {});
    });
    become_new();
}

void Reader::tick() {
    beat();
    if (world_.random.percent(60)) commit();
    after(interval_ + milliseconds{world_.random.below(200)}, [this] { tick(); });
}

void Reader::beat() {
    // As clients do: one request at a time; after one that was lost, all is said again.
    if (waits_since_ && world_.now.mono < *waits_since_ + kRequestTimeout) return;
    if (std::exchange(waits_since_, world_.now.mono)) must_tell_all_ = true;
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
            if (!numbers.empty()) has.push_back({world_.topics.id, numbers});
            ConsumerHeartbeat request{.group_id = kGroup,
                                      .member_id = sent_id,
                                      .member_epoch = sent_epoch,
                                      .client_id = "sim"};
            if (tells_all) request.topics = std::span{&topic, 1};
            if (tells_all) request.rebalance_timeout_ms = 20'000;
            if (tells_owned) request.owned = has;
            c.consumer_heartbeat(
                request, world_.now,
                [this, beat, attempt, taken = world_.now.mono](
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
    after(milliseconds{world_.random.below(500)}, [this, attempt = attempt_] {
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
                world_.now, [this, is_others](const CommitAnswer& answer) {
                    if (answer.error != Errc::kNone || answer.partitions[0] != Errc::kNone) return;
                    ++world_.commits;
                    if (is_others) world_.violated("fenced: a commit of another's partition");
                });
        });
    });
}

// The world.

void World::given(const Reader& to, const std::set<std::int32_t>& partitions) {
    for (const auto& other : readers_) {
        const bool stands =
            other.get() != &to && other->in_group && other->heard + kSession > now.mono;
        if (!stands) continue;
        for (const std::int32_t partition : partitions)
            if (other->owned.contains(partition))
                violated("exclusive: " + to.id + " is given what " + other->id + " reads");
    }
    for (const std::int32_t partition : partitions) owner[partition] = to.id;
    gifts += partitions.empty() ? 0 : 1;
}

void World::pump() {
    for (Write& write : coordinator_->take_writes()) writing_.push_back(std::move(write));
    if (is_writing_ || writing_.empty()) return;
    is_writing_ = true;
    at(now.mono + milliseconds{1 + random.below(30)}, [this, life = life_] {
        if (life == life_) write_next();
    });
}

void World::write_next() {
    is_writing_ = false;
    const Write write = std::move(writing_.front());
    writing_.pop_front();
    const bool fails = !is_quiet_ && random.percent(2);
    if (!fails) log_.insert(log_.end(), write.records.begin(), write.records.end());
    coordinator_->on_written(write.token, fails ? Errc::kNoSpace : Errc::kNone, now);
    pump();
}

void World::crash() {
    if (coordinator_ == nullptr) return;
    coordinator_.reset();
    ++life_;
    for (std::uint64_t kept = random.below(writing_.size() + 1); kept > 0; --kept) {
        const Write& write = writing_.front();
        log_.insert(log_.end(), write.records.begin(), write.records.end());
        writing_.pop_front();
    }
    writing_.clear();
    is_writing_ = false;
    at(now.mono + milliseconds{100 + random.below(2'000)}, [this] { restart(); });
}

void World::restart() {
    if (coordinator_ != nullptr) return;
    coordinator_ =
        std::make_unique<Coordinator>(settings_, [this] { return random.next(); }, &topics);
    for (const RecordToWrite& record : log_)
        coordinator_->load_record(
            record.key, record.value ? std::optional<Bytes>{*record.value} : std::nullopt, now);
    coordinator_->finish_load(now);
    check_durable();
    pump();
}

void World::check_durable() {
    std::map<std::string, std::int32_t> there;
    coordinator_->describe_consumer(kGroup, now, [&](const DescribedConsumerGroup& told) {
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
        const bool stands = reader->in_group && reader->heard + kSession > now.mono;
        if (!stands || told == told_epoch.end() || told->second <= 0) continue;
        ++found_again;
        if (!there.contains(reader->id)) violated("durable: " + reader->id + " is gone");
    }
}

void World::disturb() {
    if (is_quiet_) return;
    Reader& one = *readers_[random.below(readers_.size())];
    switch (random.below(9)) {
        case 0:
            crash();
            break;
        case 1:
        case 2:
            one.freeze(milliseconds{random.below(15'000)});
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
    at(now.mono + milliseconds{500 + random.below(4'000)}, [this] { disturb(); });
}

void World::run_until(Instant end) {
    for (;;) {
        std::optional<Instant> next;
        if (!events_.empty()) next = events_.top().when;
        const auto timer = coordinator_ ? coordinator_->next_deadline() : std::nullopt;
        if (timer && (!next || *timer < *next)) next = timer;
        if (!next || *next > end) return;
        const Instant at = std::max(*next, now.mono);
        now.wall.value += std::chrono::duration_cast<milliseconds>(at - now.mono).count();
        now.mono = at;
        if (coordinator_ && timer && *timer <= at) {
            coordinator_->advance(now);
            pump();
            continue;
        }
        const auto fn = events_.top().fn;
        events_.pop();
        fn();
    }
}

void World::run(milliseconds chaos) {
    restart();
    for (const auto& reader : readers_) reader->start();
    disturb();
    run_until(now.mono + chaos);
    is_quiet_ = true;
    if (coordinator_ == nullptr) restart();
    run_until(now.mono + milliseconds{90'000});
    check_settled();
}

void World::check_settled() {
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

TEST(ConsumerGroupsSim, HoldsItsRulesThroughCrashesAndDelays) {
    std::uint64_t commits = 0;
    std::uint64_t gifts = 0;
    std::uint64_t found_again = 0;
    for (const std::uint64_t seed : leat::sim::Seeds{100}) {
        World world{seed, Faults{}};
        world.run(std::chrono::minutes{5});
        ASSERT_TRUE(world.violations.empty())
            << "LEAT_TEST_SEED=" << seed << ": " << world.violations.front();
        commits += world.commits;
        gifts += world.gifts;
        found_again += world.found_again;
    }
    // Without these the rules would hold of themselves.
    EXPECT_GT(commits, 0U);
    EXPECT_GT(gifts, 0U);
    EXPECT_GT(found_again, 0U);
    RecordProperty("commits", std::to_string(commits));
    RecordProperty("gifts", std::to_string(gifts));
    RecordProperty("found_again", std::to_string(found_again));
}

struct Mutant {
    const char* name;
    bool Faults::* fault;
};

class ConsumerGroupsSimMutant : public testing::TestWithParam<Mutant> {};

TEST_P(ConsumerGroupsSimMutant, IsCaught) {
    Faults faults;
    faults.*GetParam().fault = true;
    const std::uint64_t seeds = leat::sim::number_from("LEAT_SIM_SEEDS", 100);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        World world{seed, faults};
        world.run(std::chrono::minutes{5});
        if (!world.violations.empty()) {
            RecordProperty("seed", static_cast<int>(seed));
            RecordProperty("violation", world.violations.front());
            return;
        }
    }
    FAIL() << "no seed of " << seeds << " notices " << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(All, ConsumerGroupsSimMutant,
                         testing::Values(Mutant{"assign_before_revoke",
                                                &Faults::assign_before_revoke},
                                         Mutant{"skip_epoch_check", &Faults::skip_epoch_check},
                                         Mutant{"keep_group_epoch", &Faults::keep_group_epoch},
                                         Mutant{"keep_stale_owner", &Faults::keep_stale_owner},
                                         Mutant{"forget_current", &Faults::forget_current},
                                         Mutant{"ignore_tombstones", &Faults::ignore_tombstones}),
                         [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace leat::groups
