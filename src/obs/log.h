// SPDX-License-Identifier: Apache-2.0
//
// Structured one-line logs: a constant event text and typed fields. Layer: obs (L1).
// Spec:  docs/reference/logs.md for the two forms (logfmt, JSON).
//
//     constexpr obs::Logger kLog{"storage"};
//     kLog.info("segment rolled", {{"topic", topic}, {"base", base.value}});
//
// warn: an operator may act; error: an operator must act. No prose built from data: put data in
// fields.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace leat::obs {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

/// One key and its value; views only, it lives as long as the call that logs it.
/// Threading: immutable.
class Field {
  public:
    Field(std::string_view key, bool value) : key_(key), value_(value) {}
    template <std::signed_integral T>
    Field(std::string_view key, T value) : key_(key), value_(std::int64_t{value}) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    Field(std::string_view key, T value) : key_(key), value_(std::uint64_t{value}) {}
    Field(std::string_view key, double value) : key_(key), value_(value) {}
    Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
    Field(std::string_view key, const char* value) : key_(key), value_(std::string_view{value}) {}
    Field(std::string_view key, const std::string& value)
        : key_(key), value_(std::string_view{value}) {}
    /// In milliseconds with a fraction.
    Field(std::string_view key, std::chrono::nanoseconds value)
        : key_(key), value_(static_cast<double>(value.count()) / 1e6) {}
    Field(std::string_view key, Errc value) : key_(key), value_(leat::info(value).name) {}

    using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    [[nodiscard]] const Value& value() const noexcept { return value_; }

  private:
    std::string_view key_;
    Value value_;
};
using Fields = std::initializer_list<Field>;

/// The parts of the program whose level can be set apart from the others', in name order.
inline constexpr std::array<std::string_view, 12> kComponents{
    "audit",    "auth",  "broker", "client",  "groups",  "metadata",
    "requests", "serve", "server", "storage", "streams", "transactions"};

namespace detail {
/// Of each component, and last of the whole process, which those follow that have none of their
/// own.
inline std::array<std::atomic<Level>, kComponents.size() + 1> levels_min{
    Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo,
    Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo, Level::kInfo,
    Level::kInfo, Level::kInfo, Level::kInfo};

/// The last place for a name that is not in the list.
constexpr std::size_t place_of(std::string_view component) noexcept {
    std::size_t at = 0;
    while (at < kComponents.size() && kComponents.at(at) != component) ++at;
    return at;
}
enum class Repeats : std::uint8_t { kLimited, kAll };
void write(Level level, std::string_view component, std::string_view event, Fields fields,
           Repeats repeats);
/// Never defined: a Logger of a component that is not in the list does not compile.
void component_is_not_in_the_list();
}  // namespace detail

/// The log of one component. A line below the level costs one relaxed load and does not allocate.
///
/// Threading: thread-safe; a line is written whole.
/// Failure:   a line that cannot be written is dropped.
class Logger {
  public:
    /// `component`: a literal, one of kComponents: whoever reads its lines can set its level.
    explicit consteval Logger(std::string_view component)
        : component_(component), place_(detail::place_of(component)) {
        if (place_ == kComponents.size()) detail::component_is_not_in_the_list();
    }

    void trace(std::string_view event, Fields f = {}) const { log(Level::kTrace, event, f); }
    void debug(std::string_view event, Fields f = {}) const { log(Level::kDebug, event, f); }
    void info(std::string_view event, Fields f = {}) const { log(Level::kInfo, event, f); }
    void warn(std::string_view event, Fields f = {}) const { log(Level::kWarn, event, f); }
    void error(std::string_view event, Fields f = {}) const { log(Level::kError, event, f); }

    void log(Level level, std::string_view event, Fields fields) const {
        if (enabled(level))
            detail::write(level, component_, event, fields, detail::Repeats::kLimited);
    }
    /// Is not counted with its equals: for what has a bound of its own.
    void log_each(Level level, std::string_view event, Fields fields) const {
        if (enabled(level)) detail::write(level, component_, event, fields, detail::Repeats::kAll);
    }
    [[nodiscard]] bool enabled(Level level) const noexcept {
        return level >= detail::levels_min[place_].load(std::memory_order_relaxed);
    }

  private:
    std::string_view component_;
    std::size_t place_;
};

enum class Format : std::uint8_t { kLogfmt, kJson };

struct LogOptions {
    Level level = Level::kInfo;
    Format format = Format::kLogfmt;
    /// Lines go through a queue and a thread of the log's own, so that a blocked reader of stderr
    /// never stops a shard; when it is full the oldest lines are lost.
    bool async = false;
    /// Equal events (component and text) of one second beyond this many are only counted; the next
    /// one that is written carries suppressed=N. 0: no limit.
    std::uint32_t repeats_per_second_max = 20;
};

/// Sets up logging to stderr; may be called again. Before the first call: info, logfmt, not async.
void start_logging(const LogOptions& options);

/// Of all components that have no level of their own.
void set_level(Level level);
[[nodiscard]] Level level();
/// nullopt: it follows the others again. Precondition: `component` is one of kComponents.
void set_level(std::string_view component, std::optional<Level> level);
[[nodiscard]] Level level(std::string_view component);

/// Waits until what was logged is written.
void flush_log();

/// Where lines go instead of stderr; an empty one puts stderr back. `sink` gets each line without
/// time stamp and newline, on the thread that logs: several at once. It neither logs nor throws.
using Sink = std::function<void(Level level, std::string_view line)>;
void set_sink(Sink sink);

/// For tests: the clock of the rate limit, in nanoseconds; nullptr puts the real one back.
void set_test_clock(std::int64_t (*now_ns)());

}  // namespace leat::obs
