// SPDX-License-Identifier: Apache-2.0
//
// What a task hands to the producer: results, and changes of its stores.
#include "streams/cluster/live_task.h"
#include "streams/cluster/output_tag.h"
#include "streams/cluster/trouble.h"

namespace leat::streams {

Result<void> LiveTask::emit(std::string_view topic, std::optional<std::int32_t> partition,
                            const detail::Outgoing& record, std::uint64_t tag) {
    // Also of what a node writes before the first record: a transaction is over with a position
    // only.
    needs_commit_ = true;
    client::OutgoingRecord out{.key = record.key, .value = record.value, .tag = tag};
    out.partition = partition.value_or(-1);
    out.timestamp_ms = record.timestamp;
    if (record.headers != nullptr && !record.headers->empty()) {
        out_headers_.clear();
        for (const Header& header : *record.headers)
            out_headers_.push_back({header.name, header.value});
        out.headers = &out_headers_;
    }
    if (environment_.keep_source && task_of(tag) && record.sender != nullptr)
        out.tag = environment_.keep_source(judge_.context_of(record, topic));
    const Result<void> done = environment_.send(topic, out);
    if (done) return {};
    // Of these the sink asks its handler; the rest is no fault of the record, nor of a processor.
    if (record.sender == nullptr || !is_fault_of_record(done.error().code())) failed_ = true;
    return Error{done.error().code(), "output to " + place_of(topic, out.partition) +
                                          " was not taken: " + std::string{done.error().detail()}};
}

Result<void> LiveTask::send(const detail::Outgoing& record) {
    meters_->produced(record.topic,
                      weight_of(record.topic, record.key, record.value, record.headers, 0));
    return emit(cluster_name(record.topic), record.partition, record, tag_of(id_));
}

Result<std::int32_t> LiveTask::partitions_of(std::string_view topic) {
    return environment_.partitions_of(cluster_name(topic));
}

std::string_view LiveTask::cluster_name(std::string_view topic) const {
    const auto found = internal_names_.find(topic);
    return found == internal_names_.end() ? topic : std::string_view{found->second};
}

const LiveTask::Changelog& LiveTask::changelog_named(std::string_view topic) {
    const auto found = written_changelogs_.find(topic);
    if (found != written_changelogs_.end()) return found->second;
    std::string cluster_topic = environment_.settings->application_id + "-" + std::string{topic};
    ChangelogMark* mark = changelogs_.mark_of(cluster_topic);
    return written_changelogs_.try_emplace(std::string{topic}, std::move(cluster_topic), mark)
        .first->second;
}

Result<void> LiveTask::log_change(const detail::Outgoing& record) {
    if (record.after_output && !environment_.settings->exactly_once) {
        put_off().add(record);
        return {};
    }
    put_off().replace_by(record);
    const auto& [topic, mark] = changelog_named(record.topic);
    detail::Outgoing change = record;
    // A change without a time of its own, of a suppressed update or of what waits to be joined.
    if (change.timestamp < 0) change.timestamp = wall_time();
    return emit(topic, id_.partition, change, tag_of(mark));
}

}  // namespace leat::streams
