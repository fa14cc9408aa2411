// SPDX-License-Identifier: Apache-2.0
#include "broker/token_keys.h"

#include <curl/curl.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/bounded_time.h"
#include "broker/url_host.h"
#include "config/listener.h"
#include "obs/log.h"
#include "rt/clock.h"
#include "rt/tls_store.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"auth"};
constexpr std::size_t kBytesMax = std::size_t{1} << 20U;
constexpr long kFetchSeconds = 10;

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

std::size_t append(const char* data, std::size_t /*one*/, std::size_t count, void* to) {
    auto& out = *static_cast<std::string*>(to);
    if (out.size() + count > kBytesMax) return 0;  // Ends the transfer.
    out.append(data, count);
    return count;
}

struct CurlDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

/// Not 0 ends the transfer; asked about once a second.
int is_over(void* stopping, curl_off_t /*in*/, curl_off_t /*of*/, curl_off_t /*out*/,
            curl_off_t /*of*/) {
    return static_cast<const std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

/// `trusted`: PEM of those who may vouch for the server; "" are the system's.
Result<std::string> fetch_text(const std::string& url, std::string trusted,
                               std::atomic<bool>* stopping) {
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
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, is_over);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, stopping);
    if (!trusted.empty()) {
        curl_blob blob{.data = trusted.data(), .len = trusted.size(), .flags = CURL_BLOB_COPY};
        curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(h, CURLOPT_CAPATH, nullptr);  // These alone.
    }
    const CURLcode done = curl_easy_perform(h);
    if (done == CURLE_PEER_FAILED_VERIFICATION)
        return Error{Errc::kIoError,
                     url + ": " + curl_easy_strerror(done) +
                         "; an authority of your own is named by ssl.truststore.location in "
                         "listener.name.<name>.oauthbearer.sasl.jaas.config"};
    if (done != CURLE_OK) return Error{Errc::kIoError, url + ": " + curl_easy_strerror(done)};
    return body;
}

Result<std::string> trusted_of(const config::StoreSettings& store) {
    if (store.location.empty() && store.certificates_text.empty()) return std::string{};
    LEAT_TRY(const rt::LoadedStore loaded,
             rt::load_store({.file = store.location,
                             .key_text = {},
                             .certificates_text = store.certificates_text,
                             .password = store.password,
                             .key_password = {}},
                            false));
    return rt::certificates_as_pem(loaded);
}

Result<std::string> file_text(const std::string& url) {
    std::ifstream in{path_of(url), std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in || text.empty()) return Error{Errc::kIoError, "cannot be read, or is empty"};
    return text;
}

}  // namespace

TokenKeys::TokenKeys(const config::OAuthSettings& settings, Reader reader, Clock clock)
    : settings_(settings),
      rules_{.issuer = settings.issuer,
             .audiences = settings.audiences,
             .algorithms = settings.algorithms,
             .subject_claim = settings.subject_claim,
             .clock_skew_ms = std::int64_t{settings.clock_skew_seconds} * 1'000},
      reader_(std::move(reader)),
      clock_(std::move(clock)) {}

TokenKeys::~TokenKeys() {
    stop();
    thread_ = {};
}

Result<std::shared_ptr<TokenKeys>> TokenKeys::open(const config::OAuthSettings& settings) {
    const std::string& url = settings.jwks_url;
    const bool is_https = url.starts_with("https://");
    if (!is_file(url) && !is_https && !url.starts_with("http://"))
        return bad(url, "expected https://... or file:/...");
    if (url.starts_with("http://") && !config::is_loopback(url_host(url)))
        return bad(url, "over http anybody on the way could give keys of his own; use https");
    LEAT_TRY(std::string trusted, trusted_of(settings.trust_store));
    auto out =
        std::make_shared<TokenKeys>(settings, Reader{}, [] { return rt::system_time().now(); });
    out->reader_ = [url, trusted = std::move(trusted), keys = out.get()] {
        return is_file(url) ? file_text(url) : fetch_text(url, trusted, &keys->is_stopping_);
    };
    const auto first = out->read_now();
    if (first.has_value()) return out;
    if (is_file(url)) return bad(url, first.error().detail());
    kLog.warn("keys of tokens not fetched; tried again at the next login",
              {{"detail", first.error().detail()}});
    return out;
}

Result<void> TokenKeys::read_now() {
    auto parsed = [this]() -> Result<auth::JwkSet> {
        LEAT_TRY(const std::string text, reader_());
        return auth::JwkSet::parse(text);
    }();
    const auto now = clock_();
    const std::scoped_lock lock{mutex_};
    // Of its end, and of a failure too: who waited meanwhile does not ask for the same again.
    tried_at_ = now;
    was_tried_ = true;
    if (!parsed.has_value()) return std::move(parsed).error();
    keys_ = std::make_shared<const auth::JwkSet>(*std::move(parsed));
    read_at_ = now;
    return {};
}

TokenKeys::Keys TokenKeys::known(bool& is_old) const {
    const auto now = clock_();
    const std::scoped_lock lock{mutex_};
    is_old = now - read_at_ >= bounded_ms(settings_.refresh_ms);
    return keys_;
}

bool TokenKeys::begin_fetch(const Waiter* waiter) {
    {
        const auto now = clock_();
        const std::scoped_lock lock{mutex_};
        const bool may_try = !is_stopping_ && (!was_tried_ || now - tried_at_ >= pause());
        if (!is_fetching_ && !may_try) return false;
        if (waiter != nullptr) waiters_.push_back(*waiter);
        if (std::exchange(is_fetching_, true)) return true;
    }
    const std::scoped_lock lock{thread_mutex_};
    thread_ = rt::NamedThread{"token-keys", [this] { fetch(); }};
    return true;
}

std::chrono::milliseconds TokenKeys::pause() const {
    const std::int64_t most = settings_.retry_backoff_max_ms;
    std::int64_t out = std::min(settings_.retry_backoff_ms, most);
    for (std::int32_t i = 1; i < useless_ && out < most; ++i)
        out = out <= most / 2 ? 2 * out : most;
    return bounded_ms(out);
}

bool TokenKeys::was_of_use() const {
    Keys keys;
    std::vector<Waiter> waiters;
    {
        // Not while it is locked: tokens are parsed, and there may be many.
        const std::scoped_lock lock{mutex_};
        keys = keys_;
        waiters = waiters_;
    }
    return waiters.empty() || std::ranges::any_of(waiters, [&](const Waiter& waiter) {
               return !auth::lacks_key(waiter.token, *keys, rules_);
           });
}

void TokenKeys::fetch() {
    const auto done = read_now();
    if (!done.has_value())
        kLog.warn("keys of tokens not read; those of before, if any, stay in use",
                  {{"detail", done.error().detail()}});
    const bool was_of_use = done.has_value() && this->was_of_use();
    std::vector<Waiter> waiters;
    {
        const std::scoped_lock lock{mutex_};
        is_fetching_ = false;
        useless_ = was_of_use ? 0 : std::min(useless_ + 1, 64);
        waiters.swap(waiters_);
    }
    for (const Waiter& waiter : waiters)
        waiter.home->post([handle = waiter.handle] { handle.resume(); });
}

rt::Task<void> TokenKeys::prepare(std::string_view token, rt::Executor* here) {
    bool is_old = false;
    const Keys keys = known(is_old);
    if (keys != nullptr && !auth::lacks_key(token, *keys, rules_)) {
        if (is_old) begin_fetch(nullptr);
        co_return;
    }
    struct Fetched {
        TokenKeys* keys;
        rt::Executor* here;
        std::string_view token;
        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> handle) const {
            const Waiter waiter{here, handle, token};
            return keys->begin_fetch(&waiter);
        }
        void await_resume() const noexcept {}
    };
    Fetched fetched{this, here, token};
    co_await fetched;
}

Result<auth::Identity> TokenKeys::verify(std::string_view token, WallMs now) const {
    bool is_old = false;
    const Keys keys = known(is_old);
    if (keys == nullptr) return Error{Errc::kIoError, "there are no keys"};
    return auth::verify_jwt(token, *keys, rules_, now);
}

}  // namespace leat::broker
