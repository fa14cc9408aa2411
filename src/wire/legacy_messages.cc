// SPDX-License-Identifier: Apache-2.0
#include "wire/legacy_messages.h"

#include "base/endian.h"
#include "codec/crc32.h"
#include "wire/batch_builder.h"

namespace leat::wire {

// One message as it stands in a set, compressed or not.
struct OuterMessage {
    LegacyMessage message;
    std::int8_t magic = 0;
    std::int8_t attributes = 0;

    [[nodiscard]] int codec_number() const noexcept { return attributes & kCodecMask; }
    [[nodiscard]] bool has_append_time() const noexcept {
        return magic == 1 && (attributes & kAppendTimeBit) != 0;
    }
};

namespace {

constexpr std::size_t kPrefixBytes = 12;  // Offset and size.
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kAttributesAt = 17;
constexpr std::size_t kTimestampAt = 18;
constexpr std::size_t kSizeMin = 14;  // Of magic 0 without key and value.

Error corrupt(std::string_view why) {
    return Error{Errc::kCorruptMessage, why};
}
Error invalid(std::string_view why) {
    return Error{Errc::kInvalidRecord, why};
}

bool take_field(Bytes& in, std::optional<Bytes>& out) noexcept {
    if (in.size() < 4) return false;
    const auto size = load_be<std::int32_t>(in.data());
    in = in.subspan(4);
    if (size == -1) return out.reset(), true;
    if (size < 0 || static_cast<std::size_t>(size) > in.size()) return false;
    out = in.first(static_cast<std::size_t>(size));
    in = in.subspan(static_cast<std::size_t>(size));
    return true;
}

// Drops the message from the front of `in`.
Result<OuterMessage> take_message(Bytes& in) {
    if (in.size() < kPrefixBytes) return corrupt("a message is cut off");
    const auto size = load_be<std::int32_t>(in.data() + 8);
    if (size < static_cast<std::int32_t>(kSizeMin)) return corrupt("a length that no message has");
    if (static_cast<std::size_t>(size) > in.size() - kPrefixBytes) {
        return corrupt("a message is cut off");
    }
    const Bytes whole = in.first(kPrefixBytes + static_cast<std::size_t>(size));
    in = in.subspan(whole.size());
    OuterMessage out;
    out.message.offset = {load_be<std::int64_t>(whole.data())};
    out.magic = load_be<std::int8_t>(&whole[kMagicAt]);
    if (out.magic == kBatchMagic) return invalid("a batch of magic 2 among messages before it");
    if (out.magic != 0 && out.magic != 1) return corrupt("a magic that does not exist");
    if (codec::crc32(whole.subspan(kMagicAt)) != load_be<std::uint32_t>(&whole[kCrcAt])) {
        return corrupt("a message does not match its checksum");
    }
    out.attributes = load_be<std::int8_t>(&whole[kAttributesAt]);
    Bytes fields = whole.subspan(kTimestampAt);
    if (out.magic == 1) {
        if (fields.size() < 8) return corrupt("a message is shorter than its fields");
        out.message.timestamp = {load_be<std::int64_t>(fields.data())};
        fields = fields.subspan(8);
    }
    if (!take_field(fields, out.message.key) || !take_field(fields, out.message.value) ||
        !fields.empty()) {
        return corrupt("a message does not add up to its length");
    }
    return out;
}

// What the client compressed and cannot be inflated stays so however often it is sent.
Error inflate_error(const Error& error) {
    if (error.code() == Errc::kLimitExceeded) return Error{Errc::kMessageTooLarge, error.detail()};
    return invalid(error.detail());
}

}  // namespace

Result<void> LegacySet::parse_inner(const OuterMessage& outer, std::size_t inflated_bytes_max) {
    const auto codec = codec::codec_from_number(outer.codec_number());
    if (!codec || *codec == codec::Codec::kZstd) {
        return Error{Errc::kUnsupportedCompressionType, "not a codec of messages before magic 2"};
    }
    codec_ = *codec;
    if (!outer.message.value) return invalid("a compressed message has no value");
    // Clients of magic 0 wrote a wrong checksum there.
    const auto lz4 = outer.magic == 0 ? codec::Lz4Header::kUnchecked : codec::Lz4Header::kChecked;
    auto inflated = codec::decompress(codec_, *outer.message.value, inflated_bytes_max, lz4);
    if (!inflated) return inflate_error(inflated.error());
    inflated_ = *std::move(inflated);
    for (Bytes rest = inflated_; !rest.empty();) {
        LEAT_TRY(const OuterMessage inner, take_message(rest));
        if (inner.codec_number() != 0) return invalid("a compressed message inside of another");
        if (inner.magic != outer.magic) return invalid("a message inside has another magic");
        messages_.push_back(inner.message);
        if (outer.has_append_time()) messages_.back().timestamp = outer.message.timestamp;
    }
    if (messages_.empty()) return invalid("a compressed message has no messages inside");
    if (outer.magic == 0) return {};
    // Relative offsets: the last one is the outer message's. Wraps for nonsense, as all offsets do.
    const std::uint64_t base = static_cast<std::uint64_t>(outer.message.offset.value) -
                               static_cast<std::uint64_t>(messages_.back().offset.value);
    for (LegacyMessage& message : messages_) {
        message.offset = {
            static_cast<std::int64_t>(base + static_cast<std::uint64_t>(message.offset.value))};
    }
    return {};
}

Result<LegacySet> LegacySet::parse(Bytes set, std::size_t inflated_bytes_max) {
    if (set.empty()) return invalid("a message set without messages");
    LegacySet out;
    bool first = true;
    for (Bytes rest = set; !rest.empty(); first = false) {
        LEAT_TRY(const OuterMessage outer, take_message(rest));
        if (first) out.magic_ = outer.magic;
        if (outer.magic != out.magic_) return invalid("messages of different magic in one set");
        if (outer.codec_number() == 0) {
            out.messages_.push_back(outer.message);
            continue;
        }
        if (!first || !rest.empty()) return invalid("a compressed message among others");
        LEAT_TRY_VOID(out.parse_inner(outer, inflated_bytes_max));
    }
    return out;
}

bool is_legacy_set(Bytes set) noexcept {
    return set.size() > kMagicAt &&
           (set[kMagicAt] == std::byte{0} || set[kMagicAt] == std::byte{1});
}

Result<std::vector<std::byte>> upconvert(Bytes set, std::size_t inflated_bytes_max) {
    LEAT_TRY(const LegacySet parsed, LegacySet::parse(set, inflated_bytes_max));
    BatchOptions options;
    options.codec = parsed.codec();
    BatchBuilder builder{options};
    for (const LegacyMessage& message : parsed.messages()) {
        if (message.timestamp < WallMs{-1}) {
            return Error{Errc::kInvalidTimestamp, "a message has a negative timestamp"};
        }
        builder.add({.timestamp = message.timestamp,
                     .key = message.key,
                     .value = message.value,
                     .headers = {}});
    }
    return builder.finish();
}

}  // namespace leat::wire
