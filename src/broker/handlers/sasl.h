// SPDX-License-Identifier: Apache-2.0
//
// SaslHandshake, SaslAuthenticate, and messages of a mechanism without a header.
// Layer: broker (L6).
// Spec:  KIP-43, KIP-152, KIP-368; authentication.h.
#pragma once

#include "broker/answer.h"
#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"

namespace leat::broker {

struct Api;

rt::Task<Answer> handle_sasl_handshake(Request* request, const wire::SaslHandshakeRequest* message);
/// A failure is answered after connection.failed.authentication.delay.ms; then the connection ends.
rt::Task<Answer> handle_sasl_authenticate(Request* request,
                                          const wire::SaslAuthenticateRequest* message);

/// The frame is nothing but a message of the mechanism; so is the answer.
[[nodiscard]] const Api& raw_sasl_api() noexcept;

}  // namespace leat::broker
