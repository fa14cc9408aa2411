// SPDX-License-Identifier: Apache-2.0
//
// The broker settings about rights, quotas and audit. Layer: config (L1). Part of
// broker_settings().
#pragma once

#include <set>
#include <span>
#include <string>

#include "config/broker_config.h"

namespace leat::config {

std::span<const Setting> access_settings();

/// Whether clients need rights: an authorizer is named, or a listener asks who they are.
[[nodiscard]] bool has_authorizer(const BrokerConfig& config);

/// The principals of super.users.
[[nodiscard]] std::set<std::string, std::less<>> super_users(const BrokerConfig& config);

/// delegation.token.secret.key, by its new or its old name; "": there are no tokens.
[[nodiscard]] const std::string& token_secret(const BrokerConfig& config);

}  // namespace leat::config
