// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes the decoder; what it accepts is the same after encoding and
// decoding; a coordinator loads any records and then serves. The first byte is the length of the
// key.
#include "groups/consumer_records.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/endian.h"
#include "groups/coordinator.h"
#include "groups/subscription.h"

namespace {

using leat::Bytes;
using namespace leat::groups;  // NOLINT(google-build-using-namespace): a program of its own.

void check_record(Bytes key, std::optional<Bytes> value) {
    if (key.size() < 2 || !is_consumer_record(leat::load_be<std::int16_t>(key.data()))) return;
    const auto decoded = decode_consumer_record(key, value);
    if (!decoded) return;
    const auto* old = std::get_if<PartitionMetadataRecord>(&decoded->record);
    if (old != nullptr && old->has_value) return;  // Never written.
    const RecordToWrite encoded = encode(decoded->group_id, decoded->record);
    const auto again = decode_consumer_record(
        encoded.key, encoded.value ? std::optional<Bytes>{*encoded.value} : std::nullopt);
    LEAT_CHECK(again.has_value());
    const RecordToWrite twice = encode(again->group_id, again->record);
    LEAT_CHECK(twice.key == encoded.key && twice.value == encoded.value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes all = std::as_bytes(std::span{data, size});
    Coordinator coordinator{Settings{}, [] { return 1; }};
    const Now now{};
    for (Bytes rest = all; !rest.empty();) {
        const std::size_t key_size =
            std::min<std::size_t>(std::to_integer<std::size_t>(rest[0]), rest.size() - 1);
        const Bytes key = rest.subspan(1, key_size);
        rest = rest.subspan(1 + key_size);
        std::optional<Bytes> value;
        if (!rest.empty()) {
            const std::size_t value_size =
                std::min<std::size_t>(std::to_integer<std::size_t>(rest[0]), rest.size() - 1);
            if (value_size > 0) value = rest.subspan(1, value_size);
            rest = rest.subspan(1 + value_size);
        }
        check_record(key, value);
        coordinator.load_record(key, value, now);
    }
    coordinator.finish_load(now);
    for (const ListedGroup& group : coordinator.list())
        coordinator.describe_consumer(group.group_id, now, [](const DescribedConsumerGroup&) {});
    (void)coordinator.take_writes();
    (void)parse_subscription(all);
    (void)parse_assignment(all, no_topics());
    return 0;
}
