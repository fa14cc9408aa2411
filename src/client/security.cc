// SPDX-License-Identifier: Apache-2.0
#include "client/security.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>

#include "auth/oauth.h"
#include "auth/plain.h"
#include "auth/scram.h"
#include "client/client_properties.h"
#include "config/jaas.h"
#include "rt/tls_store.h"

namespace leat::client {
namespace {

using config::Property;
using Properties = std::vector<Property>;

Error bad(std::string_view name, std::string_view why) {
    return Error{Errc::kInvalidSetting, std::string{name} + ": " + std::string{why}};
}

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return out;
}

/// The first of `names` that is set.
std::string first_of(const Properties& properties, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (const std::string_view found = find_property(properties, name); !found.empty())
            return std::string{found};
    return {};
}

struct Login {
    std::string user;
    std::string password;
    bool by_token = false;
};

/// Name and password: librdkafka's settings, or Java's JAAS text.
Result<Login> login_of(const Properties& properties) {
    Login out{.user = first_of(properties, {"sasl.username"}),
              .password = first_of(properties, {"sasl.password"})};
    const std::string jaas = first_of(properties, {"sasl.jaas.config"});
    if (jaas.empty()) return out;
    auto modules = config::parse_jaas(jaas);
    if (!modules) return bad("sasl.jaas.config", modules.error().detail());
    const config::LoginModule& module = modules->front();
    if (out.user.empty()) out.user = module.option("username");
    if (out.password.empty()) out.password = module.option("password");
    out.by_token = module.option("tokenauth") == "true";
    return out;
}

bool is_sasl(const Properties& properties) {
    return upper(find_property(properties, "security.protocol")).starts_with("SASL_");
}

rt::TlsStore trust_of(const Properties& properties) {
    return {
        .file = first_of(properties, {"ssl.truststore.location", "ssl.ca.location"}),
        .key_text = {},
        .certificates_text = first_of(properties, {"ssl.truststore.certificates", "ssl.ca.pem"}),
        .password = first_of(properties, {"ssl.truststore.password"}),
        .key_password = {}};
}

Result<std::string> text_of_file(const std::string& name, const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    std::string out{std::istreambuf_iterator<char>{in}, {}};
    if (!in || out.empty()) return bad(name, "cannot read " + path);
    return out;
}

Result<rt::TlsStore> keys_of(const Properties& properties) {
    rt::TlsStore out{.file = first_of(properties, {"ssl.keystore.location"}),
                     .key_text = first_of(properties, {"ssl.keystore.key", "ssl.key.pem"}),
                     .certificates_text = first_of(
                         properties, {"ssl.keystore.certificate.chain", "ssl.certificate.pem"}),
                     .password = first_of(properties, {"ssl.keystore.password"}),
                     .key_password = first_of(properties, {"ssl.key.password"})};
    // librdkafka has key and certificate in files of their own.
    const std::string key = first_of(properties, {"ssl.key.location"});
    const std::string certificate = first_of(properties, {"ssl.certificate.location"});
    if (!key.empty()) {
        LEAT_TRY(out.key_text, text_of_file("ssl.key.location", key));
    }
    if (!certificate.empty()) {
        LEAT_TRY(out.certificates_text, text_of_file("ssl.certificate.location", certificate));
    }
    return out;
}

Result<void> read_tls(const Properties& properties, Security& out) {
    rt::TlsOptions options;
    options.trusted = trust_of(properties);
    LEAT_TRY(options.keys, keys_of(properties));
    const bool verifies = first_of(properties, {"enable.ssl.certificate.verification"}) != "false";
    options.check = verifies ? rt::PeerCheck::kRequired : rt::PeerCheck::kNone;
    // Empty is Java's way to say "none": whether it is set at all matters.
    const auto named = std::ranges::find(properties.rbegin(), properties.rend(),
                                         "ssl.endpoint.identification.algorithm", &Property::name);
    out.checks_host = verifies && (named == properties.rend() || upper(named->value) == "HTTPS");
    LEAT_TRY(out.tls, rt::TlsContext::client(options));
    return {};
}

Result<void> read_sasl(const Properties& properties, Security& out) {
    out.mechanism = upper(first_of(properties, {"sasl.mechanism", "sasl.mechanisms"}));
    if (out.mechanism == "OAUTHBEARER") {
        const std::string url = first_of(properties, {"sasl.oauthbearer.token.endpoint.url"});
        if (out.helpers.token && url.starts_with("http")) return {};
        if (!url.starts_with("file:"))
            return bad("sasl.oauthbearer.token.endpoint.url",
                       "a token is read from a file, file:/path, or by administration commands got "
                       "from an endpoint, https://...");
        out.token_file = url.substr(url.starts_with("file://") ? 7 : 5);
        return {};
    }
    if (out.mechanism == "GSSAPI" && out.helpers.ticket) return {};
    if (out.mechanism != "PLAIN" && !auth::scram_mechanism(out.mechanism))
        return bad("sasl.mechanism", "'" + out.mechanism +
                                         "' is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, "
                                         "OAUTHBEARER (nor, for administration, GSSAPI)");
    LEAT_TRY(Login login, login_of(properties));
    if (login.user.empty() || login.password.empty())
        return bad("sasl.mechanism",
                   "needs a name and a password: sasl.username and sasl.password, or "
                   "sasl.jaas.config");
    out.user = std::move(login.user);
    out.password = std::move(login.password);
    out.by_token = login.by_token;
    return {};
}

bool is_pem(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    return text.contains("-----BEGIN ");
}

Result<void> translate_stores(Properties& out) {
    const std::string trusted = first_of(out, {"ssl.truststore.location"});
    if (!trusted.empty()) {
        LEAT_TRY(const rt::LoadedStore store, rt::load_store(trust_of(out), false));
        set_property(out, "ssl.ca.pem", rt::certificates_as_pem(store));
    }
    const std::string keys = first_of(out, {"ssl.keystore.location"});
    if (!keys.empty() && is_pem(keys)) {
        set_property(out, "ssl.certificate.location", keys);
        set_property(out, "ssl.key.location", keys);
        std::erase_if(out, [](const Property& p) {
            return p.name == "ssl.keystore.location" || p.name == "ssl.keystore.password";
        });
    }
    std::erase_if(out, [](const Property& p) {
        return p.name.starts_with("ssl.truststore.") || p.name == "ssl.keystore.type" ||
               p.name == "ssl.protocol" || p.name == "ssl.enabled.protocols";
    });
    return {};
}

}  // namespace

Result<std::unique_ptr<auth::SaslClient>> Security::begin(const std::string& host) const {
    if (mechanism == "GSSAPI") return helpers.ticket(host);
    if (mechanism == "PLAIN") return auth::make_plain_client(user, password);
    if (mechanism == "OAUTHBEARER") {
        LEAT_TRY(std::string token,
                 token_file.empty()
                     ? helpers.token()
                     : text_of_file("sasl.oauthbearer.token.endpoint.url", token_file));
        while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
        return auth::make_oauth_client(std::move(token));
    }
    return auth::make_scram_client({.mechanism = *auth::scram_mechanism(mechanism),
                                    .user = user,
                                    .password = password,
                                    .by_token = by_token,
                                    .nonce = auth::scram_nonce()});
}

Result<std::shared_ptr<const Security>> security_of(const Properties& properties,
                                                    LoginHelpers helpers) {
    auto out = std::make_shared<Security>();
    out->helpers = std::move(helpers);
    const std::string protocol = upper(first_of(properties, {"security.protocol"}));
    const bool has_sasl = protocol == "SASL_PLAINTEXT" || protocol == "SASL_SSL";
    const bool has_tls = protocol == "SSL" || protocol == "SASL_SSL";
    if (!protocol.empty() && protocol != "PLAINTEXT" && !has_sasl && !has_tls)
        return bad("security.protocol", "'" + protocol +
                                            "' is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, "
                                            "SASL_SSL");
    if (has_tls) LEAT_TRY_VOID(read_tls(properties, *out));
    if (has_sasl) LEAT_TRY_VOID(read_sasl(properties, *out));
    return std::shared_ptr<const Security>{std::move(out)};
}

Result<Properties> security_for_librdkafka(const Properties& properties) {
    Properties out = properties;
    LEAT_TRY(const Login login, login_of(properties));
    constexpr std::string_view kOthers =
        ": what produces and consumes logs in by PLAIN, SCRAM or a certificate; administration "
        "commands also by other means";
    if (login.by_token)
        return bad("sasl.jaas.config",
                   "librdkafka knows no delegation tokens" + std::string{kOthers});
    if (first_of(properties, {"sasl.oauthbearer.token.endpoint.url"}).starts_with("http"))
        return bad("sasl.oauthbearer.token.endpoint.url",
                   "librdkafka gets no token from there" + std::string{kOthers});
    // Its default is Kerberos, and says so in words about key tables.
    const bool is_kerberos = std::ranges::any_of(
        properties, [](const Property& p) { return p.name.starts_with("sasl.kerberos."); });
    std::string mechanism = upper(first_of(properties, {"sasl.mechanism", "sasl.mechanisms"}));
    if (mechanism.empty() && is_kerberos) mechanism = "GSSAPI";
    if (is_sasl(properties) && mechanism.empty())
        return bad("sasl.mechanism", "must be set for security.protocol " +
                                         upper(find_property(properties, "security.protocol")));
    // The ticket is the user's own, as for administration: librdkafka would get one by a key table.
    if (mechanism == "GSSAPI" &&
        first_of(properties, {"sasl.kerberos.keytab", "sasl.kerberos.kinit.cmd"}).empty())
        set_property(out, "sasl.kerberos.kinit.cmd", "true");
    if (!login.user.empty()) set_property(out, "sasl.username", login.user);
    if (!login.password.empty()) set_property(out, "sasl.password", login.password);
    if (const auto text = find_property(properties, "security.protocol"); !text.empty())
        set_property(out, "security.protocol", upper(text));
    const auto identification = std::ranges::find(
        out.rbegin(), out.rend(), "ssl.endpoint.identification.algorithm", &Property::name);
    if (identification != out.rend() && identification->value.empty())
        identification->value = "none";
    LEAT_TRY_VOID(translate_stores(out));
    std::erase_if(out, [](const Property& p) {
        return p.name == "sasl.jaas.config" || p.name.starts_with("sasl.login.") ||
               p.name == "sasl.client.callback.handler.class";
    });
    return out;
}

}  // namespace leat::client
