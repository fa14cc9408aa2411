// SPDX-License-Identifier: Apache-2.0
#include "storage/offset_map.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace leat::storage {
namespace {

constexpr std::size_t kSlotsMin = 1024;

struct SipState {
    std::uint64_t v0;
    std::uint64_t v1;
    std::uint64_t v2;
    std::uint64_t v3;

    void round() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    void take(std::uint64_t word) noexcept {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
    [[nodiscard]] std::uint64_t finish() noexcept {
        for (int i = 0; i < 4; ++i) round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

std::uint64_t load_le(const std::byte* in, std::size_t count) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, in, count);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    return word;
}

}  // namespace

KeyHash hash_key(Bytes key, const HashSecret& secret) noexcept {
    SipState state{.v0 = secret[0] ^ 0x736F'6D65'7073'6575U,
                   .v1 = secret[1] ^ 0x646F'7261'6E64'6F6DU ^ 0xEEU,
                   .v2 = secret[0] ^ 0x6C79'6765'6E65'7261U,
                   .v3 = secret[1] ^ 0x7465'6462'7974'6573U};
    const std::size_t whole = key.size() / 8 * 8;
    for (std::size_t at = 0; at < whole; at += 8) state.take(load_le(key.data() + at, 8));
    const std::size_t rest = key.size() - whole;
    const std::uint64_t tail = rest == 0 ? 0 : load_le(key.data() + whole, rest);
    state.take(tail | (std::uint64_t{key.size()} << 56U));
    state.v2 ^= 0xEEU;
    KeyHash hash;
    hash.low = state.finish();
    state.v1 ^= 0xDDU;
    hash.high = state.finish();
    return hash;
}

OffsetMap::OffsetMap(std::size_t bytes_max, double load, std::size_t keys, const HashSecret& secret)
    : secret_(secret) {
    load = std::clamp(load, 0.1, 0.95);
    const std::size_t most = std::max(bytes_max / sizeof(Slot), kSlotsMin);
    const auto wanted = static_cast<std::size_t>(static_cast<double>(keys) / load) + 1;
    slots_.resize(std::clamp(wanted, kSlotsMin, most));
    used_max_ = static_cast<std::size_t>(static_cast<double>(slots_.size()) * load);
}

std::size_t OffsetMap::slot_of(const KeyHash& key) const noexcept {
    std::size_t at = key.low % slots_.size();
    while (slots_[at].offset >= 0 && slots_[at].key != key)
        at = at + 1 == slots_.size() ? 0 : at + 1;
    return at;
}

void OffsetMap::put(Bytes key, Offset offset) {
    LEAT_CHECK(offset.value >= 0);
    const KeyHash hash = hash_key(key, secret_);
    Slot& slot = slots_[slot_of(hash)];
    if (slot.offset < 0) {
        LEAT_CHECK(used_ < used_max_);
        slot.key = hash;
        ++used_;
    }
    slot.offset = std::max(slot.offset, offset.value);
}

std::optional<Offset> OffsetMap::find(Bytes key) const {
    const Slot& slot = slots_[slot_of(hash_key(key, secret_))];
    if (slot.offset < 0) return std::nullopt;
    return Offset{slot.offset};
}

}  // namespace leat::storage
