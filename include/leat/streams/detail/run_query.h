// SPDX-License-Identifier: Apache-2.0
//
// Queries to bytes and rows to answers. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/serde_needs.h"
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
        const std::string missing =
            missing_serdes({need("its key", "the query's key_serde", out.key),
                            need("its value", "the query's value_serde", out.value)});
        if (!missing.empty())
            return Error{Errc::kInvalidRequest, "the store " + out.store + ": " + missing};
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
    Result<std::vector<KeyValueRow<K, V>>> pairs(const std::vector<RawRow>& rows) const {
        std::vector<KeyValueRow<K, V>> out;
        for (const RawRow& row : rows) {
            LEAT_TRY(auto decoded, key->decode(store, row.key));
            LEAT_TRY(auto timed_value, timed(row));
            out.push_back({std::move(decoded), std::move(timed_value)});
        }
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
    LEAT_TRY(auto out, (with_key<K, V>(RawQuery::Kind::kKey, store, query, query.key)));
    out.skips_cache = query.skips_cache;
    return out;
}
template <class K, class V>
Result<std::optional<streams::Timed<V>>> from_raw(std::string_view store,
                                                  const KeyQuery<K, V>& query,
                                                  const RawAnswer& answer) {
    if (answer.rows.empty()) return std::optional<streams::Timed<V>>{};
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    LEAT_TRY(auto value, chosen.timed(answer.rows.front()));
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
                                                const RawAnswer& answer) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    return chosen.pairs(answer.rows);
}

template <class K, class V, class P>
Result<RawQuery> to_raw(std::string_view store, const PrefixQuery<K, V, P>& query) {
    const Serde<P> serde = choose(query.prefix_serde, Serde<P>{});
    if (serde == nullptr)
        return Error{Errc::kInvalidRequest,
                     "the store " + std::string{store} + ": " +
                         missing_serdes({need("prefixes", "the query's prefix_serde", serde)})};
    RawQuery out{.kind = RawQuery::Kind::kPrefix, .backwards = query.descending};
    LEAT_TRY_VOID(serde->encode(store, query.prefix, out.key.emplace()));
    return out;
}
template <class K, class V, class P>
Result<std::vector<KeyValueRow<K, V>>> from_raw(std::string_view store,
                                                const PrefixQuery<K, V, P>& query,
                                                const RawAnswer& answer) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    return chosen.pairs(answer.rows);
}

inline Result<RawQuery> to_raw(std::string_view /*store*/, const CountQuery& /*query*/) {
    return RawQuery{.kind = RawQuery::Kind::kCount};
}
inline Result<std::uint64_t> from_raw(std::string_view /*store*/, const CountQuery& /*query*/,
                                      const RawAnswer& answer) {
    return answer.count;
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
                                              const RawAnswer& answer) {
    if (answer.rows.empty()) return std::optional<VersionRow<V>>{};
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    LEAT_TRY(auto value, chosen.version(answer.rows.front()));
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
                                            const RawAnswer& answer) {
    LEAT_TRY(const auto chosen, (ChosenSerdes<K, V>::of(store, query)));
    std::vector<VersionRow<V>> out;
    for (const RawRow& row : answer.rows) {
        LEAT_TRY(auto value, chosen.version(row));
        out.push_back(std::move(value));
    }
    return out;
}

}  // namespace leat::streams::detail
