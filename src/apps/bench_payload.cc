// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_payload.h"

#include <cstring>

#include "base/check.h"

namespace leat::apps {
namespace {

constexpr std::string_view kMagic = "LEATBNCH";
constexpr std::size_t kStampAt = 8;
constexpr std::size_t kCheckAt = 32;

/// The finaliser of splitmix64: every input bit reaches every output bit.
constexpr std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15U;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
}

std::uint64_t check_of(const BenchStamp& stamp) {
    return mixed(mixed(mixed(stamp.run) ^ stamp.sequence) ^
                 static_cast<std::uint64_t>(stamp.sent_ns));
}

}  // namespace

static_assert(sizeof(BenchStamp) == kCheckAt - kStampAt);

BenchPayload::BenchPayload(std::size_t size) : buffer_(size, '\0') {
    LEAT_CHECK(size >= kSizeMin);
    std::memcpy(buffer_.data(), kMagic.data(), kMagic.size());
    // Sixteen symbols: four bits of entropy in eight.
    std::uint64_t state = 1;
    for (std::size_t i = kSizeMin; i < size; ++i) {
        state = mixed(state);
        buffer_[i] = "abcdefghijklmnop"[state & 15U];
    }
}

std::string_view BenchPayload::make(const BenchStamp& stamp) {
    const std::uint64_t check = check_of(stamp);
    std::memcpy(buffer_.data() + kStampAt, &stamp, sizeof stamp);
    std::memcpy(buffer_.data() + kCheckAt, &check, sizeof check);
    return buffer_;
}

std::optional<BenchStamp> BenchPayload::check(std::string_view record) const {
    if (record.size() != buffer_.size() || !record.starts_with(kMagic)) return std::nullopt;
    BenchStamp stamp;
    std::uint64_t check = 0;
    std::memcpy(&stamp, record.data() + kStampAt, sizeof stamp);
    std::memcpy(&check, record.data() + kCheckAt, sizeof check);
    if (check != check_of(stamp)) return std::nullopt;
    if (record.substr(kSizeMin) != std::string_view{buffer_}.substr(kSizeMin)) return std::nullopt;
    return stamp;
}

std::uint64_t BenchPayload::digest(const BenchStamp& stamp) {
    // Without the time, which the sender's summary does not need to keep.
    return mixed(mixed(stamp.run) ^ stamp.sequence);
}

}  // namespace leat::apps
