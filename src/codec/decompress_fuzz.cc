// SPDX-License-Identifier: Apache-2.0
//
// The first byte picks codec and limit, the rest is the stream, or what to compress.
// Properties: whatever the stream, the result obeys the limit; a result that fits is the same under
// any larger limit, and is refused under a smaller one; what we compress comes back.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "codec/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using leat::codec::Codec;
    if (size == 0) return 0;
    const auto codec = static_cast<Codec>(1 + (data[0] & 3));
    const auto header =
        (data[0] & 4) != 0 ? leat::codec::Lz4Header::kUnchecked : leat::codec::Lz4Header::kChecked;
    const std::size_t bytes_max = std::size_t{1} << (data[0] >> 4) << 2;
    const leat::Bytes in = std::as_bytes(std::span{data + 1, size - 1});

    const auto out = leat::codec::decompress(codec, in, bytes_max, header);
    if (out) {
        LEAT_CHECK(out->size() <= bytes_max);
        const auto again = leat::codec::decompress(codec, in, bytes_max + 4096, header);
        LEAT_CHECK(again.has_value() && *again == *out);
        if (!out->empty()) {
            const auto less = leat::codec::decompress(codec, in, out->size() - 1, header);
            LEAT_CHECK(!less && less.error().code() == leat::Errc::kLimitExceeded);
        }
    } else {
        const auto code = out.error().code();
        LEAT_CHECK(code == leat::Errc::kLimitExceeded || code == leat::Errc::kCorruptMessage);
    }

    const auto stream = leat::codec::compress(codec, in);
    LEAT_CHECK(stream.has_value());
    const auto back = leat::codec::decompress(codec, *stream, in.size());
    LEAT_CHECK(back.has_value() && std::equal(back->begin(), back->end(), in.begin(), in.end()));
    return 0;
}
