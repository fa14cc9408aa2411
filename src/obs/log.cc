// SPDX-License-Identifier: Apache-2.0
//
// The only source that includes spdlog.
#include "obs/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "obs/log_line.h"

namespace leat::obs {
namespace {

constexpr std::size_t kQueueLines = 8192;

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::kTrace:
            return spdlog::level::trace;
        case Level::kDebug:
            return spdlog::level::debug;
        case Level::kInfo:
            return spdlog::level::info;
        case Level::kWarn:
            return spdlog::level::warn;
        case Level::kError:
            return spdlog::level::err;
        case Level::kOff:
            return spdlog::level::off;
    }
    return spdlog::level::off;
}

std::int64_t real_now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Counts equal events per second in a fixed table: two events that share a slot take turns, which
/// only makes the limit laxer.
class RepeatLimit {
  public:
    /// Whether the line is written; then `suppressed` has the number left out before it.
    bool admit(std::string_view component, std::string_view event, std::int64_t now_ns,
               std::uint32_t per_second_max, std::uint64_t& suppressed) {
        if (per_second_max == 0) return true;
        const std::size_t hash =
            std::hash<std::string_view>{}(event) * 31 + std::hash<std::string_view>{}(component);
        const std::lock_guard lock{mutex_};
        Slot& slot = slots_[hash % kSlots];
        const std::int64_t second = now_ns / 1'000'000'000;
        if (slot.hash != hash || slot.second != second) {
            suppressed = slot.hash == hash ? slot.left_out : 0;
            slot = {.hash = hash, .second = second, .written = 1, .left_out = 0};
            return true;
        }
        if (slot.written >= per_second_max) {
            ++slot.left_out;
            return false;
        }
        ++slot.written;
        return true;
    }

  private:
    static constexpr std::size_t kSlots = 256;
    struct Slot {
        std::size_t hash = 0;
        std::int64_t second = -1;
        std::uint32_t written = 0;
        std::uint64_t left_out = 0;
    };
    std::mutex mutex_;
    std::array<Slot, kSlots> slots_{};
};

struct Backend {
    std::shared_ptr<spdlog::logger> logger;
    std::shared_ptr<spdlog::details::thread_pool> pool;
    LogOptions options;
};

std::shared_ptr<Backend> make_backend(const LogOptions& options) {
    auto backend = std::make_shared<Backend>();
    backend->options = options;
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (options.async) {
        backend->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
        backend->logger = std::make_shared<spdlog::async_logger>(
            "leat", sink, backend->pool, spdlog::async_overflow_policy::overrun_oldest);
    } else {
        backend->logger = std::make_shared<spdlog::logger>("leat", sink);
    }
    // The level is checked before; here all passes. Names of levels are ours, so they are written
    // with the text; spdlog only adds the time.
    backend->logger->set_level(spdlog::level::trace);
    const char* pattern = options.format == Format::kJson ? "{\"ts\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}"
                                                          : "ts=%Y-%m-%dT%H:%M:%S.%eZ %v";
    backend->logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    backend->logger->flush_on(spdlog::level::warn);
    return backend;
}

/// Lives until the process ends: threads may log while statics are destroyed.
struct State {
    std::mutex mutex;
    std::shared_ptr<Backend> backend = make_backend({});
    std::array<bool, kComponents.size()> has_own_level{};
    std::shared_ptr<const Sink> sink;  ///< Null: stderr.
    std::atomic<std::int64_t (*)()> clock{&real_now_ns};
    RepeatLimit limit;
};
State& state() {
    static State* const forever = new State;  // tidy: right here, threads may log until exit.
    return *forever;
}

std::shared_ptr<Backend> backend() {
    const std::lock_guard lock{state().mutex};
    return state().backend;
}

std::shared_ptr<const Sink> sink() {
    const std::lock_guard lock{state().mutex};
    return state().sink;
}

}  // namespace

void detail::write(Level level, std::string_view component, std::string_view event, Fields fields,
                   Repeats repeats) {
    const std::shared_ptr<Backend> to = backend();
    std::uint64_t suppressed = 0;
    if (repeats == Repeats::kLimited &&
        !state().limit.admit(component, event, state().clock.load()(),
                             to->options.repeats_per_second_max, suppressed))
        return;
    std::string line;
    if (to->options.format == Format::kJson) {
        line.append("\"level\":\"").append(name_of(level)).append("\",");
        append_json(line, component, event, fields, suppressed);
    } else {
        line.append("level=").append(name_of(level)).append(" ");
        append_logfmt(line, component, event, fields, suppressed);
    }
    if (const auto instead = sink()) return (*instead)(level, line);
    to->logger->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
}

void start_logging(const LogOptions& options) {
    auto fresh = make_backend(options);
    {
        const std::lock_guard lock{state().mutex};
        state().backend.swap(fresh);
    }
    set_level(options.level);
    fresh->logger->flush();
}

void set_level(Level level) {
    const std::lock_guard lock{state().mutex};
    detail::levels_min.back().store(level, std::memory_order_relaxed);
    for (std::size_t i = 0; i < kComponents.size(); ++i)
        if (!state().has_own_level.at(i))
            detail::levels_min.at(i).store(level, std::memory_order_relaxed);
}

Level level() {
    return detail::levels_min.back().load(std::memory_order_relaxed);
}

void set_level(std::string_view component, std::optional<Level> level) {
    const std::size_t at = detail::place_of(component);
    LEAT_CHECK(at < kComponents.size());
    const std::lock_guard lock{state().mutex};
    state().has_own_level.at(at) = level.has_value();
    detail::levels_min.at(at).store(
        level.value_or(detail::levels_min.back().load(std::memory_order_relaxed)),
        std::memory_order_relaxed);
}

Level level(std::string_view component) {
    return detail::levels_min.at(detail::place_of(component)).load(std::memory_order_relaxed);
}

void flush_log() {
    backend()->logger->flush();
}

void set_sink(Sink sink) {
    std::shared_ptr<const Sink> fresh;
    if (sink) fresh = std::make_shared<const Sink>(std::move(sink));
    const std::lock_guard lock{state().mutex};
    state().sink.swap(fresh);
}

void set_test_clock(std::int64_t (*now_ns)()) {
    state().clock.store(now_ns != nullptr ? now_ns : &real_now_ns);
}

}  // namespace leat::obs
