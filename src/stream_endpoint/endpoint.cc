// SPDX-License-Identifier: Apache-2.0
//
// Threads: one serves connections; some read stores, which may wait for a record that is being
// processed; one tells what needs no store, and waits for nobody; others wait for other instances,
// so that a reader is always free for what these ask.
#include "leat/stream_endpoint/endpoint.h"

#include <csignal>
#include <optional>
#include <set>
#include <utility>

#include "config/listener.h"
#include "http/server.h"
#include "leat/streams/application.h"
#include "obs/log.h"
#include "rt/event_loop.h"
#include "rt/loop_thread.h"
#include "rt/thread_pool.h"
#include "rt/tls_context.h"
#include "stream_endpoint/access.h"
#include "stream_endpoint/http_peers.h"
#include "stream_endpoint/router.h"
#include "streams/settings.h"

namespace leat::stream_endpoint {
namespace {

constexpr obs::Logger kLog{"streams"};

/// Threads that are started meanwhile take no signals: these are for who runs the application.
/// Threading: one thread's.
class NoSignals {
  public:
    NoSignals() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;
    ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

Result<config::Listener> parse_listen(const std::string& text,
                                      const streams::EndpointSettings& settings) {
    const std::string list[] = {text};
    auto parsed = config::parse_listeners(list, "PLAINTEXT:PLAINTEXT");
    if (!parsed)
        return Error{Errc::kInvalidSetting,
                     "leat.endpoint.listen: " + std::string{parsed.error().detail()}};
    config::Listener out = parsed->front();
    const bool is_guarded = !settings.keys.is_empty() && !settings.user.empty();
    if (!is_guarded && !settings.allow_network && !config::is_loopback(out.host))
        return Error{Errc::kInvalidSetting,
                     "leat.endpoint.listen: " + text +
                         " can be reached from other machines, and whoever reaches it may ask; "
                         "set leat.endpoint.ssl.keystore.location and leat.endpoint.user, or allow "
                         "that by leat.endpoint.allow.network=true"};
    return out;
}

Result<void> check_stores(const streams::Application& application,
                          const std::vector<ExposedStore>& stores) {
    std::set<std::string> names;
    for (const ExposedStore& store : stores) {
        if (!names.insert(store.name).second)
            return Error{Errc::kInvalidRequest, "store " + store.name + " is exposed twice"};
        if (!store.missing.empty())
            return Error{Errc::kInvalidRequest, "store " + store.name + ": " + store.missing};
        if (!store.key_of || !store.write_key || !store.write_value)
            return Error{Errc::kInvalidRequest,
                         "store " + store.name + ": it was not made by expose()"};
        const auto owners = application.query_metadata_for_store(store.name);
        if (!owners && owners.error().code() == Errc::kNotFound)
            return Error{Errc::kNotFound, owners.error().detail()};
    }
    return {};
}

/// A request on its way.
struct Job {
    http::Request request;
    http::Respond respond;
    Progress progress{};
};

}  // namespace

class Endpoint::Impl {
  public:
    Impl(const streams::Application& application, std::vector<ExposedStore> stores)
        : settings_(application.endpoint_settings()),
          instance_(application, settings_.address),
          router_(instance_, std::move(stores),
                  {.rows_max = settings_.rows_max, .wait_max = settings_.forward_timeout}),
          loop_(rt::EventLoopOptions{.name = "stream-http"}) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (!thread_) return;
        loop_.stop();
        thread_.reset();
        // What they finish now is answered to nobody.
        readers_.reset();
        tellers_.reset();
        forwarders_.reset();
        server_.reset();
    }

    Result<void> open(const config::Listener& at) {
        const NoSignals none;
        readers_.emplace(
            rt::ThreadPoolOptions{.threads = settings_.threads, .name = "stream-read"});
        tellers_.emplace(rt::ThreadPoolOptions{.threads = 1, .name = "stream-tell"});
        forwarders_.emplace(
            rt::ThreadPoolOptions{.threads = settings_.forward_threads, .name = "stream-ask"});
        LEAT_TRY(access_, Access::open(settings_.user, settings_.password));
        LEAT_TRY(http::ServerOptions options, open_tls());
        options.host = at.host;
        options.port = at.port;
        LEAT_TRY(server_, http::Server::open(loop_, std::move(options),
                                             [this](http::Request request, http::Respond respond) {
                                                 answer(std::move(request), std::move(respond));
                                             }));
        const bool is_v6 = at.host.find(':') != std::string::npos;
        address_ = (is_v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(server_->port());
        thread_.emplace(loop_, [] {});
        kLog.info("endpoint listens", {{"address", address_},
                                       {"tls", !settings_.keys.is_empty()},
                                       {"password", access_.asks_everybody()}});
        if (settings_.address.empty())
            kLog.info("application.server is not set: other instances pass no questions on to this",
                      {});
        return {};
    }
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    /// Both ends of what instances say to each other.
    Result<http::ServerOptions> open_tls() {
        http::ServerOptions out;
        HttpPeers::Options peers{.timeout = settings_.forward_timeout,
                                 .body_bytes_max = settings_.forward_bytes_max,
                                 .authorization = access_.authorization()};
        if (!settings_.keys.is_empty()) {
            const auto named = [](const Error& why) {
                return Error{why.code(), "leat.endpoint.ssl: " + std::string{why.detail()}};
            };
            auto server = rt::TlsContext::server({.keys = settings_.keys});
            if (!server) return named(server.error());
            auto client = rt::TlsContext::client(
                {.trusted = settings_.trusted, .check = rt::PeerCheck::kRequired});
            if (!client) return named(client.error());
            out.tls = *std::move(server);
            peers.tls = *std::move(client);
        }
        peers_.emplace(std::move(peers));
        return out;
    }
    /// On the loop.
    void answer(http::Request request, http::Respond respond) {
        if (auto no = access_.refuse(request)) return respond(*std::move(no));
        if (auto now = router_.at_once(request)) return respond(*std::move(now));
        const auto job = std::make_shared<Job>(Job{std::move(request), std::move(respond)});
        rt::ThreadPool& pool = Router::asks_a_store(job->request) ? *readers_ : *tellers_;
        pool.submit(
            loop_, [this, job] { job->progress = router_.read(job->request); },
            [this, job] { go_on(job); });
    }
    void go_on(const std::shared_ptr<Job>& job) {
        if (job->progress.response) return job->respond(*std::move(job->progress.response));
        forwarders_->submit(
            loop_,
            [this, job] {
                http::Response all = router_.finish(std::move(job->progress), *peers_);
                job->progress.response = std::move(all);
            },
            [job] { job->respond(*std::move(job->progress.response)); });
    }

    const streams::EndpointSettings& settings_;
    ApplicationInstance instance_;
    Router router_;
    Access access_;
    std::optional<HttpPeers> peers_;
    std::string address_;
    rt::EventLoop loop_;
    std::optional<rt::ThreadPool> readers_;
    std::optional<rt::ThreadPool> tellers_;
    std::optional<rt::ThreadPool> forwarders_;
    std::unique_ptr<http::Server> server_;
    std::optional<rt::LoopThread> thread_;
};

Endpoint::Endpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Endpoint::~Endpoint() = default;

Result<std::unique_ptr<Endpoint>> Endpoint::open(const streams::Application& application,
                                                 Options options) {
    const streams::EndpointSettings& settings = application.endpoint_settings();
    LEAT_TRY_VOID(check_stores(application, options.stores));
    const std::string listen = options.listen.empty() ? settings.listen : options.listen;
    auto impl = std::make_unique<Impl>(application, std::move(options.stores));
    if (!listen.empty()) {
        LEAT_TRY(const config::Listener at, parse_listen(listen, settings));
        LEAT_TRY_VOID(impl->open(at));
    }
    return std::unique_ptr<Endpoint>{
        new Endpoint{std::move(impl)}};  // tidy: right here, the constructor is private
}

std::string Endpoint::address() const {
    return impl_->address();
}

}  // namespace leat::stream_endpoint
