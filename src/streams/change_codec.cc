// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/change_codec.h"

#include "base/check.h"

namespace leat::streams::detail {

namespace {

constexpr char kOld = 0;
constexpr char kNew = 1;
constexpr char kBoth = 2;
constexpr unsigned kVarintBits = 7;
constexpr unsigned kVarintShiftMax = 28;  ///< Of the fifth byte, the last that 32 bits may have.

void append_varint(std::string& out, std::uint32_t value) {
    while (value > 0x7FU) {
        out.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
        value >>= kVarintBits;
    }
    out.push_back(static_cast<char>(value));
}

/// Takes a zigzag varint off the front; nothing when it is cut off, too long or negative.
std::optional<std::size_t> take_length(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kVarintShiftMax; shift += kVarintBits) {
        if (bytes.empty()) return std::nullopt;
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) != 0) continue;
        if ((value & 1U) != 0 || value > 0xFFFFFFFFU) return std::nullopt;
        return static_cast<std::size_t>(value >> 1U);
    }
    return std::nullopt;
}

}  // namespace

void append_change(std::string& out, const ChangeBytes& change) {
    LEAT_CHECK(change.now || change.before);
    if (change.now && change.before)
        append_varint(out, static_cast<std::uint32_t>(change.now->size()) << 1U);
    if (change.now) out += *change.now;
    if (change.before) out += *change.before;
    out.push_back(!change.before ? kNew : change.now ? kBoth : kOld);
}

Result<ChangeBytes> parse_change(std::string_view bytes) {
    if (bytes.empty()) return Error{Errc::kInvalidRecord, "an update of a table has no bytes"};
    const char form = bytes.back();
    bytes.remove_suffix(1);
    switch (form) {
        case kOld:
            return ChangeBytes{.before = bytes};
        case kNew:
            return ChangeBytes{.now = bytes};
        case kBoth: {
            const auto length = take_length(bytes);
            if (!length || *length > bytes.size())
                return Error{Errc::kInvalidRecord, "an update of a table is cut off"};
            return ChangeBytes{.now = bytes.substr(0, *length), .before = bytes.substr(*length)};
        }
        default:
            return Error{Errc::kInvalidRecord, "an update of a table has an unknown form"};
    }
}

}  // namespace leat::streams::detail
