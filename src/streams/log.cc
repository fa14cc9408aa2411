// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/log.h"

#include <utility>

#include "obs/log.h"

namespace leat::streams {
namespace {

// They are the same, under a name that is installed.
static_assert(static_cast<int>(LogLevel::kTrace) == static_cast<int>(obs::Level::kTrace));
static_assert(static_cast<int>(LogLevel::kWarn) == static_cast<int>(obs::Level::kWarn));
static_assert(static_cast<int>(LogLevel::kOff) == static_cast<int>(obs::Level::kOff));

}  // namespace

void set_log_level(LogLevel level) {
    obs::set_level(static_cast<obs::Level>(level));
}

void set_log_sink(LogSink sink) {
    if (!sink) return obs::set_sink({});
    obs::set_sink([to = std::move(sink)](obs::Level level, std::string_view line) {
        to(static_cast<LogLevel>(level), line);
    });
}

}  // namespace leat::streams
