// SPDX-License-Identifier: Apache-2.0
//
// Base64 for keys and values that are no UTF-8. Layer: apps (L7). Pure.
// Spec:  RFC 4648 section 4, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::apps {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// nullopt for anything but padded base64.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
/// `text` with U+FFFD for each byte that belongs to no well-formed sequence.
[[nodiscard]] std::string as_utf8(std::string text);

}  // namespace leat::apps
