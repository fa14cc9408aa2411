// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/test_driver.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "leat/streams/detail/task.h"
#include "streams/error_judge.h"
#include "streams/state/record_cache.h"
#include "streams/state/store_meter.h"
#include "streams/store_query.h"
#include "streams/stored_rows.h"
#include "streams/task_graph.h"
#include "streams/task_meters.h"
#include "streams/waiting_records.h"

namespace leat::streams {

namespace {

/// Time does not pass while a record is processed, as in Kafka's driver.
/// Threading: immutable.
class StillClock final : public rt::Clock {
  public:
    [[nodiscard]] Instant now() const override { return {}; }
    [[nodiscard]] WallMs wall_now() const override { return WallMs{0}; }
};

}  // namespace

class TestDriver::Impl final : public detail::Task {
  public:
    Impl(const Topology& topology, const Options& options)
        : wall_ms_(options.wall_time_ms),
          topology_(topology.placed(options.dsl_stores, options.dsl_store)),
          parts_(topology_.parts()),
          application_(options.application_id),
          properties_(options.properties),
          lose_as_kafka_(options.lose_as_kafka),
          commits_(options.commit_each_record),
          partitions_(options.partitions),
          emit_interval_ms_(options.emit_interval.count()),
          judge_(options.handlers, *this),
          room_(options.record_all ? RecordingLevel::kTrace : RecordingLevel::kInfo, {}) {
        if (options.cache_bytes > 0)
            backend_.cache_budget = std::make_shared<detail::CacheBudget>(
                detail::CacheBudget{.bytes_max = options.cache_bytes});
    }

    Result<void> open() {
        LEAT_TRY_VOID(parts_.check());
        present_.timestamp = wall_ms_;
        std::vector<std::string> names;
        for (const auto& part : parts_.all()) names.push_back(part.name);
        identify({.application_id = application_, .task_id = "0_0", .configs = &properties_});
        store_meters_.emplace(&room_, MetricSet::Tags{{"thread-id", "main"}, {"task-id", "0_0"}},
                              still_);
        store_meters_->tick(wall_ms_);
        backend_.meters = [this](const detail::StoreSpec& spec) { return store_meters_->of(spec); };
        LEAT_TRY(graph_, detail::TaskGraph::make(parts_, names, backend_));
        meters_.emplace(&room_, "main", "0_0", *graph_, still_);
        meters_->at(wall_ms_);
        return graph_->open(*this);
    }

    Result<void> pipe(std::string_view topic, const RawRecord& record) {
        if (graph_->source_of(topic) == nullptr)
            return Error{Errc::kUnknownTopicOrPartition,
                         "nothing in the topology reads " + std::string{topic}};
        queue(topic, record);
        return settled([] { return Result<void>{}; });
    }

    Result<void> commit() {
        return settled([&] { return graph_->save(); });
    }

    detail::StateStore& store(std::string_view name) override { return graph_->store(name); }

    Result<void> send(const detail::Outgoing& record) override {
        if (lose_as_kafka_ && !judging_) let_go();
        const bool internal = is_internal(record.topic);
        meters_->produced(record.topic,
                          weight_of(record.topic, record.key, record.value, record.headers, 0));
        deliver(cluster_name(record.topic), record);
        if (internal || graph_->source_of(record.topic) != nullptr)
            queue(record.topic, raw(record));
        return {};
    }
    Result<void> log_change(const detail::Outgoing& record) override {
        deliver(application_ + "-" + std::string{record.topic}, record);
        return {};
    }
    Result<std::int32_t> partitions_of(std::string_view /*topic*/) override { return partitions_; }
    [[nodiscard]] std::int64_t stream_time() const override { return stream_time_; }
    [[nodiscard]] std::int64_t wall_time() const override { return wall_ms_; }
    [[nodiscard]] std::int64_t emit_interval_ms() const override { return emit_interval_ms_; }
    [[nodiscard]] bool loses_as_kafka() const override { return lose_as_kafka_; }
    [[nodiscard]] const detail::Origin& origin() const override { return origin_; }
    [[nodiscard]] bool keeps_source_bytes() const override { return judge_.asks_about_source(); }
    detail::Origin exchange_origin(const detail::Origin& next) override {
        return std::exchange(origin_, next);
    }
    Result<std::shared_ptr<detail::SensorListing>> list_sensor(
        const detail::SensorOrder& order) override {
        return meters_->list(order);
    }
    void drop(const detail::Node&, std::string_view) override {
        ++dropped_;
        meters_->dropped();
    }
    [[nodiscard]] Result<std::vector<detail::RawAnswer>> ask(std::string_view store,
                                                             const detail::RawQuery& query,
                                                             const QueryOptions& options) {
        if (parts_.find_store(store) == nullptr)
            return Error{Errc::kNotFound, "no store '" + std::string{store} + "'"};
        const detail::TaskView view{
            .id = {},
            .is_serving = true,
            .stores = &graph_->stores(),
            .position_of = [this](std::string_view of) { return position_of(of); }};
        detail::QueryGate gate;
        detail::QueryDesk desk;
        desk.add(0, gate, [&](const detail::QueryDesk::Visit& visit) { visit(view); });
        return desk.ask(store, query, options);
    }
    [[nodiscard]] std::vector<MetricValue> metrics() const { return room_.gather(wall_ms_); }
    /// Calls what is due; nothing is being read meanwhile.
    Result<void> punctuate(detail::PunctuationQueue& queue, std::int64_t now) {
        if (!queue.due(now)) return {};
        const auto before = std::exchange(origin_, {});
        auto done = queue.run(now);
        origin_ = before;
        return done;
    }
    /// What came back to topics that are read, to its end.
    Result<void> drain() {
        while (true) {
            // What global stores are made of goes before all else, as in Kafka's driver.
            while (!global_.empty()) {
                const auto next = std::move(global_.front());
                global_.pop_front();
                LEAT_TRY(const auto time, stamp(next));
                if (time) LEAT_TRY_VOID(take(next, *time));
            }
            LEAT_TRY_VOID(stamp_heads());
            if (waiting_.is_empty()) break;
            const auto next = waiting_.take();
            LEAT_TRY_VOID(take(next, next.time));
            if (stream_time_ >= 0) LEAT_TRY_VOID(punctuate(by_stream_time(), stream_time_));
            if (commits_) LEAT_TRY_VOID(graph_->save());
        }
        return {};
    }
    Result<void> advance(std::int64_t by) {
        wall_ms_ += by;
        if (meters_->at(wall_ms_)) store_meters_->tick(wall_ms_);
        return settled([&]() -> Result<void> {
            LEAT_TRY_VOID(punctuate(by_wall_time(), wall_ms_));
            return commits_ ? graph_->save() : Result<void>{};
        });
    }
    /// `first`, then drain(); after a failure the driver goes on with the next record.
    template <class First>
    Result<void> settled(First first) {
        auto done = first();
        if (done) done = drain();
        let_go_.clear();
        present_.timestamp = stream_time_ >= 0 ? stream_time_ : wall_ms_;
        if (backend_.cache_budget != nullptr) meters_->cached(backend_.cache_budget->bytes);
        if (!done) {
            waiting_.clear();
            global_.clear();
            failed_ = false;
        }
        return done;
    }
    Result<void> survive(const detail::Node& node, const detail::Flow& flow, Error error) override {
        return judge({.node = node, .flow = flow}, std::move(error));
    }
    Result<void> survive_unsent(const detail::Flow& flow, const detail::Outgoing& record,
                                Error error) override {
        const std::string topic = cluster_name(record.topic);
        detail::Outgoing named = record;
        named.topic = topic;
        return judge(
            {.kind = Kind::kProduction, .node = *record.sender, .flow = flow, .output = &named},
            std::move(error));
    }
    [[nodiscard]] bool failed() const override { return failed_; }

    [[nodiscard]] std::vector<std::string> store_names() const {
        std::vector<std::string> out;
        for (const auto& [name, store] : graph_->stores()) out.push_back(name);
        return out;
    }
    [[nodiscard]] Result<detail::StateStore*> find_store(std::string_view name) const {
        const auto found = graph_->stores().find(name);
        if (found == graph_->stores().end())
            return Error{Errc::kInvalidRequest, "there is no store " + std::string{name}};
        return found->second.get();
    }
    [[nodiscard]] const detail::Present& present() const { return present_; }

    std::map<std::string, std::vector<RawRecord>, std::less<>> produced_;
    std::uint64_t dropped_ = 0;
    std::int64_t wall_ms_;

  private:
    using Kind = detail::ErrorJudge::Kind;

    [[nodiscard]] Position position_of(std::string_view store) const {
        Position out;
        for (const auto& [topic, next] : offsets_) {
            const std::string inner = topic.substr(std::min(topic.size(), application_.size() + 1));
            const bool internal = topic.starts_with(application_ + "-") &&
                                  parts_.repartition_topics().contains(inner);
            const auto* source = graph_->source_of(internal ? inner : topic);
            if (source != nullptr && graph_->feeds(*source, store)) out[topic][0] = next - 1;
        }
        return out;
    }

    Result<void> judge(const detail::ErrorJudge::Failure& failure, Error error) {
        judging_ = true;
        Result<void> done = judge_.survive(failure, std::move(error));
        failed_ = !done;
        judging_ = false;
        return done;
    }
    /// Kafka Streams frees key and value of the record that is read with its first output.
    void let_go() {
        if (origin_.bytes == nullptr || !(origin_.bytes->key || origin_.bytes->value)) return;
        auto& left = let_go_.emplace_back(*origin_.bytes);
        left.key.reset();
        left.value.reset();
        origin_.bytes = &left;
    }
    /// What stamp() or take() of the source ended with, after the handlers.
    Result<void> judged(Result<void> done, const detail::SourceNode& source,
                        const detail::SourceNode::Bytes& bytes) {
        if (done || failed_ || !source.undecodable()) return done;
        // Kafka's driver never asks a handler about the topics of global stores.
        if (parts_.is_global(source.name())) {
            drop(source, "undecodable");
            return {};
        }
        const detail::Flow flow{.timestamp = bytes.timestamp};
        return judge({.kind = Kind::kDeserialization, .node = source, .flow = flow},
                     std::move(done).error());
    }
    [[nodiscard]] bool is_internal(std::string_view topic) const {
        return parts_.repartition_topics().contains(std::string{topic});
    }
    [[nodiscard]] std::string cluster_name(std::string_view topic) const {
        return (is_internal(topic) ? application_ + "-" : "") + std::string{topic};
    }
    static RawRecord raw(const detail::Outgoing& from) {
        RawRecord out{.timestamp = from.timestamp};
        if (from.key) out.key.emplace(*from.key);
        if (from.value) out.value.emplace(*from.value);
        if (from.headers != nullptr) out.headers = *from.headers;
        out.partition = from.partition;
        return out;
    }
    void deliver(const std::string& topic, const detail::Outgoing& record) {
        produced_[topic].push_back(raw(record));
    }
    void queue(std::string_view topic, RawRecord record) {
        const auto& source = *graph_->source_of(topic);
        if (parts_.is_global(source.name())) {
            global_.push_back({std::string{topic}, std::move(record)});
            return;
        }
        const auto* part = parts_.find(source.name());
        const bool by_pattern = part != nullptr && !part->pattern.empty();
        waiting_.add(by_pattern ? part->pattern : std::string{topic},
                     {std::string{topic}, std::move(record)});
    }
    /// Where the record came from, without its bytes, which the caller keeps.
    [[nodiscard]] detail::Origin origin_of(const WaitingRecords::Waiting& from) {
        const auto next = offsets_.emplace(cluster_name(from.topic), 0).first;
        return {.topic = next->first, .partition = 0, .offset = next->second};
    }
    [[nodiscard]] detail::SourceNode::Bytes bytes_of(const WaitingRecords::Waiting& from) {
        detail::SourceNode::Bytes bytes{
            .topic = from.topic,
            .timestamp = from.record.timestamp,
            .headers = &from.record.headers,
            .partition_time = partition_times_.emplace(from.topic, -1).first->second,
            // As Kafka's driver has it.
            .timestamp_type = TimestampType::kCreateTime};
        if (from.record.key) bytes.key = *from.record.key;
        if (from.record.value) bytes.value = *from.record.value;
        return bytes;
    }
    /// Which record is next is a matter of the extractors' times.
    Result<void> stamp_heads() {
        while (const WaitingRecords::Waiting* head = waiting_.new_head()) {
            LEAT_TRY(const auto time, stamp(*head));
            if (time)
                waiting_.place(*time);
            else
                waiting_.drop();
        }
        return {};
    }
    /// The record's time by its source; absent: it is left out.
    Result<std::optional<std::int64_t>> stamp(const WaitingRecords::Waiting& next) {
        auto& source = *graph_->source_of(next.topic);
        const detail::SourceNode::Bytes bytes = bytes_of(next);
        origin_ = origin_of(next);
        origin_.bytes = &bytes;
        auto time = source.stamp(bytes);
        std::optional<std::int64_t> out;
        Result<void> done;
        if (!time) {
            done = judged(std::move(time).error(), source, bytes);
        } else if (*time < 0) {
            drop(source, "negative timestamp");
        } else {
            out = *time;
        }
        origin_.bytes = nullptr;
        if (!out) ++offsets_.find(origin_.topic)->second;
        if (!done) return std::move(done).error();
        return out;
    }
    Result<void> take(const WaitingRecords::Waiting& next, std::int64_t time) {
        detail::SourceNode::Bytes bytes = bytes_of(next);
        bytes.timestamp = time;
        origin_ = origin_of(next);
        origin_.bytes = &bytes;
        ++offsets_.find(origin_.topic)->second;
        auto done = take_in(bytes);
        origin_.bytes = nullptr;
        return done;
    }
    Result<void> take_in(const detail::SourceNode::Bytes& bytes) {
        auto& source = *graph_->source_of(bytes.topic);
        auto& partition_time = partition_times_.find(bytes.topic)->second;
        const auto times = std::pair{partition_time, stream_time_};
        partition_time = std::max(partition_time, bytes.timestamp);
        if (!parts_.is_global(source.name()))
            stream_time_ = std::max(stream_time_, bytes.timestamp);
        const std::string topic{origin_.topic};
        auto input = inputs_.find(topic);
        if (input == inputs_.end())
            input = inputs_.emplace(topic, meters_->consumed(source.name(), topic)).first;
        input->second.note(weight_of(topic, bytes.key, bytes.value, bytes.headers, kAbsentWeight));
        meters_->late(stream_time_ - bytes.timestamp);
        source.count({.timestamp = bytes.timestamp});
        // The clock stands still meanwhile, as in Kafka's driver.
        if (meters_->processing() != nullptr) meters_->processing()->record(0);
        auto done = source.take(bytes);
        // What cannot be decoded moves no clock.
        if (source.undecodable()) std::tie(partition_time, stream_time_) = times;
        return judged(std::move(done), source, bytes);
    }

    const Topology topology_;  ///< Keeps the parts.
    const detail::Parts& parts_;
    std::string application_;
    std::map<std::string, std::string> properties_;
    bool lose_as_kafka_;
    bool commits_;
    std::int32_t partitions_;
    std::int64_t emit_interval_ms_;
    detail::ErrorJudge judge_;
    MetricRoom room_;
    std::optional<TaskMeters> meters_;
    StillClock still_;
    std::optional<detail::StoreMeters> store_meters_;
    std::map<std::string, TopicMeter> inputs_;
    detail::MemoryBackend backend_;
    std::unique_ptr<detail::TaskGraph> graph_;
    WaitingRecords waiting_;
    std::deque<WaitingRecords::Waiting> global_;
    std::map<std::string, std::int64_t, std::less<>> offsets_;
    std::map<std::string, std::int64_t, std::less<>> partition_times_;
    detail::Origin origin_;
    std::int64_t stream_time_ = -1;
    detail::Present present_;  ///< Of what is put into stores from outside.
    bool failed_ = false;
    bool judging_ = false;                    ///< What is sent meanwhile are dead letters.
    std::deque<detail::SourceBytes> let_go_;  ///< What is left of records that were let go.
};

TestDriver::TestDriver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TestDriver::~TestDriver() = default;

Result<std::unique_ptr<TestDriver>> TestDriver::open(const Topology& topology,
                                                     const Options& options) {
    LEAT_TRY(auto impl, detail::guarded("dsl_stores", [&]() -> Result<std::unique_ptr<Impl>> {
                 return std::make_unique<Impl>(topology, options);
             }));
    LEAT_TRY_VOID(impl->open());
    return std::unique_ptr<TestDriver>{
        new TestDriver{std::move(impl)}};  // tidy: right here, the constructor is private
}

Result<std::unique_ptr<TestDriver>> TestDriver::open(const Topology& topology) {
    return open(topology, Options{});
}

Result<void> TestDriver::commit() {
    return impl_->commit();
}

Result<void> TestDriver::pipe(std::string_view topic, const RawRecord& record) {
    return impl_->pipe(topic, record);
}

std::vector<RawRecord> TestDriver::read(std::string_view topic) {
    const auto found = impl_->produced_.find(topic);
    return found == impl_->produced_.end() ? std::vector<RawRecord>{}
                                           : std::exchange(found->second, {});
}

std::vector<std::string> TestDriver::produced_topics() const {
    std::vector<std::string> out;
    out.reserve(impl_->produced_.size());
    for (const auto& [topic, records] : impl_->produced_) out.push_back(topic);
    return out;
}

std::vector<std::string> TestDriver::stores() const {
    return impl_->store_names();
}

Result<std::vector<StoredRow>> TestDriver::stored(std::string_view store) const {
    LEAT_TRY(const detail::StateStore* found, impl_->find_store(store));
    return detail::stored_rows(*found);
}

Result<std::optional<StoredRow>> TestDriver::stored_at(std::string_view store, std::string_view key,
                                                       Timestamp at) const {
    LEAT_TRY(const detail::StateStore* found, impl_->find_store(store));
    return detail::stored_version(*found, key, at.ms);
}

Result<TestDriver::OpenStore> TestDriver::open_store(std::string_view name,
                                                     detail::StoreSpec::Kind kind) const {
    LEAT_TRY(detail::StateStore * found, impl_->find_store(name));
    if (found->spec().kind != kind)
        return Error{Errc::kInvalidRequest, "the store " + found->name() + " is of another kind"};
    return OpenStore{found, &impl_->present()};
}

Result<void> TestDriver::advance_wall_time(Duration by) {
    return impl_->advance(by.count());
}

std::uint64_t TestDriver::dropped() const {
    return impl_->dropped_;
}

Result<std::vector<detail::RawAnswer>> TestDriver::ask(std::string_view store,
                                                       const detail::RawQuery& query,
                                                       const QueryOptions& options) const {
    return impl_->ask(store, query, options);
}

std::vector<MetricValue> TestDriver::metrics() const {
    return impl_->metrics();
}

}  // namespace leat::streams
