// SPDX-License-Identifier: Apache-2.0
//
// How a client proves itself and checks its broker, from Java's or librdkafka's settings.
// Layer: client (L3).
// Spec:  Kafka client configs, "security.protocol", "sasl.*", "ssl.*"; librdkafka's
//        CONFIGURATION.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/sasl.h"
#include "base/result.h"
#include "config/properties.h"
#include "rt/tls_context.h"

namespace leat::client {

/// Threading: immutable, shared by connections.
struct Security {
    std::shared_ptr<const rt::TlsContext> tls;  ///< Null: no TLS.
    bool checks_host = true;                    ///< Of the broker's certificate.
    std::string mechanism;                      ///< "": no SASL.
    std::string user;
    std::string password;
    bool by_token = false;   ///< The user is a delegation token's id.
    std::string token_file;  ///< OAUTHBEARER: read for each connection.

    /// The client's side of an exchange. Errors: kInvalidSetting (a token that cannot be read).
    [[nodiscard]] Result<std::unique_ptr<auth::SaslClient>> begin() const;
};

/// Runs on: a thread that may block: files are read.
/// Errors: kInvalidSetting; no detail has a secret in it.
Result<std::shared_ptr<const Security>> security_of(
    const std::vector<config::Property>& properties);

/// The same settings as librdkafka takes them: only those of Java's that differ are changed.
/// Errors: kInvalidSetting: librdkafka cannot do what they ask for.
Result<std::vector<config::Property>> security_for_librdkafka(
    const std::vector<config::Property>& properties);

}  // namespace leat::client
