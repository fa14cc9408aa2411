// SPDX-License-Identifier: Apache-2.0
//
// The checksums of outer messages are made right first, or nothing would get past them.
// Properties: a set that is accepted becomes a batch that validates, with the same messages.
#include "base/check.h"
#include "base/endian.h"
#include "codec/crc32.h"
#include "wire/batch_validation.h"
#include "wire/legacy_messages.h"
#include "wire/record_reader.h"

namespace {

constexpr leat::wire::LegacyLimits kLimits{.inflated_bytes_max = std::size_t{1} << 18};

bool same(const std::optional<leat::Bytes>& a, const std::optional<leat::Bytes>& b) {
    return a.has_value() == b.has_value() &&
           (!a || std::equal(a->begin(), a->end(), b->begin(), b->end()));
}

void seal_messages(leat::MutableBytes set) {
    while (set.size() > 16) {
        const auto size = leat::load_be<std::int32_t>(&set[8]);
        if (size < 5 || static_cast<std::size_t>(size) > set.size() - 12) return;
        const auto whole = 12 + static_cast<std::size_t>(size);
        leat::store_be(&set[12], leat::codec::crc32(set.first(whole).subspan(16)));
        set = set.subspan(whole);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leat::Bytes in = std::as_bytes(std::span{data, size});
    std::vector<std::byte> set{in.begin(), in.end()};
    seal_messages(set);
    const auto parsed = leat::wire::LegacySet::parse(set, kLimits);
    const auto batch = leat::wire::upconvert(set, kLimits);
    if (!parsed) {
        LEAT_CHECK(!batch);
        return 0;
    }
    if (!batch) {
        LEAT_CHECK(batch.error().code() == leat::Errc::kInvalidTimestamp);
        return 0;
    }
    leat::wire::BatchRules rules;
    rules.batch_bytes_max = SIZE_MAX;
    rules.inflated_bytes_max = SIZE_MAX / 2;
    rules.always_walk = true;
    std::vector<leat::wire::RecordError> errors;
    const auto valid = leat::wire::validate_batch(*batch, rules, errors);
    LEAT_CHECK(valid.has_value() && valid->walked && !valid->has_wrong_max_timestamp());
    auto reader =
        leat::wire::RecordReader::open({.header = valid->header, .bytes = *batch}, SIZE_MAX / 2);
    LEAT_CHECK(reader.has_value());
    for (const leat::wire::LegacyMessage& message : parsed->messages()) {
        const auto record = reader->next();
        LEAT_CHECK(record.has_value() && record->has_value());
        LEAT_CHECK(valid->header.timestamp((*record)->timestamp_delta) == message.timestamp);
        LEAT_CHECK(same((*record)->key, message.key) && same((*record)->value, message.value));
    }
    return 0;
}
