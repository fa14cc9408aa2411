// SPDX-License-Identifier: Apache-2.0
#include "client/member_assignment.h"

#include "base/arena.h"
#include "wire/reader.h"

namespace leat::client {

std::vector<TopicPartition> parse_member_assignment(Bytes bytes) {
    // The format is version (int16), then an array of {topic, array of int32}, then user data: each
    // of a size the reader checks against what is left, so the loops are bounded by the bytes.
    Arena arena;
    wire::Reader in{bytes, arena};
    std::vector<TopicPartition> out;
    in.i16();
    const std::int32_t topics = in.i32();
    for (std::int32_t t = 0; t < topics && !in.failed(); ++t) {
        const std::string topic{in.string(false)};
        const std::int32_t partitions = in.i32();
        for (std::int32_t p = 0; p < partitions && !in.failed(); ++p) {
            const std::int32_t id = in.i32();
            if (!in.failed()) out.push_back({topic, id});
        }
    }
    if (in.failed()) out.clear();
    return out;
}

}  // namespace leat::client
