// SPDX-License-Identifier: Apache-2.0
//
// Message sets of magic 0 and 1, as Produce before version 3 carries them. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Message sets"; KIP-31 (relative offsets), KIP-32 (timestamps).
//   offset i64 | size i32 | crc u32 (CRC-32 over what follows) | magic i8 | attributes i8 |
//   timestamp i64 (magic 1) | key length i32, key | value length i32, value
// A compressed set is one message whose value is a set: magic 0 with absolute offsets inside, magic
// 1 with relative ones, the outer message then carrying the last offset and the largest timestamp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wire/record_batch.h"

namespace leat::wire {

struct LegacyMessage {
    Offset offset;
    WallMs timestamp{-1};  ///< -1 with magic 0.
    std::optional<Bytes> key;
    std::optional<Bytes> value;
};

struct LegacyLimits {
    /// Of what a compressed message holds.
    std::size_t inflated_bytes_max = 0;
    /// Of one message as it came, compressed or not: asked before anything is inflated.
    std::size_t message_bytes_max = SIZE_MAX;
};

/// All messages of a set.
///
/// Limits:    compressed messages inside of another are refused.
/// Memory:    keys and values are views into the set, or into a buffer of this object, which may be
///            moved.
/// Threading: immutable.
class LegacySet {
  public:
    LegacySet(const LegacySet&) = delete;
    LegacySet& operator=(const LegacySet&) = delete;
    LegacySet(LegacySet&&) = default;
    LegacySet& operator=(LegacySet&&) = default;
    ~LegacySet() = default;

    /// Errors: kCorruptMessage (wrong checksum or lengths, or cut off: Kafka drops a message that
    ///         is there only in part, here nothing is lost in silence); kInvalidRecord (no
    ///         messages, several compressed ones, mixed magics, inside of a compressed one what may
    ///         not be there); kUnsupportedCompressionType; kMessageTooLarge (one message, or
    ///         inflated).
    [[nodiscard]] static Result<LegacySet> parse(Bytes set, const LegacyLimits& limits);

    [[nodiscard]] std::span<const LegacyMessage> messages() const noexcept { return messages_; }
    [[nodiscard]] codec::Codec codec() const noexcept { return codec_; }
    [[nodiscard]] std::int8_t magic() const noexcept { return magic_; }

  private:
    LegacySet() = default;

    std::vector<LegacyMessage> messages_;
    std::vector<std::byte> inflated_;
    codec::Codec codec_ = codec::Codec::kNone;
    std::int8_t magic_ = 0;
};

/// Whether the set begins with a message of magic 0 or 1 (upconvert() tells what is wrong with it).
[[nodiscard]] bool is_legacy_set(Bytes set) noexcept;

/// One batch of magic 2 with the messages of `set` at offsets 0, 1 and so on, under the set's codec
/// at its default level: what a client of today would have sent. It is still to be validated.
/// Memory: what the set holds unpacked, and as much again as records; nothing for each message.
/// Errors: those of LegacySet::parse(); kInvalidTimestamp (negative, but not -1).
[[nodiscard]] Result<std::vector<std::byte>> upconvert(Bytes set, const LegacyLimits& limits);

/// Whether upconvert() inflates and compresses. Precondition: is_legacy_set().
[[nodiscard]] bool is_legacy_set_compressed(Bytes set) noexcept;

}  // namespace leat::wire
