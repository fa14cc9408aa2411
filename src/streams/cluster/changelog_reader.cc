// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/changelog_reader.h"

#include <algorithm>
#include <utility>

#include "client/admin.h"
#include "leat/streams/detail/guarded.h"
#include "obs/log.h"
#include "streams/failpoints.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr std::string_view kListener = "the listener of restores";

RestoringStore told_of(const ChangelogMark& mark) {
    return {mark.store->name(), mark.where.topic, mark.where.partition};
}

}  // namespace

Result<void> ChangelogReader::open(const Task& of, const Layout& layout) {
    state_ = &of.state;
    task_ = &of.task;
    marks_.clear();
    for (const detail::StoreSpec& spec : of.stores) {
        if (!spec.source_topic && !spec.logging) continue;
        auto mark = std::make_unique<ChangelogMark>();
        mark->is_source = spec.source_topic.has_value();
        mark->where = {mark->is_source ? layout.cluster_name(*spec.source_topic)
                                       : layout.changelog_name(spec.name),
                       of.partition};
        mark->store = &of.graph.store(spec.name);
        marks_.push_back(std::move(mark));
    }
    if (marks_.empty()) return {};
    LEAT_TRY_VOID(find_starts());
    LEAT_TRY_VOID(tell_stores());
    std::vector<client::StartAt> starts;
    starts.reserve(marks_.size());
    for (const auto& mark : marks_) starts.push_back({mark->where, Offset{mark->next}});
    reading_ = true;
    return cluster_.add(starts);
}

Result<void> ChangelogReader::find_starts() {
    std::vector<client::TopicPartition> where;
    std::vector<std::string> topics;
    for (const auto& mark : marks_) {
        where.push_back(mark->where);
        topics.push_back(mark->where.topic);
    }
    LEAT_TRY(const auto ids, cluster_.ids_of(topics));
    LEAT_TRY(const auto begins, cluster_.offsets_of(where, client::kEarliest));
    LEAT_TRY(const auto ends, cluster_.offsets_of(where, client::kLatest));
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        ChangelogMark& mark = *marks_[i];
        mark.begin = begins[i];
        mark.seen_end = ends[i];
        LEAT_TRY(const bool was_foreign, state_->bind(*mark.store, *task_, ids[i]));
        if (was_foreign)
            kLog.warn("the changelog was made anew: its store is restored whole",
                      {{"store", mark.store->name()}, {"changelog", mark.where.topic}});
        const auto kept = state_->changelog_offset(mark.store->name());
        mark.next = mark.noted = kept.value_or(mark.begin);
        if (mark.next > ends[i]) LEAT_TRY_VOID(empty(mark, "it ends before what the state has"));
        if (mark.next < mark.begin)
            LEAT_TRY_VOID(step_over_gap(mark, "it begins behind what the state has"));
    }
    return {};
}

Result<void> ChangelogReader::tell_stores() const {
    for (const auto& mark : marks_) {
        if (mark->is_source || !mark->store->spec().retain_duplicates) continue;
        LEAT_TRY(const std::int64_t kept,
                 cluster_.kept_ms_of(mark->where.topic, mark->store->spec()));
        mark->store->know_changelog(kept);
    }
    return {};
}

Result<void> ChangelogReader::step_over_gap(ChangelogMark& mark, std::string_view why) {
    // A deletion may be among what is gone, unless there are none: then it is rows that were
    // written before they could go, or are too old for anybody.
    if (!mark.store->spec().retain_duplicates) return empty(mark, why);
    kLog.info("the changelog begins behind what the state has: it goes on there",
              {{"store", mark.store->name()},
               {"changelog", mark.where.topic},
               {"partition", mark.where.partition},
               {"offset", mark.next},
               {"begin", mark.begin}});
    mark.next = mark.begin;
    return {};
}

Result<void> ChangelogReader::empty(ChangelogMark& mark, std::string_view why) {
    kLog.warn("the changelog does not go on where the state ends: its store is restored whole",
              {{"store", mark.store->name()},
               {"changelog", mark.where.topic},
               {"partition", mark.where.partition},
               {"offset", mark.next},
               {"why", why}});
    batch_.clear();
    mark.is_stale = true;
    LEAT_TRY_VOID(state_->wipe(*mark.store, *task_));
    mark.is_stale = false;
    mark.next = mark.noted = mark.begin;
    mark.position.clear();
    return {};
}

Result<void> ChangelogReader::find_place(ChangelogMark& mark) {
    const client::TopicPartition where[] = {mark.where};
    LEAT_TRY(const auto begins, cluster_.offsets_of(where, client::kEarliest));
    LEAT_TRY(const auto ends, cluster_.offsets_of(where, client::kLatest));
    mark.begin = begins.front();
    // The news may be of a place where the changelog was read before its task went elsewhere.
    constexpr std::string_view kGone = "it no longer has that offset";
    if (mark.next > ends.front() || mark.is_stale) LEAT_TRY_VOID(empty(mark, kGone));
    if (mark.next < mark.begin) LEAT_TRY_VOID(step_over_gap(mark, kGone));
    LEAT_TRY_VOID(go_on_at_next(mark));
    mark.is_lost = false;
    return {};
}

Result<void> ChangelogReader::go_on_at_next(const ChangelogMark& mark) {
    const client::TopicPartition where[] = {mark.where};
    LEAT_TRY_VOID(cluster_.remove(where));
    const client::StartAt start[] = {{mark.where, Offset{mark.next}}};
    return cluster_.add(start);
}

Result<void> ChangelogReader::set_ends(
    const std::map<client::TopicPartition, std::int64_t>& source_ends) {
    std::vector<client::TopicPartition> where;
    where.reserve(marks_.size());
    for (const auto& mark : marks_) where.push_back(mark->where);
    if (where.empty()) return {};
    // Not the end of what is stable: a commit is over before all its markers are written, and what
    // it changed belongs to the state. Reading waits for the marker.
    LEAT_TRY(const auto ends, cluster_.offsets_of(where, client::kLatest));
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        ChangelogMark& mark = *marks_[i];
        mark.done = has_fault(Fault::kRestoreSkipped);
        mark.end = ends[i];
        if (!mark.is_source) continue;
        // What is not processed yet comes in as input.
        const auto found = source_ends.find(mark.where);
        mark.end = found == source_ends.end() ? mark.begin : found->second;
    }
    for (const auto& mark : marks_) {
        mark->started = mark->restored;
        if (listener_ == nullptr) continue;
        LEAT_TRY_VOID(detail::guarded(kListener, [&]() -> Result<void> {
            tell_suspended(*mark, SuspendReason::kPromoted);
            listener_->on_restore_start(told_of(*mark), mark->next, *mark->end);
            return {};
        }));
    }
    return {};
}

void ChangelogReader::set_limits(
    const std::map<client::TopicPartition, std::int64_t>& source_ends) {
    for (const auto& mark : marks_) {
        if (!mark->is_source || mark->end) continue;
        const auto found = source_ends.find(mark->where);
        if (found != source_ends.end()) mark->limit = found->second;
    }
}

void ChangelogReader::promise(const Position& committed,
                              const std::map<client::TopicPartition, std::int64_t>& ends) {
    for (const auto& mark : marks_) {
        if (mark->end) continue;
        std::int64_t end = -1;
        if (mark->is_source) {
            const auto topic = committed.find(mark->where.topic);
            if (topic == committed.end()) continue;
            const auto at = topic->second.find(mark->where.partition);
            if (at != topic->second.end()) end = at->second + 1;
        } else if (const auto found = ends.find(mark->where); found != ends.end()) {
            end = found->second;
        }
        if (end < 0) continue;
        mark->position.promise(end, committed);
        mark->position.advance(mark->noted);
    }
}

std::vector<client::TopicPartition> ChangelogReader::own_topics() const {
    std::vector<client::TopicPartition> out;
    for (const auto& mark : marks_)
        if (!mark->is_source && !mark->end) out.push_back(mark->where);
    return out;
}

const Position* ChangelogReader::reached(std::string_view store) const {
    const auto found = std::ranges::find_if(
        marks_, [&](const auto& mark) { return mark->store->name() == store; });
    return found == marks_.end() ? nullptr : &(*found)->position.reached();
}

std::vector<client::TopicPartition> ChangelogReader::sources() const {
    std::vector<client::TopicPartition> out;
    for (const auto& mark : marks_)
        if (mark->is_source) out.push_back(mark->where);
    return out;
}

Result<bool> ChangelogReader::restore(std::size_t records_max) {
    bool all = true;
    for (const auto& mark : marks_) {
        if (mark->done) continue;
        if (mark->is_source && !mark->end && !mark->limit) {
            // A follower does not know how far its input was processed, and must not run ahead.
            all = false;
            continue;
        }
        const std::int64_t before = mark->restored;
        LEAT_TRY_VOID(tell_started(*mark));
        LEAT_TRY(mark->done, advance(*mark, records_max));
        all = all && mark->done;
        LEAT_TRY_VOID(tell(*mark, mark->restored - before));
    }
    return all;
}

Result<void> ChangelogReader::tell_started(ChangelogMark& mark) const {
    if (listener_ == nullptr || mark.end || std::exchange(mark.is_told, true)) return {};
    return detail::guarded(kListener, [&]() -> Result<void> {
        listener_->on_update_start(told_of(mark), mark.next);
        return {};
    });
}

Result<void> ChangelogReader::tell(const ChangelogMark& mark, std::int64_t taken) const {
    if (listener_ == nullptr) return {};
    return detail::guarded(kListener, [&]() -> Result<void> {
        if (taken > 0 && mark.end)
            listener_->on_batch_restored(told_of(mark), mark.next, taken);
        else if (taken > 0)
            listener_->on_batch_loaded(told_of(mark), mark.next, taken,
                                       std::max(mark.seen_end, mark.next));
        if (mark.end && mark.done)
            listener_->on_restore_end(told_of(mark), mark.restored - mark.started);
        return {};
    });
}

void ChangelogReader::tell_suspended(ChangelogMark& mark, SuspendReason why) const {
    if (!std::exchange(mark.is_told, false)) return;
    listener_->on_update_suspended(told_of(mark), mark.next, std::max(mark.seen_end, mark.next),
                                   why);
}

Result<void> ChangelogReader::read(ChangelogMark& mark, std::size_t records_max) {
    const std::optional<std::int64_t> end = mark.end ? mark.end : mark.limit;
    while (batch_.size() < records_max && !(end && mark.next >= *end)) {
        LEAT_TRY(client::PartitionEvent event, cluster_.next(mark.where));
        if (auto* held = std::get_if<client::HeldRecord>(&event)) {
            const std::int64_t offset = held->record.offset.value;
            if (end && offset >= *end) {
                // It comes in as input; to a follower, whose end moves on, it has to come again.
                mark.next = *end;
                if (!mark.end) LEAT_TRY_VOID(go_on_at_next(mark));
                return {};
            }
            batch_.push_back(std::move(*held));
            mark.next = offset + 1;
        } else if (const auto* reached = std::get_if<client::ReachedEnd>(&event)) {
            // Markers of transactions are never delivered, so this is how they are passed.
            mark.next = std::max(mark.next, reached->offset.value);
            mark.seen_end = std::max(mark.seen_end, mark.next);
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kOffsetOutOfRange) LEAT_TRY_VOID(find_place(mark));
        } else {
            break;
        }
    }
    if (end) mark.next = std::min(mark.next, *end);
    return {};
}

Result<bool> ChangelogReader::advance(ChangelogMark& mark, std::size_t records_max) {
    Result<void> placed;
    if (mark.is_lost) placed = find_place(mark);
    if (placed) {
        Result<bool> taken = take_in(mark, records_max);
        if (taken) return taken;
        placed = std::move(taken).error();
    }
    // The reader is behind what is not applied: a later offset must not cover it.
    mark.next = mark.noted;
    mark.is_lost = true;
    return std::move(placed).error();
}

Result<bool> ChangelogReader::take_in(ChangelogMark& mark, std::size_t records_max) {
    batch_.clear();
    records_.clear();
    LEAT_TRY_VOID(read(mark, records_max));
    for (const client::HeldRecord& held : batch_)
        if (held.record.key)  // A changelog has none without; a source topic may.
            records_.push_back({.key = *held.record.key,
                                .value = held.record.value,
                                .timestamp = held.record.timestamp.value});
    if (mark.next > mark.noted) {
        // What follows is read by queries, with a position: it must be there at once.
        LEAT_TRY_VOID(mark.end ? state_->gather(*mark.store, records_, mark.next)
                               : state_->restore(*mark.store, records_, mark.next));
        mark.noted = mark.next;
    }
    mark.restored += static_cast<std::int64_t>(records_.size());
    batch_.clear();
    const bool is_done = mark.end && mark.next >= *mark.end;
    if (is_done) LEAT_TRY_VOID(state_->keep_gathered(*mark.store));
    // Rows that are gathered are not seen yet.
    mark.position.advance(state_->changelog_offset(mark.store->name()).value_or(mark.begin));
    return is_done;
}

void ChangelogReader::close() {
    if (!std::exchange(reading_, false)) return;
    for (const auto& mark : marks_)
        if (const auto kept = state_->keep_gathered(*mark->store); !kept)
            kLog.warn("what was restored is not kept, and read again",
                      {{"store", mark->store->name()}, {"why", kept.error().detail()}});
    const Result<void> told = detail::guarded(kListener, [&]() -> Result<void> {
        for (const auto& mark : marks_) {
            tell_suspended(*mark, SuspendReason::kMigrated);
            if (listener_ != nullptr && mark->end && !mark->done)
                listener_->on_restore_suspended(told_of(*mark), mark->restored - mark->started);
        }
        return {};
    });
    if (!told) kLog.warn("a listener failed", {{"why", told.error().detail()}});
    std::vector<client::TopicPartition> where;
    where.reserve(marks_.size());
    for (const auto& mark : marks_) where.push_back(mark->where);
    ignore(cluster_.remove(where), "what is not read any more is of no interest");
}

ChangelogMark* ChangelogReader::mark_of(std::string_view topic) {
    const auto found =
        std::ranges::find_if(marks_, [&](const auto& mark) { return mark->where.topic == topic; });
    return found == marks_.end() ? nullptr : found->get();
}

std::int64_t ChangelogReader::taken() const {
    std::int64_t out = 0;
    for (const auto& mark : marks_) out += mark->restored;
    return out;
}

std::int64_t ChangelogReader::restored() const {
    std::int64_t out = 0;
    for (const auto& mark : marks_) out += mark->restored - mark->started;
    return out;
}

std::int64_t ChangelogReader::remaining() const {
    std::int64_t out = 0;
    for (const auto& mark : marks_)
        if (!mark->done)
            out += std::max<std::int64_t>(mark->end.value_or(mark->seen_end) - mark->next, 0);
    return out;
}

}  // namespace leat::streams
