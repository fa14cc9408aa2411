// SPDX-License-Identifier: Apache-2.0
//
// Where metadata lives between starts. Layer: metadata (L4).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "metadata/delta.h"
#include "rt/disk.h"

namespace leat::metadata {

/// The truth about which topics exist.
///
/// Threading: not synchronised; calls may block: they belong on one thread of their own
/// (Committer).
class MetadataStore {
  public:
    MetadataStore() = default;
    MetadataStore(const MetadataStore&) = delete;
    MetadataStore& operator=(const MetadataStore&) = delete;
    virtual ~MetadataStore() = default;

    /// All that was committed. Errors: kDataDirFormat (damaged), kIoError.
    virtual Result<State> load() = 0;

    /// Makes all of `deltas` durable, or none.
    /// Errors: kNoSpace, kTooManyOpenFiles (nothing changed; may be tried again), kIoError (nothing
    ///         more is accepted).
    virtual Result<void> commit(std::span<const Delta> deltas) = 0;
};

/// A store in the file `path`, made when missing with `fresh_cluster_id`. `disk` outlives it.
/// Errors: kDataDirFormat: not ours, damaged, or of a newer version (nothing is changed or
///         deleted); kDataDirInUse: another process has it open; kIoError.
Result<std::unique_ptr<MetadataStore>> open_sqlite_store(rt::Disk& disk, const std::string& path,
                                                         const std::string& fresh_cluster_id);

}  // namespace leat::metadata
