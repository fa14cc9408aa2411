// SPDX-License-Identifier: Apache-2.0
//
// Answers as JSON. Layer: stream_endpoint (L7). Pure.
// Spec:  docs/reference/streams-endpoint.md.
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "leat/stream_endpoint/endpoint.h"
#include "leat/streams/application.h"

namespace leat::stream_endpoint {

/// What went wrong, by a name that programs may rely on and a sentence for people.
[[nodiscard]] http::Response refusal(std::int16_t status, std::string_view code,
                                     std::string_view message);
[[nodiscard]] http::Response json_response(std::string body);

/// The answer of one partition. `address`: of this instance; empty when it has none.
/// Errors: kInvalidRecord (what is stored is of other types).
Result<std::string> partition_text(const ExposedStore& store,
                                   const streams::detail::RawQuery& query,
                                   const streams::detail::RawAnswer& answer,
                                   std::string_view address);
/// Answers of partitions, each as above.
[[nodiscard]] std::string partitions_text(std::string_view store,
                                          const std::vector<std::string>& partitions);
/// Which stores there are and who has their partitions.
[[nodiscard]] std::string owners_text(std::string_view store,
                                      const std::vector<streams::KeyQueryMetadata>& partitions);

/// Text in quotes; what is no UTF-8 in it is left out.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace leat::stream_endpoint
