// SPDX-License-Identifier: Apache-2.0
//
// Which bytes are text. Layer: base (L0). Pure. Spec: RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat {

/// Bytes of the UTF-8 character at the front of `text`; 0 when none is there: the end, bytes that
/// are none, overlong forms, surrogates.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace leat
