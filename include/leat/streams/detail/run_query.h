// SPDX-License-Identifier: Apache-2.0
//
// Queries to bytes and rows to answers. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/queries.h"

namespace leat::streams::detail {

template <class K, class V>
struct ChosenSerdes {
    Serde<K> key;
    Serde<V> value;
    std::string store;

    static Result<ChosenSerdes> of(std::string_view store, const QuerySerdes<K, V>& given) {
        ChosenSerdes out{choose(given.key_serde, Serde<K>{}), choose(given.value_serde, Serde<V>{}),
                         std::string{store}};
        if (out.key == nullptr || out.value == nullptr)
            return Error{Errc::kInvalidRequest,
                         "no serde for key or value of the store " + out.store};
        return out;
    }
    Result<std::string> bytes_of(const K& of) const {
        std::string out;
        LEAT_TRY_VOID(key->encode(store, of, out));
        return out;
    }
    Result<streams::Timed<V>> timed(const RawRow& row) const {
        LEAT_TRY(auto decoded, value->decode(store, row.value));
        return streams::Timed<V>{std::move(decoded), {row.timestamp}};
    }
    Result<VersionRow<V>> version(const RawRow& row) const {
        LEAT_TRY(auto decoded, value->decode(store, row.value));
        VersionRow<V> out{.value = std::move(decoded), .from = {row.start}};
        if (row.end) out.to = Timestamp{*row.end};
        return out;
    }
    Result<std::vector<WindowRow<K, V>>> windows(const std::vector<RawRow>& rows) const {
        std::vector<WindowRow<K, V>> out;
        for (const RawRow& row : rows) {
            LEAT_TRY(auto decoded, key->decode(store, row.key));
            LEAT_TRY(auto timed_value, timed(row));
            WindowRow<K, V> next{.key = std::move(decoded), .value = std::move(timed_value)};
            next.window = {.start = row.start, .end = row.end.value_or(row.start)};
            out.push_back(std::move(next));
        }
        return out;
    }
};

template <class K, class V>
Result<RawQuery> with_key(RawQuery::Kind kind, std::string_view store,
                          const QuerySerdes<K, V>& serdes, const K& key) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, serdes)));
    RawQuery out{.kind = kind};
    LEAT_TRY(out.key, chosen.bytes_of(key));
    return out;
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const KeyQuery<K, V>& query) {
    return with_key<K, V>(RawQuery::Kind::kKey, store, query, query.key);
}
template <class K, class V>
Result<std::optional<streams::Timed<V>>> from_raw(std::string_view store,
                                                  const KeyQuery<K, V>& query,
                                                  const std::vector<RawRow>& rows) {
    if (rows.empty()) return std::optional<streams::Timed<V>>{};
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    LEAT_TRY(auto value, chosen.timed(rows.front()));
    return std::optional<streams::Timed<V>>{std::move(value)};
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const RangeQuery<K, V>& query) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    RawQuery out{.kind = RawQuery::Kind::kRange, .backwards = query.descending};
    if (query.from) {
        LEAT_TRY(out.key, chosen.bytes_of(*query.from));
    }
    if (query.to) {
        LEAT_TRY(out.last, chosen.bytes_of(*query.to));
    }
    return out;
}
template <class K, class V>
Result<std::vector<KeyValueRow<K, V>>> from_raw(std::string_view store,
                                                const RangeQuery<K, V>& query,
                                                const std::vector<RawRow>& rows) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    std::vector<KeyValueRow<K, V>> out;
    for (const RawRow& row : rows) {
        LEAT_TRY(auto key, chosen.key->decode(chosen.store, row.key));
        LEAT_TRY(auto value, chosen.timed(row));
        out.push_back({std::move(key), std::move(value)});
    }
    return out;
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const WindowKeyQuery<K, V>& query) {
    LEAT_TRY(RawQuery out,
             (with_key<K, V>(RawQuery::Kind::kWindowsOfKey, store, query, query.key)));
    out.from_ms = query.from.ms;
    out.to_ms = query.to.ms;
    return out;
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view /*store*/, const WindowRangeQuery<K, V>& query) {
    return RawQuery{
        .kind = RawQuery::Kind::kWindows, .from_ms = query.from.ms, .to_ms = query.to.ms};
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const SessionQuery<K, V>& query) {
    return with_key<K, V>(RawQuery::Kind::kSessionsOfKey, store, query, query.key);
}
/// Windows of any kind.
template <class Query>
    requires requires { typename Query::Value::value_type; } &&
             requires(typename Query::Value::value_type row) { row.window; }
Result<typename Query::Value> from_raw(std::string_view store, const Query& query,
                                       const std::vector<RawRow>& rows) {
    const auto given = [&]<class K, class V>(const QuerySerdes<K, V>& serdes) {
        return ChosenSerdes<K, V>::of(store, serdes);
    };
    LEAT_TRY(const auto chosen, given(query));
    return chosen.windows(rows);
}

template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const VersionedKeyQuery<K, V>& query) {
    LEAT_TRY(RawQuery out, (with_key<K, V>(RawQuery::Kind::kVersion, store, query, query.key)));
    if (query.as_of) out.from_ms = query.as_of->ms;
    return out;
}
template <class K, class V>
Result<std::optional<VersionRow<V>>> from_raw(std::string_view store,
                                              const VersionedKeyQuery<K, V>& query,
                                              const std::vector<RawRow>& rows) {
    if (rows.empty()) return std::optional<VersionRow<V>>{};
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    LEAT_TRY(auto value, chosen.version(rows.front()));
    return std::optional<VersionRow<V>>{std::move(value)};
}
template <class K, class V>
Result<RawQuery> to_raw(std::string_view store, const MultiVersionedKeyQuery<K, V>& query) {
    LEAT_TRY(RawQuery out, (with_key<K, V>(RawQuery::Kind::kVersions, store, query, query.key)));
    if (query.from) out.from_ms = query.from->ms;
    if (query.to) out.to_ms = query.to->ms;
    out.backwards = !query.ascending;
    return out;
}
template <class K, class V>
Result<std::vector<VersionRow<V>>> from_raw(std::string_view store,
                                            const MultiVersionedKeyQuery<K, V>& query,
                                            const std::vector<RawRow>& rows) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    std::vector<VersionRow<V>> out;
    for (const RawRow& row : rows) {
        LEAT_TRY(auto value, chosen.version(row));
        out.push_back(std::move(value));
    }
    return out;
}

}  // namespace leat::streams::detail
