// SPDX-License-Identifier: Apache-2.0
//
// Runs a topology without a broker, record by record. Layer: streams SDK.
// Spec:  Kafka Streams' TopologyTestDriver: one task holds the whole topology, what is written to
//        internal topics or to topics that the topology reads comes back in, the clock stands
//        still until it is moved.
// Threading: not synchronised.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/raw_query.h"
#include "leat/streams/detail/typed_records.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/dsl_stores.h"
#include "leat/streams/handlers.h"
#include "leat/streams/metrics.h"
#include "leat/streams/options.h"
#include "leat/streams/record.h"
#include "leat/streams/serde.h"
#include "leat/streams/stores.h"
#include "leat/streams/topology.h"

namespace leat::streams {

/// A record as bytes, as it would be in a topic.
struct RawRecord {
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    std::int64_t timestamp = -1;  ///< In ms since 1970; negative: not known.
    Headers headers{};
    std::optional<std::int32_t> partition{};  ///< Of what is read: as a partitioner chose.
};

/// A row of a store, as bytes.
struct StoredRow {
    std::string key{};
    std::string value{};
    std::int64_t start = -1;      ///< Of a window or session; of a version when it began.
    std::int64_t end = -1;        ///< Of a session; of a version when the next one began.
    std::int64_t timestamp = -1;  ///< Where the store keeps one.
    friend bool operator==(const StoredRow&, const StoredRow&) = default;
};

/// A topology with everything around it, in this thread. It shares the topology, which need not
/// outlive it.
class TestDriver {
  public:
    struct Options {
        std::string application_id = "test";
        std::int64_t wall_time_ms = 0;  ///< Where the clock stands, in ms since 1970.
        ErrorHandlers handlers{};
        /// What processors see of the application's settings; nothing else looks at them.
        std::map<std::string, std::string> properties{};
        /// Where Kafka Streams loses results, so does this: closed windows that it never emits are
        /// not emitted, a record without a key ends a left join with a grace period, dead letters
        /// about a record that has led to output already have no key and value.
        bool lose_as_kafka = false;
        /// What stores with caching may hold back until a commit; 0: they tell each update.
        std::size_t cache_bytes = 0;
        bool commit_each_record = true;  ///< False: when commit() is called.
        bool record_all = false;         ///< Metrics of all levels, not of INFO alone.
        /// As default.dsl.store; all is in memory here, but stores of the two types differ in what
        /// they still show of windows that are over.
        StoreType dsl_store = StoreType::kRocksDb;
        DslStores dsl_stores{};  ///< As Application::Options'.
        /// How many partitions topics have, as partitioners see it. One task reads them all.
        std::int32_t partitions = 1;
        /// At most so often, by the driver's clock, a record looks for windows that have closed
        /// (emit on close) and for records of joins that nobody met. On a cluster it is 1 s.
        Duration emit_interval{0};
    };

    /// Errors: what is wrong with the topology, what dsl_stores and opening the nodes end with.
    static Result<std::unique_ptr<TestDriver>> open(const Topology& topology,
                                                    const Options& options);
    static Result<std::unique_ptr<TestDriver>> open(const Topology& topology);
    TestDriver(const TestDriver&) = delete;
    TestDriver& operator=(const TestDriver&) = delete;
    ~TestDriver();

    /// Processes one record to its end. Errors: kUnknownTopicOrPartition (nothing reads the topic),
    /// kInvalidRecord, kInvalidTimestamp (a negative one), what user code throws.
    Result<void> pipe(std::string_view topic, const RawRecord& record);
    /// With headers, and serdes where those of the types are not the topic's. Errors: also
    /// kInvalidRequest (no serde).
    template <class K, class V>
    Result<void> pipe(std::string_view topic, const Record<K, V>& record, const Serde<K>& key = {},
                      const Serde<V>& value = {}) {
        LEAT_TRY(const auto serdes, detail::record_serdes(key, value));
        LEAT_TRY(const auto raw, detail::to_bytes<RawRecord>(topic, record, serdes));
        return pipe(topic, raw);
    }
    template <class K, class V>
    Result<void> pipe(std::string_view topic, const std::optional<K>& key,
                      const std::optional<V>& value, Timestamp at) {
        return pipe(topic, Record<K, V>{key, value, at, {}});
    }

    /// What stores hold back is told. Errors: as pipe().
    Result<void> commit();

    /// What was written to a topic and not read yet, oldest first. Internal topics have the
    /// application's id in front.
    std::vector<RawRecord> read(std::string_view topic);
    /// Errors: kInvalidRequest (no serde), kInvalidRecord (does not decode), what a serde throws.
    template <class K, class V>
    Result<std::vector<Record<K, V>>> read(std::string_view topic, const Serde<K>& key = {},
                                           const Serde<V>& value = {}) {
        LEAT_TRY(const auto serdes, detail::record_serdes(key, value));
        std::vector<Record<K, V>> out;
        for (RawRecord& raw : read(topic)) {
            LEAT_TRY(auto record, detail::from_bytes(topic, std::move(raw), serdes));
            out.push_back(std::move(record));
        }
        return out;
    }
    /// Topics that were written to, in the order of their names.
    [[nodiscard]] std::vector<std::string> produced_topics() const;
    /// Names of the stores, in their order.
    [[nodiscard]] std::vector<std::string> stores() const;
    /// What a store has, in its order: keys with their values, windows that are kept still,
    /// sessions, latest versions. Buffers of suppress() show no rows. Errors: kInvalidRequest: no
    /// such store; kIoError.
    Result<std::vector<StoredRow>> stored(std::string_view store) const;
    /// Of a versioned store: what was valid for a key at a time, if that is still known. Errors:
    /// kInvalidRequest: no such store, or not a versioned one; kIoError.
    Result<std::optional<StoredRow>> stored_at(std::string_view store, std::string_view key,
                                               Timestamp at) const;
    /// A store as a processor has it, to look into and to put into: S is KeyValueStore<K, V>,
    /// TimestampedWindowStore<K, V> and so on, of the store's kind; those of tables are
    /// timestamped. What is put has the time of the stream, or the clock's before the first record,
    /// and goes to the changelog. Good for as long as the driver. Errors: kInvalidRequest: no such
    /// store, one of another kind, no serde.
    template <class S>
    Result<S> store(std::string_view name, const Serde<typename S::Key>& key = {},
                    const Serde<typename S::Value>& value = {}) {
        using K = typename S::Key;
        using V = typename S::Value;
        LEAT_TRY(const OpenStore open, open_store(name, S::kKind));
        LEAT_TRY(auto serdes, detail::record_serdes(key, value));
        return S{detail::StoreAccess<K, V>{*open.store, std::move(serdes.key),
                                           std::move(serdes.value), *open.present, true}};
    }
    template <class S>
    Result<S> store(const StoreRef<S>& ref) {
        return store<S>(ref.spec.name, ref.key, ref.value);
    }
    /// Moves the clock and makes the punctuations that are due. Errors: what they end with.
    Result<void> advance_wall_time(Duration by);
    /// Records that were dropped so far (null keys, closed windows).
    [[nodiscard]] std::uint64_t dropped() const;
    /// Of query() in query.h, which is what to call. Errors: kNotFound (there is no such store).
    [[nodiscard]] Result<std::vector<detail::RawAnswer>> ask(std::string_view store,
                                                             const detail::RawQuery& query,
                                                             const QueryOptions& options) const;
    /// What was counted so far, with the driver's clock.
    [[nodiscard]] std::vector<MetricValue> metrics() const;

  private:
    struct OpenStore {
        detail::StateStore* store = nullptr;
        const detail::Present* present = nullptr;
    };
    [[nodiscard]] Result<OpenStore> open_store(std::string_view name,
                                               detail::StoreSpec::Kind kind) const;

    class Impl;
    explicit TestDriver(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leat::streams
