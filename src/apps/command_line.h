// SPDX-License-Identifier: Apache-2.0
//
// Turns argv into an Invocation, or says what is wrong with it. Layer: apps (L7).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command.h"
#include "base/result.h"

namespace leat::apps {

/// What main() shall do.
struct ParsedLine {
    /// Unset when `help` has the whole answer.
    std::vector<Invocation> invocation;  ///< None or one.
    std::string help;                    ///< For stdout.
};

/// Parses the arguments after the program's name.
///
/// Errors: kUsage; the detail is one message without "error:", with a suggestion for a misspelt
///         command or option.
[[nodiscard]] Result<ParsedLine> parse_command_line(std::span<const std::string> arguments);

/// Of `candidates` the one nearest to `word`, when near enough to be what was meant; else empty.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> candidates);

}  // namespace leat::apps
