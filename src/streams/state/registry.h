// SPDX-License-Identifier: Apache-2.0
//
// Keys of what a task's database has beside rows: which stores there are, and how far they are.
// Layer: streams (L6).
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace leat::streams::detail {

// Keys of the registry, behind store number 0.
inline constexpr std::string_view kRegistry{"\0\0", 2};
inline constexpr char kFormatKey = 'f';
inline constexpr char kStoreKey = 's';   ///< ‖ name: number (2 bytes) ‖ layout.
inline constexpr char kOffsetKey = 'o';  ///< ‖ name: next changelog offset (8 bytes).
inline constexpr char kSourceKey = 'c';  ///< ‖ name: the changelog's topic id.
inline constexpr std::string_view kFormat = "1";
/// No store's name has it.
inline constexpr char kPartitionMark = '\0';

inline std::string registry_key(char what, std::string_view name = {}) {
    std::string out{kRegistry};
    out.push_back(what);
    return out.append(name);
}

/// Of a name in Offsets.
inline std::string_view store_of(std::string_view offset_name) {
    return offset_name.substr(0, offset_name.find(kPartitionMark));
}

}  // namespace leat::streams::detail
