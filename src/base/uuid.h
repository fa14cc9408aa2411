// SPDX-License-Identifier: Apache-2.0
//
// Topic ids and the like: 16 bytes, printed as Kafka does. Layer: base (L0).
// Spec:  KIP-516: base64url without padding, 22 characters.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
    [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == Uuid{}; }

    /// 22 characters of base64url.
    [[nodiscard]] std::string text() const;

    /// Errors: kMalformed (not 22 base64url characters).
    static Result<Uuid> parse(std::string_view text);

    /// Version 4, variant 1, from 128 random bits. Never one of Kafka's reserved ids (zero and one)
    /// and never one whose text starts with '-', which command lines take for an option: the caller
    /// draws again when is_usable() is false.
    static Uuid from_random(std::uint64_t high, std::uint64_t low) noexcept;
    [[nodiscard]] bool is_usable() const noexcept;
};

}  // namespace leat

template <>
struct std::hash<leat::Uuid> {
    std::size_t operator()(const leat::Uuid& id) const noexcept {
        return std::hash<std::string_view>{}(
            {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
    }
};
