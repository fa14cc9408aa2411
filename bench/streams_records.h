// SPDX-License-Identifier: Apache-2.0
//
// The records that stream applications are measured with, by their number: any part of them can be
// made again to check what came of them. Layer: bench. Threading: plain functions.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

namespace leat::bench {

/// A window of the tumbling count; input begins at a multiple of it.
inline constexpr std::int64_t kWindowMs = 10'000;
/// How late a record may be there, or in the join. None is.
inline constexpr std::int64_t kGraceMs = 10'000;
/// How far apart two records may be that the join brings together.
inline constexpr std::int64_t kApartMs = 2'000;
/// Event time: as many records lie in a millisecond.
inline constexpr std::int64_t kRecordsPerMs = 20;
inline constexpr std::size_t kNumberBytes = 8;
inline constexpr std::size_t kValueBytes = 100;

/// Which of the two joined streams a record belongs to. All else reads the left one.
enum class Stream : std::uint8_t { kLeft, kRight };

/// Each key once before one comes again, neighbours far from each other: the steps are primes.
inline std::int64_t key_number(std::int64_t record, std::int64_t keys, Stream stream) {
    const std::int64_t step = stream == Stream::kLeft ? 15'485'863 : 32'452'843;
    return (record * step + record / keys * 17) % keys;
}

inline std::int64_t time_of(std::int64_t record, std::int64_t base_ms) {
    return base_ms + record / kRecordsPerMs;
}

/// "k000001234".
inline std::string key_text(std::int64_t key) {
    std::string digits = std::to_string(key);
    return "k" + std::string(digits.size() < 9 ? 9 - digits.size() : 0, '0') + digits;
}

/// -1: not such a key.
inline std::int64_t key_in(const char* at, std::size_t size) {
    std::int64_t out = -1;
    if (size != 10 || *at != 'k') return -1;
    const auto [end, failure] = std::from_chars(at + 1, at + size, out);
    return failure == std::errc{} && end == at + size ? out : -1;
}

/// Eight hexadecimal digits of the record's number, then what is the same in all.
inline std::string value_text(std::int64_t record) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string out(kValueBytes, '.');
    for (std::size_t i = kNumberBytes; i-- > 0; record >>= 4U) out[i] = kDigits[record & 0xF];
    return out;
}

/// -1: no number stands there.
inline std::int64_t number_in(const char* at, std::size_t size) {
    std::int64_t out = -1;
    if (size < kNumberBytes) return -1;
    const auto [end, failure] = std::from_chars(at, at + kNumberBytes, out, 16);
    return failure == std::errc{} && end == at + kNumberBytes ? out : -1;
}

}  // namespace leat::bench
