// SPDX-License-Identifier: Apache-2.0
#include "client/record_writer.h"

#include <utility>

#include "client/batch_writer.h"
#include "client/client_properties.h"
#include "client/librdkafka_settings.h"
#include "client/rdkafka_writer.h"
#include "client/write_settings.h"

namespace leat::client {

Result<std::unique_ptr<RecordWriter>> RecordWriter::open(const std::vector<Property>& properties,
                                                         OnDelivery on_delivery, Reports reports) {
    if (needs_librdkafka(properties))
        return open_rdkafka_writer(properties, std::move(on_delivery), reports);
    LEAT_TRY(WriteSettings settings, write_settings_of(properties));
    return BatchWriter::open(std::move(settings), std::move(on_delivery), reports);
}

Result<void> RecordWriter::check(const std::vector<Property>& properties) {
    if (needs_librdkafka(properties)) return check_properties(properties, Role::kProducer);
    LEAT_TRY_VOID(write_settings_of(properties));
    return {};
}

}  // namespace leat::client
