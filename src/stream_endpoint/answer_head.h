// SPDX-License-Identifier: Apache-2.0
//
// The head of an HTTP answer, as another instance sends it. Layer: stream_endpoint (L7). Pure.
// Spec:  RFC 9112; answers without Content-Length are refused, as instances always tell it.
// Threading: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace leat::stream_endpoint {

struct AnswerHead {
    std::int16_t status = 0;
    std::size_t body_bytes = 0;
};

/// `head`: up to and including the empty line. Errors: kMalformed.
Result<AnswerHead> parse_answer_head(std::string_view head);

}  // namespace leat::stream_endpoint
