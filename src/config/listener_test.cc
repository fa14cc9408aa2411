// SPDX-License-Identifier: Apache-2.0
//
// Method: texts as they are written, and what they mean.
#include "config/listener.h"

#include <gtest/gtest.h>

namespace leat::config {
namespace {

TEST(IsLoopback, OnlyAddressesOfThisMachineAndItsOwnName) {
    for (const char* host :
         {"127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host :
         {"127.evil.example", "127.0.0.1.evil.example", "127.", "127.0.0.1 ", "::ffff:10.0.0.1",
          "::127.0.0.1", "10.0.0.1", "::", "", "localhost.evil.example", "1.127.0.0"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace leat::config
