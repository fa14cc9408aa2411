// SPDX-License-Identifier: Apache-2.0
//
// Options of operators: aggregates for designated initialisers, {.name = "by-word"}. Layer: streams
// SDK. Spec:  Kafka Streams' Consumed, Produced, Grouped, Materialized, Named. Threading: plain
// values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/partitioner.h"
#include "leat/streams/record.h"
#include "leat/streams/serde.h"
#include "leat/streams/serdes.h"
#include "leat/streams/store_suppliers.h"
#include "leat/streams/timestamps.h"

namespace leat::streams {

/// The name of an operator's node; empty: a numbered one, as Kafka Streams gives.
struct Named {
    std::string name{};
};

/// Topics by name: a POSIX extended regular expression that must match the whole of it.
struct TopicPattern {
    std::string regex;
};

/// Where reading begins when the group has no committed offset.
struct OffsetReset {
    enum class Kind : std::uint8_t {
        kDefault,  ///< As the application's settings say: from the earliest.
        kEarliest,
        kLatest,
        kNone,  ///< An error.
        kByDuration,
    };
    Kind kind = Kind::kDefault;
    Duration before_now{};  ///< Of kByDuration.
    static constexpr OffsetReset earliest() { return {Kind::kEarliest, {}}; }
    static constexpr OffsetReset latest() { return {Kind::kLatest, {}}; }
    static constexpr OffsetReset none() { return {Kind::kNone, {}}; }
    static constexpr OffsetReset by_duration(Duration before_now) {
        return {Kind::kByDuration, before_now};
    }
    friend bool operator==(const OffsetReset&, const OffsetReset&) = default;
};

/// The rewrites of Kafka Streams' setting `topology.optimization`; all off, as there. They change
/// the internal topics, so that a running application keeps what it began with.
struct Optimization {
    bool reuse_ktable_source_topics = false;  ///< A table's topic serves as its changelog.
    bool merge_repartition_topics = false;    ///< One repartition topic behind a change of the key.
    bool single_store_self_join = false;      ///< One store for a stream joined with itself.
    static constexpr Optimization all() { return {true, true, true}; }
    /// The setting's text: "none", "all", or names with commas between them:
    /// reuse.ktable.source.topics, merge.repartition.topics, single.store.self.join. Errors:
    /// kInvalidConfig.
    static Result<Optimization> parse(std::string_view text);
    friend bool operator==(const Optimization&, const Optimization&) = default;
};

/// How a topic is read. An empty serde stands for SerdeFor<T>.
template <class K, class V>
struct Consumed {
    Serde<K> key{};
    Serde<V> value{};
    std::string name{};
    OffsetReset reset{};
    TimestampExtractor<K, V> time{};  ///< Empty: the record's own, an error when that is negative.
};

/// How a topic is written.
template <class K, class V>
struct Produced {
    Serde<K> key{};
    Serde<V> value{};
    std::string name{};
    /// Not given: by the key's bytes; of windowed keys by those of the key alone.
    Partitioner<K, V> partitioner{};
};

/// A repartition topic: `name`-repartition behind the application's id; empty: numbered.
template <class K, class V>
struct Repartitioned {
    std::string name{};
    std::optional<std::int32_t> partitions{};  ///< Not given: as many as the topics it comes from.
    Serde<K> key{};
    Serde<V> value{};
    Partitioner<K, V> partitioner{};  ///< Not given: by the key's bytes.
};

/// How process() is connected.
struct Processed {
    std::string name{};
    std::vector<std::string> stores{};  ///< Of Builder::add_state_store().
};

/// How print() writes: "[label]: key, value".
template <class K, class V>
struct Printed {
    std::string name{};
    std::string label{};                               ///< Empty: the name of the node before.
    std::function<void(std::string_view line)> out{};  ///< Gets lines with their end.
    std::function<std::string(const K*, const V*)> mapper{};
};

/// How records are brought together by key. `name` also names the repartition topic.
template <class K, class V>
struct Grouped {
    std::string name{};
    Serde<K> key{};
    Serde<V> value{};
};

/// How a stream is joined with a table. `name` also names the repartition topic.
template <class K, class V>
struct Joined {
    std::string name{};
    Serde<K> key{};
    Serde<V> value{};  ///< Of the stream.
    /// Given: records wait until stream time is that much further, so that a versioned table can
    /// catch up.
    std::optional<Duration> grace{};
};

/// Where the two sides of a join by a foreign key meet. A partitioner yields one partition, or
/// nothing for Kafka's own choice; it must put a key where that side's topic has it.
template <class K, class KO>
struct TableJoined {
    Partitioner<K, Void> partitioner{};         ///< Of the left side's keys.
    Partitioner<KO, Void> other_partitioner{};  ///< Of the other side's.
};

/// How a table is kept.
template <class K, class V>
struct Materialized {
    std::string store{};  ///< Name of the store and, behind the application's id, of its changelog;
                          ///< empty: numbered.
    Serde<K> key{};
    Serde<V> value{};
    /// Of windows, refused at build() where there are none; not given: window size + grace.
    std::optional<Duration> retention{};
    /// Given: a versioned store, which also knows what was valid that long ago. Refused at build()
    /// where there is no table without windows to keep.
    std::optional<Duration> history{};
    bool logging = true;  ///< A changelog topic is kept.
    /// Settings of that topic when it is created; they count more than "topic." of the
    /// application's.
    std::map<std::string, std::string> changelog{};
    /// On disk; false: in memory. Not given: as the application's dsl.store.suppliers.class or
    /// default.dsl.store say; versioned stores on disk.
    std::optional<bool> persistent{};
    /// Updates are held back until a commit, or until statestore.cache.max.bytes are held: the last
    /// one of a key is told. Without effect for versioned stores and for windows that are emitted
    /// on close. Kafka Streams caches neither, but for tumbling and hopping windows of the latter:
    /// the results are the same, its changelog has fewer updates.
    bool caching = true;
    std::string name{};  ///< Of the operator's node.
    /// The store is one's own: see as(). It says where the store is, and how long windows stay.
    StoreSupplier supplier{};
    /// As `supplier` makes it, under its name.
    static Materialized as(StoreSupplier from) {
        Materialized out;
        if (from) out.store = from.name();
        out.supplier = std::move(from);
        return out;
    }
};

namespace detail {

/// The first of those given, SerdeFor<T> at last; empty when T has none.
template <class T>
[[nodiscard]] Serde<T> choose(const Serde<T>& given, const Serde<T>& inherited) {
    if (given) return given;
    if (inherited) return inherited;
    if constexpr (HasSerde<T>) return serde_for<T>();
    return {};
}

}  // namespace detail

}  // namespace leat::streams
