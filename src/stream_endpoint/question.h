// SPDX-License-Identifier: Apache-2.0
//
// What an address asks of a store. Layer: stream_endpoint (L7). Pure.
// Spec:  docs/reference/streams-endpoint.md.
// Threading: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/message.h"
#include "leat/stream_endpoint/endpoint.h"
#include "leat/streams/detail/raw_query.h"

namespace leat::stream_endpoint {

struct Question {
    const ExposedStore* store = nullptr;
    streams::detail::RawQuery query{};
    streams::Position at_least{};
    std::size_t rows_max = 0;
    std::optional<std::int32_t> partition{};  ///< Absent: of the key, or all.
    bool stale = false;                       ///< Standbys may answer too.
    bool was_forwarded = false;
    std::string target{};  ///< Path and what is behind '?', to ask others the same.

    /// It asks for one key, which may not be there.
    [[nodiscard]] bool is_lookup() const noexcept;
    /// `target`, of one partition.
    [[nodiscard]] std::string target_of(std::int32_t of) const;
};

/// The question, or why there is none.
std::variant<Question, http::Response> parse_question(const http::Request& request,
                                                      const std::vector<ExposedStore>& stores,
                                                      std::size_t rows_max);

}  // namespace leat::stream_endpoint
