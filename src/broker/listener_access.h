// SPDX-License-Identifier: Apache-2.0
//
// What one listener does to find out who is there: its settings, made ready to use.
// Layer: broker (L6).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/gssapi.h"
#include "auth/principal_rules.h"
#include "auth/sasl.h"
#include "base/result.h"
#include "broker/token_keys.h"
#include "config/broker_config.h"
#include "rt/tls_channel.h"

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

    /// For the next connection; null without TLS.
    [[nodiscard]] std::shared_ptr<const rt::TlsContext> tls() const;
    /// Reads keys and certificates again when one of their files has changed, or could not be read
    /// the last time; true when it did.
    /// Runs on: a thread that may block, one at a time.
    /// Errors: as open(), each once until it is another; what was read before stays in use.
    Result<bool> reload();
    /// Who the holder of a certificate is; nullopt: nobody by the rules. Without a certificate the
    /// anonymous one.
    [[nodiscard]] std::optional<auth::Principal> principal_of(const rt::TlsPeer& peer) const;

    [[nodiscard]] bool has_mechanism(std::string_view mechanism) const;
    /// The server's side of an exchange for a connection of `shard`.
    /// Precondition: has_mechanism().
    [[nodiscard]] std::unique_ptr<auth::SaslServer> begin(std::string_view mechanism,
                                                          Shard& shard) const;
    /// Fetches what the exchange needs to judge `message`, if it is not here. Before next(), begins
    /// and ends on `here`; the views outlive it.
    rt::Task<void> prepare(std::string_view mechanism, std::string_view message,
                           rt::Executor* here) const;
    /// Nothing is fetched any more: the process ends.
    void stop() const noexcept;

  private:
    ListenerAccess(const config::Listener& listener, const config::ListenerSecurity& security);

    Result<void> open_tls();
    Result<void> open_sasl();
    [[nodiscard]] std::string stamp() const;
    Result<std::shared_ptr<const rt::TlsContext>> load() const;

    std::string name_;
    config::Protocol protocol_;
    config::ListenerSecurity security_;
    std::shared_ptr<TokenKeys> token_keys_;
    std::shared_ptr<const auth::GssapiKeys> kerberos_keys_;
    std::shared_ptr<const auth::KerberosRules> kerberos_rules_;
    std::optional<auth::CertificateRules> rules_;
    std::string stamp_;         ///< Of the files when they were read; for reload() alone.
    std::string trouble_;       ///< Why they could not be read the last time; for reload() alone.
    mutable std::mutex mutex_;  ///< Locks: tls_.
    std::shared_ptr<const rt::TlsContext> tls_;
};

}  // namespace leat::broker
