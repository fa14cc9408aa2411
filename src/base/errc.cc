// SPDX-License-Identifier: Apache-2.0
#include "base/errc.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace leat {
namespace {

constexpr auto kRows = std::to_array<ErrcInfo>({
#define LEAT_ERRC(enumerator, code, name, retriable, http, doc) \
    ErrcInfo{Errc::enumerator, name, retriable, http, doc},
#include "base/errc.def"
#undef LEAT_ERRC
});
static_assert(std::ranges::is_sorted(kRows, {}, &ErrcInfo::code));

constexpr std::int16_t kFirstOwn = 1000;

const ErrcInfo* find(Errc code) {
    const auto row = std::ranges::lower_bound(kRows, code, {}, &ErrcInfo::code);
    return row != kRows.end() && row->code == code ? &*row : nullptr;
}

}  // namespace

const ErrcInfo& info(Errc code) {
    const ErrcInfo* row = find(code);
    LEAT_CHECK(row != nullptr);
    return *row;
}

Errc errc_from_wire(std::int16_t code) {
    const bool known = code < kFirstOwn && find(static_cast<Errc>(code)) != nullptr;
    return known ? static_cast<Errc>(code) : Errc::kUnknownServerError;
}

std::int16_t wire_code(Errc code) {
    if (static_cast<std::int16_t>(code) < kFirstOwn) return static_cast<std::int16_t>(code);
    if (is_shortage(code) || code == Errc::kIoError || code == Errc::kOffline ||
        code == Errc::kQuarantined || code == Errc::kCorruptIndex)
        return static_cast<std::int16_t>(Errc::kKafkaStorageError);
    if (code == Errc::kMalformed || code == Errc::kTruncated)
        return static_cast<std::int16_t>(Errc::kInvalidRequest);
    if (code == Errc::kTimedOut) return static_cast<std::int16_t>(Errc::kRequestTimedOut);
    return static_cast<std::int16_t>(Errc::kUnknownServerError);
}

}  // namespace leat
