// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <climits>

#include "codec/algorithms.h"

namespace leat::codec {

namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB, and a gzip header and trailer around.
constexpr std::size_t kMemberMin = 18;

// The library counts what it is handed in unsigned int.
uInt step(std::size_t size) {
    return static_cast<uInt>(std::min<std::size_t>(size, UINT_MAX));
}

Bytef* input(Bytes in) {
    // next_in is const only if ZLIB_CONST is defined; the library does not write to it.
    return reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
}

// Whether another member starts here. What does not look like one is ignored, as Java's
// GZIPInputStream ignores it.
bool is_member(Bytes in) {
    return in.size() >= kMemberMin && in[0] == std::byte{0x1F} && in[1] == std::byte{0x8B} &&
           in[2] == std::byte{8};
}

class Inflater {
  public:
    Inflater() = default;
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() {
        if (open_) inflateEnd(&stream_);
    }

    Result<void> open() {
        open_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
        if (!open_) return library_failed("zlib cannot start");
        return {};
    }

    // Inflates one member from the front of `in` and drops it there.
    Result<void> member(Bytes& in, BoundedBuffer& out) {
        if (inflateReset(&stream_) != Z_OK) return library_failed("zlib cannot restart");
        for (;;) {
            const MutableBytes room = out.room();
            const uInt in_step = step(in.size());
            const uInt out_step = step(room.size());
            stream_.next_in = input(in);
            stream_.avail_in = in_step;
            stream_.next_out = reinterpret_cast<Bytef*>(room.data());
            stream_.avail_out = out_step;
            const int status = inflate(&stream_, Z_NO_FLUSH);
            in = in.subspan(in_step - stream_.avail_in);
            out.commit(out_step - stream_.avail_out);
            if (out.overflowed()) return over_limit();
            if (status == Z_STREAM_END) return {};
            if (status == Z_MEM_ERROR) return library_failed("zlib has no memory");
            if (status == Z_BUF_ERROR || (status == Z_OK && in.empty() && stream_.avail_out > 0)) {
                return corrupt("gzip stream is cut off");
            }
            if (status != Z_OK) return corrupt("gzip stream is damaged");
        }
    }

  private:
    z_stream stream_{};
    bool open_ = false;
};

}  // namespace

Result<std::vector<std::byte>> gzip_compress(int level, Bytes in) {
    z_stream stream{};
    if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return library_failed("zlib cannot start");
    }
    std::vector<std::byte> out(deflateBound(&stream, in.size()));
    std::size_t written = 0;
    int status = Z_OK;
    while (status == Z_OK) {
        const uInt in_step = step(in.size());
        const uInt out_step = step(out.size() - written);
        stream.next_in = input(in);
        stream.avail_in = in_step;
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
        stream.avail_out = out_step;
        status = deflate(&stream, in_step == in.size() ? Z_FINISH : Z_NO_FLUSH);
        in = in.subspan(in_step - stream.avail_in);
        written += out_step - stream.avail_out;
    }
    deflateEnd(&stream);
    if (status != Z_STREAM_END) return library_failed("zlib cannot compress");
    out.resize(written);
    return out;
}

Result<std::vector<std::byte>> gzip_decompress(Bytes in, std::size_t bytes_max) {
    BoundedBuffer out{in.size(), bytes_max};
    Inflater inflater;
    LEAT_TRY_VOID(inflater.open());
    do {
        LEAT_TRY_VOID(inflater.member(in, out));
    } while (is_member(in));
    return std::move(out).take();
}

}  // namespace leat::codec
