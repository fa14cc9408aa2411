// SPDX-License-Identifier: Apache-2.0
//
// How a client proves itself and checks its broker, from Java's or librdkafka's settings.
// Layer: client (L3).
// Spec:  Kafka client configs, "security.protocol", "sasl.*", "ssl.*"; librdkafka's
//        CONFIGURATION.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/sasl.h"
#include "base/result.h"
#include "config/properties.h"
#include "rt/tls_context.h"

namespace leat::client {

/// What a login may need beyond this module: libraries that an application of streams, which links
/// it too, would have to bring. What is empty cannot be done.
struct LoginHelpers {
    /// GSSAPI: the exchange with the broker of this host.
    std::function<std::unique_ptr<auth::SaslClient>(const std::string& host)> ticket = {};
    /// OAUTHBEARER: a token that holds now, as the token endpoint gives it.
    std::function<Result<std::string>()> token = {};
};

/// Threading: immutable, shared by connections.
struct Security {
    std::shared_ptr<const rt::TlsContext> tls;  ///< Null: no TLS.
    bool checks_host = true;                    ///< Of the broker's certificate.
    std::string mechanism;                      ///< "": no SASL.
    std::string user;
    std::string password;
    bool by_token = false;   ///< The user is a delegation token's id.
    std::string token_file;  ///< OAUTHBEARER: read for each connection; "": the helper is asked.
    LoginHelpers helpers = {};

    /// The client's side of an exchange with the broker of `host`. Errors: kInvalidSetting (a token
    /// that cannot be read), the helper's.
    [[nodiscard]] Result<std::unique_ptr<auth::SaslClient>> begin(const std::string& host) const;
};

/// Runs on: a thread that may block: files are read.
/// Errors: kInvalidSetting; no detail has a secret in it.
Result<std::shared_ptr<const Security>> security_of(const std::vector<config::Property>& properties,
                                                    LoginHelpers helpers = {});

/// The same settings as librdkafka takes them: only those of Java's that differ are changed.
/// Errors: kInvalidSetting: librdkafka cannot do what they ask for.
Result<std::vector<config::Property>> security_for_librdkafka(
    const std::vector<config::Property>& properties);

}  // namespace leat::client
