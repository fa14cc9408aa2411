// SPDX-License-Identifier: Apache-2.0
//
// The index files of a segment and its leader epochs, by the first byte. Properties: no input
// crashes; the entries that count as valid are in order and whole, and one more would not be;
// epochs that are accepted come back the same.
#include <cstdint>
#include <span>
#include <string_view>

#include "base/check.h"
#include "storage/leader_epochs.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"

namespace {

using leat::Bytes;
using namespace leat::storage;  // NOLINT(google-build-using-namespace): a program of its own.

template <class Entry, class Before>
void check_order(Bytes file, std::size_t count, Before before) {
    LEAT_CHECK(count * Entry::kBytes <= file.size());
    for (std::size_t i = 1; i < count; ++i) {
        const std::byte* at = file.data() + i * Entry::kBytes;
        LEAT_CHECK(before(Entry::get(at - Entry::kBytes), Entry::get(at)));
    }
}

void check_epochs(Bytes file) {
    const std::string_view text{reinterpret_cast<const char*>(file.data()), file.size()};
    auto epochs = LeaderEpochs::decode(text);
    if (!epochs) return;
    const auto again = LeaderEpochs::decode(epochs->encode());
    LEAT_CHECK(again && again->entries() == epochs->entries());
    const leat::Offset end{INT64_MAX};
    for (const EpochStart& entry : epochs->entries())
        LEAT_CHECK(epochs->end_of(entry.epoch, end).first == entry.epoch);
    epochs->truncate_start({100});
    epochs->truncate_end({1000});
    LEAT_CHECK(LeaderEpochs::decode(epochs->encode()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes file = std::as_bytes(std::span{data + 1, size - 1});
    switch (data[0] % 4) {
        case 0:
            check_order<OffsetEntry>(file, OffsetIndex::valid_entries(file),
                                     [](const OffsetEntry& a, const OffsetEntry& b) {
                                         return a.relative >= 0 && a.relative < b.relative &&
                                                a.position >= 0 && a.position < b.position;
                                     });
            break;
        case 1:
            check_order<TimeEntry>(file, TimeIndex::valid_entries(file),
                                   [](const TimeEntry& a, const TimeEntry& b) {
                                       return a.timestamp >= 0 && a.timestamp < b.timestamp &&
                                              a.relative >= 0 && a.relative <= b.relative;
                                   });
            break;
        case 2:
            check_order<TxnEntry>(file, TxnIndex::valid_entries(file, {0}),
                                  [](const TxnEntry& a, const TxnEntry& b) {
                                      return a.first <= a.last && a.last < b.last;
                                  });
            break;
        default:
            check_epochs(file);
    }
    return 0;
}
