// SPDX-License-Identifier: Apache-2.0
//
// GetTelemetrySubscriptions, PushTelemetry. Layer: broker (L6).
#pragma once

#include "broker/request.h"
#include "wire/messages/get_telemetry_subscriptions_request.h"
#include "wire/messages/get_telemetry_subscriptions_response.h"
#include "wire/messages/push_telemetry_request.h"
#include "wire/messages/push_telemetry_response.h"

namespace leat::broker {

wire::GetTelemetrySubscriptionsResponse handle_get_telemetry_subscriptions(
    Request& request, const wire::GetTelemetrySubscriptionsRequest& message);
wire::PushTelemetryResponse handle_push_telemetry(Request& request,
                                                  const wire::PushTelemetryRequest& message);

}  // namespace leat::broker
