// SPDX-License-Identifier: Apache-2.0
//
// Properties: whatever a broker sends as records, reading it ends, each record lies within its
// batch and at or behind no end that was promised, and the next fetch is never in front of this
// one. Input: a byte of rules, then the records.
#include "client/fetched.h"

#include "base/check.h"

namespace {

constexpr std::size_t kInflatedMax = std::size_t{1} << 18;

void read_all(const leat::client::Fetched& fetched) {
    leat::client::RecordCursor cursor;
    leat::wire::RecordView record;
    for (const leat::wire::BatchView& batch : fetched.batches) {
        LEAT_CHECK(batch.header.last_offset() < fetched.next);
        if (!cursor.open(batch, fetched.memory, kInflatedMax)) continue;
        while (cursor.left() > 0 && cursor.take(record) == nullptr) {
            const leat::Offset offset = cursor.header().offset(record.offset_delta);
            LEAT_CHECK(offset >= batch.header.base_offset && offset < fetched.next);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const leat::client::FetchRules rules{.committed_only = (data[0] & 1U) != 0,
                                         .checks_crc = (data[0] & 2U) != 0,
                                         .inflated_bytes_max = kInflatedMax};
    const leat::Bytes in = std::as_bytes(std::span{data + 1, size - 1});
    const auto memory = leat::client::KeptRef::of({in.begin(), in.end()});
    leat::wire::FetchResponse::PartitionData answer;
    leat::wire::FetchResponse::AbortedTransaction aborted[] = {
        {.producer_id = 1, .first_offset = 0}, {.producer_id = 0, .first_offset = 2}};
    answer.aborted_transactions = aborted;
    answer.records = memory.view();
    const leat::Offset from{static_cast<std::int64_t>(data[0] >> 4U)};
    const auto fetched = leat::client::read_fetched(answer, memory, from, rules);
    LEAT_CHECK(fetched.next >= from && !fetched.end);
    read_all(fetched);
    return 0;
}
