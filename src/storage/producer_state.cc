// SPDX-License-Identifier: Apache-2.0
#include "storage/producer_state.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/bounded_time.h"
#include "config/broker_config.h"

namespace leat::storage {
namespace {

constexpr std::int32_t kSequenceMax = std::numeric_limits<std::int32_t>::max();
/// So long clients send a batch again before they give it up, unless they were told otherwise.
constexpr std::int64_t kSentAgainMs = 120'000;

ProducerState::Verdict refused(Errc error, std::string message) {
    return {.error = error, .duplicate = std::nullopt, .message = std::move(message)};
}

std::string name_of(const ProducerBatch& batch) {
    return "producer " + std::to_string(batch.producer_id) + " epoch " +
           std::to_string(batch.epoch);
}

ProducerState::Verdict refused_as_well(const ProducerBatch& batch) {
    return refused(Errc::kKafkaStorageError,
                   name_of(batch) + ": a batch before it was refused for want of room");
}

const RememberedBatch* find_duplicate(const ProducerEntry& entry, std::int32_t first,
                                      std::int32_t last) {
    for (std::size_t i = 0; i < entry.batch_count; ++i) {
        const RememberedBatch& batch = entry.batches[i];
        if (batch.last_sequence == last && batch.first_sequence() == first) return &batch;
    }
    return nullptr;
}

}  // namespace

ProducerLimits producer_limits(const config::BrokerConfig& config) noexcept {
    return {.expiration_ms = config.producer_id_expiration_ms,
            .ids_max = static_cast<std::size_t>(config.producer_ids_max),
            .idle_min_ms = config.producer_ids_idle_min_ms};
}

std::int32_t sequence_after(std::int32_t sequence, std::int32_t count) noexcept {
    if (sequence > kSequenceMax - count) return count - (kSequenceMax - sequence) - 1;
    return sequence + count;
}

std::int32_t sequence_before(std::int32_t sequence, std::int32_t count) noexcept {
    if (sequence < count) return kSequenceMax - (count - sequence) + 1;
    return sequence - count;
}

std::int32_t RememberedBatch::first_sequence() const noexcept {
    return last_sequence < 0 ? -1 : sequence_before(last_sequence, offset_delta);
}

void ProducerEntry::remember(const RememberedBatch& batch) noexcept {
    std::move_backward(batches.begin(), batches.end() - 1, batches.end());
    batches[0] = batch;
    if (batch_count < kBatches) ++batch_count;
}

ProducerState::Verdict ProducerState::check_guard(const ProducerBatch& batch, std::int64_t ends) {
    if (!batch.transactional || batch.guard.ends == ends) return {};
    return refused(Errc::kInvalidTxnState,
                   name_of(batch) + ": the record is not part of an ongoing transaction");
}

ProducerState::Verdict ProducerState::check(const ProducerBatch& batch, WallMs now) {
    const auto found = entries_.find(batch.producer_id);
    // No state at all: it has expired, or the records are gone. Any sequence goes on from there.
    if (found == entries_.end()) {
        if (auto verdict = check_guard(batch, 0); verdict.error != Errc::kNone) return verdict;
        if (is_behind_refused(batch, now)) return refused_as_well(batch);
        // With an epoch for each transaction there is no earlier batch of this one to have lost.
        if (batch.guard.begins_at_zero && batch.first_sequence > 0)
            return refused(Errc::kOutOfOrderSequenceNumber,
                           name_of(batch) + ": sequence " + std::to_string(batch.first_sequence) +
                               " where a transaction begins at 0");
        if (has_room(now)) return {};
        found_no_room(batch, now);
        // Kafka has no such bound and no error for it: one that clients try again after.
        return refused(Errc::kNotEnoughReplicas,
                       "the partition has as many producers with an id as it may have (" +
                           std::to_string(limits_.ids_max) + "), and all of them are in use");
    }
    const ProducerEntry& entry = found->second;
    if (batch.epoch < entry.epoch)
        return refused(Errc::kInvalidProducerEpoch,
                       name_of(batch) + " is older than " + std::to_string(entry.epoch));
    const bool is_client = batch.first_sequence >= 0;
    if (is_client && batch.epoch == entry.epoch) {
        const std::int32_t last = sequence_after(batch.first_sequence, batch.last_offset_delta);
        if (const auto* same = find_duplicate(entry, batch.first_sequence, last))
            return {.error = Errc::kNone, .duplicate = *same, .message = {}};
    }
    if (entry.transaction_start.value >= 0 && !batch.transactional)
        return refused(Errc::kInvalidTxnState,
                       name_of(batch) + " has a transaction open and wrote outside of it");
    if (entry.transaction_start.value < 0)
        if (auto verdict = check_guard(batch, entry.ends); verdict.error != Errc::kNone)
            return verdict;
    if (!is_client) return {};
    // An epoch without a batch yet (new, or bumped by a marker) begins at 0.
    const bool begins = batch.epoch != entry.epoch || entry.batch_count == 0;
    const std::int32_t expected =
        begins || entry.last_sequence() < 0 ? 0 : sequence_after(entry.last_sequence(), 1);
    if (entry.epoch < 0 || batch.first_sequence == expected) return {};
    if (is_behind_refused(batch, now)) return refused_as_well(batch);
    return refused(Errc::kOutOfOrderSequenceNumber,
                   name_of(batch) + ": sequence " + std::to_string(batch.first_sequence) +
                       " where " + std::to_string(expected) + " was expected");
}

void ProducerState::found_no_room(const ProducerBatch& batch, WallMs now) {
    if (batch.first_sequence < 0) return;
    // As many as there may be producers; those that gave up are in no one's way then.
    if (refused_.size() >= limits_.ids_max)
        std::erase_if(refused_, [&](const auto& one) {
            return now.value - one.second.since.value >= kSentAgainMs;
        });
    if (refused_.size() >= limits_.ids_max && !refused_.contains(batch.producer_id)) return;
    refused_.insert_or_assign(
        batch.producer_id,
        Refused{.epoch = batch.epoch, .first_sequence = batch.first_sequence, .since = now});
}

bool ProducerState::is_behind_refused(const ProducerBatch& batch, WallMs now) {
    const auto found = refused_.find(batch.producer_id);
    if (found == refused_.end()) return false;
    const Refused& first = found->second;
    // Given up, or begun anew: what comes is judged as if there had been no shortage.
    if (first.epoch != batch.epoch || now.value - first.since.value >= kSentAgainMs) {
        refused_.erase(found);
        return false;
    }
    const std::int32_t distance =
        static_cast<std::int32_t>((static_cast<std::uint32_t>(batch.first_sequence) -
                                   static_cast<std::uint32_t>(first.first_sequence)) &
                                  static_cast<std::uint32_t>(kSequenceMax));
    // Half of all numbers lie behind it, the other half before.
    return distance > 0 && distance <= kSequenceMax / 2;
}

void ProducerState::appended(const ProducerBatch& batch, Offset base_offset, WallMs max_timestamp,
                             WallMs now) {
    if (!refused_.empty()) refused_.erase(batch.producer_id);
    ProducerEntry& entry = entries_[batch.producer_id];
    if (entry.epoch != batch.epoch) entry.batch_count = 0;
    entry.epoch = batch.epoch;
    const bool has_sequence = batch.first_sequence >= 0;
    entry.remember(
        {.last_sequence =
             has_sequence ? sequence_after(batch.first_sequence, batch.last_offset_delta) : -1,
         .offset_delta = batch.last_offset_delta,
         .last_offset = {base_offset.value + batch.last_offset_delta},
         .timestamp = max_timestamp});
    entry.last_timestamp = max_timestamp;
    entry.last_write = std::max(max_timestamp, now);
    if (batch.transactional && entry.transaction_start.value < 0) {
        entry.transaction_start = base_offset;
        entry.started_at = now;
        open_.emplace(base_offset, batch.producer_id);
    }
}

Errc ProducerState::check(const EndMarker& marker) const {
    const auto found = entries_.find(marker.producer_id);
    if (found == entries_.end()) return Errc::kNone;
    const ProducerEntry& entry = found->second;
    if (marker.epoch < entry.epoch) return Errc::kInvalidProducerEpoch;
    // Each end has an epoch of its own: this one has done its work, and what is open is another's.
    const bool is_open = entry.transaction_start.value >= 0;
    if (marker.transaction_version >= 2 && marker.epoch == entry.epoch && is_open)
        return Errc::kInvalidProducerEpoch;
    if (marker.coordinator_epoch < entry.coordinator_epoch)
        return Errc::kTransactionCoordinatorFenced;
    return Errc::kNone;
}

bool ProducerState::is_repeated(const EndMarker& marker) const {
    const auto found = entries_.find(marker.producer_id);
    return found != entries_.end() && found->second.transaction_start.value < 0 &&
           found->second.epoch == marker.epoch &&
           found->second.coordinator_epoch == marker.coordinator_epoch;
}

std::int32_t ProducerState::coordinator_epoch(std::int64_t producer_id) const {
    const auto found = entries_.find(producer_id);
    return found == entries_.end() ? -1 : found->second.coordinator_epoch;
}

void ProducerState::note_end(std::int64_t producer_id) {
    refused_.erase(producer_id);
    if (const auto found = entries_.find(producer_id); found != entries_.end())
        ++found->second.ends;
}

TransactionGuard ProducerState::guard(std::int64_t producer_id) const {
    const auto found = entries_.find(producer_id);
    return {.ends = found == entries_.end() ? 0 : found->second.ends};
}

std::optional<ProducerState::Ended> ProducerState::ended(const EndMarker& marker, Offset at,
                                                         WallMs timestamp, WallMs now) {
    // A producer that is not known has nothing open; without room it need not become known.
    if (!entries_.contains(marker.producer_id) && !has_room(now)) return std::nullopt;
    refused_.erase(marker.producer_id);
    ProducerEntry& entry = entries_[marker.producer_id];
    if (entry.epoch != marker.epoch) entry.batch_count = 0;
    entry.epoch = marker.epoch;
    entry.coordinator_epoch = marker.coordinator_epoch;
    entry.last_timestamp = timestamp;
    entry.last_write = std::max(timestamp, now);
    const Offset first = std::exchange(entry.transaction_start, Offset{-1});
    entry.started_at = WallMs{-1};
    ++entry.ends;
    if (first.value < 0) return std::nullopt;
    open_.erase(first);
    ended_.emplace(first, at);
    const Offset stable = open_.empty() ? Offset{at.value + 1} : open_.begin()->first;
    return Ended{.first = first, .last = at, .last_stable = stable};
}

void ProducerState::advance(Offset high_watermark) {
    std::erase_if(ended_, [=](const auto& ended) { return ended.second < high_watermark; });
}

Offset ProducerState::first_unstable() const noexcept {
    Offset first{-1};
    if (!open_.empty()) first = open_.begin()->first;
    if (!ended_.empty() && (first.value < 0 || ended_.begin()->first < first))
        first = ended_.begin()->first;
    return first;
}

std::size_t ProducerState::expire(WallMs now) {
    if (now < expire_again_) return 0;
    std::int64_t oldest = now.value;
    const std::size_t dropped = std::erase_if(entries_, [&](const auto& item) {
        const ProducerEntry& entry = item.second;
        if (entry.transaction_start.value >= 0) return false;
        if (now.value - entry.last_write.value >= limits_.expiration_ms) return true;
        oldest = std::min(oldest, entry.last_write.value);
        return false;
    });
    expire_again_ = after(WallMs{oldest}, limits_.expiration_ms);
    return dropped;
}

bool ProducerState::has_room(WallMs now) {
    if (entries_.size() < limits_.ids_max) return true;
    expire(now);
    if (entries_.size() >= limits_.ids_max) forget_idle(now);
    return entries_.size() < limits_.ids_max;
}

/// Who has been idle so long does not send his last batches again: clients give up on a batch
/// after minutes. An open transaction is never forgotten, and what the coordinator said about one
/// that has ended does not take so long to arrive here.
void ProducerState::forget_idle(WallMs now) {
    if (now < forget_again_) return;
    std::vector<std::pair<WallMs, std::int64_t>> idle;
    std::int64_t oldest = now.value;
    for (const auto& [id, entry] : entries_) {
        if (entry.transaction_start.value >= 0) continue;
        if (now.value - entry.last_write.value >= limits_.idle_min_ms)
            idle.emplace_back(entry.last_write, id);
        else
            oldest = std::min(oldest, entry.last_write.value);
    }
    // Some at once, since all were looked at. After a restart there may be more than are allowed.
    const std::size_t surplus = entries_.size() - limits_.ids_max;
    const std::size_t count = std::min(idle.size(), surplus + 1 + limits_.ids_max / 32);
    std::ranges::nth_element(idle, idle.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) entries_.erase(idle[i].second);
    if (count == idle.size()) forget_again_ = after(WallMs{oldest}, limits_.idle_min_ms);
}

void ProducerState::restore(ProducerEntries entries) {
    entries_ = std::move(entries);
    refused_.clear();
    open_.clear();
    ended_.clear();
    expire_again_ = WallMs{-1};
    forget_again_ = WallMs{-1};
    for (auto& [id, entry] : entries_) {
        if (entry.transaction_start.value < 0) continue;
        open_.emplace(entry.transaction_start, id);
        entry.started_at = entry.last_timestamp;
    }
}

void ProducerState::set_limits(ProducerLimits limits) noexcept {
    limits_ = limits;
    expire_again_ = WallMs{-1};
    forget_again_ = WallMs{-1};
}

std::vector<ActiveProducer> ProducerState::active() const {
    std::vector<ActiveProducer> out;
    out.reserve(entries_.size());
    for (const auto& [id, entry] : entries_)
        out.push_back({.producer_id = id,
                       .epoch = entry.epoch,
                       .last_sequence = entry.last_sequence(),
                       .last_timestamp = entry.last_timestamp,
                       .coordinator_epoch = entry.coordinator_epoch,
                       .transaction_start = entry.transaction_start});
    std::ranges::sort(out, {}, &ActiveProducer::producer_id);
    return out;
}

std::optional<OpenTransaction> ProducerState::open_transaction(std::int64_t producer_id) const {
    const auto found = entries_.find(producer_id);
    if (found == entries_.end() || found->second.transaction_start.value < 0) return std::nullopt;
    const ProducerEntry& entry = found->second;
    return OpenTransaction{.producer_id = producer_id,
                           .epoch = entry.epoch,
                           .coordinator_epoch = entry.coordinator_epoch,
                           .start = entry.transaction_start,
                           .started_at = entry.started_at,
                           .last_timestamp = entry.last_timestamp};
}

std::vector<OpenTransaction> ProducerState::open_transactions() const {
    std::vector<OpenTransaction> out;
    out.reserve(open_.size());
    for (const auto& [first, id] : open_) out.push_back(*open_transaction(id));
    return out;
}

}  // namespace leat::storage
