// SPDX-License-Identifier: Apache-2.0
//
// All messages by name, for tests and fuzz targets. Layer: wire (L2), test-only.
#pragma once

#include <string>
#include <vector>

#include "wire/types.h"

namespace leat::wire::testing {

/// What became of some bytes: decoded, printed, and encoded again.
struct RoundTrip {
    Result<void> decoded;
    std::string text;              ///< The fields of the version: {name:value,...}.
    std::vector<std::byte> bytes;  ///< Encoded again.
    std::size_t measured = 0;      ///< encoded_size(): must be bytes.size().
    std::size_t left_over = 0;     ///< Bytes of the input after the message.
    std::size_t memory_bytes = 0;  ///< What the arena took from the heap.
};

/// One message of schemas/; the rows are generated.
struct Entry {
    std::string_view stem;  ///< Of the schema file; with "record_" in front for a record.
    std::string_view part;  ///< request, response, key or value.
    VersionRange versions;
    RoundTrip (*round_trip)(Bytes body, std::int16_t version);
    /// "Struct.field - value" for each field of each struct as it stands before decoding.
    void (*defaults)(std::vector<std::string>& out);
};

[[nodiscard]] std::span<const Entry> catalog();

}  // namespace leat::wire::testing
