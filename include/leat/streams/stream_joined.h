// SPDX-License-Identifier: Apache-2.0
//
// How two joined streams are kept. Layer: streams SDK.
// Spec:  Kafka Streams' StreamJoined.
// Threading: plain values.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "leat/streams/serde.h"
#include "leat/streams/store_suppliers.h"

namespace leat::streams {

/// V: of the stream on the left, V2: of the one on the right.
template <class K, class V, class V2>
struct StreamJoined {
    std::string name{};   ///< Stands in front of the nodes' and repartition topics' names.
    std::string store{};  ///< Stands in front of the stores' names.
    Serde<K> key{};
    Serde<V> value{};
    Serde<V2> other_value{};
    bool logging = true;  ///< Changelog topics are kept.
    /// As Materialized's, of all of the join's stores.
    std::map<std::string, std::string> changelog{};
    std::optional<bool> persistent{};  ///< As Materialized's.
    /// Stores of one's own for the records of the left and of the right stream, which are named by
    /// them: window size and retention must be the join's, and duplicates retained.
    std::optional<WindowBytesStoreSupplier> this_store{};
    std::optional<WindowBytesStoreSupplier> other_store{};
};

}  // namespace leat::streams
