// SPDX-License-Identifier: Apache-2.0
#include "wire/legacy_messages.h"

#include "base/endian.h"
#include "codec/crc32.h"
#include "wire/batch_builder.h"

namespace leat::wire {

namespace {

// One message as it stands in a set, compressed or not.
struct OuterMessage {
    LegacyMessage message;
    std::size_t size_bytes = 0;
    std::int8_t magic = 0;
    std::int8_t attributes = 0;

    [[nodiscard]] int codec_number() const noexcept { return attributes & kCodecMask; }
    [[nodiscard]] bool has_append_time() const noexcept {
        return magic == 1 && (attributes & kAppendTimeBit) != 0;
    }
};

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
    out.size_bytes = whole.size();
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

Error too_large() {
    return Error{Errc::kMessageTooLarge, "a message is larger than max.message.bytes"};
}

// A set whose messages can be walked: inflated when it was compressed.
struct OpenSet {
    OuterMessage first;  // The one that holds the others, if the set is compressed.
    codec::Codec codec = codec::Codec::kNone;
    Bytes messages;  // Of the set, or of:
    std::vector<std::byte> inflated;
};

Result<OpenSet> open_set(Bytes set, const LegacyLimits& limits) {
    if (set.empty()) return invalid("a message set without messages");
    OpenSet out;
    Bytes rest = set;
    LEAT_TRY(out.first, take_message(rest));
    out.messages = set;
    if (out.first.codec_number() == 0) return out;
    if (!rest.empty()) return invalid("a compressed message among others");
    if (set.size() > limits.message_bytes_max) return too_large();
    const auto codec = codec::codec_from_number(out.first.codec_number());
    if (!codec || *codec == codec::Codec::kZstd) {
        return Error{Errc::kUnsupportedCompressionType, "not a codec of messages before magic 2"};
    }
    out.codec = *codec;
    if (!out.first.message.value) return invalid("a compressed message has no value");
    // Clients of magic 0 wrote a wrong checksum there.
    const auto lz4 =
        out.first.magic == 0 ? codec::Lz4Header::kUnchecked : codec::Lz4Header::kChecked;
    auto inflated =
        codec::decompress(out.codec, *out.first.message.value, limits.inflated_bytes_max, lz4);
    if (!inflated) return inflate_error(inflated.error());
    if (inflated->empty()) return invalid("a compressed message has no messages inside");
    out.inflated = *std::move(inflated);
    out.messages = out.inflated;
    return out;
}

// Gives `sink` every message that is not compressed; it may refuse one.
template <class Sink>
Result<void> walk(const OpenSet& set, const LegacyLimits& limits, Sink sink) {
    const bool is_inside = set.codec != codec::Codec::kNone;
    for (Bytes rest = set.messages; !rest.empty();) {
        LEAT_TRY(OuterMessage one, take_message(rest));
        if (one.codec_number() != 0) return invalid("a compressed message among others");
        if (one.magic != set.first.magic) return invalid("messages of different magic in one set");
        if (!is_inside && one.size_bytes > limits.message_bytes_max) return too_large();
        if (is_inside && set.first.has_append_time())
            one.message.timestamp = set.first.message.timestamp;
        LEAT_TRY_VOID(sink(one.message));
    }
    return {};
}

}  // namespace

Result<LegacySet> LegacySet::parse(Bytes set, const LegacyLimits& limits) {
    LegacySet out;
    LEAT_TRY(OpenSet open, open_set(set, limits));
    out.magic_ = open.first.magic;
    out.codec_ = open.codec;
    LEAT_TRY_VOID(walk(open, limits, [&out](const LegacyMessage& message) -> Result<void> {
        out.messages_.push_back(message);
        return {};
    }));
    out.inflated_ = std::move(open.inflated);
    if (out.codec_ == codec::Codec::kNone || out.magic_ == 0) return out;
    // Relative offsets: the last one is the outer message's. Wraps for nonsense, as all offsets do.
    const std::uint64_t base = static_cast<std::uint64_t>(open.first.message.offset.value) -
                               static_cast<std::uint64_t>(out.messages_.back().offset.value);
    for (LegacyMessage& message : out.messages_) {
        message.offset = {
            static_cast<std::int64_t>(base + static_cast<std::uint64_t>(message.offset.value))};
    }
    return out;
}

bool is_legacy_set(Bytes set) noexcept {
    return set.size() > kMagicAt &&
           (set[kMagicAt] == std::byte{0} || set[kMagicAt] == std::byte{1});
}

bool is_legacy_set_compressed(Bytes set) noexcept {
    return set.size() > kAttributesAt && (static_cast<int>(set[kAttributesAt]) & kCodecMask) != 0;
}

Result<std::vector<std::byte>> upconvert(Bytes set, const LegacyLimits& limits) {
    LEAT_TRY(OpenSet open, open_set(set, limits));
    BatchOptions options;
    options.codec = open.codec;
    BatchBuilder builder{options};
    LEAT_TRY_VOID(walk(open, limits, [&builder](const LegacyMessage& message) -> Result<void> {
        if (message.timestamp < WallMs{-1})
            return Error{Errc::kInvalidTimestamp, "a message has a negative timestamp"};
        builder.add({.timestamp = message.timestamp,
                     .key = message.key,
                     .value = message.value,
                     .headers = {}});
        return {};
    }));
    open = {};  // The builder has copies.
    return builder.finish();
}

}  // namespace leat::wire
