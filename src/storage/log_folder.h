// SPDX-License-Identifier: Apache-2.0
//
// What lies in a partition's folder, after removals and exchanges that a stop interrupted have been
// finished. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md, "Exchange of segments"
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/segment.h"

namespace leat::storage {

struct LogFolder {
    std::map<Offset, Segment::Present> segments;  ///< Each has its log file.
    bool has_epochs = false;
    bool has_aborted_list = false;
    bool is_new = false;  ///< It was made just now.
    /// An exchange cannot be finished because its file is damaged; "" otherwise.
    std::string damage;
};

/// Lists the folder once, or makes it, and finishes what was begun. Runs on: a thread that may
/// block. Errors: kIoError, kNoSpace.
Result<LogFolder> open_log_folder(rt::Disk& disk, const std::string& directory);

}  // namespace leat::storage
