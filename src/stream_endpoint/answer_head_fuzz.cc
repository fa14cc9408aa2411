// SPDX-License-Identifier: Apache-2.0
//
// The head of an answer as a peer sends it, and what stands behind '?'. Properties: no crash; a
// head that is read has a status of three digits; a position that is read, told and read again is
// the same.
#include "stream_endpoint/answer_head.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "stream_endpoint/parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace endpoint = leat::stream_endpoint;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto head = endpoint::parse_answer_head(text);
    if (head && (head->status < 100 || head->status > 999)) std::abort();
    const auto parameters = endpoint::Parameters::parse(text);
    if (parameters) static_cast<void>(parameters->find("key"));
    const auto position = endpoint::parse_position(text);
    if (!position) return 0;
    const auto again = endpoint::parse_position(endpoint::position_text(*position));
    if (!again || *again != *position) std::abort();
    return 0;
}
