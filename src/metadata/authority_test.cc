// SPDX-License-Identifier: Apache-2.0
//
// Method: two shards on manual executors and a store that fails on demand; listeners write down
// what they see. Every order of running the queues is tried by a seeded scheduler in the last test.
#include "metadata/authority.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <coroutine>

#include "testkit/manual_executor.h"
#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::metadata {
namespace {

class FakeStore final : public MetadataStore {
  public:
    Result<State> load() override { return State{}; }
    Result<void> commit(std::span<const Delta> deltas) override {
        if (fails) return Error{Errc::kNoSpace, "full"};
        durable.insert(durable.end(), deltas.begin(), deltas.end());
        ++transactions;
        return {};
    }
    std::vector<Delta> durable;
    int transactions = 0;
    bool fails = false;
};

Image empty_image() {
    return *Image::make(State{}, {});
}

struct Shard final : ChangeListener {
    rt::Task<void> prepare(const Delta* delta) override {
        EXPECT_TRUE(executor.is_here());
        if (const auto* created = std::get_if<TopicCreated>(delta)) {
            EXPECT_EQ(image.find(created->topic->name), nullptr);
            log += "+" + created->topic->name;
        }
        co_return;
    }
    rt::Task<void> applied(const Delta* delta) override {
        EXPECT_TRUE(executor.is_here());
        if (const auto* deleted = std::get_if<TopicDeleted>(delta)) {
            EXPECT_EQ(image.find(deleted->topic->name), nullptr);
            log += "-" + deleted->topic->name;
            if (deletes_slowly) co_await Deletion{*this};
        }
    }
    /// Lasts until deletion.resume().
    struct Deletion {
        Shard& shard;
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) const { shard.deletion = handle; }
        void await_resume() const noexcept {}
    };
    bool deletes_slowly = false;
    std::coroutine_handle<> deletion;
    testkit::ManualExecutor executor;
    Image image = empty_image();
    std::string log;
};

struct Rig {
    Rig()
        : authority(Controller{empty_image(), [this] { return ++random * 0x9E3779B97F4A7C15; }},
                    store, pool, {{&a.executor, &a.image, &a}, {&b.executor, &b.image, &b}}) {}

    struct Make {
        bool deletes;
        std::string name;
        Errc operator()(Controller& controller, std::vector<Delta>& deltas) const {
            if (deletes) {
                const TopicRef ref{.name = name, .id = {}};
                return controller.delete_topics({&ref, 1}, deltas)[0].error;
            }
            NewTopic topic;
            topic.name = name;
            return controller.create_topics({&topic, 1}, false, deltas)[0].error;
        }
    };
    /// Starts a change as a request on shard b; its outcome goes to `log`.
    void request(bool deletes, std::string name) {
        b.executor.here([&] {
            rt::start(authority.change(&b.executor, Make{deletes, name}),
                      [this, deletes, name](Authority::Changed<Errc> changed) {
                          EXPECT_TRUE(b.executor.is_here());
                          const bool is_good =
                              changed.result == Errc::kNone && changed.durable.has_value();
                          log += (deletes ? "-" : "+") + name + (is_good ? "" : "!");
                      });
        });
    }
    void grow(const std::string& name, std::int32_t count) {
        b.executor.here([&] {
            const auto ask = [name, count](Controller& controller, std::vector<Delta>& deltas) {
                const MorePartitions more{.name = name, .count = count, .assignments = {}};
                return controller.create_partitions({&more, 1}, false, deltas)[0].error;
            };
            rt::start(authority.change(&b.executor, ask),
                      [this](const Authority::Changed<Errc>& changed) {
                          EXPECT_EQ(changed.result, Errc::kNone);
                          log += "*";
                      });
        });
    }
    bool run_some(int which) {
        return which == 0 ? a.executor.run() : which == 1 ? b.executor.run() : pool.run_one();
    }
    void run_all() {
        while (run_some(0) || run_some(1) || run_some(2)) {
        }
    }

    std::uint64_t random = 0;
    testkit::ManualPool pool;
    FakeStore store;
    Shard a;
    Shard b;
    Authority authority;
    std::string log;
};

TEST(Authority, ChangeIsDurableAndEverywhereBeforeItsAnswer) {
    Rig rig;
    rig.request(false, "x");
    rig.a.executor.run();
    EXPECT_EQ(rig.log + rig.a.log, "");
    EXPECT_EQ(rig.store.transactions, 0);
    rig.run_all();
    EXPECT_EQ(rig.log, "+x");
    EXPECT_EQ(rig.a.log, "+x");
    EXPECT_EQ(rig.b.log, "+x");
    EXPECT_NE(rig.a.image.find("x"), nullptr);
    EXPECT_EQ(rig.a.image.share("x"), rig.b.image.share("x"));
    EXPECT_TRUE(rig.authority.is_idle());
}

TEST(Authority, ChangesDuringACommitShareTheNextOne) {
    Rig rig;
    for (const char* name : {"x", "y", "z"}) rig.request(false, name);
    rig.run_all();
    EXPECT_EQ(rig.log, "+x+y+z");
    EXPECT_EQ(rig.store.transactions, 2);
}

// Each shard deletes what it has of a topic, and one may be done long before another.
TEST(Authority, PartitionsAreKnownOnNoShardWhileAnotherStillDeletesATopic) {
    Rig rig;
    for (const char* name : {"x", "t"}) rig.request(false, name);
    rig.run_all();
    rig.b.deletes_slowly = true;
    rig.request(false, "y");
    rig.a.executor.run();  // It is being committed: the next two are one batch.
    rig.request(true, "x");
    rig.grow("t", 2);
    rig.run_all();
    ASSERT_NE(rig.b.deletion, nullptr);
    EXPECT_EQ(rig.store.transactions, 4);
    EXPECT_EQ(rig.a.log, "+x+t+y-x");
    EXPECT_EQ(rig.a.image.find("t")->partition_count, 1);
    rig.b.executor.here([&] { rig.b.deletion.resume(); });
    rig.run_all();
    EXPECT_EQ(rig.a.image.find("t")->partition_count, 2);
    EXPECT_EQ(rig.b.image.find("t")->partition_count, 2);
    EXPECT_EQ(rig.log, "+x+t+y-x*");
}

TEST(Authority, RefusedRequestNeedsNoCommit) {
    Rig rig;
    rig.request(true, "nope");
    rig.run_all();
    EXPECT_EQ(rig.log, "-nope!");
    EXPECT_EQ(rig.store.transactions, 0);
}

TEST(Authority, FailedCommitLeavesNoTrace) {
    Rig rig;
    rig.store.fails = true;
    rig.request(false, "x");
    rig.request(true, "x");  // Valid only because of the first.
    rig.run_all();
    EXPECT_EQ(rig.log, "+x!-x!");
    EXPECT_EQ(rig.a.log + rig.b.log, "");
    rig.store.fails = false;
    rig.request(false, "x");
    rig.run_all();
    EXPECT_EQ(rig.log, "+x!-x!+x");
    EXPECT_NE(rig.b.image.find("x"), nullptr);
}

// What it asks for is there already by a change that is not durable yet.
TEST(Authority, WhoNeedsNoChangeWaitsForThoseOnTheirWay) {
    for (const bool fails : {false, true}) {
        Rig rig;
        rig.store.fails = fails;
        const auto ask = [](Controller& controller, std::vector<Delta>& deltas) {
            const QuotaChange change{.entity = {{"user", "alice"}},
                                     .values = {{"producer_byte_rate", 1'000.0}}};
            return controller.alter_quotas({&change, 1}, false, deltas)[0].error;
        };
        std::vector<bool> durable;
        rig.b.executor.here([&] {
            for (int i = 0; i < 2; ++i)
                rt::start(rig.authority.change(&rig.b.executor, ask),
                          [&](const Authority::Changed<Errc>& changed) {
                              EXPECT_EQ(changed.result, Errc::kNone);
                              EXPECT_EQ(rig.b.image.quotas().empty(), fails);
                              durable.push_back(changed.durable.has_value());
                          });
        });
        rig.a.executor.run();
        EXPECT_TRUE(durable.empty()) << "it is being committed";
        rig.run_all();
        EXPECT_EQ(durable, (std::vector<bool>{!fails, !fails}));
        EXPECT_EQ(rig.store.transactions, fails ? 0 : 1);
        EXPECT_TRUE(rig.authority.is_idle());
    }
}

TEST(Authority, ProducerIdsAreUniqueAndDurableFirst) {
    Rig rig;
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 1'500; ++i)
        rig.b.executor.here([&] {
            rt::start(rig.authority.new_producer_id(&rig.b.executor),
                      [&](Result<std::int64_t> id) { ids.push_back(*id); });
            if (i % 100 == 99) rig.run_all();
        });
    rig.run_all();
    ASSERT_EQ(ids.size(), 1'500U);
    std::ranges::sort(ids);
    EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
    EXPECT_LT(ids.back(), rig.a.image.next_producer_id());
}

TEST(Authority, AnyScheduleGivesTheSameImageOnAllShards) {
    testkit::Random random;
    Rig rig;
    for (int i = 0; i < 2'000; ++i) {
        if (random.between(0, 3) == 0)
            rig.request(random.between(0, 1) == 0, "t" + std::to_string(random.between(0, 4)));
        rig.store.fails = random.between(0, 9) == 0;
        rig.run_some(random.between(0, 2));
    }
    rig.store.fails = false;
    rig.run_all();
    EXPECT_TRUE(rig.authority.is_idle());
    const auto names = [](const Image& image) {
        std::string out;
        for (const auto& [name, topic] : image.topics()) out.append(name).append(topic->id.text());
        return out;
    };
    EXPECT_EQ(names(rig.a.image), names(rig.b.image));
    EXPECT_EQ(rig.a.log, rig.b.log);
    Image replayed = empty_image();
    for (const Delta& delta : rig.store.durable) replayed.apply(delta);
    EXPECT_EQ(names(rig.a.image), names(replayed));
}

}  // namespace
}  // namespace leat::metadata
