// SPDX-License-Identifier: Apache-2.0
#include "broker/listener_access.h"

#include <sys/stat.h>

#include <algorithm>

#include "auth/digest.h"
#include "auth/oauth.h"
#include "auth/plain.h"
#include "auth/scram.h"
#include "base/check.h"
#include "broker/shard.h"
#include "obs/log.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"auth"};
constexpr std::string_view kTokenUser = "token";

/// The user "token" with an API key, which is a delegation token: "<id>.<hmac in base64>".
std::optional<auth::Identity> by_api_key(const Shard& shard, std::string_view key) {
    const std::size_t dot = key.find('.');
    const auto hmac = auth::from_base64(key.substr(std::min(dot, key.size() - 1) + 1));
    const auto token = shard.image().credentials().find_token(key.substr(0, dot));
    if (token == nullptr || !hmac || !auth::equal_secrets(*hmac, token->hmac) ||
        token->expires <= shard.executor().wall_now())
        return std::nullopt;
    return auth::Identity{token->owner, true, token->expires, token->id};
}

/// Users of the listener's own settings, then API keys.
auth::PlainVerifier verifier_of(const auth::PlainUsers& users, const Shard& shard) {
    return [&users, &shard](std::string_view user,
                            std::string_view password) -> std::optional<auth::Identity> {
        if (auth::has_password(users, user, password))
            return auth::Identity{auth::Principal::user(user)};
        // Also when the settings have a user of that name: his passwords are others.
        if (user == kTokenUser) return by_api_key(shard, password);
        return std::nullopt;
    };
}

rt::TlsStore store_of(const config::StoreSettings& settings) {
    return {.file = settings.location,
            .key_text = settings.key_text,
            .certificates_text = settings.certificates_text,
            .password = settings.password,
            .key_password = settings.key_password};
}

rt::PeerCheck check_of(config::ClientAuth asks) {
    switch (asks) {
        case config::ClientAuth::kNone:
            return rt::PeerCheck::kNone;
        case config::ClientAuth::kRequested:
            return rt::PeerCheck::kIfShown;
        case config::ClientAuth::kRequired:
            return rt::PeerCheck::kRequired;
    }
    return rt::PeerCheck::kRequired;
}

}  // namespace

ListenerAccess::ListenerAccess(const config::Listener& listener,
                               const config::ListenerSecurity& security)
    : name_(listener.name), protocol_(listener.protocol), security_(security) {}

Result<std::shared_ptr<ListenerAccess>> ListenerAccess::open(
    const config::Listener& listener, const config::ListenerSecurity& security) {
    std::shared_ptr<ListenerAccess> out{new ListenerAccess{listener, security}};
    for (const auto& opened : {out->asks_tls() ? out->open_tls() : Result<void>{},
                               out->asks_sasl() ? out->open_sasl() : Result<void>{}})
        if (!opened.has_value())
            return Error{Errc::kInvalidSetting,
                         "listener " + listener.name + ": " + std::string{opened.error().detail()}};
    return out;
}

Result<void> ListenerAccess::open_tls() {
    LEAT_TRY(rules_, auth::CertificateRules::parse(security_.tls.principal_rules));
    stamp_ = stamp();
    LEAT_TRY(tls_, load());
    return {};
}

Result<void> ListenerAccess::open_sasl() {
    if (has_mechanism("OAUTHBEARER")) {
        LEAT_TRY(token_keys_, TokenKeys::open(security_.sasl.oauth));
    }
    if (!has_mechanism("GSSAPI")) return {};
    const config::KerberosSettings& kerberos = security_.sasl.kerberos;
    LEAT_TRY(kerberos_keys_, auth::GssapiKeys::open({.key_table = kerberos.key_table,
                                                     .principal = kerberos.principal}));
    const auto own = auth::KerberosName::parse(kerberos.principal);
    LEAT_TRY(auth::KerberosRules rules,
             auth::KerberosRules::parse(kerberos.to_local_rules, own ? own->realm : ""));
    kerberos_rules_ = std::make_shared<const auth::KerberosRules>(std::move(rules));
    return {};
}

Result<std::shared_ptr<const rt::TlsContext>> ListenerAccess::load() const {
    const config::TlsSettings& tls = security_.tls;
    const auto allows = [&](std::string_view version) {
        return std::ranges::find(tls.protocols, version) != tls.protocols.end();
    };
    rt::TlsOptions options{.keys = store_of(tls.key_store),
                           .trusted = {},
                           .check = check_of(tls.client_auth),
                           .allow_tls12 = allows("TLSv1.2"),
                           .allow_tls13 = allows("TLSv1.3"),
                           .cipher_suites = tls.cipher_suites};
    // Certificates of clients are of no interest to a listener that does not ask for them.
    if (tls.client_auth != config::ClientAuth::kNone) options.trusted = store_of(tls.trust_store);
    return rt::TlsContext::server(options);
}

/// Changes when one of the files does, its mode and its owner too.
std::string ListenerAccess::stamp() const {
    std::string out;
    for (const std::string& file :
         {security_.tls.key_store.location, security_.tls.trust_store.location}) {
        struct stat facts{};
        if (file.empty() || ::stat(file.c_str(), &facts) != 0) continue;
        for (const std::int64_t part :
             {std::int64_t{facts.st_mtim.tv_sec}, std::int64_t{facts.st_mtim.tv_nsec},
              std::int64_t{facts.st_ctim.tv_sec}, std::int64_t{facts.st_ctim.tv_nsec},
              std::int64_t{facts.st_size}, static_cast<std::int64_t>(facts.st_ino)})
            out += std::to_string(part) + " ";
    }
    return out;
}

std::shared_ptr<const rt::TlsContext> ListenerAccess::tls() const {
    const std::scoped_lock lock{mutex_};
    return tls_;
}

Result<bool> ListenerAccess::reload() {
    std::string now = stamp();
    if (!asks_tls() || (now == stamp_ && trouble_.empty())) return false;
    stamp_ = std::move(now);
    Result<std::shared_ptr<const rt::TlsContext>> fresh = load();
    if (!fresh.has_value()) {
        // Tried again until it is good: what was wrong need not lie in the files themselves.
        std::string why{fresh.error().detail()};
        if (why == trouble_) return false;
        trouble_ = std::move(why);
        return std::move(fresh).error();
    }
    trouble_.clear();
    const std::scoped_lock lock{mutex_};
    tls_ = std::move(*fresh);
    return true;
}

std::optional<auth::Principal> ListenerAccess::principal_of(const rt::TlsPeer& peer) const {
    if (!peer.name) return auth::Principal{};
    const auto user = rules_->user_of(*peer.name);
    if (!user) return std::nullopt;
    return auth::Principal::user(*user);
}

bool ListenerAccess::has_mechanism(std::string_view mechanism) const {
    return std::ranges::find(security_.sasl.mechanisms, mechanism) !=
           security_.sasl.mechanisms.end();
}

std::unique_ptr<auth::SaslServer> ListenerAccess::begin(std::string_view mechanism,
                                                        Shard& shard) const {
    LEAT_CHECK(has_mechanism(mechanism));
    if (const auto scram = auth::scram_mechanism(mechanism))
        return auth::make_scram_server(
            {.mechanism = *scram,
             .find = [&shard, scram = *scram](std::string_view name,
                                              bool by_token) -> std::optional<auth::ScramAccount> {
                 const metadata::Credentials& known = shard.image().credentials();
                 return by_token ? known.token_account(name, scram, shard.executor().wall_now())
                                 : known.account(name, scram);
             },
             .nonce = auth::scram_nonce(),
             .fake_secret = shard.image().credentials().stranger_secret()});
    if (mechanism == "OAUTHBEARER") {
        // On the pool, where the shard's clock is out of reach; an exchange takes no time.
        const auto verify = [keys = token_keys_,
                             now = shard.executor().wall_now()](std::string_view token) {
            auto identity = keys->verify(token, now);
            if (!identity.has_value())
                kLog.warn("token refused", {{"detail", identity.error().detail()}});
            return identity;
        };
        const auto claimed = [keys = token_keys_](std::string_view token) {
            return keys->claimed(token);
        };
        return auth::make_oauth_server(verify, true, claimed);
    }
    if (mechanism == "GSSAPI") return auth::make_gssapi_server(kerberos_keys_, kerberos_rules_);
    return auth::make_plain_server(verifier_of(security_.sasl.plain_users, shard));
}

rt::Task<void> ListenerAccess::prepare(std::string_view mechanism, std::string_view message,
                                       rt::Executor* here) const {
    if (mechanism != "OAUTHBEARER") co_return;
    const auto in = auth::parse_oauth(message);
    if (in.has_value()) co_await token_keys_->prepare(in->token, here);
}

void ListenerAccess::stop() const noexcept {
    if (token_keys_ != nullptr) token_keys_->stop();
}

}  // namespace leat::broker
