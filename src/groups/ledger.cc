// SPDX-License-Identifier: Apache-2.0
#include "groups/ledger.h"

namespace leat::groups {

std::uint64_t Ledger::begin(std::vector<RecordToWrite>& records) {
    if (!missing_.empty()) {
        for (const RecordToWrite& record : records) missing_.erase(record.key);
        std::vector<RecordToWrite> all;
        all.reserve(missing_.size());
        for (auto at = missing_.begin(); at != missing_.end();) {
            if (overtaking_.contains(at->first)) {
                ++at;
                continue;
            }
            all.push_back({at->first, std::move(at->second)});
            at = missing_.erase(at);
        }
        all.insert(all.end(), std::make_move_iterator(records.begin()),
                   std::make_move_iterator(records.end()));
        records = std::move(all);
    }
    for (const RecordToWrite& record : records) latest_.insert_or_assign(record.key, next_);
    return next_++;
}

bool Ledger::end(std::uint64_t number, std::vector<RecordToWrite> records, bool is_written) {
    // A key that a later append has too is that one's: its value is the newer.
    std::erase_if(records, [&](const RecordToWrite& record) {
        const auto at = latest_.find(record.key);
        if (at == latest_.end() || at->second != number) return true;
        latest_.erase(at);
        return false;
    });
    if (is_written) {
        // With nothing on its way either, the log has the last value of each key.
        if (missing_.empty() && (number >= whole_from_ || latest_.empty())) is_torn_ = false;
        return number >= whole_from_;
    }
    for (RecordToWrite& record : records)
        missing_.insert_or_assign(std::move(record.key), std::move(record.value));
    is_torn_ = true;
    whole_from_ = next_;
    return false;
}

std::vector<Ledger::Key> Ledger::overtake(const std::vector<RecordToWrite>& records) {
    std::vector<Key> keys;
    for (const RecordToWrite& record : records) {
        if (!missing_.contains(record.key) && !latest_.contains(record.key)) continue;
        ++overtaking_[record.key];
        keys.push_back(record.key);
    }
    return keys;
}

void Ledger::overtaken(const std::vector<Key>& keys, bool is_written) {
    bool is_lost = false;
    for (const Key& key : keys) {
        const auto at = overtaking_.find(key);
        if (--at->second == 0) overtaking_.erase(at);
        if (is_written)
            missing_.erase(key);
        else
            is_lost = is_lost || missing_.contains(key);
    }
    // Appends that began meanwhile left it to this one.
    if (is_lost) whole_from_ = next_;
    if (missing_.empty() && latest_.empty()) is_torn_ = false;
}

}  // namespace leat::groups
