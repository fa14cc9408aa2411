// SPDX-License-Identifier: Apache-2.0
//
// The APIs we know, their versions, and the headers before their messages. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Messages"; KIP-482 (headers of flexible versions).
#pragma once

#include <array>
#include <span>

#include "wire/api_keys.h"
#include "wire/types.h"

namespace leat::wire {

class Reader;
class Writer;

/// One API of schemas/.
struct ApiInfo {
    ApiKey key;
    std::string_view name;  ///< Kafka's name, such as "Produce".
    std::int16_t min;       ///< Versions min..max are served.
    std::int16_t max;
    std::int16_t flexible_from;  ///< kNeverFlexible if never.

    [[nodiscard]] constexpr bool serves(std::int16_t version) const noexcept {
        return version >= min && version <= max;
    }
    [[nodiscard]] constexpr bool is_flexible(std::int16_t version) const noexcept {
        return version >= flexible_from;
    }
    /// 2 with a tag section, else 1. (Header 0 belongs to ControlledShutdown, which nobody sends
    /// us.)
    [[nodiscard]] constexpr std::int16_t request_header(std::int16_t version) const noexcept {
        return is_flexible(version) ? 2 : 1;
    }
    /// 1 with a tag section, else 0. ApiVersions has always 0: a client that asked in a version we
    /// do not know must still be able to read the refusal.
    [[nodiscard]] constexpr std::int16_t response_header(std::int16_t version) const noexcept {
        return is_flexible(version) && key != ApiKey::kApiVersions ? 1 : 0;
    }
};

/// All of them, by key.
inline constexpr auto kApis = std::to_array<ApiInfo>({
#include "wire/api_table.inc"
});

/// The row of `key` as it came from the wire; nullptr when there is none.
[[nodiscard]] const ApiInfo* find_api(std::int16_t key) noexcept;
[[nodiscard]] const ApiInfo& api_info(ApiKey key) noexcept;

struct RequestHeader {
    const ApiInfo* api = nullptr;
    std::int16_t version = 0;  ///< Any number: ask api->serves().
    std::int32_t correlation_id = 0;
    std::optional<std::string_view> client_id;
};

/// Reads the header; the reader then stands at the body. A version that the API does not have is
/// not an error here, since ApiVersions has to answer it.
/// Errors: kUnsupportedVersion (no such API); those of Reader::finish().
[[nodiscard]] Result<RequestHeader> decode_request_header(Reader& in);
[[nodiscard]] EncodedSize encoded_size(const RequestHeader& header);
void encode(const RequestHeader& header, Writer& out);

/// The correlation id of a response to (`api`, `version`); the reader then stands at the body.
[[nodiscard]] Result<std::int32_t> decode_response_header(const ApiInfo& api, std::int16_t version,
                                                          Reader& in);
[[nodiscard]] std::size_t response_header_bytes(const ApiInfo& api, std::int16_t version);
void encode_response_header(const ApiInfo& api, std::int16_t version, std::int32_t correlation_id,
                            Writer& out);

}  // namespace leat::wire
