// SPDX-License-Identifier: Apache-2.0
#include "storage/check/index_check.h"

#include <algorithm>

namespace leat::storage {
namespace {

template <class Entry>
std::vector<Entry> read_entries(Bytes file, std::size_t count) {
    std::vector<Entry> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        out.push_back(Entry::get(file.data() + i * Entry::kBytes));
    return out;
}

/// What follows the good entries must be nothing, or the zeros of a size set in advance.
void judge_tail(Bytes file, std::size_t good_bytes, std::size_t count, IndexFault& fault) {
    const Bytes tail = file.subspan(std::min(good_bytes, file.size()));
    if (std::ranges::all_of(tail, [](std::byte b) { return b == std::byte{0}; })) return;
    fault.note(count, "it is out of order, negative or not complete");
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}

}  // namespace

OffsetIndexCheck::OffsetIndexCheck(Bytes file, Offset base) : base_(base) {
    const std::size_t count = OffsetIndex::valid_entries(file);
    entries_ = read_entries<OffsetEntry>(file, count);
    judge_tail(file, count * OffsetEntry::kBytes, count, fault_);
}

void OffsetIndexCheck::batch(const wire::BatchHeader& header, FilePos at) {
    for (; next_ < entries_.size() && entries_[next_].position <= at.value; ++next_) {
        const OffsetEntry& entry = entries_[next_];
        if (entry.position < at.value) {
            fault_.note(next_, "no batch begins at byte " + number(entry.position));
        } else if (base_.value + entry.relative != header.last_offset().value) {
            fault_.note(next_, "the batch at byte " + number(at.value) + " ends with offset " +
                                   number(header.last_offset().value) + ", not " +
                                   number(base_.value + entry.relative));
        }
    }
}

const IndexFault& OffsetIndexCheck::finish(bool whole) {
    for (; whole && next_ < entries_.size(); ++next_)
        fault_.note(next_, "no batch begins at byte " + number(entries_[next_].position));
    return fault_;
}

TimeIndexCheck::TimeIndexCheck(Bytes file, Offset base) : base_(base) {
    const std::size_t count = TimeIndex::valid_entries(file);
    entries_ = read_entries<TimeEntry>(file, count);
    judge_tail(file, count * TimeEntry::kBytes, count, fault_);
}

void TimeIndexCheck::batch(const wire::BatchHeader& header) {
    // A batch whose records compaction has removed keeps a time that no record has.
    const bool counts = header.record_count > 0;
    if (counts) largest_ = std::max(largest_, header.max_timestamp.value);
    for (; next_ < entries_.size(); ++next_) {
        const TimeEntry& entry = entries_[next_];
        const std::int64_t offset = base_.value + entry.relative;
        if (offset > header.last_offset().value) return;
        if (largest_ > entry.timestamp) {
            fault_.note(next_, "a record up to offset " + number(offset) + " has the later time " +
                                   number(largest_));
        } else if (offset < header.base_offset.value ||
                   header.max_timestamp.value != entry.timestamp) {
            fault_.note(next_, "no record at offset " + number(offset) + " has the time " +
                                   number(entry.timestamp));
        }
    }
}

const IndexFault& TimeIndexCheck::finish(bool whole) {
    for (; whole && next_ < entries_.size(); ++next_)
        fault_.note(next_,
                    "the segment has no offset " + number(base_.value + entries_[next_].relative));
    return fault_;
}

void TxnIndexCheck::begin(Bytes file, Offset base) {
    base_ = base;
    end_ = base;
    fault_ = {};
    const std::size_t count = TxnIndex::valid_entries(file, base);
    entries_ = read_entries<TxnEntry>(file, count);
    judge_tail(file, count * TxnEntry::kBytes, count, fault_);
}

void TxnIndexCheck::batch(const wire::BatchHeader& header, std::optional<bool> aborts) {
    end_ = Offset{header.last_offset().value + 1};
    if (aborts) {
        take_marker(header, *aborts);
    } else if (header.is_transactional() && !header.is_control() && header.record_count > 0) {
        open_.try_emplace(header.producer_id, header.base_offset);
    }
}

void TxnIndexCheck::take_marker(const wire::BatchHeader& header, bool aborts) {
    const Offset at = header.last_offset();
    const auto found = std::ranges::lower_bound(entries_, at, {}, &TxnEntry::last);
    const bool is_known = found != entries_.end() && found->last == at;
    const auto index = static_cast<std::size_t>(found - entries_.begin());
    const auto open = open_.find(header.producer_id);
    const std::string place = "the marker at offset " + number(at.value);
    if (is_known && (!aborts || found->producer_id != header.producer_id)) {
        fault_.note(index, place + (aborts ? " is of another producer" : " commits"));
    } else if (is_known && open != open_.end() && found->first > open->second) {
        fault_.note(index, "its transaction began at offset " + number(open->second.value) +
                               ", before " + number(found->first.value));
    } else if (!is_known && aborts && open != open_.end()) {
        // Without data there is nothing to hide: the producer wrote none, or compaction took it.
        fault_.note(index, place + " aborts the transaction from offset " +
                               number(open->second.value) + " and is not in the index");
    }
    if (open != open_.end()) open_.erase(open);
}

const IndexFault& TxnIndexCheck::finish(bool whole) {
    for (std::size_t i = 0; whole && i < entries_.size(); ++i) {
        // Markers may go in compaction, and their entries with them or not.
        if (entries_[i].last < base_ || entries_[i].last >= end_)
            fault_.note(i, "its marker at offset " + number(entries_[i].last.value) +
                               " would lie outside of the segment");
    }
    return fault_;
}

}  // namespace leat::storage
