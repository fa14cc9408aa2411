// SPDX-License-Identifier: Apache-2.0
//
// Records of bytes and of users' types, for the test driver. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/options.h"
#include "leat/streams/record.h"
#include "leat/streams/serde.h"

namespace leat::streams::detail {

/// The serdes of a topic's records.
template <class K, class V>
struct RecordSerdes {
    Serde<K> key;
    Serde<V> value;
};
/// Errors: kInvalidRequest (there is none for a type).
template <class K, class V>
Result<RecordSerdes<K, V>> record_serdes(const Serde<K>& key, const Serde<V>& value) {
    RecordSerdes<K, V> out{choose(key, Serde<K>{}), choose(value, Serde<V>{})};
    const std::string missing = missing_serdes(
        {need("the key", "the call", out.key), need("the value", "the call", out.value)});
    if (!missing.empty()) return Error{Errc::kInvalidRequest, missing};
    return out;
}

/// Raw: RawRecord of test_driver.h. Errors: what the serdes end with, thrown or not.
template <class Raw, class K, class V>
Result<Raw> to_bytes(std::string_view topic, const Record<K, V>& record,
                     const RecordSerdes<K, V>& serdes) {
    return guarded(topic, [&]() -> Result<Raw> {
        Raw raw{.timestamp = record.timestamp.ms, .headers = record.headers};
        if (record.key) LEAT_TRY_VOID(serdes.key->encode(topic, *record.key, raw.key.emplace()));
        if (record.value)
            LEAT_TRY_VOID(serdes.value->encode(topic, *record.value, raw.value.emplace()));
        return raw;
    });
}
template <class Raw, class K, class V>
Result<Record<K, V>> from_bytes(std::string_view topic, Raw raw, const RecordSerdes<K, V>& serdes) {
    return guarded(topic, [&]() -> Result<Record<K, V>> {
        Record<K, V> record{.timestamp = {raw.timestamp}, .headers = std::move(raw.headers)};
        if (raw.key && !(raw.key->empty() && serdes.key->empty_is_null())) {
            LEAT_TRY(record.key, serdes.key->decode(topic, *raw.key));
        }
        if (raw.value && !(raw.value->empty() && serdes.value->empty_is_null())) {
            LEAT_TRY(record.value, serdes.value->decode(topic, *raw.value));
        }
        return record;
    });
}

}  // namespace leat::streams::detail
