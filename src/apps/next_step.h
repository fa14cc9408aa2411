// SPDX-License-Identifier: Apache-2.0
//
// What to do about an error: the line "next: ..." under it. Layer: apps (L7).
#pragma once

#include <string_view>

#include "apps/command.h"
#include "base/result.h"

namespace leat::apps {

/// What the user of a command of this kind can do about it: one sentence, or empty.
[[nodiscard]] std::string_view next_step(const Error& error,
                                         CommandKind kind = CommandKind::kClient);

}  // namespace leat::apps
