// SPDX-License-Identifier: Apache-2.0
#include "wire/testing/fuzz_api.h"

#include "base/check.h"
#include "wire/reader.h"
#include "wire/testing/catalog.h"

namespace leat::wire::testing {
namespace {

// Property: what was decoded is encoded to bytes that decode to the same, within the bounds.
void check(const Entry& entry, std::int16_t version, Bytes body) {
    const RoundTrip once = entry.round_trip(body, version);
    // Arena blocks may be twice what lies in them, plus the first ones.
    LEAT_CHECK(once.memory_bytes <= 2 * Reader::memory_max(body.size()) + 512UZ * 1024);
    if (!once.decoded) return;
    LEAT_CHECK(once.measured == once.bytes.size());
    const RoundTrip twice = entry.round_trip(once.bytes, version);
    // The second form has lost its unknown tags, so its memory bound may be smaller.
    if (!twice.decoded && twice.decoded.error().code() == Errc::kLimitExceeded) return;
    LEAT_CHECK(twice.decoded.has_value());
    LEAT_CHECK(twice.left_over == 0);
    LEAT_CHECK(once.text == twice.text);
    LEAT_CHECK(once.bytes == twice.bytes);
}

}  // namespace

void fuzz_api(const char* stem, const std::uint8_t* data, std::size_t size) {
    if (size == 0) return;
    const std::uint8_t pick = data[0];
    const bool second = pick % 2 != 0;
    for (const Entry& entry : catalog()) {
        const bool is_second = entry.part == "response" || entry.part == "value";
        if (entry.stem != stem || is_second != second) continue;
        const int count = entry.versions.max - entry.versions.min + 1;
        check(entry, static_cast<std::int16_t>(entry.versions.min + pick / 2 % count),
              std::as_bytes(std::span{data + 1, size - 1}));
    }
}

}  // namespace leat::wire::testing
