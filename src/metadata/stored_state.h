// SPDX-License-Identifier: Apache-2.0
//
// Reads a stopped broker's metadata without touching its files. Layer: metadata (L4).
#pragma once

#include <string>

#include "base/result.h"
#include "metadata/delta.h"
#include "rt/disk.h"

namespace leat::metadata {

/// What the database in `directory` holds. It is copied, with its log, to `scratch` and read there:
/// opening a database can change it, if only by finishing what a crash left.
/// Runs on: a thread that may block. Errors: kNotFound (no database), kDataDirFormat, kIoError,
/// kNoSpace (of the scratch folder).
Result<State> read_stored_state(rt::Disk& disk, const std::string& directory,
                                const std::string& scratch);

}  // namespace leat::metadata
