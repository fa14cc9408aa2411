// SPDX-License-Identifier: Apache-2.0
//
// Method: lines of the library itself, caught as a program of one's own does.
#include "leat/streams/log.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "obs/log.h"

namespace leat::streams {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr obs::Logger kLog{"streams"};

TEST(LogOfTheLibrary, GoesWhereItIsSentFromALevelOn) {
    std::vector<std::pair<LogLevel, std::string>> lines;
    set_log_sink([&](LogLevel level, std::string_view line) { lines.emplace_back(level, line); });
    set_log_level(LogLevel::kWarn);
    kLog.info("not seen", {});
    kLog.warn("seen", {{"records", 3}});
    set_log_level(LogLevel::kOff);
    kLog.error("off", {});
    set_log_level(LogLevel::kInfo);
    kLog.info("seen again", {});
    set_log_sink({});
    EXPECT_THAT(
        lines,
        ElementsAre(Pair(LogLevel::kWarn, "level=warn component=streams event=seen records=3"),
                    Pair(LogLevel::kInfo, "level=info component=streams event=\"seen again\"")));
}

}  // namespace
}  // namespace leat::streams
