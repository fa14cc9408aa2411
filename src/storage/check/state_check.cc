// SPDX-License-Identifier: Apache-2.0
#include "storage/check/state_check.h"

namespace leat::storage {
namespace {

std::string number(std::int64_t value) {
    return std::to_string(value);
}

}  // namespace

void EpochCheck::batch(const wire::BatchHeader& header) {
    if (header.last_offset() < log_start_) return;
    const auto& entries = epochs_.entries();
    const Offset first = std::max(header.base_offset, log_start_);
    while (next_ < entries.size() && entries[next_].start <= first) ++next_;
    if (header.leader_epoch < 0 || !wrong_.empty()) return;
    const std::int32_t known = next_ == 0 ? -1 : entries[next_ - 1].epoch;
    if (known == header.leader_epoch) return;
    wrong_ = "the batch at offset " + number(header.base_offset.value) + " has leader epoch " +
             number(header.leader_epoch) + ", the file says " +
             (known < 0 ? "nothing" : number(known));
}

const std::string& EpochCheck::finish(Offset log_end) {
    const auto& entries = epochs_.entries();
    if (wrong_.empty() && !entries.empty() && entries.back().start > log_end)
        wrong_ = "epoch " + number(entries.back().epoch) + " begins at offset " +
                 number(entries.back().start.value) + ", behind the log's end " +
                 number(log_end.value);
    return wrong_;
}

void SnapshotCheck::batch(const wire::BatchHeader& header) {
    while (next_ < snapshots_.size() && snapshots_[next_].at <= header.base_offset)
        compare(snapshots_[next_++]);
    if (!header.has_producer_id()) return;
    Last& last = producers_[header.producer_id];
    if (last.epoch != header.producer_epoch) {
        last.last_offset = Offset{-1};
        last.last_sequence = -1;
    }
    last.epoch = header.producer_epoch;
    if (header.is_control()) {
        last.open_since = Offset{-1};
        return;
    }
    last.last_offset = header.last_offset();
    last.last_sequence = header.base_sequence < 0
                             ? -1
                             : sequence_after(header.base_sequence, header.last_offset_delta);
    if (header.is_transactional() && last.open_since.value < 0)
        last.open_since = header.base_offset;
}

const std::vector<SnapshotCheck::Snapshot>& SnapshotCheck::finish() {
    for (; next_ < snapshots_.size(); ++next_) compare(snapshots_[next_]);
    return snapshots_;
}

void SnapshotCheck::compare(Snapshot& snapshot) const {
    for (const auto& [id, entry] : snapshot.entries) {
        const auto known = producers_.find(id);
        std::string wrong;
        if (entry.batch_count > 0 && entry.batches[0].last_offset >= snapshot.at) {
            wrong = "its last offset " + number(entry.batches[0].last_offset.value) +
                    " lies behind the snapshot";
        } else if (known != producers_.end()) {
            wrong = judge(entry, known->second);
        }
        if (wrong.empty()) continue;
        snapshot.wrong = "producer " + number(id) + ": " + wrong;
        return;
    }
}

std::string SnapshotCheck::judge(const ProducerEntry& entry, const Last& last) {
    if (entry.epoch < last.epoch)
        return "epoch " + number(entry.epoch) + ", the log has " + number(last.epoch);
    if (entry.epoch > last.epoch) return {};  // Of a marker that compaction took.
    const bool opened_late =
        last.open_since.value >= 0 &&
        (entry.transaction_start.value < 0 || entry.transaction_start > last.open_since);
    if (opened_late)
        return "the log has a transaction open since offset " + number(last.open_since.value);
    if (last.last_offset.value < 0) return {};
    const Offset newest = entry.batch_count > 0 ? entry.batches[0].last_offset : Offset{-1};
    if (newest < last.last_offset)
        return "its last batch ends with offset " + number(newest.value) + ", the log has one at " +
               number(last.last_offset.value);
    if (newest == last.last_offset && entry.last_sequence() != last.last_sequence)
        return "its last sequence is " + number(entry.last_sequence()) + ", the log has " +
               number(last.last_sequence);
    return {};
}

}  // namespace leat::storage
