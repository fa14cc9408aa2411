// SPDX-License-Identifier: Apache-2.0
#include "broker/slow_request.h"

#include <gtest/gtest.h>

#include <string>

#include "obs/log.h"

namespace leat::broker {
namespace {

TEST(SlowRequest, OnlyTimeTheClientDidNotAskForCounts) {
    static std::string line;
    obs::set_sink([](obs::Level, std::string_view text) { line = text; });
    using std::chrono::milliseconds;
    RequestRecord request{
        .api = "Fetch", .total = milliseconds{600}, .asked_wait = milliseconds{500}};
    EXPECT_FALSE(log_if_slow(request, milliseconds{101}));
    EXPECT_TRUE(line.empty());
    EXPECT_TRUE(log_if_slow(request, milliseconds{100}));
    EXPECT_TRUE(line.contains("api=Fetch version=0")) << line;
    EXPECT_FALSE(log_if_slow(request, milliseconds{0}));
    obs::set_sink(nullptr);
}

}  // namespace
}  // namespace leat::broker
