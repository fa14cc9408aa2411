// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/partitioner.h"

#include "client/murmur2.h"

namespace leat::streams {

std::int32_t partition_for_key(std::string_view key, std::int32_t partitions) {
    return client::partition_of(key, partitions);
}

}  // namespace leat::streams
