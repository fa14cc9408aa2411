// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

namespace leat::wire {

Frame new_frame(EncodedSize size) {
    LEAT_CHECK(size.total() <= INT32_MAX);
    Frame frame;
    frame.size_bytes = 4 + size.inline_bytes;
    frame.data = std::make_unique_for_overwrite<std::byte[]>(frame.size_bytes);
    store_be(frame.data.get(), static_cast<std::int32_t>(size.total()));
    return frame;
}

}  // namespace leat::wire
