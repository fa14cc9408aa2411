// SPDX-License-Identifier: Apache-2.0
//
// The first byte picks codec and limit, the rest is the stream, or what to compress.
// Properties: whatever the stream, the result obeys the limit; a result that fits is the same under
// any larger limit, and is refused under a smaller one; what we compress comes back.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "codec/compression.h"

namespace {

using leat::codec::Codec;
using leat::codec::Lz4Header;

void check_limits(Codec codec, Lz4Header header, leat::Bytes in, std::size_t bytes_max) {
    const auto out = leat::codec::decompress(codec, in, bytes_max, header);
    if (!out) {
        const auto code = out.error().code();
        LEAT_CHECK(code == leat::Errc::kLimitExceeded || code == leat::Errc::kCorruptMessage);
        return;
    }
    LEAT_CHECK(out->size() <= bytes_max);
    const auto again = leat::codec::decompress(codec, in, bytes_max + 4096, header);
    LEAT_CHECK(again.has_value() && *again == *out);
    if (out->empty()) return;
    const auto less = leat::codec::decompress(codec, in, out->size() - 1, header);
    LEAT_CHECK(!less.has_value());
    LEAT_CHECK(less.error().code() == leat::Errc::kLimitExceeded);
}

void check_round_trip(Codec codec, leat::Bytes in) {
    const auto stream = leat::codec::compress(codec, in);
    LEAT_CHECK(stream.has_value());
    const auto back = leat::codec::decompress(codec, *stream, in.size());
    LEAT_CHECK(back.has_value());
    LEAT_CHECK(std::equal(back->begin(), back->end(), in.begin(), in.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto codec = static_cast<Codec>(1 + (data[0] & 3));
    const auto header = (data[0] & 4) != 0 ? Lz4Header::kUnchecked : Lz4Header::kChecked;
    const std::size_t bytes_max = std::size_t{1} << (data[0] >> 4) << 2;
    const leat::Bytes in = std::as_bytes(std::span{data + 1, size - 1});
    check_limits(codec, header, in, bytes_max);
    check_round_trip(codec, in);
    return 0;
}
