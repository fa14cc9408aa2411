// SPDX-License-Identifier: Apache-2.0
//
// The broker's listeners: takes connections within the limits and spreads them over the shards.
// Layer: broker (L6).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/connection_limits.h"
#include "broker/connections.h"
#include "broker/limit_hosts.h"
#include "broker/listener_access.h"
#include "broker/request_memory.h"
#include "rt/event_loop.h"
#include "rt/task.h"
#include "rt/tcp.h"

namespace leat::broker {

/// Threading: every call on the first loop's thread, or before the loops run. Destroyed after the
///            loops have stopped.
class Server {
  public:
    /// `loops` are the broker's executors, in the same order.
    Server(Broker& broker, std::vector<rt::EventLoop*> loops);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds every listener and tells the broker what clients are to be told. Connections wait
    /// until accept().
    /// Errors: kAlreadyExists (address in use), kNotFound, kInvalidSetting.
    Result<void> listen();
    /// Once partitions are open.
    void accept();

    /// What is bound: names and addresses with their real ports.
    [[nodiscard]] std::vector<config::Listener> bound() const;

    /// Takes no more connections and lets those there are finish what they began; `done` runs on
    /// the first loop when the last is gone, or after `timeout`, when what is left is closed.
    void drain(std::chrono::milliseconds timeout, rt::Fn done);

  private:
    struct Listening {
        config::Listener wanted;
        std::shared_ptr<ListenerAccess> access;
        std::unique_ptr<rt::TcpListener> listener;
        bool is_paused = true;
        rt::TimerId resume_timer = {};
    };
    Result<void> bind(const config::Listener& wanted);
    [[nodiscard]] Result<std::vector<config::Listener>> advertised() const;
    void on_accept(const std::shared_ptr<const ListenerAccess>& access, rt::Socket socket,
                   const rt::SocketAddress& peer);
    void schedule_reload();
    void schedule_token_check();
    rt::Task<void> drop_expired_tokens();
    /// After each change of the limits: has new names of hosts looked up.
    void follow_limits();
    rt::Task<void> look_up_hosts();
    void reload();
    void on_gone(const std::string& host, const std::string& listener);
    /// Holds a connection that came too fast, without reading from it.
    void close_later(rt::Socket socket, Instant at);
    /// Each listener for itself: whether it takes connections now.
    void tend();
    void tend(Listening& one, Instant now);
    [[nodiscard]] std::size_t pick_shard();
    void on_wish(const std::weak_ptr<Connection>& who, std::size_t from, std::size_t to);
    void on_drained();
    void end_drain(bool is_late);

    Broker& broker_;
    std::vector<rt::EventLoop*> loops_;
    RequestMemories memory_;
    std::vector<std::unique_ptr<Connections>> connections_;  ///< By shard.
    std::vector<std::int64_t> counts_;  ///< By shard, as the acceptor knows it.
    std::uint64_t accepted_ = 0;
    std::vector<Listening> listening_;
    ConnectionLimits limits_;
    HostNames looked_up_;  ///< Names of hosts that limits have.
    bool is_looking_up_ = false;
    std::map<std::string, std::string, std::less<>> quota_names_;  ///< By their address.
    std::unordered_map<std::uint64_t, std::pair<rt::Socket, rt::TimerId>> delayed_;
    std::uint64_t delayed_count_ = 0;  ///< So far: their names.
    rt::TimerId reload_timer_;
    rt::TimerId token_timer_;
    bool is_accepting_ = false;
    bool is_draining_ = false;
    std::size_t undrained_ = 0;
    rt::TimerId drain_timer_;
    rt::Fn drained_;
};

}  // namespace leat::broker
