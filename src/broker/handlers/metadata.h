// SPDX-License-Identifier: Apache-2.0
//
// Metadata: brokers, topics and who leads them; makes topics on demand. Layer: broker (L6).
// Spec:  KIP-4, KIP-516 (topic ids), KIP-700; version 0 reads an empty list as all topics.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace leat::broker {

rt::Task<wire::MetadataResponse> handle_metadata(Request* request,
                                                 const wire::MetadataRequest* message);

}  // namespace leat::broker
