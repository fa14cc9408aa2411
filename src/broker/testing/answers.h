// SPDX-License-Identifier: Apache-2.0
//
// Answers as their bytes. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "broker/answer.h"
#include "rt/disk.h"
#include "wire/frame.h"

namespace leat::broker::testing {

/// The bytes of a whole answer, as they would go out.
inline std::vector<std::byte> bytes_of(const Answer& answer) {
    std::vector<std::byte> out;
    const Bytes frame = answer.frame.bytes();
    std::size_t from = 0;
    auto slice = answer.slices.begin();
    for (const wire::Splice& splice : answer.frame.splices) {
        const Bytes before = frame.subspan(from, splice.position - from);
        out.insert(out.end(), before.begin(), before.end());
        from = splice.position;
        for (std::size_t left = splice.size_bytes; left > 0; ++slice) {
            const std::size_t at = out.size();
            out.resize(at + slice->size_bytes);
            if (slice->file == nullptr) {
                std::ranges::copy(slice->bytes, out.begin() + static_cast<std::ptrdiff_t>(at));
            } else {
                const auto got = slice->file->read_at(slice->at, MutableBytes{out}.subspan(at));
                EXPECT_TRUE(got.has_value());
            }
            left -= slice->size_bytes;
        }
    }
    const Bytes rest = frame.subspan(from);
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

/// What came back, with the bytes that its views need.
template <class Response>
struct Told {
    Answer::Kind kind = Answer::Kind::kNothing;
    std::string_view close_reason;
    std::vector<std::byte> bytes;
    std::unique_ptr<Arena> arena = std::make_unique<Arena>();
    Response message;
};

/// `answer`, decoded.
template <class Response>
Told<Response> told(const Answer& answer, std::int16_t version) {
    Told<Response> out;
    out.kind = answer.kind;
    out.close_reason = answer.close_reason;
    if (answer.kind != Answer::Kind::kFrame) return out;
    out.bytes = bytes_of(answer);
    wire::Reader in{Bytes{out.bytes}.subspan(4), *out.arena};
    const auto id = wire::decode_response_header(wire::api_info(Response::kKey), version, in);
    EXPECT_TRUE(id.has_value());
    EXPECT_TRUE(decode(in, version, out.message).has_value());
    EXPECT_EQ(in.remaining(), 0U);
    return out;
}

}  // namespace leat::broker::testing
