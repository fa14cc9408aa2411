// SPDX-License-Identifier: Apache-2.0
//
// The text of sasl.jaas.config: login modules with options. Layer: config (L1). Pure.
// Spec:  javax.security.auth.login.Configuration's entries, as Kafka's JaasConfig reads them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::config {

struct LoginModule {
    std::string name;  ///< "org.apache.kafka.common.security.plain.PlainLoginModule".
    std::string flag;  ///< "required".
    std::map<std::string, std::string, std::less<>> options;

    /// The name without its packages.
    [[nodiscard]] std::string_view short_name() const;
    /// "" when it is not there.
    [[nodiscard]] std::string_view option(std::string_view key) const;
};

/// Errors: kInvalidSetting. The detail never holds a value: it may be a password.
Result<std::vector<LoginModule>> parse_jaas(std::string_view text);

}  // namespace leat::config
