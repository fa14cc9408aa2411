// SPDX-License-Identifier: Apache-2.0
#include "worker_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace leat::crash {
namespace {

TEST(WorkerClient, DiesWithoutWhatExitDoes) {
    // exit() flushes files beside threads that write them: empty lines in the middle of a history.
    EXPECT_EXIT(
        {
            std::atexit([] { _exit(42); });
            die("no more");
        },
        testing::ExitedWithCode(1), "crash_worker: no more");
}

TEST(WorkerClient, DescribesItsOwnValuesAndNoOthers) {
    EXPECT_TRUE(described(value_of(3, 14, 20)).starts_with("3 14 20 ")) << value_of(3, 14, 20);
    EXPECT_NE(described(value_of(3, 14, 20)), described(value_of(3, 14, 20) + "x"));
    for (const char* const other : {"", "-", "3", "3-", "3-14", "x-14-", "3-x-"})
        EXPECT_TRUE(described(other).starts_with("-1 -1 ")) << other;
}

}  // namespace
}  // namespace leat::crash
