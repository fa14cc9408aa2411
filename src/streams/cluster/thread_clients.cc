// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/thread_clients.h"

#include <vector>

#include "client/client_properties.h"

namespace leat::streams {

Result<void> ThreadClients::open(const Settings& settings, const std::string& thread) {
    if (reader == nullptr) {
        std::vector<config::Property> properties = settings.consumer;
        client::set_property(properties, "client.id", thread + "-consumer");
        LEAT_TRY(reader, client::PartitionReader::open(properties));
    }
    std::vector<config::Property> properties = settings.admin;
    client::set_property(properties, "client.id", thread + "-admin");
    if (offsets == nullptr) {
        LEAT_TRY(offsets, client::GroupOffsets::connect(properties));
    }
    if (admin == nullptr) {
        LEAT_TRY(admin, client::Admin::connect(properties));
    }
    return {};
}

void ThreadClients::close() {
    reader.reset();
    offsets.reset();
    admin.reset();
}

}  // namespace leat::streams
