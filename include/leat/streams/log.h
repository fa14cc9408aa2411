// SPDX-License-Identifier: Apache-2.0
//
// What the library writes into a log, and where. Layer: streams SDK.
//
// Of the process, not of an application: set it before the first one is opened. Without a word
// lines from kInfo on go to stderr, each with its time; of equal ones 20 a second at most.
//
//     set_log_sink([](LogLevel level, std::string_view line) { my_log(level, line); });
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace leat::streams {

/// kWarn: somebody may act; kError: somebody must.
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

/// `line` is logfmt without time and newline, "level=warn component=streams event=...", and is gone
/// after the call. Threading: called on any thread, on several at once. Failure: it must not throw.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

/// Lines below it are not made. Threading: thread-safe.
void set_log_level(LogLevel level);

/// Where lines go instead of stderr; an empty one puts stderr back. Lines that are under way may
/// still go to the one before. Threading: thread-safe.
void set_log_sink(LogSink sink);

}  // namespace leat::streams
