// SPDX-License-Identifier: Apache-2.0
//
// The order in which Java walks through a HashSet. Layer: streams (L6).
// Spec:  java.lang.String.hashCode() and java.util.HashMap, whose order shows in the text of a
// topology and in how wide its repartition topics are, and so must be ours.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::streams::detail {

/// Of an ASCII text.
[[nodiscard]] std::uint32_t java_hash(std::string_view text);

/// `names`, which are ASCII and in the order of their insertion, as a java.util.HashSet yields
/// them.
[[nodiscard]] std::vector<std::string> java_order(const std::vector<std::string>& names);

/// The same of things of which the hashes are given: their indexes.
[[nodiscard]] std::vector<std::size_t> java_order(const std::vector<std::uint32_t>& hashes);

}  // namespace leat::streams::detail
