// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/windowed_serde.h"

#include <cstdint>
#include <limits>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kBound = sizeof(std::int64_t);
constexpr std::size_t kNumber = sizeof(std::int32_t);

Error too_short() {
    return Error{Errc::kInvalidRecord, "a windowed key is shorter than its window"};
}

}  // namespace

void TimeBounds::append(std::string& out, const Window& window) const {
    append_be(out, window.start);
    if (numbered) append_be(out, std::int32_t{0});
}

Result<SplitWindowed> TimeBounds::split(std::string_view bytes) const {
    const std::size_t behind = kBound + (numbered ? kNumber : 0);
    if (bytes.size() < behind) return too_short();
    const auto at = bytes.size() - behind;
    const auto start = read_be<std::int64_t>(bytes, at);
    constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
    if (start < 0 || start == kLast)
        return Error{Errc::kInvalidRecord, "the window of a key starts at no time"};
    const std::int64_t end = start > kLast - size.count() ? kLast : start + size.count();
    return SplitWindowed{bytes.substr(0, at), {start, end}};
}

void SessionBounds::append(std::string& out, const Window& window) {
    append_be(out, window.end);
    append_be(out, window.start);
}

Result<SplitWindowed> SessionBounds::split(std::string_view bytes) {
    if (bytes.size() < 2 * kBound) return too_short();
    const auto at = bytes.size() - 2 * kBound;
    const auto end = read_be<std::int64_t>(bytes, at);
    const auto start = read_be<std::int64_t>(bytes, at + kBound);
    if (start < 0 || end < start)
        return Error{Errc::kInvalidRecord,
                     "the session of a key ends before it starts, or starts "
                     "at no time"};
    return SplitWindowed{bytes.substr(0, at), {start, end}};
}

}  // namespace leat::streams::detail
