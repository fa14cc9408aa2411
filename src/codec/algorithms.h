// SPDX-License-Identifier: Apache-2.0
//
// The codecs one by one, behind codec/compression.h. Layer: codec (L1).
// Levels are checked by the caller; errors and limits are those of compression.h.
#pragma once

#include "codec/bounded_buffer.h"
#include "codec/compression.h"

namespace leat::codec {

[[nodiscard]] Result<std::vector<std::byte>> gzip_compress(int level, Bytes in);
[[nodiscard]] Result<std::vector<std::byte>> gzip_decompress(Bytes in, std::size_t bytes_max);

[[nodiscard]] Result<std::vector<std::byte>> snappy_compress(Bytes in);
[[nodiscard]] Result<std::vector<std::byte>> snappy_decompress(Bytes in, std::size_t bytes_max);

[[nodiscard]] Result<std::vector<std::byte>> lz4_compress(int level, Bytes in);
[[nodiscard]] Result<std::vector<std::byte>> lz4_decompress(Bytes in, std::size_t bytes_max,
                                                            Lz4Header header);

[[nodiscard]] Levels zstd_levels() noexcept;
[[nodiscard]] Result<std::vector<std::byte>> zstd_compress(int level, Bytes in);
[[nodiscard]] Result<std::vector<std::byte>> zstd_decompress(Bytes in, std::size_t bytes_max);

[[nodiscard]] inline Error corrupt(std::string_view detail) {
    return Error{Errc::kCorruptMessage, detail};
}
[[nodiscard]] inline Error over_limit() {
    return Error{Errc::kLimitExceeded, "decompressed data is larger than allowed"};
}
[[nodiscard]] inline Error library_failed(std::string_view detail) {
    return Error{Errc::kUnknownServerError, detail};
}

}  // namespace leat::codec
