// SPDX-License-Identifier: Apache-2.0
//
// Properties: however a stream is cut into reads, the same frames come out and it ends in the same
// way; what is held stays within four times of what has arrived, or 64 KiB.
// Input: the first byte seeds the cuts, the rest is the stream.
#include "broker/frame_reader.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"

namespace {

using leat::Bytes;
using leat::MutableBytes;
using leat::broker::BufferPool;
using leat::broker::FrameReader;

constexpr std::size_t kFrameMax = 1 << 20;
constexpr std::size_t kScratch = 256;

struct Outcome {
    std::vector<std::string> frames;
    bool failed = false;
    bool operator==(const Outcome&) const = default;
};

Outcome read(Bytes stream, std::uint32_t seed) {
    BufferPool pool{0};
    FrameReader reader;
    std::vector<std::byte> scratch(kScratch);
    Outcome out;
    std::size_t arrived = 0;
    while (!stream.empty()) {
        const MutableBytes space = reader.space(scratch);
        LEAT_CHECK(!space.empty());
        seed = seed * 1'664'525 + 1'013'904'223;
        const std::size_t wanted = seed == 0 ? kScratch : 1 + (seed >> 16) % (2 * kScratch);
        const std::size_t n = std::min({space.size(), stream.size(), wanted});
        std::memcpy(space.data(), stream.data(), n);
        stream = stream.subspan(n);
        arrived += n;
        reader.filled(n);
        for (;;) {
            auto frame = reader.next(pool, kFrameMax);
            if (!frame.has_value()) {
                out.failed = true;
                return out;
            }
            LEAT_CHECK(reader.held_bytes() <= std::max(FrameReader::kUnprovenMax, 4 * arrived));
            if (!frame->has_value()) break;
            const Bytes bytes = (*frame)->bytes();
            out.frames.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            if ((seed & 1U) != 0) reader.stash(pool);
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes stream = std::as_bytes(std::span{data, size}).subspan(1);
    LEAT_CHECK(read(stream, data[0]) == read(stream, data[0] + 7919U));
    return 0;
}
