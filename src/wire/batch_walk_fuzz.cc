// SPDX-License-Identifier: Apache-2.0
//
// Properties: walking any bytes ends, gives whole batches in order, and stays within them; records
// that can be read are, after copying them through a builder, read back the same.
#include "base/check.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"

namespace {

using leat::wire::BatchView;
using leat::wire::RecordReader;
using leat::wire::RecordView;

constexpr std::size_t kInflatedMax = std::size_t{1} << 18;

bool same(const std::optional<leat::Bytes>& a, const std::optional<leat::Bytes>& b) {
    return a.has_value() == b.has_value() &&
           (!a || std::equal(a->begin(), a->end(), b->begin(), b->end()));
}

void walk_headers(const RecordView& record) {
    leat::wire::HeaderReader headers{record.headers};
    for (std::int32_t i = 0; i < record.headers.count; ++i) LEAT_CHECK(headers.next().has_value());
    LEAT_CHECK(!headers.next().has_value());
}

std::vector<RecordView> records_of(RecordReader& reader) {
    std::vector<RecordView> records;
    for (;;) {
        const auto record = reader.next();
        if (!record) return {};
        if (!record->has_value()) return records;
        walk_headers(**record);
        records.push_back(**record);
    }
}

void rebuild(const BatchView& batch, const std::vector<RecordView>& records) {
    leat::wire::BatchBuilder builder{leat::wire::BatchOptions::like(batch.header)};
    std::int32_t last = -1;
    for (const RecordView& record : records) {
        if (record.offset_delta <= last) return;
        last = record.offset_delta;
        builder.copy(record, batch.header.timestamp(record.timestamp_delta));
    }
    const auto built = builder.finish();
    LEAT_CHECK(built.has_value());
    const BatchView again{.header = *leat::wire::parse_batch_header(*built), .bytes = *built};
    LEAT_CHECK(again.header.size_bytes() == built->size() &&
               leat::wire::check_crc(*built).has_value());
    auto reader = RecordReader::open(again, kInflatedMax);
    LEAT_CHECK(reader.has_value());
    for (const RecordView& record : records) {
        const auto read = reader->next();
        LEAT_CHECK(read.has_value() && read->has_value());
        const RecordView& copy = **read;
        LEAT_CHECK(copy.offset_delta == record.offset_delta);
        LEAT_CHECK(again.header.timestamp(copy.timestamp_delta) ==
                   batch.header.timestamp(record.timestamp_delta));
        LEAT_CHECK(same(copy.key, record.key) && same(copy.value, record.value));
        LEAT_CHECK(copy.headers.count == record.headers.count &&
                   same(copy.headers.encoded, record.headers.encoded));
    }
    const auto end = reader->next();
    LEAT_CHECK(end.has_value() && !end->has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leat::Bytes in = std::as_bytes(std::span{data, size});
    leat::wire::BatchCursor cursor{in};
    std::size_t at = 0;
    for (;;) {
        const auto batch = cursor.next();
        if (!batch || !batch->has_value()) break;
        const BatchView& view = **batch;
        LEAT_CHECK(view.bytes.data() == in.data() + at);
        LEAT_CHECK(view.bytes.size() == view.header.size_bytes());
        at += view.bytes.size();
        LEAT_CHECK(cursor.whole_bytes() == at && at + cursor.left_bytes() == size);
        leat::ignore(leat::wire::check_crc(view.bytes), "records are read whatever the checksum");
        if (view.header.is_control())
            leat::ignore(leat::wire::read_end_marker(view), "any answer will do");
        auto reader = RecordReader::open(view, kInflatedMax);
        if (!reader) continue;
        const auto records = records_of(*reader);
        if (!records.empty()) rebuild(view, records);
    }
    return 0;
}
