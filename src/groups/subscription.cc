// SPDX-License-Identifier: Apache-2.0
#include "groups/subscription.h"

#include "wire/reader.h"

namespace leat::groups {

Result<std::vector<std::string_view>> subscribed_topics(Bytes subscription) {
    Arena arena;
    wire::Reader in{subscription, arena};
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (version < 0) return Error{Errc::kMalformed, "negative version of a subscription"};
    const std::span<std::string_view> topics = in.array<std::string_view>(false, 2);
    for (std::string_view& topic : topics) {
        topic = in.string(false);
        if (in.failed()) break;
    }
    LEAT_TRY_VOID(in.finish());
    return std::vector<std::string_view>(topics.begin(), topics.end());
}

}  // namespace leat::groups
