// SPDX-License-Identifier: Apache-2.0
#include "streams/global_state.h"

#include <algorithm>
#include <utility>

#include "obs/log.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};

ErrorHandlers without_letters(ErrorHandlers handlers) {
    handlers.dead_letter_topic.clear();
    return handlers;
}

}  // namespace

GlobalState::GlobalState(const detail::Parts& parts, std::string application_id,
                         ErrorHandlers handlers, const rt::Clock& clock)
    : clock_(&clock), judge_(without_letters(std::move(handlers)), *this) {
    identify({.application_id = std::move(application_id), .task_id = "global"});
    std::vector<std::string> names;
    for (const auto& part : parts.all()) {
        if (!parts.is_global(part.name)) continue;
        names.push_back(part.name);
        topics_.insert(topics_.end(), part.topics.begin(), part.topics.end());
    }
    std::ranges::sort(topics_);
    graph_ = std::make_unique<detail::TaskGraph>(parts, names, backend_);
    for (const auto& [name, store] : graph_->stores()) stores_.push_back(store.get());
}

Result<void> GlobalState::open() {
    return graph_->open(*this);
}

Result<void> GlobalState::apply(const client::ReceivedRecord& record) {
    detail::SourceNode& source = *graph_->source_of(record.topic);
    const client::TopicPartition where{std::string{record.topic}, record.partition};
    std::int64_t& partition_time = partition_times_.emplace(where, -1).first->second;
    headers_.clear();
    for (const auto& header : record.headers) headers_.push_back({header.name, header.value});
    detail::SourceNode::Bytes bytes{.topic = record.topic,
                                    .key = record.key,
                                    .value = record.value,
                                    .timestamp = record.timestamp.value,
                                    .headers = &headers_,
                                    .partition_time = partition_time};
    origin_ = {.topic = record.topic, .partition = record.partition, .offset = record.offset.value};
    const Result<std::int64_t> time = source.stamp(bytes);
    if (!time)
        return judge(source, bytes, Error{time.error().code(), std::string{time.error().detail()}});
    if (*time < 0) return {};
    bytes.timestamp = *time;
    partition_time = std::max(partition_time, *time);
    stream_time_ = std::max(stream_time_, *time);
    judge_.reading(&bytes);
    Result<void> done = source.take(bytes);
    judge_.reading(nullptr);
    if (done) return done;
    return judge(source, bytes, std::move(done));
}

Result<void> GlobalState::judge(const detail::SourceNode& source,
                                const detail::SourceNode::Bytes& bytes, Result<void> done) {
    if (!failed_ && source.undecodable()) {
        judge_.reading(&bytes);
        const bool goes_on = judge_.goes_on(detail::ErrorJudge::Kind::kDeserialization, source,
                                            bytes.timestamp, done.error());
        judge_.reading(nullptr);
        if (goes_on) return {};
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

std::int64_t GlobalState::wall_time() const {
    return clock_->wall_now().value;
}

}  // namespace leat::streams
