// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>
#include <zstd_errors.h>

#include <memory>

#include "codec/algorithms.h"

namespace leat::codec {

namespace {

// 8 MiB: what every client's decoder accepts without being told to.
constexpr int kWindowLogMax = 23;

struct FreeCctx {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct FreeDctx {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

// Levels from 20 on have larger windows. Data that fits into the window loses nothing by the bound.
bool limit_window(ZSTD_CCtx* context, int level, std::size_t in_bytes) {
    constexpr int kLargeWindowLevel = 20;
    if (level < kLargeWindowLevel || in_bytes <= (std::size_t{1} << kWindowLogMax)) return true;
    return ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kWindowLogMax)) == 0;
}

// Room to try first. The claim is believed only as far as data of this size commonly expands.
std::size_t first_guess(Bytes in, std::size_t bytes_max) {
    constexpr std::size_t kBelievedMin = std::size_t{64} * 1024;
    constexpr std::size_t kBelievedExpansion = 16;
    const std::size_t believed = in.size() > SIZE_MAX / kBelievedExpansion
                                     ? SIZE_MAX
                                     : std::max(kBelievedExpansion * in.size(), kBelievedMin);
    const unsigned long long claim = ZSTD_getFrameContentSize(in.data(), in.size());
    const bool claimed = claim != ZSTD_CONTENTSIZE_UNKNOWN && claim != ZSTD_CONTENTSIZE_ERROR;
    return std::min({claimed ? static_cast<std::size_t>(claim) : believed, believed, bytes_max});
}

// The library may know the formats from before the first release too; nobody sends those, and their
// decoders are not what hostile input should reach.
Result<void> check_frames(Bytes in) {
    constexpr std::uint32_t kSkippableMask = 0xFFFF'FFF0;
    while (!in.empty()) {
        if (in.size() < 4) return corrupt("zstd stream is cut off");
        std::uint32_t magic = 0;
        for (std::size_t i = 4; i-- > 0;) magic = magic << 8 | static_cast<std::uint32_t>(in[i]);
        if (magic != ZSTD_MAGICNUMBER && (magic & kSkippableMask) != ZSTD_MAGIC_SKIPPABLE_START) {
            return corrupt("not a zstd frame");
        }
        const std::size_t size = ZSTD_findFrameCompressedSize(in.data(), in.size());
        if (ZSTD_isError(size) != 0) return corrupt(ZSTD_getErrorName(size));
        in = in.subspan(size);
    }
    return {};
}

}  // namespace

Levels zstd_levels() noexcept {
    return {.least = ZSTD_minCLevel(), .most = ZSTD_maxCLevel(), .fallback = ZSTD_CLEVEL_DEFAULT};
}

Result<std::vector<std::byte>> zstd_compress(int level, Bytes in) {
    const std::unique_ptr<ZSTD_CCtx, FreeCctx> context{ZSTD_createCCtx()};
    if (context == nullptr ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level)) != 0 ||
        !limit_window(context.get(), level, in.size())) {
        return library_failed("zstd cannot start");
    }
    std::vector<std::byte> out(ZSTD_compressBound(in.size()));
    const std::size_t size =
        ZSTD_compress2(context.get(), out.data(), out.size(), in.data(), in.size());
    if (ZSTD_isError(size) != 0) return library_failed(ZSTD_getErrorName(size));
    out.resize(size);
    return out;
}

// Whole frames are decoded straight into the result, which then serves as the window: whatever
// window a frame claims (up to 128 MiB from clients at level 22), none is allocated. The price is
// to begin anew when the room was too small; it grows fourfold, so that costs a third at most.
Result<std::vector<std::byte>> zstd_decompress(Bytes in, std::size_t bytes_max) {
    LEAT_TRY_VOID(check_frames(in));
    const std::unique_ptr<ZSTD_DCtx, FreeDctx> context{ZSTD_createDCtx()};
    if (context == nullptr) return library_failed("zstd cannot start");
    std::size_t room = first_guess(in, bytes_max);
    for (;;) {
        std::vector<std::byte> out(room);
        const std::size_t size =
            ZSTD_decompressDCtx(context.get(), out.data(), out.size(), in.data(), in.size());
        if (ZSTD_isError(size) == 0) {
            out.resize(size);
            return out;
        }
        const ZSTD_ErrorCode code = ZSTD_getErrorCode(size);
        if (code == ZSTD_error_memory_allocation) return library_failed("zstd has no memory");
        if (code != ZSTD_error_dstSize_tooSmall) return corrupt(ZSTD_getErrorName(size));
        if (room >= bytes_max) return over_limit();
        room = room > bytes_max / 4 ? bytes_max
                                    : std::min(bytes_max, std::max<std::size_t>(4 * room, 4096));
    }
}

}  // namespace leat::codec
