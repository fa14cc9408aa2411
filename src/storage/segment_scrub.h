// SPDX-License-Identifier: Apache-2.0
//
// Reads a segment that is in use from its beginning to its end and looks whether its batches are
// still those that were written; and the note about one that is not. Layer: storage (L3).
// Spec:  docs/explanation/durability.md; docs/reference/formats/data-directory.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "storage/batch_scan.h"
#include "storage/log.h"

namespace leat::storage {

/// What of a batch is looked at.
enum class ScrubDepth : std::uint8_t {
    kWhole,
    kNothing,      ///< Faults::skip_scrub.
    kNoChecksums,  ///< Faults::skip_crc_check.
};

/// Threading: not synchronised. Its calls may block.
/// Memory:    as BatchScan.
class SegmentScrub {
  public:
    SegmentScrub(const Log::Extent& extent, ScrubDepth depth);

    struct Step {
        std::int64_t bytes = 0;  ///< That were read.
        bool is_done = false;
        std::string damage = {};  ///< "" or what is wrong; then it is done.
    };
    /// Goes on for about `bytes_max`. Errors: kIoError (the bytes could not be had).
    Result<Step> step(std::int64_t bytes_max);

  private:
    [[nodiscard]] Step found(std::int64_t bytes, std::string_view what) const;
    /// "" or what is wrong with the batch.
    [[nodiscard]] std::string judge(const FoundBatch& batch);

    Log::Extent extent_;
    ScrubDepth depth_;
    BatchScan walk_;
    std::int32_t epoch_ = -1;  ///< Of the last batch; the first may have none (-1).
};

/// The base offset of the segment that was found damaged while it was in use; nullopt: none was.
/// All of these may block.
Result<std::optional<Offset>> read_damage_note(rt::Disk& disk, const std::string& folder);
Result<void> write_damage_note(rt::Disk& disk, const std::string& folder, Offset base);
Result<void> remove_damage_note(rt::Disk& disk, const std::string& folder);

/// "" unless the segment that the note names is still damaged; a note about one that is good again,
/// or gone, is removed. Errors: kIoError, kMalformed (the note cannot be read).
Result<std::string> noted_damage(rt::Disk& disk, Log& log, const std::string& folder,
                                 ScrubDepth depth);

}  // namespace leat::storage
