// SPDX-License-Identifier: Apache-2.0
#include "apps/login_helpers.h"

#include <boost/json.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "auth/gssapi.h"
#include "broker/url_host.h"
#include "config/jaas.h"
#include "config/listener.h"
#include "rt/tls_store.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::find_property;
using Properties = std::vector<client::Property>;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kUrl = "sasl.oauthbearer.token.endpoint.url";
constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20U;
constexpr long kSeconds = 10;
constexpr std::int64_t kLastsMaxSeconds =
    86'400;  ///< What an endpoint says beyond it is not believed.

Error bad(std::string_view name, std::string_view why) {
    return Error{Errc::kInvalidSetting, std::string{name} + ": " + std::string{why}};
}

/// Options of the login module that sasl.jaas.config names, if it does.
Result<config::LoginModule> module_of(const Properties& properties) {
    const std::string_view jaas = find_property(properties, "sasl.jaas.config");
    if (jaas.empty()) return config::LoginModule{};
    auto modules = config::parse_jaas(jaas);
    if (!modules) return bad("sasl.jaas.config", modules.error().detail());
    return std::move(modules->front());
}

std::string first_of(const Properties& properties, std::initializer_list<std::string_view> names,
                     std::string_view otherwise = {}) {
    for (const std::string_view name : names)
        if (const std::string_view found = find_property(properties, name); !found.empty())
            return std::string{found};
    return std::string{otherwise};
}

struct Endpoint {
    std::string url;
    std::string id;
    std::string secret;
    std::string scope;
    std::string trusted_pem;  ///< "": those of the system.
};

Result<Endpoint> endpoint_of(const Properties& properties, const config::LoginModule& module) {
    Endpoint out{.url = first_of(properties, {kUrl}),
                 .id = first_of(properties,
                                {"sasl.oauthbearer.client.credentials.client.id",
                                 "sasl.oauthbearer.client.id"},
                                module.option("clientId")),
                 .secret = first_of(properties,
                                    {"sasl.oauthbearer.client.credentials.client.secret",
                                     "sasl.oauthbearer.client.secret"},
                                    module.option("clientSecret")),
                 .scope = first_of(properties, {"sasl.oauthbearer.scope"}, module.option("scope")),
                 .trusted_pem = {}};
    if (out.id.empty() || out.secret.empty())
        return bad(kUrl,
                   "the endpoint wants to know who asks: set "
                   "sasl.oauthbearer.client.credentials.client.id and .client.secret, or clientId "
                   "and clientSecret in sasl.jaas.config");
    if (out.url.starts_with("http://") && !config::is_loopback(broker::url_host(out.url)))
        return bad(kUrl, "over http anybody on the way could read the secret; use https");
    const rt::TlsStore trusted{.file = first_of(properties, {"https.ca.location"},
                                                module.option("ssl.truststore.location")),
                               .key_text = {},
                               .certificates_text = {},
                               .password = std::string{module.option("ssl.truststore.password")},
                               .key_password = {}};
    if (!trusted.file.empty()) {
        LEAT_TRY(const rt::LoadedStore store, rt::load_store(trusted, false));
        out.trusted_pem = rt::certificates_as_pem(store);
    }
    return out;
}

struct CurlDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

std::size_t append(const char* data, std::size_t /*one*/, std::size_t count, void* to) {
    auto& out = *static_cast<std::string*>(to);
    if (out.size() + count > kAnswerBytesMax) return 0;  // Ends the transfer.
    out.append(data, count);
    return count;
}

struct Answer {
    long status = 0;
    std::string body;
};

Result<Answer> ask(const Endpoint& endpoint) {
    const std::unique_ptr<CURL, CurlDeleter> handle{curl_easy_init()};
    if (handle == nullptr) return Error{Errc::kIoError, endpoint.url + ": libcurl"};
    CURL* h = handle.get();
    std::string form = "grant_type=client_credentials";
    if (!endpoint.scope.empty()) {
        char* scope =
            curl_easy_escape(h, endpoint.scope.data(), static_cast<int>(endpoint.scope.size()));
        form += std::string{"&scope="} + (scope == nullptr ? "" : scope);
        curl_free(scope);
    }
    curl_blob trusted{.data = const_cast<char*>(endpoint.trusted_pem.data()),  // NOLINT
                      .len = endpoint.trusted_pem.size(),
                      .flags = CURL_BLOB_NOCOPY};
    Answer out;
    curl_easy_setopt(h, CURLOPT_URL, endpoint.url.c_str());
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT, kSeconds);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(h, CURLOPT_USERNAME, endpoint.id.c_str());
    curl_easy_setopt(h, CURLOPT_PASSWORD, endpoint.secret.c_str());
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, form.c_str());
    if (!endpoint.trusted_pem.empty()) curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &trusted);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &out.body);
    if (const CURLcode done = curl_easy_perform(h); done != CURLE_OK)
        return Error{Errc::kIoError, "token endpoint " + endpoint.url + ": " +
                                         std::string{curl_easy_strerror(done)}};
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &out.status);
    return out;
}

struct Token {
    std::string text;
    SteadyClock::time_point asked_again;
};

std::string text_at(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string{found->get_string()} : "";
}

Result<Token> fetch(const Endpoint& endpoint) {
    constexpr int kGood = 200;
    LEAT_TRY(const Answer answer, ask(endpoint));
    boost::system::error_code code;
    const json::value parsed = json::parse(answer.body, code);
    const json::object fields = !code && parsed.is_object() ? parsed.get_object() : json::object{};
    if (answer.status != kGood) {
        std::string why =
            "token endpoint " + endpoint.url + " answered " + std::to_string(answer.status);
        for (const std::string_view key : {"error", "error_description"})
            if (const std::string text = text_at(fields, key); !text.empty()) why += ": " + text;
        return Error{Errc::kSaslAuthenticationFailed, why};
    }
    Token out{.text = text_at(fields, "access_token"), .asked_again = SteadyClock::now()};
    if (out.text.empty())
        return Error{Errc::kMalformed,
                     "token endpoint " + endpoint.url + ": no access_token in its answer"};
    // Half of its time: the broker ends a connection when its token does.
    if (const json::value* lasts = fields.if_contains("expires_in");
        lasts != nullptr && lasts->is_int64())
        out.asked_again += std::chrono::seconds{std::clamp<std::int64_t>(lasts->get_int64(), 0,
                                                                         kLastsMaxSeconds)} /
                           2;
    return out;
}

}  // namespace

Result<client::LoginHelpers> login_helpers(const Properties& properties) {
    client::LoginHelpers out;
    const std::string mechanism = first_of(properties, {"sasl.mechanism", "sasl.mechanisms"});
    if (mechanism == "GSSAPI") {
        LEAT_TRY(const config::LoginModule module, module_of(properties));
        const bool by_key = module.option("useKeyTab") == "true";
        auth::GssapiLogin login{
            .service =
                first_of(properties, {"sasl.kerberos.service.name"}, module.option("serviceName")),
            .host = {},
            .key_table = first_of(properties, {"sasl.kerberos.keytab"},
                                  by_key ? module.option("keyTab") : std::string_view{}),
            .principal = {}};
        if (login.service.empty()) login.service = "kafka";
        if (!login.key_table.empty())
            login.principal =
                first_of(properties, {"sasl.kerberos.principal"}, module.option("principal"));
        out.ticket = [login](const std::string& host) {
            auth::GssapiLogin one = login;
            one.host = host;
            return auth::make_gssapi_client(std::move(one));
        };
    }
    if (mechanism == "OAUTHBEARER" && find_property(properties, kUrl).starts_with("http")) {
        LEAT_TRY(const config::LoginModule module, module_of(properties));
        LEAT_TRY(Endpoint endpoint, endpoint_of(properties, module));
        out.token = [endpoint = std::move(endpoint),
                     held = std::make_shared<Token>()]() -> Result<std::string> {
            if (held->text.empty() || SteadyClock::now() >= held->asked_again) {
                LEAT_TRY(*held, fetch(endpoint));
            }
            return held->text;
        };
    }
    return out;
}

}  // namespace leat::apps
