// SPDX-License-Identifier: Apache-2.0
//
// What several tests of streams do with text. Layer: streams (L6), tests only.
// Threading: pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace leat::streams::testing_words {

/// The words between single blanks.
inline std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < line.size();) {
        const auto end = std::min(line.find(' ', at), line.size());
        if (end > at) out.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

}  // namespace leat::streams::testing_words
