// SPDX-License-Identifier: Apache-2.0
#include "streams/failpoints.h"

#include <algorithm>
#include <charconv>
#include <string>

#ifdef LEAT_FAULT_INJECTION
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#endif

namespace leat::streams {
namespace {

constexpr std::array<std::string_view, 22> kSteps{
    "commit.begun",      "commit.flushed",     "commit.delivered",   "commit.offsets_sent",
    "commit.done",       "commit.task_kept",   "commit.purged",      "restore.opened",
    "restore.activated", "restore.batch",      "restore.file_taken", "restore.done",
    "restore.running",   "rebalance.begun",    "rebalance.joined",   "rebalance.planned",
    "rebalance.synced",  "rebalance.assigned", "rebalance.ordered",  "revoke.committed",
    "revoke.closed",     "revoke.released",
};
static_assert(kSteps.size() == static_cast<std::size_t>(FailStep::kRevokeReleased) + 1);

constexpr std::array<std::string_view, kFaults> kFaultNames{
    "streams.offsets_before_data", "streams.commit_before_flush", "streams.no_fencing",
    "streams.restore_skipped",     "streams.newest_forgotten",
};
static_assert(kFaults == static_cast<std::size_t>(Fault::kNewestForgotten) + 1);

/// What stands before the next `divider`, which is taken off too.
std::string_view take(std::string_view& text, char divider) {
    const std::size_t end = std::min(text.find(divider), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
}

}  // namespace

Result<FailPoints> parse_failpoints(std::string_view point, std::string_view faults) {
    FailPoints out;
    const std::string whole{point};
    if (!point.empty()) {
        const std::string_view action = take(point, ':');
        const auto* step = std::ranges::find(kSteps, take(point, ':'));
        const auto [end, failure] =
            std::from_chars(point.data(), point.data() + point.size(), out.nth);
        const bool is_number =
            failure == std::errc{} && end == point.data() + point.size() && out.nth > 0;
        if ((action != "kill" && action != "stop") || step == kSteps.end() || !is_number)
            return Error{Errc::kInvalidSetting,
                         "LEAT_FAULT_STREAMS: '" + whole + "' is not kill:STEP:N or stop:STEP:N"};
        out.stops = action == "stop";
        out.step = static_cast<FailStep>(step - kSteps.begin());
    }
    while (!faults.empty()) {
        const std::string_view name = take(faults, ',');
        const auto* found = std::ranges::find(kFaultNames, name);
        if (found == kFaultNames.end())
            return Error{Errc::kInvalidSetting,
                         "LEAT_FAULTS: there is no fault '" + std::string{name} + "'"};
        out.faults[static_cast<std::size_t>(found - kFaultNames.begin())] = true;
    }
    return out;
}

std::span<const std::string_view> step_names() {
    return kSteps;
}

std::span<const std::string_view> fault_names() {
    return kFaultNames;
}

#ifdef LEAT_FAULT_INJECTION

namespace {

/// Straight to the descriptor: the process may end right after.
void tell(std::string_view what) {
    std::string line = "fault-streams: ";
    line.append(what).append("\n");
    // A message of a test: when it cannot be written, the test finds that nothing struck.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

const FailPoints& armed() {
    static const FailPoints points = [] {
        const auto text = [](const char* name) {
            const char* value = std::getenv(name);
            return value == nullptr ? std::string_view{} : std::string_view{value};
        };
        auto parsed = parse_failpoints(text("LEAT_FAULT_STREAMS"), text("LEAT_FAULTS"));
        if (parsed) return *std::move(parsed);
        tell(parsed.error().detail());
        std::_Exit(2);
    }();
    return points;
}

}  // namespace

bool can_fail() {
    return true;
}

void reach(FailStep step) {
    const FailPoints& points = armed();
    if (points.step != step) return;
    static std::atomic<std::uint64_t> met = 0;
    if (++met != points.nth) return;
    tell("struck " + std::string{kSteps[static_cast<std::size_t>(step)]});
    ::kill(::getpid(), points.stops ? SIGSTOP : SIGKILL);
    if (points.stops) return;
    for (;;) ::pause();
}

bool has_fault(Fault fault) {
    return armed().faults[static_cast<std::size_t>(fault)];
}

#else

bool can_fail() {
    return false;
}

void reach(FailStep /*step*/) {}

bool has_fault(Fault /*fault*/) {
    return false;
}

#endif

}  // namespace leat::streams
