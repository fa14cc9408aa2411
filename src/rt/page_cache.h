// SPDX-License-Identifier: Apache-2.0
//
// Whether a read of a file would wait for the disk. Layer: rt (L1).
// Spec:  cachestat(2), Linux 6.5; preadv2(2), RWF_NOWAIT.
#pragma once

#include <cstddef>

#include "base/units.h"

namespace leat::rt {

/// True when all of the `bytes` from `at` are in the page cache and read already; false too where
/// the system does not tell, and for bytes past the end of the file. Never waits for the disk.
///
/// Kernels before 6.5, and sandboxes without cachestat(), are asked for one byte in each 128 KiB
/// only, about what they read ahead at once: cold pages in between stay unseen.
///
/// Threading: thread-safe.
[[nodiscard]] bool is_in_page_cache(int fd, FilePos at, std::size_t bytes);

/// The way of the older kernels.
[[nodiscard]] bool is_in_page_cache_by_probes(int fd, FilePos at, std::size_t bytes);

}  // namespace leat::rt
