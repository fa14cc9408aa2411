// SPDX-License-Identifier: Apache-2.0
//
// What the two sides of a foreign-key join tell each other. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' SubscriptionWrapper (version 1), SubscriptionResponseWrapper (version 0),
// CombinedKeySchema, Murmur3 (KIP-213).
// Threading: pure functions and plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::streams::detail {

/// Murmur3-128 of a value's bytes: whether an answer is about the value that is there now.
using ValueHash = std::array<std::uint64_t, 2>;
[[nodiscard]] ValueHash hash_value(std::string_view bytes);

enum class Instruction : std::uint8_t {
    kDeleteQuietly = 0,
    kDeleteAndAnswer = 1,
    kAnswerAlways = 2,  ///< Null when there is nothing under the foreign key.
    kAnswerIfFound = 3,
};

/// From left to right, under the foreign key. Views into what was parsed.
struct Subscription {
    std::optional<ValueHash> hash{};  ///< Of the left value; nothing: it was deleted.
    Instruction instruction = Instruction::kAnswerAlways;
    std::string_view primary_key{};
    std::optional<std::int32_t> partition{};  ///< Of the left side, for the answer.
};
void append_subscription(std::string& out, const Subscription& subscription);
/// Errors: kInvalidRecord (cut off, an unknown instruction), kUnsupportedVersion.
Result<Subscription> parse_subscription(std::string_view bytes);

/// From right to left, under the primary key.
struct SubscriptionAnswer {
    std::optional<ValueHash> hash{};
    std::optional<std::string_view> value{};  ///< Of the right side; as in Kafka never empty.
};
void append_answer(std::string& out, const SubscriptionAnswer& answer);
/// Errors: as parse_subscription().
Result<SubscriptionAnswer> parse_answer(std::string_view bytes);

/// A subscription's key in the right side's store: the foreign key, and behind it the primary one.
void append_foreign_prefix(std::string& out, std::string_view foreign_key);
/// The primary key in such a key whose foreign key has this size.
[[nodiscard]] std::string_view primary_key_of(std::string_view combined,
                                              std::size_t foreign_key_bytes);

}  // namespace leat::streams::detail
