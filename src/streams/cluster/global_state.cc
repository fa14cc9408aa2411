// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/global_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "obs/log.h"
#include "streams/cluster/source_bytes.h"
#include "streams/store_query.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr const char* kFolder = "global";
/// What is not kept is in memory, and read from the topic again after a crash.
constexpr std::size_t kKeepBytes = std::size_t{4} << 20U;

ErrorHandlers without_letters(ErrorHandlers handlers) {
    handlers.dead_letter_topic.clear();
    return handlers;
}

}  // namespace

GlobalState::GlobalState(const detail::Parts& parts, std::string application_id,
                         ErrorHandlers handlers, const rt::Clock& clock)
    : parts_(parts), clock_(&clock), judge_(without_letters(std::move(handlers)), *this) {
    identify({.application_id = std::move(application_id), .task_id = "global"});
    for (const auto& part : parts.all()) {
        if (!parts.is_global(part.name)) continue;
        nodes_.push_back(part.name);
        topics_.insert(topics_.end(), part.topics.begin(), part.topics.end());
    }
    std::ranges::sort(topics_);
    for (const detail::StoreSpec& spec : parts.stores()) {
        if (!parts.is_global_store(spec.name)) continue;
        store_of_.emplace(*spec.source_topic, spec.name);
        keeps_on_disk_ = keeps_on_disk_ || spec.persistent;
    }
}

std::vector<std::string> GlobalState::store_names() const {
    std::vector<std::string> out;
    out.reserve(store_of_.size());
    for (const auto& [topic, store] : store_of_) out.push_back(store);
    std::ranges::sort(out);
    return out;
}

Result<void> GlobalState::open(detail::StateHome* states) {
    states_ = states;
    if (states_ != nullptr) {
        LEAT_TRY(open_state_, states_->open_task(kFolder, keeps_on_disk_));
    } else {
        LEAT_TRY(open_state_.state, detail::TaskState::open({}));
    }
    LEAT_TRY(graph_, detail::TaskGraph::make(parts_, nodes_, *open_state_.state));
    for (const auto& [name, store] : graph_->stores()) stores_.push_back(store.get());
    LEAT_TRY_VOID(open_state_.state->ready());
    return graph_->open(*this);
}

void GlobalState::close() {
    const auto hold = guard_.write();  // Queries come from threads that are not ours.
    stores_.clear();
    graph_.reset();
    if (states_ != nullptr) states_->close_task(kFolder, std::move(open_state_));
    open_state_ = {};
}

Result<void> GlobalState::bind(const std::string& topic, std::string_view topic_id) {
    const std::string& name = store_of_.at(topic);
    LEAT_TRY(const bool was_foreign, open_state_.state->bind(graph_->store(name), *this, topic_id));
    if (was_foreign)
        kLog.warn("the global topic was made anew: its store is restored whole",
                  {{"store", name}, {"topic", topic}});
    return {};
}

std::optional<std::int64_t> GlobalState::next_offset(const client::TopicPartition& where) const {
    return open_state_.state->changelog_offset(
        detail::TaskState::offset_name(store_of_.at(where.topic), where.partition));
}

void GlobalState::note_place(const client::TopicPartition& where, std::int64_t next) {
    if (next > 0) position_[where.topic][where.partition] = next - 1;
}

detail::RawAnswer GlobalState::ask(std::string_view store, const detail::RawQuery& query,
                                   const QueryOptions& options) const {
    detail::RawAnswer out{.partition = -1};
    const auto refuse = [&](QueryFailure why, std::string reason) {
        out.failure = why;
        out.reason = std::move(reason);
        return std::move(out);
    };
    const auto hold = guard_.read();
    const auto found = std::ranges::find(stores_, store, &detail::StateStore::name);
    if (found == stores_.end())
        return refuse(QueryFailure::kNotPresent, "the global stores are closed");
    if (!is_whole())
        return refuse(QueryFailure::kNotActive, "the global stores are being restored");
    out.position = position_;
    for (const auto& [topic, partitions] : options.at_least)
        for (const auto& [partition, offset] : partitions)
            if (!detail::is_up_to(position_, {{topic, {{partition, offset}}}}, partition))
                return refuse(QueryFailure::kNotUpToBound,
                              "the global stores have not taken in what was asked for");
    detail::answer(**found, query, options.rows_max, out);
    return out;
}

Result<void> GlobalState::wipe(const std::string& topic) {
    position_.erase(topic);
    return open_state_.state->wipe(graph_->store(store_of_.at(topic)), *this);
}

Result<void> GlobalState::start_anew() {
    is_whole_ = false;
    failed_ = false;
    partition_times_.clear();
    position_.clear();
    stream_time_ = -1;
    return open_state_.state->start_anew(graph_->stores(), *this);
}

bool GlobalState::is_full() const {
    const detail::TaskState& state = *open_state_.state;
    return state.uncommitted_bytes() >= std::min(kKeepBytes, state.uncommitted_bytes_max());
}

Result<void> GlobalState::keep(const std::map<client::TopicPartition, std::int64_t>& next) {
    detail::TaskState::Offsets offsets;
    for (const auto& [where, offset] : next)
        offsets[detail::TaskState::offset_name(store_of_.at(where.topic), where.partition)] =
            offset;
    return open_state_.state->commit(graph_->stores(), offsets);
}

Result<void> GlobalState::apply(const client::ReceivedRecord& record) {
    detail::SourceNode& source = *graph_->source_of(record.topic);
    const client::TopicPartition where{std::string{record.topic}, record.partition};
    std::int64_t& partition_time = partition_times_.emplace(where, -1).first->second;
    detail::SourceNode::Bytes bytes = source_bytes(record, record.topic, partition_time, headers_);
    origin_ = {.topic = record.topic, .partition = record.partition, .offset = record.offset.value};
    const Result<std::int64_t> time = source.stamp(bytes);
    if (!time)
        return judge(source, bytes, Error{time.error().code(), std::string{time.error().detail()}});
    if (*time < 0) {
        drop(source, "negative timestamp");
        return {};
    }
    bytes.timestamp = *time;
    const auto times = std::pair{partition_time, stream_time_};
    partition_time = std::max(partition_time, *time);
    stream_time_ = std::max(stream_time_, *time);
    origin_.bytes = &bytes;
    Result<void> done = source.take(bytes);
    // What cannot be decoded moves no clock.
    if (source.undecodable()) std::tie(partition_time, stream_time_) = times;
    origin_.bytes = nullptr;
    if (!done) done = judge(source, bytes, std::move(done));
    if (done) note_place(where, record.offset.value + 1);
    return done;
}

Result<void> GlobalState::survive(const detail::Node& node, const detail::Flow& flow, Error error) {
    // Damaged state is no fault of the record that met it.
    if (failed_ || is_damaged()) {
        failed_ = true;
        return error;
    }
    Result<void> done = judge_.survive({.node = node, .flow = flow}, std::move(error));
    failed_ = !done;
    return done;
}

Result<void> GlobalState::judge(const detail::SourceNode& source,
                                const detail::SourceNode::Bytes& bytes, Result<void> done) {
    if (!failed_ && source.undecodable()) {
        origin_.bytes = &bytes;
        const detail::Flow flow{.timestamp = bytes.timestamp};
        done = judge_.survive(
            {.kind = detail::ErrorJudge::Kind::kDeserialization, .node = source, .flow = flow},
            std::move(done).error());
        origin_.bytes = nullptr;
        if (done) return {};
    }
    return Error{done.error().code(), "global store, " + std::string{origin_.topic} + "-" +
                                          std::to_string(origin_.partition) + " offset " +
                                          std::to_string(origin_.offset) + ": " +
                                          std::string{done.error().detail()}};
}

Result<void> GlobalState::send(const detail::Outgoing& record) {
    // Only a handler can have come to this: nothing stands behind these processors.
    kLog.warn("no dead letters of global topics are sent", {{"topic", record.topic}});
    return {};
}

Result<void> GlobalState::log_change(const detail::Outgoing& /*record*/) {
    return {};  // The topic itself is the changelog.
}

Result<std::shared_ptr<detail::SensorListing>> GlobalState::list_sensor(
    const detail::SensorOrder& order) {
    if (!own_) return std::shared_ptr<detail::SensorListing>{};
    return own_->list(order, wall_time());
}

void GlobalState::tell_time() {
    if (own_) own_->tick(wall_time());
}

std::int64_t GlobalState::wall_time() const {
    return clock_->wall_now().value;
}

}  // namespace leat::streams
