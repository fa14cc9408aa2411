// SPDX-License-Identifier: Apache-2.0
#include <lz4frame.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "codec/algorithms.h"

namespace leat::codec {

namespace {

// magic u32 | FLG u8 | BD u8 | content size u64, if FLG has it | header checksum u8
constexpr std::array kFrameMagic = {std::byte{0x04}, std::byte{0x22}, std::byte{0x4D},
                                    std::byte{0x18}};
constexpr std::size_t kFlagAt = 4;
constexpr std::size_t kHeaderMax = 15;
constexpr int kFlagReserved = 0x03;  // One of the two is a dictionary id today; Kafka knows none.
constexpr int kFlagContentSize = 0x08;
constexpr int kFlagIndependent = 0x20;
constexpr int kFlagVersionMask = 0xC0;
constexpr int kFlagVersion = 0x40;

// xxHash32 of less than 16 bytes, with seed 0.
std::uint32_t short_xxh32(Bytes in) {
    constexpr std::uint32_t kPrime1 = 2654435761U;
    constexpr std::uint32_t kPrime2 = 2246822519U;
    constexpr std::uint32_t kPrime3 = 3266489917U;
    constexpr std::uint32_t kPrime4 = 668265263U;
    constexpr std::uint32_t kPrime5 = 374761393U;
    LEAT_CHECK(in.size() < 16);
    std::uint32_t hash = kPrime5 + static_cast<std::uint32_t>(in.size());
    for (; in.size() >= 4; in = in.subspan(4)) {
        std::uint32_t word = 0;
        for (std::size_t i = 4; i-- > 0;) word = word << 8 | static_cast<std::uint32_t>(in[i]);
        hash = std::rotl(hash + word * kPrime3, 17) * kPrime4;
    }
    for (const std::byte byte : in) {
        hash = std::rotl(hash + static_cast<std::uint32_t>(byte) * kPrime5, 11) * kPrime1;
    }
    hash = (hash ^ hash >> 15) * kPrime2;
    hash = (hash ^ hash >> 13) * kPrime3;
    return hash ^ hash >> 16;
}

// The size of the frame header, checked for what Kafka's own reader supports: a batch that the
// Java clients cannot read must not look good here.
Result<std::size_t> header_bytes(Bytes in) {
    if (in.size() < 7) return corrupt("lz4 frame is cut off");
    if (std::memcmp(in.data(), kFrameMagic.data(), kFrameMagic.size()) != 0) {
        return corrupt("not an lz4 frame");
    }
    const int flags = static_cast<int>(in[kFlagAt]);
    if ((flags & kFlagVersionMask) != kFlagVersion || (flags & kFlagReserved) != 0) {
        return corrupt("lz4 frame of an unknown kind");
    }
    if ((flags & kFlagIndependent) == 0) return corrupt("lz4 frame has dependent blocks");
    const std::size_t size = (flags & kFlagContentSize) != 0 ? 15 : 7;
    if (in.size() < size) return corrupt("lz4 frame is cut off");
    return size;
}

struct FreeDctx {
    void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
};

class Decoder {
  public:
    Result<void> open() {
        LZ4F_dctx* context = nullptr;
        if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
            return library_failed("lz4 cannot start");
        }
        context_.reset(context);
        return {};
    }

    // Feeds all of `in`, or what of it belongs to the frame.
    Result<void> feed(Bytes in, BoundedBuffer& out) {
        while (!in.empty() && !done_) {
            LEAT_TRY_VOID(step(in, out));
        }
        return {};
    }
    // Blocks that the library holds back for want of room come out here.
    Result<void> drain(BoundedBuffer& out) {
        for (bool more = true; more && !done_;) {
            Bytes none;
            LEAT_TRY_VOID(step(none, out));
            more = written_ > 0;
        }
        return {};
    }
    [[nodiscard]] bool done() const noexcept { return done_; }

  private:
    Result<void> step(Bytes& in, BoundedBuffer& out) {
        const MutableBytes room = out.room();
        written_ = room.size();
        std::size_t read = in.size();
        const std::size_t status =
            LZ4F_decompress(context_.get(), room.data(), &written_, in.data(), &read, nullptr);
        if (LZ4F_isError(status) != 0) return corrupt("lz4 frame is damaged");
        in = in.subspan(read);
        out.commit(written_);
        if (out.overflowed()) return over_limit();
        done_ = status == 0;
        return {};
    }

    std::unique_ptr<LZ4F_dctx, FreeDctx> context_;
    std::size_t written_ = 0;
    bool done_ = false;
};

}  // namespace

Result<std::vector<std::byte>> lz4_compress(int level, Bytes in) {
    LZ4F_preferences_t how{};
    how.frameInfo.blockSizeID = LZ4F_max64KB;
    how.frameInfo.blockMode = LZ4F_blockIndependent;
    // Kafka's default level is the fast compressor, all others are the high-compression one.
    constexpr int kHighLeast = 3;
    how.compressionLevel = level == levels(Codec::kLz4).fallback ? 0 : std::max(level, kHighLeast);
    std::vector<std::byte> out(LZ4F_compressFrameBound(in.size(), &how));
    const std::size_t size = LZ4F_compressFrame(out.data(), out.size(), in.data(), in.size(), &how);
    if (LZ4F_isError(size) != 0) return library_failed("lz4 cannot compress");
    out.resize(size);
    return out;
}

Result<std::vector<std::byte>> lz4_decompress(Bytes in, std::size_t bytes_max, Lz4Header header) {
    LEAT_TRY(const std::size_t head_size, header_bytes(in));
    std::array<std::byte, kHeaderMax> head{};
    std::memcpy(head.data(), in.data(), head_size);
    if (header == Lz4Header::kUnchecked) {
        const Bytes covered = Bytes{head}.subspan(kFlagAt, head_size - kFlagAt - 1);
        head[head_size - 1] = static_cast<std::byte>(short_xxh32(covered) >> 8);
    }
    BoundedBuffer out{in.size(), bytes_max};
    Decoder decoder;
    LEAT_TRY_VOID(decoder.open());
    LEAT_TRY_VOID(decoder.feed(Bytes{head}.first(head_size), out));
    LEAT_TRY_VOID(decoder.feed(in.subspan(head_size), out));
    LEAT_TRY_VOID(decoder.drain(out));
    if (!decoder.done()) return corrupt("lz4 frame is cut off");
    return std::move(out).take();
}

}  // namespace leat::codec
