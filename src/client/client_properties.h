// SPDX-License-Identifier: Apache-2.0
//
// A client's settings under Kafka's (Java) names, and how librdkafka calls them. Layer: client
// (L3). Spec:  https://kafka.apache.org/documentation (client configs); librdkafka's
// CONFIGURATION.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/properties.h"

namespace leat::client {

using config::Property;

/// Ours: the bytes that a consumer fetches ahead of processing, over all of its partitions. Kafka
/// Streams has the name without "leat." for all threads together (KIP-770).
inline constexpr std::string_view kInputBufferBytes = "leat.input.buffer.max.bytes";

/// For which kind of client settings are translated; those of the other kind are accepted without
/// effect, so that one file serves both.
enum class Role : unsigned char { kProducer, kConsumer };

/// `properties` as librdkafka takes them. Java's names and values are translated, librdkafka's own
/// pass. Settings that have no meaning here (serializers and the like) are dropped.
///
/// Errors: kInvalidSetting, naming setting and line, for a value that cannot be translated.
[[nodiscard]] Result<std::vector<Property>> to_librdkafka(const std::vector<Property>& properties,
                                                          Role role);

/// The value as a number of bytes. Errors: kInvalidSetting, naming setting and line.
[[nodiscard]] Result<std::int64_t> bytes_in(const Property& property);

/// Whether a client has a setting of this name: ours, Java's or librdkafka's, with an effect or
/// not.
[[nodiscard]] bool is_client_setting(std::string_view name);

/// Whether a client of librdkafka's would take all of them, without making one.
/// Errors: as to_librdkafka(), and what librdkafka says of a value.
[[nodiscard]] Result<void> check_properties(const std::vector<Property>& properties, Role role);

/// The last value of `name`; empty when absent.
[[nodiscard]] std::string_view find_property(const std::vector<Property>& properties,
                                             std::string_view name);

/// Sets or adds.
void set_property(std::vector<Property>& properties, std::string_view name, std::string_view value);

}  // namespace leat::client
