// SPDX-License-Identifier: Apache-2.0
//
// Two forms are in use: bare blocks (librdkafka, Go) and the framing of the Java library:
//   82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version i32 | compatible version i32 | (size i32, block)...
#include <snappy.h>

#include <array>
#include <cstring>

#include "base/endian.h"
#include "codec/algorithms.h"

namespace leat::codec {

namespace {

constexpr auto kMagic = std::to_array<unsigned char>({0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0});
constexpr std::size_t kFrameHeaderBytes = 16;
constexpr std::size_t kBlockBytes = std::size_t{32} * 1024;  // As the Java library writes.
// One copy of three bytes makes at most 64: a block cannot grow by more.
constexpr std::size_t kExpansionMax = 64 / 3 + 1;

bool is_framed(Bytes in) {
    return in.size() >= kFrameHeaderBytes &&
           std::memcmp(in.data(), kMagic.data(), kMagic.size()) == 0;
}

const char* chars(Bytes in) {
    return reinterpret_cast<const char*>(in.data());
}

Result<void> append_block(Bytes block, std::size_t bytes_max, std::vector<std::byte>& out) {
    std::size_t claimed = 0;
    if (!snappy::GetUncompressedLength(chars(block), block.size(), &claimed)) {
        return corrupt("snappy block has no length");
    }
    if (claimed / kExpansionMax > block.size()) return corrupt("snappy block claims too much");
    if (claimed > bytes_max - out.size()) return over_limit();
    const std::size_t at = out.size();
    out.resize(at + claimed);
    auto* to = reinterpret_cast<char*>(out.data() + at);
    if (!snappy::RawUncompress(chars(block), block.size(), to)) {
        return corrupt("snappy block is damaged");
    }
    return {};
}

Result<void> skip_frame_header(Bytes& in) {
    if (!is_framed(in)) return corrupt("snappy stream is cut off or damaged");
    if (load_be<std::int32_t>(in.data() + kMagic.size()) < 1) {
        return corrupt("snappy stream has an unknown version");
    }
    in = in.subspan(kFrameHeaderBytes);
    return {};
}

}  // namespace

Result<std::vector<std::byte>> snappy_compress(Bytes in) {
    const std::size_t blocks = (in.size() + kBlockBytes - 1) / kBlockBytes;
    std::vector<std::byte> out(kFrameHeaderBytes +
                               blocks * (4 + snappy::MaxCompressedLength(kBlockBytes)));
    std::memcpy(out.data(), kMagic.data(), kMagic.size());
    store_be<std::int32_t>(out.data() + 8, 1);
    store_be<std::int32_t>(out.data() + 12, 1);
    std::size_t at = kFrameHeaderBytes;
    while (!in.empty()) {
        const Bytes block = in.first(std::min(in.size(), kBlockBytes));
        std::size_t size = 0;
        snappy::RawCompress(chars(block), block.size(),
                            reinterpret_cast<char*>(out.data() + at + 4), &size);
        store_be(out.data() + at, static_cast<std::int32_t>(size));
        at += 4 + size;
        in = in.subspan(block.size());
    }
    out.resize(at);
    return out;
}

Result<std::vector<std::byte>> snappy_decompress(Bytes in, std::size_t bytes_max) {
    std::vector<std::byte> out;
    if (!is_framed(in)) {
        LEAT_TRY_VOID(append_block(in, bytes_max, out));
        return out;
    }
    LEAT_TRY_VOID(skip_frame_header(in));
    while (!in.empty()) {
        if (in[0] == std::byte{kMagic[0]}) {  // Another stream behind: no block is that large.
            LEAT_TRY_VOID(skip_frame_header(in));
            continue;
        }
        if (in.size() < 4) return corrupt("snappy stream is cut off");
        const auto size = load_be<std::uint32_t>(in.data());
        in = in.subspan(4);
        if (size > in.size()) return corrupt("snappy stream is cut off");
        LEAT_TRY_VOID(append_block(in.first(size), bytes_max, out));
        in = in.subspan(size);
    }
    return out;
}

}  // namespace leat::codec
