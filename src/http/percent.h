// SPDX-License-Identifier: Apache-2.0
//
// Percent-decoding of URL parts. Layer: http (L2). Pure.
// Spec:  RFC 3986 2.1; '+' as space in queries is HTML's form encoding.
#pragma once

#include <string>
#include <string_view>

namespace leat::http {

/// Decodes %XX; a '%' that two hex digits do not follow stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace leat::http
