// SPDX-License-Identifier: Apache-2.0
//
// Queries of windows and sessions to bytes, and their rows to answers. Layer: streams SDK, not for
// users. Threading: pure functions.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/run_query.h"
#include "leat/streams/queries.h"

namespace leat::streams::detail {

/// Of the keys between two bounds.
template <class K, class V>
Result<RawQuery> with_keys(RawQuery::Kind kind, std::string_view store,
                           const QuerySerdes<K, V>& serdes, const KeyBounds<K>& keys) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, serdes)));
    RawQuery out{.kind = kind};
    if (keys.first) {
        LEAT_TRY(out.key, chosen.bytes_of(*keys.first));
    }
    if (keys.last) {
        LEAT_TRY(out.last, chosen.bytes_of(*keys.last));
    }
    return out;
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const WindowKeyQuery<K, V>& query) {
    LEAT_TRY(RawQuery out,
             (with_key<K, V>(RawQuery::Kind::kWindowsOfKey, store, query, query.key)));
    out.from_ms = query.from.ms;
    out.to_ms = query.to.ms;
    out.backwards = query.descending;
    return out;
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const WindowRangeQuery<K, V>& query) {
    LEAT_TRY(RawQuery out, (with_keys<K, V>(RawQuery::Kind::kWindows, store, query, query.keys)));
    out.from_ms = query.from.ms;
    out.to_ms = query.to.ms;
    out.backwards = query.descending;
    return out;
}

inline void put_times(const SessionTimes& times, RawQuery& out) {
    if (times.earliest_end) out.from_ms = times.earliest_end->ms;
    if (times.latest_start) out.to_ms = times.latest_start->ms;
    out.backwards = times.descending;
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const SessionQuery<K, V>& query) {
    LEAT_TRY(RawQuery out,
             (with_key<K, V>(RawQuery::Kind::kSessionsOfKey, store, query, query.key)));
    put_times(query.times, out);
    return out;
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const SessionRangeQuery<K, V>& query) {
    LEAT_TRY(RawQuery out, (with_keys<K, V>(RawQuery::Kind::kSessions, store, query, query.keys)));
    put_times(query.times, out);
    return out;
}

/// Windows of any kind.
template <class Query>
    requires requires { typename Query::Value::value_type; } &&
             requires(typename Query::Value::value_type row) { row.window; }
Result<typename Query::Value> from_raw(std::string_view store, const Query& query,
                                       const RawAnswer& answer) {
    const auto given = [&]<class K, class V>(const QuerySerdes<K, V>& serdes) {
        return ChosenSerdes<K, V>::of(store, serdes);
    };
    LEAT_TRY(const auto chosen, given(query));
    return chosen.windows(answer.rows);
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const OneSessionQuery<K, V>& query) {
    LEAT_TRY(RawQuery out, (with_key<K, V>(RawQuery::Kind::kSession, store, query, query.key)));
    out.from_ms = query.session.start;
    out.to_ms = query.session.end;
    return out;
}
template <class K, class V>
Result<std::optional<V>> from_raw(std::string_view store, const OneSessionQuery<K, V>& query,
                                  const RawAnswer& answer) {
    if (answer.rows.empty()) return std::optional<V>{};
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    LEAT_TRY(auto found, chosen.timed(answer.rows.front()));
    return std::optional<V>{std::move(found.value)};
}

}  // namespace leat::streams::detail
