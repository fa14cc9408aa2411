// SPDX-License-Identifier: Apache-2.0
#include "client/partition_reader.h"

#include <utility>

#include "client/batch_reader.h"
#include "client/client_properties.h"
#include "client/fetch_settings.h"
#include "client/librdkafka_settings.h"
#include "client/rdkafka_reader.h"

namespace leat::client {

Result<std::unique_ptr<PartitionReader>> PartitionReader::open(
    const std::vector<Property>& properties) {
    if (needs_librdkafka(properties)) return open_rdkafka_reader(properties);
    LEAT_TRY(FetchSettings settings, fetch_settings_of(properties));
    return BatchReader::open(std::move(settings));
}

Result<void> PartitionReader::check(const std::vector<Property>& properties) {
    if (needs_librdkafka(properties)) return check_properties(properties, Role::kConsumer);
    LEAT_TRY_VOID(fetch_settings_of(properties));
    return {};
}

Result<PartitionEvent> PartitionReader::next(const TopicPartition& where) {
    Lane* found = lane(where);
    if (found == nullptr) return Error{Errc::kNotFound, where.topic};
    return next(*found);
}

}  // namespace leat::client
