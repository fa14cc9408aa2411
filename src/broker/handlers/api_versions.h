// SPDX-License-Identifier: Apache-2.0
//
// ApiVersions: what this broker speaks. Layer: broker (L6).
// Spec:  KIP-35, KIP-511 (client's name), KIP-584 (features).
#pragma once

#include "broker/answer.h"
#include "broker/request.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace leat::broker {

wire::ApiVersionsResponse handle_api_versions(Request& request,
                                              const wire::ApiVersionsRequest& message);

/// For a version that we do not know: version 0 with error 35 and the row of ApiVersions, so that
/// the client comes back with ours (Kafka since 2.4).
Answer refuse_api_versions(const Request& request);

}  // namespace leat::broker
