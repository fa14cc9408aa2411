// SPDX-License-Identifier: Apache-2.0
#include "broker/server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bounded_time.h"
#include "base/check.h"
#include "broker/authentication.h"
#include "broker/metrics.h"
#include "obs/log.h"
#include "rt/on_pool.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"server"};

bool is_wildcard(std::string_view host) {
    return host.empty() || host == "0.0.0.0" || host == "::";
}

/// What other machines may call this one.
std::string own_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

rt::ListenOptions options_for(const config::Listener& wanted, const config::BrokerConfig& config) {
    return {.host = wanted.host,
            .port = wanted.port,
            .backlog = config.socket_listen_backlog,
            .socket = {.send_buffer_bytes = config.socket_send_buffer_bytes,
                       .receive_buffer_bytes = config.socket_receive_buffer_bytes}};
}

/// Kafka's setting is what an operator has asked for; without it there is a bound all the same.
std::int64_t frame_bytes_bound(const config::BrokerConfig& config) {
    return config.queued_max_request_bytes > 0 ? config.queued_max_request_bytes
                                               : config.request_memory_bytes_max;
}

/// By what closes a connection before anybody knows whose it is.
constexpr std::string_view kDescriptors = "descriptors";

}  // namespace

Server::Server(Broker& broker, std::vector<rt::EventLoop*> loops)
    : broker_(broker),
      loops_(std::move(loops)),
      memory_{
          .frames = {frame_bytes_bound(broker.shard(0).config()), broker.metrics().request_memory},
          .answers = {broker.shard(0).config().response_memory_bytes_max,
                      broker.metrics().response_memory}},
      counts_(loops_.size(), 0) {
    LEAT_CHECK(loops_.size() == broker_.shard_count());
    for (std::size_t i = 0; i < loops_.size(); ++i)
        connections_.push_back(std::make_unique<Connections>(
            broker_.shard(i), *loops_[i], memory_,
            Connections::Callbacks{
                .on_gone =
                    [this](const ConnectionFacts& facts) {
                        loops_.front()->post([this, shard = facts.shard, host = facts.peer_host,
                                              listener = std::string{facts.endpoint.listener}] {
                            --counts_[shard];
                            on_gone(host, listener);
                        });
                    },
                .on_wish =
                    [this, i](const std::weak_ptr<Connection>& who, std::size_t to) {
                        loops_.front()->post([this, who, i, to] { on_wish(who, i, to); });
                    }}));
}

/// Granted where it does not make one shard the host of more than the others: partitions that all
/// work for would gather them all.
void Server::on_wish(const std::weak_ptr<Connection>& who, std::size_t from, std::size_t to) {
    if (is_draining_ || counts_[to] > counts_[from]) return;
    --counts_[from];
    ++counts_[to];
    loops_[from]->post([this, who, from, to] {
        const auto connection = who.lock();
        if (connection && connection->may_move_to(*connections_[to], to)) return;
        loops_.front()->post([this, from, to] {
            ++counts_[from];
            --counts_[to];
        });
    });
}

Server::~Server() = default;

Result<void> Server::listen() {
    const config::BrokerConfig& config = broker_.shard(0).config();
    constexpr std::string_view kOverrides = "max.connections.per.ip.overrides";
    LEAT_TRY_VOID(ConnectionLimits::parse_overrides(config.max_connections_per_ip_overrides));
    // What was set while it ran was good then, and is only warned about.
    if (config::winner(broker_.shard(0).image().layers(), kOverrides).source ==
        config::Source::kStatic)
        for (const std::string& name : names_in_overrides(config.max_connections_per_ip_overrides))
            if (const auto found = address_of_host(name); !found.has_value())
                return Error{Errc::kInvalidSetting,
                             std::string{kOverrides} + ": " + std::string{found.error().detail()}};
    for (const config::Listener& wanted : config.listeners) LEAT_TRY_VOID(bind(wanted));
    LEAT_TRY(std::vector<config::Listener> told, advertised());
    broker_.set_endpoints(std::move(told));
    return {};
}

Result<void> Server::bind(const config::Listener& wanted) {
    const config::BrokerConfig& config = broker_.shard(0).config();
    LEAT_TRY(std::shared_ptr<ListenerAccess> access,
             ListenerAccess::open(wanted, config.security.at(wanted.name)));
    rt::ListenOptions options = options_for(wanted, config);
    options.on_refused = [this, name = wanted.name] {
        broker_.metrics().count_refused(kDescriptors);
        kLog.warn("connection refused", {{"listener", name}, {"limit", kDescriptors}});
    };
    LEAT_TRY(
        rt::TcpListener listener,
        rt::TcpListener::open(*loops_.front(), options,
                              [this, access](rt::Socket socket, const rt::SocketAddress& peer) {
                                  on_accept(access, std::move(socket), peer);
                              }));
    listener.pause();
    listening_.push_back({wanted, access, std::make_unique<rt::TcpListener>(std::move(listener))});
    return {};
}

std::vector<config::Listener> Server::bound() const {
    std::vector<config::Listener> out;
    for (const Listening& one : listening_) {
        out.push_back(one.wanted);
        out.back().port = one.listener->port();
    }
    return out;
}

Result<std::vector<config::Listener>> Server::advertised() const {
    const std::vector<config::Listener>& told = broker_.shard(0).config().advertised_listeners;
    std::vector<config::Listener> out = bound();
    for (config::Listener& one : out) {
        const auto at = std::ranges::find(told, one.name, &config::Listener::name);
        if (at != told.end()) {
            if (is_wildcard(at->host))
                return Error{Errc::kInvalidSetting,
                             "advertised.listeners: " + config::text_of(*at) +
                                 ": clients cannot connect to this address"};
            one.host = at->host;
            if (at->port != 0) one.port = at->port;
        } else if (is_wildcard(one.host)) {
            one.host = own_name();
        }
    }
    for (const config::Listener& one : told)
        if (std::ranges::find(out, one.name, &config::Listener::name) == out.end())
            return Error{Errc::kInvalidSetting, "advertised.listeners: " + config::text_of(one) +
                                                    ": there is no listener of this name"};
    return out;
}

void Server::accept() {
    is_accepting_ = true;
    broker_.set_on_limits([this] { follow_limits(); });
    follow_limits();
    schedule_reload();
    schedule_token_check();
}

void Server::schedule_token_check() {
    if (is_draining_) return;
    const Instant at =
        after(loops_.front()->now(), broker_.shard(0).config().token_expiry_check_ms);
    token_timer_ = loops_.front()->schedule(at, [this] {
        token_timer_ = {};
        rt::start(drop_expired_tokens());
    });
}

rt::Task<void> Server::drop_expired_tokens() {
    const WallMs now = loops_.front()->wall_now();
    const auto make = [now](metadata::Controller& controller,
                            std::vector<metadata::Delta>& deltas) {
        controller.drop_expired_tokens(now, deltas);
        return true;
    };
    const auto done = co_await broker_.authority().change(loops_.front(), make);
    if (!done.durable.has_value())
        kLog.warn("tokens that ended are not removed", {{"detail", done.durable.error().detail()}});
    schedule_token_check();
}

void Server::follow_limits() {
    if (is_draining_) return;
    tend();
    const metadata::Image& image = broker_.shard(0).image();
    HostNames names = names_in_overrides(image.broker().max_connections_per_ip_overrides);
    names.insert(image.quotas().host_names().begin(), image.quotas().host_names().end());
    // One at a time: it asks again at its end.
    if (is_looking_up_ || names == looked_up_) return;
    is_looking_up_ = true;
    looked_up_ = std::move(names);
    rt::start(look_up_hosts());
}

rt::Task<void> Server::look_up_hosts() {
    HostAddresses found = co_await rt::on_pool(
        broker_.pool(), *loops_.front(), [names = looked_up_] { return addresses_of(names); });
    is_looking_up_ = false;
    const auto& of_quotas = broker_.shard(0).image().quotas().host_names();
    quota_names_.clear();
    for (const std::string& name : looked_up_) {
        const auto at = found.find(name);
        if (at == found.end())
            kLog.warn("a limit holds for nobody: no such host", {{"host", name}});
        else if (of_quotas.contains(name))
            quota_names_[at->second] = name;
    }
    limits_.set_host_addresses(std::move(found));
    follow_limits();
}

std::size_t Server::pick_shard() {
    return static_cast<std::size_t>(std::ranges::min_element(counts_) - counts_.begin());
}

void Server::on_accept(const std::shared_ptr<const ListenerAccess>& access, rt::Socket socket,
                       const rt::SocketAddress& peer) {
    BrokerMetrics& metrics = broker_.metrics();
    metrics.accepted.add();
    if (is_draining_) return;
    auto facts = std::make_shared<ConnectionFacts>();
    facts->endpoint = broker_.endpoint(access->name());
    if (access->asks_sasl() || access->asks_tls())
        facts->authentication = std::make_shared<Authentication>(access);
    facts->peer = peer.text();
    facts->peer_host = peer.host();
    facts->number = ++accepted_;
    const config::BrokerConfig& config = broker_.shard(0).config();
    const Instant now = loops_.front()->now();
    const auto named = quota_names_.find(facts->peer_host);
    const auto quota = broker_.shard(0).image().quotas().connection_rate(
        facts->peer_host, named != quota_names_.end() ? std::string_view{named->second} : "");
    limits_.set_descriptors_max(broker_.descriptors().connections -
                                static_cast<std::int64_t>(delayed_.size()));
    const auto refused = limits_.admit(facts->peer_host, now, config, quota, access->name());
    if (refused) {
        metrics.count_refused(*refused);
        kLog.warn("connection refused", {{"peer", facts->peer}, {"limit", *refused}});
        if (broker_.policy() != nullptr)
            broker_.audit().record(
                *loops_.front(), {.host = facts->peer_host, .what = "Connect", .detail = *refused});
        if (const auto at = limits_.close_at(facts->peer_host, *refused, now, config, quota))
            close_later(std::move(socket), *at);
        return tend();
    }
    const std::size_t shard = pick_shard();
    ++counts_[shard];
    facts->shard = shard;
    if (shard == 0)
        connections_.front()->add(std::move(socket), std::move(facts));
    else
        connections_[shard]->adopt(std::move(socket), std::move(facts));
    tend();
}

void Server::close_later(rt::Socket socket, Instant at) {
    const auto most = static_cast<std::size_t>(broker_.shard(0).config().delayed_connections_max);
    if (delayed_.size() >= most) return;
    const std::uint64_t name = ++delayed_count_;
    const rt::TimerId timer = loops_.front()->schedule(at, [this, name] { delayed_.erase(name); });
    delayed_.emplace(name, std::pair{std::move(socket), timer});
}

void Server::schedule_reload() {
    std::int64_t soonest = 0;
    for (const Listening& one : listening_) {
        const std::int64_t every = one.access->security().tls.reload_interval_ms;
        if (one.access->asks_tls()) soonest = soonest == 0 ? every : std::min(soonest, every);
    }
    if (soonest == 0 || is_draining_) return;
    reload_timer_ =
        loops_.front()->schedule(after(loops_.front()->now(), soonest), [this] { reload(); });
}

/// Keys and certificates that were replaced come into use for the next connections.
void Server::reload() {
    reload_timer_ = {};
    std::vector<std::shared_ptr<ListenerAccess>> all;
    all.reserve(listening_.size());
    for (const Listening& one : listening_) all.push_back(one.access);
    const auto work = [all] {
        for (const auto& access : all) {
            const Result<bool> done = access->reload();
            if (!done.has_value())
                kLog.error("keys not read again; those of before stay in use",
                           {{"listener", access->name()}, {"detail", done.error().detail()}});
            else if (*done)
                kLog.info("keys read again", {{"listener", access->name()}});
        }
    };
    broker_.pool().submit(*loops_.front(), work, [this] { schedule_reload(); });
}

void Server::on_gone(const std::string& host, const std::string& listener) {
    limits_.gone(host, listener);
    tend();
}

void Server::tend() {
    if (is_draining_ || !is_accepting_) return;
    const Instant now = loops_.front()->now();
    for (Listening& one : listening_) tend(one, now);
}

/// Connections beyond a number, or faster than a rate, wait in the kernel's queue.
void Server::tend(Listening& one, Instant now) {
    const auto until = limits_.wait_until(now, broker_.shard(0).config(), one.access->name());
    if (std::exchange(one.is_paused, until.has_value()) != until.has_value()) {
        if (until)
            one.listener->pause();
        else
            one.listener->resume();
    }
    if (!until || *until == Instant::max() || one.resume_timer != rt::TimerId{}) return;
    one.resume_timer = loops_.front()->schedule(*until, [this, &one] {
        one.resume_timer = {};
        tend();
    });
}

void Server::drain(std::chrono::milliseconds timeout, rt::Fn done) {
    LEAT_CHECK(!is_draining_);
    is_draining_ = true;
    broker_.set_stopping();
    broker_.set_on_limits({});
    for (const Listening& one : listening_)
        if (one.resume_timer != rt::TimerId{}) loops_.front()->cancel(one.resume_timer);
    if (token_timer_ != rt::TimerId{}) loops_.front()->cancel(token_timer_);
    if (reload_timer_ != rt::TimerId{}) loops_.front()->cancel(reload_timer_);
    for (const auto& [name, one] : std::exchange(delayed_, {})) loops_.front()->cancel(one.second);
    for (const Listening& one : listening_) one.access->stop();
    listening_.clear();
    drained_ = std::move(done);
    undrained_ = connections_.size();
    drain_timer_ =
        loops_.front()->schedule(loops_.front()->now() + timeout, [this] { end_drain(true); });
    for (std::size_t i = 0; i < connections_.size(); ++i)
        loops_[i]->post([this, i] {
            connections_[i]->drain([this] { loops_.front()->post([this] { on_drained(); }); });
        });
}

void Server::on_drained() {
    if (--undrained_ == 0) end_drain(false);
}

void Server::end_drain(bool is_late) {
    if (!drained_) return;
    if (is_late) {
        kLog.warn("connections closed with requests unanswered", {{"shards", undrained_}});
        for (std::size_t i = 0; i < connections_.size(); ++i)
            loops_[i]->post([this, i] { connections_[i]->close_all(); });
    } else {
        loops_.front()->cancel(drain_timer_);
    }
    // After close_all() on this loop, and after what the other loops do about it soon.
    loops_.front()->post(std::exchange(drained_, nullptr));
}

}  // namespace leat::broker
