// SPDX-License-Identifier: Apache-2.0
//
// How each listener proves who is there: SASL and TLS settings, with Kafka's prefixes
// "listener.name.<name>." and "<mechanism>.". Layer: config (L1). Pure.
// Spec:  Kafka broker configuration 4.3, "Security".
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/jaas.h"

namespace leat::config {

struct Layers;
struct BrokerConfig;
struct Listener;
struct Setting;

enum class ClientAuth : std::uint8_t { kNone, kRequested, kRequired };

/// Where a certificate, its key or trusted certificates come from. Passwords are kept here only.
struct StoreSettings {
    std::string type;      ///< "PEM", "PKCS12", "JKS"; what the file is decides.
    std::string location;  ///< A file; empty: the texts.
    std::string password;
    std::string key_text;  ///< PEM.
    std::string certificates_text;
    std::string key_password;

    friend bool operator==(const StoreSettings&, const StoreSettings&) = default;
};

struct TlsSettings {
    StoreSettings key_store;
    StoreSettings trust_store;
    ClientAuth client_auth = ClientAuth::kNone;
    std::vector<std::string> protocols;
    std::vector<std::string> cipher_suites;
    std::string principal_rules;
    std::int32_t reload_interval_ms = 10'000;

    friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct OAuthSettings {
    std::string jwks_url;       ///< "file:" or "https:".
    StoreSettings trust_store;  ///< For "https:"; empty: the system's.
    std::string issuer;
    std::vector<std::string> audiences;
    std::vector<std::string> algorithms;
    std::string subject_claim = "sub";
    std::string scope_claim = "scope";
    std::int32_t clock_skew_seconds = 30;
    std::int64_t refresh_ms = 3'600'000;
    std::int64_t retry_backoff_ms = 100;
    std::int64_t retry_backoff_max_ms = 10'000;

    friend bool operator==(const OAuthSettings&, const OAuthSettings&) = default;
};

struct KerberosSettings {
    std::string service_name;
    std::string key_table;  ///< File.
    std::string principal;  ///< Of the service; "": any of the key table.
    std::vector<std::string> to_local_rules;

    friend bool operator==(const KerberosSettings&, const KerberosSettings&) = default;
};

struct SaslSettings {
    std::vector<std::string> mechanisms;
    std::map<std::string, std::string, std::less<>> plain_users;
    OAuthSettings oauth;
    KerberosSettings kerberos;
    std::map<std::string, std::int64_t, std::less<>> reauth_ms;  ///< By mechanism; 0: never.
    std::int32_t receive_bytes_max = 65'536;
    std::int32_t failure_delay_ms = 100;

    friend bool operator==(const SaslSettings&, const SaslSettings&) = default;
};

/// Threading: immutable.
struct ListenerSecurity {
    TlsSettings tls;    ///< Of listeners with TLS.
    SaslSettings sasl;  ///< Of listeners with SASL.
    std::int32_t authentication_timeout_ms = 30'000;

    friend bool operator==(const ListenerSecurity&, const ListenerSecurity&) = default;
};

/// Rows of broker_settings(): what may also stand behind "listener.name.<name>.".
std::span<const Setting> security_settings();

/// "listener.name.<name>.", the name in small letters.
std::string prefix_of(const Listener& listener);

/// The security of every listener of `config`, by name.
/// Errors: kInvalidSetting; the detail names setting and place, never a secret.
Result<std::map<std::string, ListenerSecurity>> resolve_security(const Layers& layers,
                                                                 const BrokerConfig& config);

/// "listener.name.<name>.ssl.keystore.location" and the like, for one of the listeners.
bool is_listener_setting(const BrokerConfig& config, std::string_view name);

/// The same whichever listeners there are: a name whose end is one of security_settings().
bool is_listener_security(std::string_view name);

}  // namespace leat::config
