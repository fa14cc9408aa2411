// SPDX-License-Identifier: Apache-2.0
//
// What tables write to their internal topics. Properties: no crash; what was read and is written
// again is the same, but for a length that was not written in its shortest form.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "leat/streams/detail/change_codec.h"
#include "leat/streams/detail/foreign_key.h"
#include "leat/streams/detail/suppress_buffer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace detail = leat::streams::detail;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (const auto change = detail::parse_change(bytes)) {
        std::string again;
        detail::append_change(again, *change);
        const auto read = detail::parse_change(again);
        if (!read || *read != *change) std::abort();
    }
    if (const auto subscription = detail::parse_subscription(bytes)) {
        std::string again;
        detail::append_subscription(again, *subscription);
        if (again != bytes) std::abort();
    }
    if (const auto answer = detail::parse_answer(bytes)) {
        std::string again;
        detail::append_answer(again, *answer);
        if (again != bytes) std::abort();
    }
    if (const auto held = detail::decode_buffered(bytes)) {
        const auto again =
            detail::decode_buffered(detail::encode_buffered(held->second, held->first));
        if (!again || again->first != held->first || again->second.now != held->second.now)
            std::abort();
    }
    return 0;
}
