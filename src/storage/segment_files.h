// SPDX-License-Identifier: Apache-2.0
//
// Names of the files in a partition's folder. Layer: storage (L3). Pure.
// Spec:  docs/reference/formats/log.md; Kafka's LogFileUtils.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.h"

namespace leat::storage {

inline constexpr std::string_view kEpochFileName = "leader-epoch-checkpoint";

enum class FileKind : std::uint8_t { kLog, kIndex, kTimeIndex, kTxnIndex, kSnapshot };
inline constexpr FileKind kIndexKinds[] = {FileKind::kIndex, FileKind::kTimeIndex,
                                           FileKind::kTxnIndex};

/// Where a file stands in the cleaner's exchange of segments.
enum class FileStage : std::uint8_t {
    kPlain,
    kCleaned,  ///< Being written: of no use after a crash.
    kSwap,     ///< Complete: takes the place of what it covers.
    kDeleted,  ///< No part of the log any more.
};

struct FileName {
    Offset base;  ///< Of a snapshot: the offset behind its last.
    FileKind kind = FileKind::kLog;
    FileStage stage = FileStage::kPlain;
    friend bool operator==(const FileName&, const FileName&) = default;
};

/// Such as "00000000000000000042.log" or "00000000000000000042.timeindex.swap".
[[nodiscard]] std::string to_string(const FileName& name);
/// nullopt for any other name.
[[nodiscard]] std::optional<FileName> parse_file_name(std::string_view text);

/// Where a torn tail is kept: "<base>.<position>.cut".
[[nodiscard]] std::string cut_file_name(Offset base, FilePos at);

}  // namespace leat::storage
