// SPDX-License-Identifier: Apache-2.0
//
// The error vocabulary: one enum for Kafka's wire errors and our own. Layer: base (L0).
// Spec:  Kafka protocol guide, section "Error Codes"; rows live in base/errc.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat {

enum class Errc : std::int16_t {
// NOLINTNEXTLINE(bugprone-macro-parentheses): an enumerator takes none.
#define LEAT_ERRC(enumerator, code, name, retriable, http, doc) enumerator = code,
#include "base/errc.def"
#undef LEAT_ERRC
};

struct ErrcInfo {
    Errc code;
    std::string_view name;  ///< Kafka's spelling, such as "UNKNOWN_TOPIC_OR_PARTITION".
    bool retriable;         ///< The same request may succeed later.
    std::int16_t http_status;
    std::string_view doc;  ///< One sentence for the user.
};

/// The row of `code`; aborts for a value that is not an enumerator.
[[nodiscard]] const ErrcInfo& info(Errc code);

/// What was asked for was not done for want of what comes back: room on the disk, descriptors.
[[nodiscard]] constexpr bool is_shortage(Errc code) noexcept {
    return code == Errc::kNoSpace || code == Errc::kTooManyOpenFiles;
}

/// The enumerator of a number from the wire; kUnknownServerError when the table has none.
[[nodiscard]] Errc errc_from_wire(std::int16_t code);

/// The number a Kafka client is sent: our own codes are folded into Kafka's nearest.
[[nodiscard]] std::int16_t wire_code(Errc code);

}  // namespace leat
