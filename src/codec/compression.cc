// SPDX-License-Identifier: Apache-2.0
#include "codec/compression.h"

#include "codec/algorithms.h"

namespace leat::codec {

std::string_view name(Codec codec) noexcept {
    switch (codec) {
        case Codec::kNone:
            return "none";
        case Codec::kGzip:
            return "gzip";
        case Codec::kSnappy:
            return "snappy";
        case Codec::kLz4:
            return "lz4";
        case Codec::kZstd:
            return "zstd";
    }
    return "unknown";
}

std::optional<Codec> codec_from_name(std::string_view text) noexcept {
    if (text == "uncompressed") return Codec::kNone;
    for (const Codec codec :
         {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
        if (text == name(codec)) return codec;
    }
    return std::nullopt;
}

Levels levels(Codec codec) noexcept {
    switch (codec) {
        case Codec::kGzip:
            return {.least = 1, .most = 9, .fallback = -1};
        case Codec::kLz4:
            return {.least = 1, .most = 17, .fallback = 9};
        case Codec::kZstd:
            return zstd_levels();
        case Codec::kNone:
        case Codec::kSnappy:
            break;
    }
    return {.least = 0, .most = 0, .fallback = 0};
}

Result<std::vector<std::byte>> compress(Codec codec, int level, Bytes in) {
    if (!levels(codec).contains(level)) {
        return Error{Errc::kInvalidSetting, "the codec has no such compression level"};
    }
    switch (codec) {
        case Codec::kNone:
            return std::vector<std::byte>{in.begin(), in.end()};
        case Codec::kGzip:
            return gzip_compress(level, in);
        case Codec::kSnappy:
            return snappy_compress(in);
        case Codec::kLz4:
            return lz4_compress(level, in);
        case Codec::kZstd:
            return zstd_compress(level, in);
    }
    return Error{Errc::kUnsupportedCompressionType};
}

Result<std::vector<std::byte>> decompress(Codec codec, Bytes in, std::size_t bytes_max,
                                          Lz4Header lz4_header) {
    if (codec == Codec::kNone) {
        if (in.size() > bytes_max) return over_limit();
        return std::vector<std::byte>{in.begin(), in.end()};
    }
    if (in.empty()) return corrupt("compressed data is empty");
    switch (codec) {
        case Codec::kNone:
            break;
        case Codec::kGzip:
            return gzip_decompress(in, bytes_max);
        case Codec::kSnappy:
            return snappy_decompress(in, bytes_max);
        case Codec::kLz4:
            return lz4_decompress(in, bytes_max, lz4_header);
        case Codec::kZstd:
            return zstd_decompress(in, bytes_max);
    }
    return Error{Errc::kUnsupportedCompressionType};
}

}  // namespace leat::codec
