// SPDX-License-Identifier: Apache-2.0
//
// Batches as a broker sends them. Layer: client (L3), tests only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"

namespace leat::client::testing {

struct BatchKind {
    std::int64_t producer = wire::kNoProducerId;  ///< With one it is transactional.
    codec::Codec codec = codec::Codec::kNone;
};

inline Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

/// Records without keys, from `base` on.
inline std::vector<std::byte> records_at(std::int64_t base, const std::vector<std::string>& values,
                                         BatchKind kind = {}) {
    wire::BatchOptions options{.base_offset = Offset{base}, .codec = kind.codec};
    options.producer_id = kind.producer;
    options.transactional = kind.producer >= 0;
    wire::BatchBuilder builder{options};
    for (const std::string& value : values)
        builder.add({.timestamp = WallMs{1'000}, .value = bytes_of(value)});
    auto out = builder.finish();
    LEAT_CHECK(out.has_value());
    return *std::move(out);
}

inline std::vector<std::byte> marker(std::int64_t offset, std::int64_t producer, bool commits) {
    return wire::end_marker_batch({.base_offset = Offset{offset}, .producer_id = producer},
                                  {.committed = commits});
}

inline std::vector<std::byte> joined(std::initializer_list<std::vector<std::byte>> batches) {
    std::vector<std::byte> out;
    for (const auto& batch : batches) out.insert(out.end(), batch.begin(), batch.end());
    return out;
}

}  // namespace leat::client::testing
