// SPDX-License-Identifier: Apache-2.0
//
// Help texts, the command reference page and completion scripts, all made from the command tables.
// Layer: apps (L7). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::apps {

/// Help of the program (empty path), of a group ("topic") or of a command ("topic create"); empty
/// when there is no such path.
[[nodiscard]] std::string help_text(std::string_view path);

/// docs/reference/cli.md.
[[nodiscard]] std::string reference_markdown();

enum class Shell : unsigned char { kBash, kZsh, kFish };

/// A script for the shell to source; completes commands, options and the values of options with
/// choices. It calls nothing at completion time.
[[nodiscard]] std::string completion_script(Shell shell);

}  // namespace leat::apps
