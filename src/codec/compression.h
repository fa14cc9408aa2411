// SPDX-License-Identifier: Apache-2.0
//
// The compression codecs of record batches. Layer: codec (L1).
// Spec:  docs of Kafka's topic settings compression.type and compression.<codec>.level; the formats
//        are gzip (RFC 1952), the LZ4 frame format, Zstandard (RFC 8878), and for Snappy the block
//        framing of the Java library (a magic, then length and block in turn).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat::codec {

/// The numbers are those of a batch's attributes, bits 0 to 2.
enum class Codec : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

/// nullopt for a number that no codec has.
[[nodiscard]] constexpr std::optional<Codec> codec_from_number(int number) noexcept {
    if (number < 0 || number > 4) return std::nullopt;
    return static_cast<Codec>(number);
}

/// Kafka's name, such as "zstd"; "none" for none.
[[nodiscard]] std::string_view name(Codec codec) noexcept;
/// Takes "uncompressed", the word of compression.type, for none too. nullopt for other words.
[[nodiscard]] std::optional<Codec> codec_from_name(std::string_view name) noexcept;

/// What compression.<codec>.level may be. Codecs without levels have only 0.
struct Levels {
    int least;
    int most;
    int fallback;  ///< Allowed even if outside of least..most, as gzip's -1 is.

    [[nodiscard]] constexpr bool contains(int level) const noexcept {
        return level == fallback || (level >= least && level <= most);
    }
};
[[nodiscard]] Levels levels(Codec codec) noexcept;

/// What decompress() does about the checksum in the header of an LZ4 frame.
enum class Lz4Header : std::uint8_t {
    kChecked,
    /// Clients of the time of magic 0 computed it over the wrong bytes; Kafka ignores it there.
    kUnchecked,
};

/// One complete stream of `codec`.
/// Errors: kInvalidSetting (a level that the codec does not have); kUnknownServerError (the library
///         refused, which only a lack of memory explains).
[[nodiscard]] Result<std::vector<std::byte>> compress(Codec codec, int level, Bytes in);
[[nodiscard]] inline Result<std::vector<std::byte>> compress(Codec codec, Bytes in) {
    return compress(codec, levels(codec).fallback, in);
}

/// What compress() of this or another program was given.
///
/// Limits: at most `bytes_max` bytes come out, and until then never more than twice of that is
///         allocated (and 8 MiB for LZ4's largest blocks); sizes that the stream claims are taken
///         for hints only. Bytes after the end of a gzip or LZ4 stream are ignored, as the Java
///         clients ignore them; several members (gzip) or frames (zstd) are one stream.
/// Errors: kLimitExceeded (more would come out); kCorruptMessage (not a complete stream).
[[nodiscard]] Result<std::vector<std::byte>> decompress(Codec codec, Bytes in,
                                                        std::size_t bytes_max,
                                                        Lz4Header lz4_header = Lz4Header::kChecked);

}  // namespace leat::codec
