// SPDX-License-Identifier: Apache-2.0
#include "groups/ledger.h"

namespace leat::groups {

std::uint64_t Ledger::begin(std::vector<RecordToWrite>& records) {
    if (!missing_.empty()) {
        for (const RecordToWrite& record : records) missing_.erase(record.key);
        std::vector<RecordToWrite> all;
        all.reserve(missing_.size());
        for (auto& [key, value] : missing_) all.push_back({key, std::move(value)});
        missing_.clear();
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
        if (number >= whole_from_ && missing_.empty()) is_torn_ = false;
        return number >= whole_from_;
    }
    for (RecordToWrite& record : records)
        missing_.insert_or_assign(std::move(record.key), std::move(record.value));
    is_torn_ = true;
    whole_from_ = next_;
    return false;
}

}  // namespace leat::groups
