// SPDX-License-Identifier: Apache-2.0
//
// What one listener does to find out who is there: its settings, made ready to use.
// Layer: broker (L6).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/sasl.h"
#include "base/result.h"
#include "config/broker_config.h"

namespace leat::broker {

class Shard;

/// Threading: thread-safe; what it has is immutable or swapped as a whole.
class ListenerAccess {
  public:
    /// Reads what the settings name: keys, certificates.
    /// Runs on: a thread that may block.
    /// Errors: kInvalidSetting, naming listener and cause.
    static Result<std::shared_ptr<ListenerAccess>> open(const config::Listener& listener,
                                                        const config::ListenerSecurity& security);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const config::ListenerSecurity& security() const noexcept { return security_; }
    [[nodiscard]] bool asks_sasl() const noexcept { return config::has_sasl(protocol_); }
    [[nodiscard]] bool asks_tls() const noexcept { return config::has_tls(protocol_); }

    [[nodiscard]] bool has_mechanism(std::string_view mechanism) const;
    /// The server's side of an exchange for a connection of `shard`.
    /// Precondition: has_mechanism().
    [[nodiscard]] std::unique_ptr<auth::SaslServer> begin(std::string_view mechanism,
                                                          Shard& shard) const;

  private:
    ListenerAccess(const config::Listener& listener, const config::ListenerSecurity& security);

    std::string name_;
    config::Protocol protocol_;
    config::ListenerSecurity security_;
    std::string fake_secret_;  ///< Salts of users that do not exist.
};

}  // namespace leat::broker
