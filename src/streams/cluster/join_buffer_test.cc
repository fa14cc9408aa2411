// SPDX-License-Identifier: Apache-2.0
//
// A stream that waits for a table, in a process that is killed between what it says of a record
// that waited: the result, and that the record waits no longer.
#include "leat/streams/detail/join_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "leat/streams/builder.h"
#include "streams/cluster/testing/lives.h"
#include "streams/state/temp_folder.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_lives::Cluster;
using testing_lives::In;
using testing_lives::leave;
using testing_lives::Life;

constexpr const char* kBuffer = "app-j-Buffer-changelog";

Topology joining() {
    Builder b;
    const auto table = b.table<string, string>("t", {}, {.store = "v", .history = Duration{5'000}});
    b.stream<string, string>("s")
        .join(table, [](const string& left, const string& right) { return left + "+" + right; },
              {.name = "j", .grace = Duration{5}})
        .to("out");
    return *b.build();
}

const In kRow{"k", "row", 0};
const In kWaits{"k", "a", 1};
const In kEnds{"z", "c", 1'000};
const In kLater{"z", "d", 1'001};

class JoinBuffer : public testing::Test {
  protected:
    /// A life on what is in `folder`, behind the records that are committed.
    struct Next : Life {
        Next(Cluster& of, const string& folder) : Life(of, folder) {
            reader.topics = {{"t", {kRow}}, {"s", {kWaits}}};
        }
    };
    void let_it_wait(const string& folder) {
        Life life{cluster_, folder};
        life.process("t", kRow);
        life.process("s", kWaits);
        life.commit();
        EXPECT_THAT(cluster_.results, IsEmpty());
    }
    static bool says_that_it_waits_no_longer(const Life& life) {
        return std::ranges::any_of(
            life.sent, [](const auto& one) { return one.topic == kBuffer && !one.value; });
    }

    detail::TempFolder first_;
    detail::TempFolder second_;
    detail::TempFolder empty_;
    Cluster cluster_{joining(), {"t", "s"}};
};

TEST_F(JoinBuffer, WhatIsToldButNotDeliveredIsToldAgain) {
    let_it_wait(first_.path());
    {
        Next life{cluster_, first_.path()};
        life.process("s", kEnds);
        ASSERT_TRUE(std::ranges::any_of(
            life.sent, [](const auto& one) { return one.topic == "out" && one.value == "a+row"; }));
        cluster_.acknowledge_changes(life.sent);
        leave(first_.path(), second_.path());
    }
    for (const auto& folder : {second_.path(), empty_.path()}) {
        cluster_.results.clear();
        Next life{cluster_, folder};
        life.process("s", kEnds);
        cluster_.acknowledge(life.sent);
        EXPECT_THAT(cluster_.results, ElementsAre("a+row"));
    }
}

TEST_F(JoinBuffer, WhatIsDeliveredWaitsNoLonger) {
    let_it_wait(first_.path());
    {
        Next life{cluster_, first_.path()};
        life.process("s", kEnds);
        EXPECT_FALSE(says_that_it_waits_no_longer(life));
        life.commit();
        EXPECT_THAT(cluster_.results, ElementsAre("a+row"));
        leave(first_.path(), second_.path());
    }
    for (const auto& folder : {second_.path(), empty_.path()}) {
        Next life{cluster_, folder};
        life.reader.topics["s"].push_back(kEnds);
        life.process("s", kLater);
        cluster_.acknowledge(life.sent);
        EXPECT_THAT(cluster_.results, ElementsAre("a+row"));
    }
}

TEST_F(JoinBuffer, RowsThatAreToldAreNotWrittenEarly) {
    let_it_wait(first_.path());
    Next life{cluster_, first_.path()};
    life.process("s", kEnds);
    const auto written = life.task->write_early(milliseconds{0});
    EXPECT_TRUE(written && !*written) << "that it waits no longer is not in the changelog";
}

TEST_F(JoinBuffer, ExactlyOnceTheResultAndThatItWaitsNoLongerAreInOneTransaction) {
    Life life{cluster_, first_.path()};
    life.settings.exactly_once = true;
    life.process("t", kRow);
    life.process("s", kWaits);
    EXPECT_FALSE(says_that_it_waits_no_longer(life));
    life.process("s", kEnds);
    EXPECT_TRUE(says_that_it_waits_no_longer(life));
    EXPECT_TRUE(life.task->put_off().is_empty());
}

}  // namespace
}  // namespace leat::streams
