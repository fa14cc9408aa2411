// SPDX-License-Identifier: Apache-2.0
//
// Records of __consumer_offsets and __transaction_state as JSON, for `leat log dump`.
// Layer: apps (L7). Pure.
// Spec:  docs/reference/formats/records.md
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string_view>

#include "base/units.h"

namespace leat::apps {

/// A key and a value as a reader understands them.
struct DecodedRecord {
    boost::json::value key;
    boost::json::value value;  ///< Null: a tombstone.
};

/// nullopt: not a topic of this kind, or a record that nobody here understands; then the bytes are
/// all there is.
[[nodiscard]] std::optional<DecodedRecord> decode_internal(std::string_view topic,
                                                           std::optional<Bytes> key,
                                                           std::optional<Bytes> value);

}  // namespace leat::apps
