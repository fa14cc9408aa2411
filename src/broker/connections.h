// SPDX-License-Identifier: Apache-2.0
//
// The connections of one shard, and what they share. Layer: broker (L6).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "broker/broker.h"
#include "broker/connection.h"
#include "broker/request_memory.h"
#include "rt/event_loop.h"
#include "rt/tcp.h"

namespace leat::broker {

/// Threading: shard-local; outlives its connections and their requests.
class Connections {
  public:
    /// Both run on this shard.
    struct Callbacks {
        /// For every connection that ended.
        std::function<void(const ConnectionFacts&)> on_gone;
        /// For one that works for the shard `to` only: Connection::may_move_to() is the answer, if
        /// it may.
        std::function<void(std::weak_ptr<Connection>, std::size_t to)> on_wish;
    };
    Connections(Shard& shard, rt::EventLoop& loop, RequestMemories& memory, Callbacks callbacks);
    ~Connections();
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    void add(rt::Socket socket, std::shared_ptr<ConnectionFacts> facts);
    /// As add(). Runs on: any thread.
    void adopt(rt::Socket socket, std::shared_ptr<ConnectionFacts> facts);

    /// Lets each connection answer what it has read, then close; `done` runs on this shard when the
    /// last is gone.
    void drain(rt::Fn done);
    /// Closes what is left.
    void close_all();
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

    // For connections.
    [[nodiscard]] Shard& shard() noexcept { return shard_; }
    [[nodiscard]] Broker& broker() noexcept { return shard_.broker(); }
    [[nodiscard]] const config::BrokerConfig& config() const noexcept { return shard_.config(); }
    [[nodiscard]] MutableBytes scratch() noexcept { return scratch_; }
    [[nodiscard]] BufferPool& buffers() noexcept { return shard_.buffers(); }
    /// An empty execution, used before when there is one.
    [[nodiscard]] std::unique_ptr<Execution> get_execution();
    void put_execution(std::unique_ptr<Execution> execution);
    [[nodiscard]] bool has_memory(MemoryWait wait) const noexcept { return memory_.has_room(wait); }
    /// Of frames of requests.
    void take_memory(std::size_t bytes) { memory_.frames.take(bytes); }
    void give_back_memory(std::size_t bytes);
    [[nodiscard]] RequestMemory& answer_memory() noexcept { return memory_.answers; }
    /// on_memory() is called once, when there is room.
    void wait_for_memory(Connection& connection, MemoryWait wait);
    /// After memory was given back.
    void wake_if_room();
    void gone(Connection& connection);
    void ask_to_move(Connection& connection, const Shard& to);
    /// It is another shard's from now on.
    void left(Connection& connection);

  private:
    void sweep();
    void count_unsent();
    void schedule_sweep();
    void wake_starved();
    void wake_starved(MemoryWait wait);
    /// Those who only wait give back what they hold of a memory that others starve for.
    void hurry_holders(Shortage of);
    [[nodiscard]] std::vector<std::weak_ptr<Connection>>& starved(MemoryWait wait) noexcept {
        return wait == MemoryWait::kToStart ? starved_to_start_ : starved_to_read_;
    }

    Shard& shard_;
    rt::EventLoop& loop_;
    RequestMemories& memory_;
    Callbacks callbacks_;
    std::vector<std::byte> scratch_;
    std::unordered_map<Connection*, std::shared_ptr<Connection>> all_;
    std::vector<std::weak_ptr<Connection>> starved_to_start_, starved_to_read_;
    std::vector<std::unique_ptr<Execution>> spare_;
    rt::TimerId sweep_timer_;
    bool is_draining_ = false;
    rt::Fn drained_;
};

}  // namespace leat::broker
