// SPDX-License-Identifier: Apache-2.0
//
// Logins by a Kerberos ticket and by a token endpoint, for administration commands. Layer: apps
// (L7).
// Spec:  KIP-768 and RFC 6749, 4.4 (client credentials); Java's and librdkafka's settings.
#pragma once

#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/security.h"

namespace leat::apps {

/// What `properties` ask for. Runs on: a thread that may block; so do the helpers.
/// Errors: kInvalidSetting; no detail has a secret in it. Of the token: kSaslAuthenticationFailed
/// (the endpoint refuses), kIoError (it does not answer), kMalformed.
Result<client::LoginHelpers> login_helpers(const std::vector<client::Property>& properties);

}  // namespace leat::apps
