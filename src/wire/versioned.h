// SPDX-License-Identifier: Apache-2.0
//
// Records of internal topics and consumers' metadata: an int16 in front tells what follows.
// Layer: wire (L2).
// Spec:  docs/reference/formats/records.md
#pragma once

#include <vector>

#include "wire/reader.h"
#include "wire/writer.h"

namespace leat::wire {

/// What to do with a version above those we know.
enum class NewerVersion : std::uint8_t {
    kRefuse,        ///< State that a newer program wrote: misread, it would be lost.
    kReadAsNewest,  ///< Consumers' metadata: new fields are only ever added at its end.
};

/// `message` behind its version. Precondition: `version` is one of its own.
template <class Message>
[[nodiscard]] std::vector<std::byte> encode_versioned(const Message& message,
                                                      std::int16_t version) {
    std::vector<std::byte> bytes(2 + encoded_size(message, version).total());
    Writer out{bytes};
    out.i16(version);
    encode(message, version, out);
    return bytes;
}

/// The key of a record behind its type.
template <class Key>
[[nodiscard]] std::vector<std::byte> encode_key(const Key& key) {
    std::vector<std::byte> bytes(2 + encoded_size(key, 0).total());
    Writer out{bytes};
    out.i16(Key::kType);
    encode(key, 0, out);
    return bytes;
}

/// The type in front of a record's key; the reader then stands at the key, to be decoded as version
/// 0. Errors: kTruncated.
[[nodiscard]] inline Result<std::int16_t> decode_type(Reader& in) {
    const std::int16_t type = in.i16();
    LEAT_TRY_VOID(in.finish());
    return type;
}

/// Reads a version and the message behind it.
/// Errors: kUnsupportedVersion; those of Reader::finish().
template <class Message>
Result<void> decode_versioned(Reader& in, NewerVersion newer, Message& out) {
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    const bool lenient = newer == NewerVersion::kReadAsNewest && version > Message::kVersions.max;
    return decode(in, lenient ? Message::kVersions.max : version, out);
}

}  // namespace leat::wire
