// SPDX-License-Identifier: Apache-2.0
//
// RecordWriter by librdkafka, for settings that ask for what our connections lack. Layer: client
// (L3), on librdkafka. Internal to client.
#pragma once

#include <memory>
#include <vector>

#include "client/record_writer.h"

namespace leat::client {

/// As RecordWriter::open().
Result<std::unique_ptr<RecordWriter>> open_rdkafka_writer(const std::vector<Property>& properties,
                                                          RecordWriter::OnDelivery on_delivery,
                                                          RecordWriter::Reports reports);

}  // namespace leat::client
