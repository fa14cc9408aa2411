// SPDX-License-Identifier: Apache-2.0
//
// Who may hold how many of the file descriptors that the kernel grants this process.
// Layer: broker (L6). Pure, but for descriptor_limit().
// Spec:  docs/decisions/0047-descriptors-are-shared-out.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::broker {

/// Invariant: all of them and `reserve` are no more than `limit`, so that no peer can take what
/// storage needs by opening connections.
struct DescriptorShares {
    std::int64_t limit = 0;            ///< Of the process.
    std::int64_t reserve = 0;          ///< For all that is counted nowhere.
    std::size_t log_files = 0;         ///< Bound of the cache of segment and index files.
    std::size_t http_connections = 0;  ///< Of their own: /metrics answers in a flood.
    std::int64_t connections = 0;      ///< To all listeners, those kept unserved included.
    bool is_cut = false;               ///< `log_files` is less than leat.open.files.max asks for.
};

/// `open_files`: leat.open.files.max, which gets three quarters at most of what the reserve and
/// HTTP leave.
[[nodiscard]] DescriptorShares share_descriptors(std::int64_t limit, std::int32_t open_files,
                                                 std::size_t shards) noexcept;

/// What this process may open, once raised as far as the kernel lets it.
[[nodiscard]] std::int64_t descriptor_limit();

}  // namespace leat::broker
