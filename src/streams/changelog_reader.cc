// SPDX-License-Identifier: Apache-2.0
#include "streams/changelog_reader.h"

#include <algorithm>
#include <utility>

namespace leat::streams {
namespace {

/// For one question to a broker.
constexpr std::chrono::milliseconds kAskMax{30'000};

}  // namespace

Result<void> ChangelogReader::open(const std::vector<detail::StoreSpec>& stores,
                                   const detail::TaskGraph& graph, const Layout& layout,
                                   std::int32_t partition) {
    std::vector<client::StartAt> starts;
    for (const detail::StoreSpec& spec : stores) {
        if (!spec.source_topic && !spec.logging) continue;
        auto mark = std::make_unique<ChangelogMark>();
        mark->is_source = spec.source_topic.has_value();
        mark->where = {mark->is_source ? layout.cluster_name(*spec.source_topic)
                                       : layout.changelog_name(spec.name),
                       partition};
        mark->store = &graph.store(spec.name);
        LEAT_TRY(const client::Watermarks marks, reader_->watermarks(mark->where, kAskMax));
        mark->begin = marks.begin.value;
        mark->next = marks.begin.value;
        mark->seen_end = marks.end.value;
        starts.push_back({mark->where, Offset{mark->next}});
        marks_.push_back(std::move(mark));
    }
    reading_ = true;
    return reader_->add(starts);
}

Result<void> ChangelogReader::set_ends(
    const std::map<client::TopicPartition, std::int64_t>& source_ends) {
    for (const auto& mark : marks_) {
        mark->done = false;
        if (mark->is_source) {
            // What is not processed yet comes in as input.
            const auto found = source_ends.find(mark->where);
            mark->end = found == source_ends.end() ? mark->begin : found->second;
        } else {
            // Not the end of what is stable: a commit is over before all its markers are written,
            // and what it changed belongs to the state. Reading waits for the marker.
            LEAT_TRY(mark->end, end_of_(mark->where));
        }
    }
    return {};
}

Result<bool> ChangelogReader::restore(std::size_t records_max) {
    bool all = true;
    for (const auto& mark : marks_) {
        if (mark->done) continue;
        if (mark->is_source && !mark->end) {
            // A follower does not know how far its input was processed, and must not run ahead.
            all = false;
            continue;
        }
        LEAT_TRY(const bool done, advance(*mark, records_max));
        mark->done = done;
        all = all && done;
    }
    return all;
}

Result<void> ChangelogReader::read(ChangelogMark& mark, std::size_t records_max) {
    while (batch_.size() < records_max && !(mark.end && mark.next >= *mark.end)) {
        LEAT_TRY(client::PartitionEvent event, reader_->next(mark.where));
        if (auto* held = std::get_if<client::HeldRecord>(&event)) {
            const std::int64_t offset = held->record.offset.value;
            // What lies beyond the end comes in as input.
            if (!mark.end || offset < *mark.end) batch_.push_back(std::move(*held));
            mark.next = offset + 1;
        } else if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            // Markers of transactions are never delivered, so this is how they are passed.
            mark.next = std::max(mark.next, end->offset.value);
            mark.seen_end = std::max(mark.seen_end, mark.next);
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kOffsetOutOfRange)
                return Error{Errc::kOffsetOutOfRange, "changelog " + mark.where.topic +
                                                          " no longer has offset " +
                                                          std::to_string(mark.next)};
        } else {
            break;
        }
    }
    if (mark.end) mark.next = std::min(mark.next, *mark.end);
    return {};
}

Result<bool> ChangelogReader::advance(ChangelogMark& mark, std::size_t records_max) {
    batch_.clear();
    records_.clear();
    LEAT_TRY_VOID(read(mark, records_max));
    for (const client::HeldRecord& held : batch_)
        if (held.record.key)  // A changelog has none without; a source topic may.
            records_.push_back({.key = *held.record.key,
                                .value = held.record.value,
                                .timestamp = held.record.timestamp.value});
    LEAT_TRY_VOID(mark.store->restore(records_));
    mark.restored += static_cast<std::int64_t>(records_.size());
    batch_.clear();
    return mark.end && mark.next >= *mark.end;
}

void ChangelogReader::close() {
    if (!std::exchange(reading_, false)) return;
    std::vector<client::TopicPartition> where;
    for (const auto& mark : marks_) where.push_back(mark->where);
    ignore(reader_->remove(where), "what is not read any more is of no interest");
}

ChangelogMark* ChangelogReader::mark_of(std::string_view topic) {
    const auto found =
        std::ranges::find_if(marks_, [&](const auto& mark) { return mark->where.topic == topic; });
    return found == marks_.end() ? nullptr : found->get();
}

std::int64_t ChangelogReader::remaining() const {
    std::int64_t out = 0;
    for (const auto& mark : marks_)
        if (!mark->done)
            out += std::max<std::int64_t>(mark->end.value_or(mark->seen_end) - mark->next, 0);
    return out;
}

}  // namespace leat::streams
