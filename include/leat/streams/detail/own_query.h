// SPDX-License-Identifier: Apache-2.0
//
// A query of one's own as a function of a store of bytes. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' Query and StateStore.query() (KIP-796).
// Threading: pure functions.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "leat/streams/bytes_stores.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/raw_query.h"
#include "leat/streams/detail/run_query.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/queries.h"

namespace leat::streams::detail {

/// Has run() over a view of a store, or over a store of one's own.
template <class Q>
concept OwnQuery = requires(const Q& query, const typename Q::Store& store) {
    { query.run(store) } -> std::convertible_to<Result<typename Q::Value>>;
};

template <OwnQuery Q>
Result<std::shared_ptr<void>> ran(const Q& query, const typename Q::Store& store) {
    Result<typename Q::Value> done = query.run(store);
    if (!done) return std::move(done).error();
    return std::shared_ptr<void>{std::make_shared<typename Q::Value>(*std::move(done))};
}

/// Of the query's view: its own, or those of the types. Errors: kInvalidRequest.
template <class Q, class K = typename Q::Store::Key, class V = typename Q::Store::Value>
Result<ChosenSerdes<K, V>> serdes_of(std::string_view store, const Q& query) {
    if constexpr (std::is_base_of_v<QuerySerdes<K, V>, Q>)
        return ChosenSerdes<K, V>::of(store, query);
    else
        return ChosenSerdes<K, V>::of(store, QuerySerdes<K, V>{});
}

/// `query` must be there as long as what comes out is in use.
template <OwnQuery Q>
Result<RawQuery> to_raw(std::string_view name, const Q& query) {
    RawQuery out{.kind = RawQuery::Kind::kOwn};
    if constexpr (std::is_base_of_v<BytesStore, typename Q::Store>) {
        out.run = [&query](StateStore& store) -> RawQuery::Ran {
            const auto* own = dynamic_cast<const typename Q::Store*>(store.own_store());
            if (own == nullptr) return std::nullopt;
            return guarded("the query", [&] { return ran(query, *own); });
        };
    } else {
        using View = typename Q::Store;
        using Access = StoreAccess<typename View::Key, typename View::Value>;
        LEAT_TRY(const auto serdes, serdes_of(name, query));
        out.run = [&query, serdes](StateStore& store) -> RawQuery::Ran {
            if (!View::reads(store.spec().kind)) return std::nullopt;
            const Present no_record;
            const View view{Access{store, serdes.key, serdes.value, no_record, false}};
            return guarded("the query", [&] { return ran(query, view); });
        };
    }
    return out;
}

template <OwnQuery Q>
Result<typename Q::Value> from_raw(std::string_view /*store*/, const Q& /*query*/,
                                   const RawAnswer& answer) {
    return std::move(*std::static_pointer_cast<typename Q::Value>(answer.own));
}

}  // namespace leat::streams::detail
