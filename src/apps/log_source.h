// SPDX-License-Identifier: Apache-2.0
//
// What `leat log` was pointed at: a data directory, a partition's folder or one file of it, and the
// lock that keeps a broker out meanwhile. Layer: apps (L7).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/posix_disk.h"
#include "storage/check/directory_check.h"

namespace leat::apps {

/// Threading: not synchronised. Nothing here writes below the path.
struct LogSource {
    rt::PosixDisk disk;
    std::shared_ptr<void> lock;
    std::string directory;  ///< The data directory; "" for a folder on its own.
    std::string folder;     ///< The partition's folder that was named; "" for a data directory.
    std::string file;       ///< The file that was named; "" otherwise.
};

/// Errors: kUsage (it does not exist, or is neither of the three), kDataDirInUse (a broker runs on
/// it).
[[nodiscard]] Result<std::unique_ptr<LogSource>> open_log_source(std::string_view path);

/// Topics by name, as the metadata of the data directory has them. Errors: kNotFound (there is no
/// database), others of metadata::read_stored_state().
struct StoredTopics {
    std::vector<storage::KnownTopic> topics;
    std::string cluster_id;
};
[[nodiscard]] Result<StoredTopics> stored_topics(LogSource& source);

}  // namespace leat::apps
