// SPDX-License-Identifier: Apache-2.0
//
// A record as a client sends and receives it. Layer: client (L3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace leat::client {

struct Header {
    std::string name;
    std::optional<std::string> value;
    friend bool operator==(const Header&, const Header&) = default;
};

/// Bytes are held as text because that is what files and terminals give; they need not be UTF-8.
struct Record {
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<Header> headers;
    std::optional<std::int32_t> partition;  ///< None: the partitioner chooses.
    std::optional<WallMs> timestamp;        ///< None: now.
};

enum class TimestampType : std::uint8_t { kNone, kCreateTime, kLogAppendTime };

/// A record read from the log. Views live as long as the message they came with.
struct ReceivedRecord {
    std::string_view topic;
    std::int32_t partition = 0;
    Offset offset{};
    WallMs timestamp{-1};
    TimestampType timestamp_type = TimestampType::kNone;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::vector<Header> headers;
};

}  // namespace leat::client
