// SPDX-License-Identifier: Apache-2.0
//
// A batch that a test's broker was sent, and how it counts sequences. Layer: client (L3), tests
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "client/consumer.h"
#include "wire/record_batch.h"
#include "wire/record_reader.h"

namespace leat::client::testing {

/// One batch of one request.
struct Written {
    int node = -1;
    std::int16_t version = -1;
    int request = 0;  ///< Its number.
    TopicPartition where;
    wire::BatchHeader header;
    std::vector<std::string> values;
    std::vector<std::optional<std::string>> keys;
    std::optional<std::string> transactional_id;
};

inline Written read_written(const Bytes bytes) {
    Written out;
    const auto header = wire::parse_batch_header(bytes);
    LEAT_CHECK(header.has_value() && wire::check_crc(bytes));
    LEAT_CHECK(header->size_bytes() == bytes.size());
    out.header = *header;
    auto reader = wire::RecordReader::open({*header, bytes}, std::size_t{64} << 20U);
    LEAT_CHECK(reader.has_value());
    for (;;) {
        const auto record = reader->next();
        LEAT_CHECK(record.has_value());
        if (!*record) return out;
        const auto text = [](const Bytes& view) {
            return std::string{reinterpret_cast<const char*>(view.data()), view.size()};
        };
        out.values.push_back((*record)->value ? text(*(*record)->value) : "null");
        auto& key = out.keys.emplace_back();
        if ((*record)->key) key = text(*(*record)->key);
    }
}

/// Of one producer in one partition. Threading: not synchronised.
struct Counted {
    std::int16_t epoch = -1;
    std::int32_t next = 0;
    std::int32_t last = -1;  ///< The base sequence of the last batch.

    /// `starts_at_zero`: even who is not known.
    Errc take(const wire::BatchHeader& header, bool starts_at_zero) {
        if (!header.has_producer_id()) return Errc::kNone;
        if (header.producer_epoch < epoch) return Errc::kInvalidProducerEpoch;
        if (header.producer_epoch == epoch) {
            if (header.base_sequence == last) return Errc::kDuplicateSequenceNumber;
            if (header.base_sequence != next) return Errc::kOutOfOrderSequenceNumber;
        } else if (header.base_sequence != 0 && (epoch >= 0 || starts_at_zero)) {
            return Errc::kOutOfOrderSequenceNumber;
        }
        *this = {.epoch = header.producer_epoch,
                 .next = header.base_sequence + header.record_count,
                 .last = header.base_sequence};
        return Errc::kNone;
    }
};

}  // namespace leat::client::testing
