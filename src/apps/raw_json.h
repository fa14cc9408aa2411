// SPDX-License-Identifier: Apache-2.0
//
// Parts of a JSON text as they were written: a number keeps each digit. Layer: apps (L7). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat::apps {

struct RawMember {
    std::string name;       ///< Without escapes.
    std::string_view text;  ///< Of the value, without space around it.
};

/// The members of an object, in order. Precondition: `object` is the valid text of one; space may
/// stand around it.
[[nodiscard]] std::vector<RawMember> raw_members(std::string_view object);

/// The elements of an array. Precondition: as above.
[[nodiscard]] std::vector<std::string_view> raw_items(std::string_view array);

}  // namespace leat::apps
