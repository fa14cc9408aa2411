// SPDX-License-Identifier: Apache-2.0
//
// Method: an executor and a pool that run only when the test says so; a store that records and
// fails on demand.
#include "metadata/committer.h"

#include <gtest/gtest.h>

#include <deque>

namespace leat::metadata {
namespace {

class ManualExecutor final : public rt::Executor {
  public:
    void post(rt::Fn fn) override { queue.push_back(std::move(fn)); }
    rt::TimerId schedule(Instant, rt::Fn) override { return {}; }
    bool cancel(rt::TimerId) override { return false; }
    Instant now() const override { return {}; }
    WallMs wall_now() const override { return {}; }
    bool is_here() const override { return true; }
    std::uint64_t random() override { return 1; }
    void run() {
        while (!queue.empty()) {
            rt::Fn fn = std::move(queue.front());
            queue.pop_front();
            fn();
        }
    }
    std::deque<rt::Fn> queue;
};

class ManualPool final : public rt::BlockingPool {
  public:
    void submit(rt::Executor& home, rt::Fn work, rt::Fn done) override {
        jobs.push_back([&home, w = std::move(work), d = std::move(done)]() mutable {
            w();
            home.post(std::move(d));
        });
    }
    void run_one() {
        ASSERT_FALSE(jobs.empty());
        rt::Fn job = std::move(jobs.front());
        jobs.pop_front();
        job();
    }
    std::deque<rt::Fn> jobs;
};

class FakeStore final : public MetadataStore {
  public:
    Result<State> load() override { return State{}; }
    Result<void> commit(std::span<const Delta> deltas) override {
        batches.push_back(deltas.size());
        if (fails) return Error{Errc::kNoSpace};
        return {};
    }
    std::vector<std::size_t> batches;
    bool fails = false;
};

struct Rig {
    ManualExecutor executor;
    ManualPool pool;
    FakeStore store;
    Committer committer{store, executor, pool};
    std::string log;

    void commit(char name, std::size_t count = 1) {
        committer.commit(std::vector<Delta>(count, LeaderEpochsBumped{1}),
                         [this, name](const Result<void>& r) {
                             log += name;
                             log += r.has_value() ? '+' : '-';
                         });
    }
    void turn() {
        pool.run_one();
        executor.run();
    }
};

TEST(Committer, ChangesDuringACommitShareTheNextOne) {
    Rig rig;
    rig.commit('a');
    rig.commit('b', 2);
    rig.commit('c');
    EXPECT_EQ(rig.log, "");
    rig.turn();
    EXPECT_EQ(rig.log, "a+");
    rig.turn();
    EXPECT_EQ(rig.log, "a+b+c+");
    EXPECT_EQ(rig.store.batches, (std::vector<std::size_t>{1, 3}));
    EXPECT_TRUE(rig.committer.is_idle());
    EXPECT_EQ(rig.committer.transactions(), 2U);
}

TEST(Committer, FailureFailsWhatWaitsBehindIt) {
    Rig rig;
    rig.store.fails = true;
    rig.commit('a');
    rig.commit('b');
    rig.turn();
    EXPECT_EQ(rig.log, "a-b-");
    EXPECT_TRUE(rig.committer.is_idle());
    rig.store.fails = false;
    rig.commit('c');
    rig.turn();
    EXPECT_EQ(rig.log, "a-b-c+");
}

TEST(Committer, CommitFromACallbackGoesIntoTheNextTransaction) {
    Rig rig;
    rig.committer.commit({LeaderEpochsBumped{1}}, [&rig](const Result<void>&) { rig.commit('x'); });
    rig.turn();
    EXPECT_EQ(rig.log, "");
    rig.turn();
    EXPECT_EQ(rig.log, "x+");
}

}  // namespace
}  // namespace leat::metadata
