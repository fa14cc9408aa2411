// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes a decoder; what a decoder accepts comes back the same after encoding
// and decoding; Coordinator::load() takes any record. The first byte is the length of the key.
#include "groups/offset_records.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/endian.h"
#include "groups/coordinator.h"

namespace {

using leat::Bytes;
using namespace leat::groups;  // NOLINT(google-build-using-namespace): a program of its own.

void check_key(Bytes bytes) {
    const auto key = decode_key(bytes);
    if (!key) return;
    if (const auto* offset = std::get_if<OffsetKey>(&*key)) {
        const auto encoded = encode_key(*offset);
        const auto again = decode_key(encoded);
        LEAT_CHECK(again.has_value());
        const auto& other = std::get<OffsetKey>(*again);
        LEAT_CHECK(other.group_id == offset->group_id && other.topic == offset->topic &&
                   other.partition == offset->partition);
    }
    if (const auto* group = std::get_if<GroupKey>(&*key)) {
        const auto encoded = encode_key(*group);
        LEAT_CHECK(encoded.size() <= bytes.size());
        LEAT_CHECK(std::equal(encoded.begin(), encoded.end(), bytes.begin()));
    }
}

void check_values(Bytes bytes) {
    if (const auto value = decode_offset_value(bytes)) {
        const auto encoded = encode_value(*value, leat::load_be<std::int16_t>(bytes.data()));
        const auto again = decode_offset_value(encoded);
        LEAT_CHECK(again.has_value() && again->offset == value->offset &&
                   again->metadata == value->metadata && again->topic_id == value->topic_id &&
                   again->expires_at == value->expires_at);
    }
    leat::Arena arena;
    if (const auto value = decode_group_value(bytes, arena)) {
        const auto version = leat::load_be<std::int16_t>(bytes.data());
        const auto encoded = encode_value(*value, version);
        const auto again = decode_group_value(encoded, arena);
        LEAT_CHECK(again.has_value() && again->members.size() == value->members.size() &&
                   again->protocol == value->protocol && again->generation == value->generation);
        LEAT_CHECK(encode_value(*again, version) == encoded);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes bytes = std::as_bytes(std::span{data + 1, size - 1});
    const std::size_t cut = std::min<std::size_t>(data[0], bytes.size());
    const Bytes key = bytes.first(cut);
    const Bytes value = bytes.subspan(cut);
    check_key(key);
    check_values(value);
    Coordinator coordinator{Settings{}, [] { return std::uint64_t{7}; }};
    coordinator.load_record(key, value, Now{});
    coordinator.finish_load(Now{});
    return 0;
}
