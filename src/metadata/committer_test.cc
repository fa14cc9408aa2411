// SPDX-License-Identifier: Apache-2.0
//
// Method: an executor and a pool that run only when the test says so; a store that records and
// fails on demand.
#include "metadata/committer.h"

#include <gtest/gtest.h>

#include <vector>

#include "testkit/manual_executor.h"

namespace leat::metadata {
namespace {

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
    testkit::ManualExecutor executor;
    testkit::ManualPool pool;
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
        EXPECT_TRUE(pool.run_one());
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
