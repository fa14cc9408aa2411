// SPDX-License-Identifier: Apache-2.0
//
// The order in which Java walks through a HashSet of texts. Layer: streams (L6).
// Spec:  java.lang.String.hashCode() and java.util.HashMap, whose order shows in the text of a
// topology and so must be ours. Threading: pure functions.
#pragma once

#include <string>
#include <vector>

namespace leat::streams::detail {

/// `names`, which are ASCII and in the order of their insertion, as a java.util.HashSet yields
/// them.
[[nodiscard]] std::vector<std::string> java_order(const std::vector<std::string>& names);

}  // namespace leat::streams::detail
