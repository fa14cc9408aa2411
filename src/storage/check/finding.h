// SPDX-License-Identifier: Apache-2.0
//
// What `leat log check` can find in a data directory: one table of kinds, and a list of what was
// found. Layer: storage (L3). Pure.
// Spec:  docs/reference/log-findings.md is printed from the table.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"

namespace leat::storage {

enum class Severity : std::uint8_t {
    kNote,     ///< Worth knowing; nothing to do.
    kWarning,  ///< The next start deals with it, or somebody may want to look.
    kError,    ///< Records are lost, or answers are wrong.
};
[[nodiscard]] std::string_view to_string(Severity severity);

enum class FindingKind : std::uint8_t {
    kUnreadable,
    kDirectoryFormat,
    kMetadataDamaged,
    kMarksDamaged,
    kMarksUnknown,
    kNotStopped,
    kFolderMissing,
    kFolderUnknown,
    kFolderStray,
    kFolderDeleted,
    kTopicIdWrong,
    kFileDamaged,
    kFileUnknown,
    kFileUnfinished,
    kFileCut,
    kSegmentMissing,
    kSegmentGap,
    kBatchDamaged,
    kTornTail,
    kEmptyTail,
    kRecordsDamaged,
    kRecordsMissing,
    kIndexMissing,
    kIndexWrong,
    kTimeIndexWrong,
    kTxnIndexWrong,
    kIndexOrphan,
    kEpochsWrong,
    kSnapshotDamaged,
    kSnapshotWrong,
    kSnapshotAhead,
    kLogStartWrong,
    kCount,
};

struct FindingInfo {
    FindingKind kind;
    std::string_view name;  ///< "batch-damaged": what JSON has as "kind".
    Severity severity;
    std::string_view meaning;
    std::string_view next;  ///< What to do.
};
/// Every kind, in order.
[[nodiscard]] std::span<const FindingInfo> finding_table();
[[nodiscard]] const FindingInfo& info(FindingKind kind);
/// The reference page.
[[nodiscard]] std::string findings_reference();

struct Finding {
    FindingKind kind = FindingKind::kUnreadable;
    std::string file;                ///< Path of the file or folder.
    std::optional<FilePos> at = {};  ///< In the file.
    std::optional<Offset> offset = {};
    std::string what;
};

/// Threading: not synchronised.
/// Memory:    at most `kept_max` findings; all are counted.
class Findings {
  public:
    explicit Findings(std::size_t kept_max) : kept_max_(kept_max) {}

    /// From here on what `wanted` is false of is dropped, uncounted; empty: nothing is.
    void keep_only(std::function<bool(const Finding&)> wanted) { wanted_ = std::move(wanted); }
    void add(Finding finding);
    [[nodiscard]] const std::vector<Finding>& kept() const noexcept { return kept_; }
    [[nodiscard]] std::int64_t count(Severity severity) const {
        return counts_.at(static_cast<std::size_t>(severity));
    }
    /// Errors and warnings.
    [[nodiscard]] bool is_clean() const {
        return count(Severity::kError) == 0 && count(Severity::kWarning) == 0;
    }

  private:
    std::size_t kept_max_;
    std::function<bool(const Finding&)> wanted_;
    std::vector<Finding> kept_;
    std::array<std::int64_t, 3> counts_{};
};

}  // namespace leat::storage
