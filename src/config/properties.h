// SPDX-License-Identifier: Apache-2.0
//
// Reader of Java's .properties files. Layer: config (L1). Pure.
// Spec:  java.util.Properties.load: comments, continuation lines, escapes, three separators.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::config {

struct Property {
    std::string name;
    std::string value;
    int line = 0;  ///< Where its logical line begins, from 1.
};

/// The settings of `text` (UTF-8) in file order, repeated names included: the last one counts.
/// Errors: kInvalidSetting: a broken \uXXXX escape; the detail names the line.
Result<std::vector<Property>> parse_properties(std::string_view text);

}  // namespace leat::config
