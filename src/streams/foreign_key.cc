// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/foreign_key.h"

#include <bit>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams::detail {

namespace {

constexpr unsigned char kNoHash = 0x80;
constexpr unsigned char kVersionMask = 0x7F;
constexpr unsigned char kSubscriptionVersion = 1;
constexpr std::size_t kHashBytes = 16;
constexpr std::size_t kPartitionBytes = 4;

std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
    return value;
}

void append_hash(std::string& out, const std::optional<ValueHash>& hash) {
    if (!hash) return;
    for (const auto half : *hash) append_be(out, half);
}
/// Takes the hash off the front unless the first byte says that there is none.
Result<std::optional<ValueHash>> take_hash(std::string_view& bytes, unsigned char first) {
    if ((first & kNoHash) != 0) return std::optional<ValueHash>{};
    if (bytes.size() < kHashBytes)
        return Error{Errc::kInvalidRecord, "a foreign-key join's record is cut off in its hash"};
    const ValueHash hash{read_be<std::uint64_t>(bytes), read_be<std::uint64_t>(bytes, 8)};
    bytes.remove_prefix(kHashBytes);
    return std::optional{hash};
}

constexpr std::uint64_t kC1 = 0x87C37B91114253D5ULL;
constexpr std::uint64_t kC2 = 0x4CF5AD432745937FULL;
constexpr std::uint64_t kSeed = 104729;

std::uint64_t mix_first(std::uint64_t k) {
    return std::rotl(k * kC1, 31) * kC2;
}
std::uint64_t mix_second(std::uint64_t k) {
    return std::rotl(k * kC2, 33) * kC1;
}
std::uint64_t finish(std::uint64_t h) {
    h = (h ^ (h >> 33U)) * 0xFF51AFD7ED558CCDULL;
    h = (h ^ (h >> 33U)) * 0xC4CEB9FE1A85EC53ULL;
    return h ^ (h >> 33U);
}

}  // namespace

ValueHash hash_value(std::string_view bytes) {
    constexpr std::size_t kBlock = 16;
    std::uint64_t h1 = kSeed;
    std::uint64_t h2 = kSeed;
    const std::size_t size = bytes.size();
    for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) {
        h1 ^= mix_first(little_endian(bytes.substr(0, 8)));
        h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52DCE729U;
        h2 ^= mix_second(little_endian(bytes.substr(8, 8)));
        h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495AB5U;
    }
    if (bytes.size() > 8) h2 ^= mix_second(little_endian(bytes.substr(8)));
    if (!bytes.empty()) h1 ^= mix_first(little_endian(bytes.substr(0, 8)));
    h1 ^= size;
    h2 ^= size;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
    return {h1, h2};
}

void append_subscription(std::string& out, const Subscription& subscription) {
    const unsigned char version = subscription.partition ? kSubscriptionVersion : 0;
    out.push_back(static_cast<char>(version | (subscription.hash ? 0 : kNoHash)));
    out.push_back(static_cast<char>(subscription.instruction));
    append_hash(out, subscription.hash);
    out += subscription.primary_key;
    if (subscription.partition) append_be(out, *subscription.partition);
}

Result<Subscription> parse_subscription(std::string_view bytes) {
    if (bytes.size() < 2) return Error{Errc::kInvalidRecord, "a subscription is cut off"};
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto instruction = static_cast<unsigned char>(bytes[1]);
    const auto version = static_cast<unsigned char>(first & kVersionMask);
    if (version > kSubscriptionVersion)
        return Error{Errc::kUnsupportedVersion, "a subscription of a later version"};
    if (instruction > static_cast<unsigned char>(Instruction::kAnswerIfFound))
        return Error{Errc::kInvalidRecord, "a subscription with an unknown instruction"};
    bytes.remove_prefix(2);
    Subscription out{.instruction = static_cast<Instruction>(instruction)};
    LEAT_TRY(out.hash, take_hash(bytes, first));
    if (version == kSubscriptionVersion) {
        if (bytes.size() < kPartitionBytes)
            return Error{Errc::kInvalidRecord, "a subscription is cut off in its partition"};
        const auto at = bytes.size() - kPartitionBytes;
        out.partition = read_be<std::int32_t>(bytes, at);
        bytes.remove_suffix(kPartitionBytes);
    }
    out.primary_key = bytes;
    return out;
}

void append_answer(std::string& out, const SubscriptionAnswer& answer) {
    out.push_back(static_cast<char>(answer.hash ? 0 : kNoHash));
    append_hash(out, answer.hash);
    if (answer.value) out += *answer.value;
}

Result<SubscriptionAnswer> parse_answer(std::string_view bytes) {
    if (bytes.empty()) return Error{Errc::kInvalidRecord, "a subscription's answer has no bytes"};
    const auto first = static_cast<unsigned char>(bytes[0]);
    if ((first & kVersionMask) != 0)
        return Error{Errc::kUnsupportedVersion, "a subscription's answer of a later version"};
    bytes.remove_prefix(1);
    SubscriptionAnswer out;
    LEAT_TRY(out.hash, take_hash(bytes, first));
    if (!bytes.empty()) out.value = bytes;
    return out;
}

void append_foreign_prefix(std::string& out, std::string_view foreign_key) {
    append_be(out, static_cast<std::uint32_t>(foreign_key.size()));
    out += foreign_key;
}

std::string_view primary_key_of(std::string_view combined, std::size_t foreign_key_bytes) {
    return combined.substr(4 + foreign_key_bytes);
}

}  // namespace leat::streams::detail
