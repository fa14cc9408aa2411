// SPDX-License-Identifier: Apache-2.0
#include "config/security.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "config/foreign_settings.h"
#include "config/layers.h"

namespace leat::config {
namespace {

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

bool is_security_row(std::string_view name) {
    return !class_named_by(name).empty() ||
           std::ranges::find(security_settings(), name, &Setting::name) !=
               security_settings().end();
}

/// Settings of one listener: with its prefix, or without. Only what file and command line say, as
/// nothing of it changes while the node runs: what is bad must show when it is set, not at the next
/// start.
class Reader {
  public:
    Reader(const Layers& layers, const Listener& listener)
        : layers_(layers), prefix_(prefix_of(listener)) {}

    /// Errors: kInvalidSetting.
    Result<Value> value(std::string_view name, std::string_view mechanism = {}) {
        const Setting* row = find_broker_setting(name);
        LEAT_CHECK(row != nullptr);
        Winner won;
        std::string asked;
        if (!mechanism.empty()) {
            asked = prefix_ + lower(mechanism) + "." + std::string{name};
            won = static_winner(layers_, asked);
        }
        if (won.text == nullptr) {
            asked = prefix_ + std::string{name};
            won = static_winner(layers_, asked);
        }
        if (won.text == nullptr) {
            asked = name;
            won = static_winner(layers_, name);
        }
        if (won.text == nullptr && !row->fallback) return Value{};
        auto parsed =
            parse(*row, won.text != nullptr ? std::string_view{*won.text} : *row->fallback);
        if (parsed.has_value()) return parsed;
        return bad(asked, row->sensitive ? "is not good" : parsed.error().detail());
    }
    Result<std::string> text(std::string_view name, std::string_view mechanism = {}) {
        LEAT_TRY(Value found, value(name, mechanism));
        auto* text = std::get_if<std::string>(&found);
        return text != nullptr ? std::move(*text) : std::string{};
    }
    /// What is said with the listener's prefix; else "".
    Result<std::string> own_text(std::string_view name) {
        if (static_winner(layers_, prefix_ + std::string{name}).text == nullptr)
            return std::string{};
        return text(name);
    }
    Result<std::vector<std::string>> list(std::string_view name) {
        LEAT_TRY(Value found, value(name));
        auto* list = std::get_if<std::vector<std::string>>(&found);
        return list != nullptr ? std::move(*list) : std::vector<std::string>{};
    }
    Result<std::int64_t> number(std::string_view name, std::string_view mechanism = {}) {
        LEAT_TRY(const Value found, value(name, mechanism));
        return std::get<std::int64_t>(found);
    }
    Result<std::int32_t> small(std::string_view name) {
        LEAT_TRY(const std::int64_t found, number(name));
        return static_cast<std::int32_t>(found);
    }

    [[nodiscard]] Error bad(std::string_view name, std::string_view why) const {
        std::string detail;
        if (const Winner won = static_winner(layers_, name); !won.place.empty())
            detail.append(won.place).append(": ");
        return Error{Errc::kInvalidSetting, detail.append(name).append(": ").append(why)};
    }
    [[nodiscard]] const std::string& prefix() const { return prefix_; }

  private:
    const Layers& layers_;
    std::string prefix_;
};

Result<TlsSettings> tls_of(Reader& in, Protocol protocol) {
    TlsSettings out;
    LEAT_TRY(out.key_store.type, in.text("ssl.keystore.type"));
    LEAT_TRY(out.key_store.location, in.text("ssl.keystore.location"));
    LEAT_TRY(out.key_store.password, in.text("ssl.keystore.password"));
    LEAT_TRY(out.key_store.key_text, in.text("ssl.keystore.key"));
    LEAT_TRY(out.key_store.certificates_text, in.text("ssl.keystore.certificate.chain"));
    LEAT_TRY(out.key_store.key_password, in.text("ssl.key.password"));
    LEAT_TRY(out.trust_store.type, in.text("ssl.truststore.type"));
    LEAT_TRY(out.trust_store.location, in.text("ssl.truststore.location"));
    LEAT_TRY(out.trust_store.password, in.text("ssl.truststore.password"));
    LEAT_TRY(out.trust_store.certificates_text, in.text("ssl.truststore.certificates"));
    // Where a password says who a client is, a certificate is asked for beside it only if that very
    // listener says so (KIP-684).
    LEAT_TRY(const std::string asks,
             has_sasl(protocol) ? in.own_text("ssl.client.auth") : in.text("ssl.client.auth"));
    out.client_auth = asks == "required"    ? ClientAuth::kRequired
                      : asks == "requested" ? ClientAuth::kRequested
                                            : ClientAuth::kNone;
    LEAT_TRY(out.protocols, in.list("ssl.enabled.protocols"));
    LEAT_TRY(out.cipher_suites, in.list("ssl.cipher.suites"));
    LEAT_TRY(out.principal_rules, in.text("ssl.principal.mapping.rules"));
    LEAT_TRY(out.reload_interval_ms, in.small("leat.tls.reload.interval.ms"));
    if (out.key_store.location.empty() &&
        (out.key_store.key_text.empty() || out.key_store.certificates_text.empty()))
        return in.bad(in.prefix() + "ssl.keystore.location",
                      "a listener with TLS needs a key and its certificate: a file, or the texts "
                      "ssl.keystore.key and ssl.keystore.certificate.chain");
    if (out.client_auth != ClientAuth::kNone && out.trust_store.location.empty() &&
        out.trust_store.certificates_text.empty())
        return in.bad(in.prefix() + "ssl.truststore.location",
                      "ssl.client.auth=" + asks +
                          " needs the certificates that vouch for clients: a file, or the text "
                          "ssl.truststore.certificates");
    return out;
}

/// The login module of a mechanism; nothing when none is set.
Result<std::optional<LoginModule>> module_of(Reader& in, std::string_view mechanism) {
    LEAT_TRY(const std::string text, in.text("sasl.jaas.config", mechanism));
    if (text.empty()) return std::optional<LoginModule>{};
    const std::string name = in.prefix() + lower(mechanism) + ".sasl.jaas.config";
    auto modules = parse_jaas(text);
    if (!modules.has_value()) return in.bad(name, modules.error().detail());
    if (modules->size() != 1) return in.bad(name, "one login module is expected");
    return std::optional{std::move(modules->front())};
}

Result<void> read_plain(Reader& in, SaslSettings& out) {
    LEAT_TRY(const std::optional<LoginModule> module, module_of(in, "PLAIN"));
    if (!module) return {};  // Users with API keys only.
    for (const auto& [key, value] : module->options)
        if (key.starts_with("user_")) out.plain_users[key.substr(5)] = value;
    return {};
}

Result<void> read_oauth(Reader& in, SaslSettings& out) {
    OAuthSettings& oauth = out.oauth;
    LEAT_TRY(oauth.jwks_url, in.text("sasl.oauthbearer.jwks.endpoint.url"));
    LEAT_TRY(oauth.issuer, in.text("sasl.oauthbearer.expected.issuer"));
    LEAT_TRY(oauth.audiences, in.list("sasl.oauthbearer.expected.audience"));
    LEAT_TRY(oauth.algorithms, in.list("leat.oauthbearer.algorithms"));
    LEAT_TRY(oauth.subject_claim, in.text("sasl.oauthbearer.sub.claim.name"));
    LEAT_TRY(oauth.scope_claim, in.text("sasl.oauthbearer.scope.claim.name"));
    LEAT_TRY(oauth.clock_skew_seconds, in.small("sasl.oauthbearer.clock.skew.seconds"));
    LEAT_TRY(oauth.refresh_ms, in.number("sasl.oauthbearer.jwks.endpoint.refresh.ms"));
    LEAT_TRY(oauth.retry_backoff_ms, in.number("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms"));
    LEAT_TRY(oauth.retry_backoff_max_ms,
             in.number("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms"));
    // As Kafka's login module takes them: TLS to the endpoint, not to clients.
    LEAT_TRY(const std::optional<LoginModule> module, module_of(in, "OAUTHBEARER"));
    if (module) {
        oauth.trust_store.location = module->option("ssl.truststore.location");
        oauth.trust_store.password = module->option("ssl.truststore.password");
        oauth.trust_store.certificates_text = module->option("ssl.truststore.certificates");
    }
    // CVE-2026-33557: without all three any token of anybody would do.
    if (oauth.jwks_url.empty() || oauth.issuer.empty() || oauth.audiences.empty())
        return in.bad(in.prefix() + "sasl.enabled.mechanisms",
                      "OAUTHBEARER needs sasl.oauthbearer.jwks.endpoint.url, .expected.issuer and "
                      ".expected.audience");
    return {};
}

Result<void> read_kerberos(Reader& in, SaslSettings& out) {
    KerberosSettings& kerberos = out.kerberos;
    LEAT_TRY(const std::optional<LoginModule> module, module_of(in, "GSSAPI"));
    if (!module || module->option("keyTab").empty())
        return in.bad(in.prefix() + "gssapi.sasl.jaas.config",
                      "GSSAPI needs a login module with keyTab and principal; sasl.enabled."
                      "mechanisms names what else there is");
    kerberos.key_table = module->option("keyTab");
    kerberos.principal = module->option("principal");
    LEAT_TRY(kerberos.service_name, in.text("sasl.kerberos.service.name"));
    LEAT_TRY(kerberos.to_local_rules, in.list("sasl.kerberos.principal.to.local.rules"));
    return {};
}

Result<SaslSettings> sasl_of(Reader& in) {
    SaslSettings out;
    LEAT_TRY(out.mechanisms, in.list("sasl.enabled.mechanisms"));
    if (out.mechanisms.empty())
        return in.bad(in.prefix() + "sasl.enabled.mechanisms", "at least one is needed");
    for (const std::string& mechanism : out.mechanisms) {
        LEAT_TRY(out.reauth_ms[mechanism], in.number("connections.max.reauth.ms", mechanism));
        if (mechanism == "PLAIN") LEAT_TRY_VOID(read_plain(in, out));
        if (mechanism == "OAUTHBEARER") LEAT_TRY_VOID(read_oauth(in, out));
        if (mechanism == "GSSAPI") LEAT_TRY_VOID(read_kerberos(in, out));
    }
    LEAT_TRY(out.receive_bytes_max, in.small("sasl.server.max.receive.size"));
    LEAT_TRY(out.failure_delay_ms, in.small("connection.failed.authentication.delay.ms"));
    return out;
}

}  // namespace

std::string prefix_of(const Listener& listener) {
    return "listener.name." + lower(listener.name) + ".";
}

Result<std::map<std::string, ListenerSecurity>> resolve_security(const Layers& layers,
                                                                 const BrokerConfig& config) {
    std::map<std::string, ListenerSecurity> out;
    for (const Listener& listener : config.listeners) {
        Reader in{layers, listener};
        ListenerSecurity& security = out[listener.name];
        if (has_tls(listener.protocol)) {
            LEAT_TRY(security.tls, tls_of(in, listener.protocol));
        }
        if (has_sasl(listener.protocol)) {
            LEAT_TRY(security.sasl, sasl_of(in));
        }
        LEAT_TRY(security.authentication_timeout_ms, in.small("leat.authentication.timeout.ms"));
    }
    return out;
}

bool is_listener_setting(const BrokerConfig& config, std::string_view name) {
    for (const Listener& listener : config.listeners) {
        const std::string prefix = prefix_of(listener);
        if (!name.starts_with(prefix)) continue;
        const std::string_view rest = name.substr(prefix.size());
        if (is_security_row(rest) || find_listener_limit(name) != nullptr) return true;
        const std::size_t dot = rest.find('.');
        if (dot != std::string_view::npos && is_security_row(rest.substr(dot + 1))) return true;
    }
    return false;
}

bool is_listener_security(std::string_view name) {
    constexpr std::string_view kPrefix = "listener.name.";
    if (!name.starts_with(kPrefix)) return false;
    std::string_view rest = name.substr(kPrefix.size());
    for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
        rest.remove_prefix(dot + 1);
        if (is_security_row(rest)) return true;
    }
    return false;
}

}  // namespace leat::config
