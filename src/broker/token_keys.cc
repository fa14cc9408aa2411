// SPDX-License-Identifier: Apache-2.0
#include "broker/token_keys.h"

#include <curl/curl.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "config/listener.h"
#include "obs/log.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"auth"};
constexpr std::size_t kBytesMax = std::size_t{1} << 20U;
constexpr long kFetchSeconds = 10;
/// A token with an unknown key costs a fetch: anybody can make one.
constexpr std::chrono::seconds kBetweenTries{5};

Error bad(const std::string& url, std::string_view why) {
    return Error{Errc::kInvalidSetting,
                 "sasl.oauthbearer.jwks.endpoint.url: " + url + ": " + std::string{why}};
}

bool is_file(std::string_view url) {
    return url.starts_with("file:");
}

std::string path_of(std::string_view url) {
    url.remove_prefix(url.starts_with("file://") ? 7 : 5);
    return std::string{url};
}

/// "127.0.0.1" of "http://127.0.0.1:80/x".
std::string_view host_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return url.substr(0, url.find_first_of(":/?#"));
}

std::size_t append(const char* data, std::size_t /*one*/, std::size_t count, void* to) {
    auto& out = *static_cast<std::string*>(to);
    if (out.size() + count > kBytesMax) return 0;  // Ends the transfer.
    out.append(data, count);
    return count;
}

struct CurlDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

Result<std::string> fetch(const std::string& url) {
    const std::unique_ptr<CURL, CurlDeleter> handle{curl_easy_init()};
    if (handle == nullptr) return Error{Errc::kIoError, url + ": libcurl"};
    std::string body;
    CURL* h = handle.get();
    curl_easy_setopt(h, CURLOPT_URL, url.c_str());
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT, kFetchSeconds);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &body);
    const CURLcode done = curl_easy_perform(h);
    if (done != CURLE_OK) return Error{Errc::kIoError, url + ": " + curl_easy_strerror(done)};
    return body;
}

}  // namespace

TokenKeys::TokenKeys(const config::OAuthSettings& settings)
    : settings_(settings),
      rules_{.issuer = settings.issuer,
             .audiences = settings.audiences,
             .algorithms = settings.algorithms,
             .subject_claim = settings.subject_claim,
             .clock_skew_ms = std::int64_t{settings.clock_skew_seconds} * 1'000} {}

Result<std::shared_ptr<TokenKeys>> TokenKeys::open(const config::OAuthSettings& settings) {
    const std::string& url = settings.jwks_url;
    const bool is_https = url.starts_with("https://");
    if (!is_file(url) && !is_https && !url.starts_with("http://"))
        return bad(url, "expected https://... or file:/...");
    if (url.starts_with("http://") && !config::is_loopback(host_of(url)))
        return bad(url, "over http anybody on the way could give keys of his own; use https");
    std::shared_ptr<TokenKeys> out{new TokenKeys{settings}};
    const auto first = out->keys(false);
    if (first.has_value()) return out;
    if (is_file(url)) return bad(url, first.error().detail());
    kLog.warn("keys of tokens not fetched; tried again at the next login",
              {{"detail", first.error().detail()}});
    return out;
}

Result<std::shared_ptr<const auth::JwkSet>> TokenKeys::read() const {
    std::string text;
    if (is_file(settings_.jwks_url)) {
        std::ifstream in{path_of(settings_.jwks_url), std::ios::binary};
        text.assign(std::istreambuf_iterator<char>{in}, {});
        if (!in || text.empty()) return Error{Errc::kIoError, "cannot be read, or is empty"};
    } else {
        LEAT_TRY(text, fetch(settings_.jwks_url));
    }
    LEAT_TRY(auth::JwkSet keys, auth::JwkSet::parse(text));
    return std::make_shared<const auth::JwkSet>(std::move(keys));
}

Result<std::shared_ptr<const auth::JwkSet>> TokenKeys::keys(bool wants_newer) {
    const std::scoped_lock lock{mutex_};
    const auto now = Clock::now();
    const bool is_old =
        keys_ == nullptr || now - read_at_ >= std::chrono::milliseconds{settings_.refresh_ms};
    if (!is_old && !wants_newer) return keys_;
    const bool may_try = !was_tried_ || now - tried_at_ >= kBetweenTries;
    if (may_try) {
        tried_at_ = now;
        was_tried_ = true;
        auto fresh = read();
        if (fresh.has_value()) {
            keys_ = *std::move(fresh);
            read_at_ = now;
        } else if (keys_ == nullptr) {
            return std::move(fresh).error();
        } else {
            kLog.warn("keys of tokens not read again; those of before stay in use",
                      {{"detail", fresh.error().detail()}});
        }
    }
    if (keys_ == nullptr) return Error{Errc::kIoError, "there are no keys"};
    return keys_;
}

Result<auth::Identity> TokenKeys::verify(std::string_view token, WallMs now) {
    LEAT_TRY(const std::shared_ptr<const auth::JwkSet> known, keys(false));
    auto identity = auth::verify_jwt(token, *known, rules_, now);
    if (identity.has_value() || identity.error().code() != Errc::kNotFound) return identity;
    LEAT_TRY(const std::shared_ptr<const auth::JwkSet> newer, keys(true));
    return auth::verify_jwt(token, *newer, rules_, now);
}

}  // namespace leat::broker
