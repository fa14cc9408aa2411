// SPDX-License-Identifier: Apache-2.0
#include "groups/ledger.h"

namespace leat::groups {

std::uint64_t Ledger::begin(std::vector<RecordToWrite>& records) {
    if (!missing_.empty()) {
        for (const RecordToWrite& record : records) missing_.erase(record.key);
        std::vector<RecordToWrite> all;
        for (auto& [key, value] : missing_) all.push_back({key, std::move(value)});
        missing_.clear();
        all.insert(all.end(), std::make_move_iterator(records.begin()),
                   std::make_move_iterator(records.end()));
        records = std::move(all);
    }
    return next_++;
}

bool Ledger::end(std::uint64_t number, std::vector<RecordToWrite> records, bool is_written) {
    if (is_written) {
        for (const RecordToWrite& record : records) missing_.erase(record.key);
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
