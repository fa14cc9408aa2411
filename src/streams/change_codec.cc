// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/change_codec.h"

#include "base/check.h"
#include "streams/serdes/varint_text.h"

namespace leat::streams::detail {

namespace {

constexpr char kOld = 0;
constexpr char kNew = 1;
constexpr char kBoth = 2;

}  // namespace

void append_change(std::string& out, const ChangeBytes& change) {
    LEAT_CHECK(change.now || change.before);
    if (change.now && change.before)
        append_varint(out, static_cast<std::int32_t>(change.now->size()));
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
            const auto length = take_varint(bytes);
            if (!length || *length < 0 || static_cast<std::size_t>(*length) > bytes.size())
                return Error{Errc::kInvalidRecord, "an update of a table is cut off"};
            const auto now = static_cast<std::size_t>(*length);
            return ChangeBytes{.now = bytes.substr(0, now), .before = bytes.substr(now)};
        }
        default:
            return Error{Errc::kInvalidRecord, "an update of a table has an unknown form"};
    }
}

}  // namespace leat::streams::detail
