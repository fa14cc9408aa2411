// SPDX-License-Identifier: Apache-2.0
//
// Steps at which the crash harness ends or stops a running application, and wrongs that it must
// find out. Layer: streams (L6).
// A build without LEAT_FAULT_INJECTION, such as every release, does not look at the environment:
// nobody can make it lose records.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace leat::streams {

/// Of a commit, of restoring, of a rebalance, of giving tasks up; each group in its order.
enum class FailStep : std::uint8_t {
    kCommitBegun,        ///< Nothing of it is done.
    kCommitFlushed,      ///< What caches held is with the producer.
    kCommitDelivered,    ///< At least once: output and changelogs are acknowledged.
    kCommitOffsetsSent,  ///< Exactly once: the positions are in the transaction.
    kCommitDone,         ///< The cluster has it all; state on disk does not yet.
    kCommitTaskKept,     ///< The state of one more task is kept too.
    kCommitPurged,       ///< Records of repartition topics are deleted.
    kRestoreOpened,      ///< A task has its stores, and reads their changelogs.
    kRestoreActivated,   ///< It knows up to where.
    kRestoreBatch,       ///< Records of changelogs are in the stores, or gathered for them.
    kRestoreFileTaken,   ///< A file of rows is in the database, the offset behind them is not.
    kRestoreDone,        ///< All of them.
    kRestoreRunning,     ///< The task runs.
    kRebalanceBegun,     ///< Before this process joins.
    kRebalanceJoined,    ///< Its generation is known, what it is to run is not.
    kRebalancePlanned,   ///< The leader knows who runs what, the others do not.
    kRebalanceSynced,    ///< What it is to run is known.
    kRebalanceAssigned,  ///< Its threads can see that.
    kRebalanceOrdered,   ///< A thread has seen it.
    kRevokeCommitted,    ///< What is given up is committed.
    kRevokeClosed,       ///< It is closed.
    kRevokeReleased,     ///< The group may hear of it.
};

/// Deliberate wrongs.
enum class Fault : std::uint8_t {
    kOffsetsBeforeData,  ///< Positions are committed before what came of their records.
    kCommitBeforeFlush,  ///< A commit does not wait for caches, nor for the producer.
    kNoFencing,          ///< Who commits does not say of which generation it is.
    kRestoreSkipped,     ///< A task runs with the state that happens to be on its disk.
    kNewestForgotten,    ///< State counts as restored past rows that are in memory alone.
};
inline constexpr std::size_t kFaults = 5;

struct FailPoints {
    bool stops = false;  ///< SIGSTOP instead of SIGKILL.
    std::optional<FailStep> step{};
    std::uint64_t nth = 0;
    std::array<bool, kFaults> faults{};
};

/// `point`: "kill:STEP:N" or "stop:STEP:N", or empty; N from 1. `faults`: names with commas between
/// them. Errors: kInvalidSetting.
Result<FailPoints> parse_failpoints(std::string_view point, std::string_view faults);

/// Names of the steps, in their order: "commit.begun".
[[nodiscard]] std::span<const std::string_view> step_names();
/// Of the faults: "streams.restore_skipped".
[[nodiscard]] std::span<const std::string_view> fault_names();
/// Whether this build looks at the environment.
[[nodiscard]] bool can_fail();

/// The N-th time at the step of LEAT_FAULT_STREAMS this process ends, or stops; before, it says so
/// on stderr: "fault-streams: struck STEP". Threading: thread-safe.
void reach(FailStep step);
/// LEAT_FAULTS names it. Threading: thread-safe.
[[nodiscard]] bool has_fault(Fault fault);

}  // namespace leat::streams
