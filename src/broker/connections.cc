// SPDX-License-Identifier: Apache-2.0
#include "broker/connections.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "broker/metrics.h"

namespace leat::broker {
namespace {

constexpr std::size_t kScratchBytes = std::size_t{64} * 1024;
constexpr std::size_t kSpareExecutions = 256;
/// An arena that grew larger than this is not kept.
constexpr std::size_t kSpareArenaBytes = std::size_t{16} * 1024;

}  // namespace

Connections::Connections(Shard& shard, rt::EventLoop& loop, RequestMemories& memory,
                         Callbacks callbacks)
    : shard_(shard),
      loop_(loop),
      memory_(memory),
      callbacks_(std::move(callbacks)),
      scratch_(kScratchBytes) {}

Connections::~Connections() {
    if (sweep_timer_ != rt::TimerId{}) loop_.cancel(sweep_timer_);
}

void Connections::add(rt::Socket socket, std::shared_ptr<ConnectionFacts> facts) {
    BrokerMetrics& metrics = broker().metrics();
    if (is_draining_) {
        if (callbacks_.on_gone) callbacks_.on_gone(*facts);
        return;
    }
    metrics.connections.add(1);
    auto connection =
        std::make_shared<Connection>(*this, loop_, std::move(socket), std::move(facts));
    all_.emplace(connection.get(), connection);
    if (sweep_timer_ == rt::TimerId{}) schedule_sweep();
}

void Connections::gone(Connection& connection) {
    broker().metrics().connections.add(-1);
    if (callbacks_.on_gone) callbacks_.on_gone(connection.facts());
    all_.erase(&connection);
    if (all_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void Connections::adopt(rt::Socket socket, std::shared_ptr<ConnectionFacts> facts) {
    loop_.post([this, s = std::move(socket), f = std::move(facts)]() mutable {
        add(std::move(s), std::move(f));
    });
}

void Connections::ask_to_move(Connection& connection, const Shard& to) {
    if (callbacks_.on_wish) callbacks_.on_wish(connection.weak_from_this(), to.index());
}

void Connections::left(Connection& connection) {
    const BrokerMetrics& metrics = broker().metrics();
    metrics.connections.add(-1);
    metrics.moved.add();
    all_.erase(&connection);
}

void Connections::drain(rt::Fn done) {
    is_draining_ = true;
    if (all_.empty()) return done();
    drained_ = std::move(done);
    // A connection may go while it drains.
    std::vector<std::shared_ptr<Connection>> now;
    now.reserve(all_.size());
    for (const auto& [key, connection] : all_) now.push_back(connection);
    for (const auto& connection : now) connection->drain();
}

void Connections::close_all() {
    std::vector<std::shared_ptr<Connection>> now;
    now.reserve(all_.size());
    for (const auto& [key, connection] : all_) now.push_back(connection);
    for (const auto& connection : now) connection->abort("shutdown");
}

std::unique_ptr<Execution> Connections::get_execution() {
    if (spare_.empty()) return std::make_unique<Execution>();
    std::unique_ptr<Execution> execution = std::move(spare_.back());
    spare_.pop_back();
    return execution;
}

void Connections::put_execution(std::unique_ptr<Execution> execution) {
    execution->request.arena_share.release();
    execution->answer_share.release();
    wake_if_room();
    if (spare_.size() >= kSpareExecutions) return;
    Arena arena = std::move(execution->request.arena);
    arena.reset();
    *execution = Execution{};
    if (arena.capacity_bytes() <= kSpareArenaBytes) execution->request.arena = std::move(arena);
    spare_.push_back(std::move(execution));
}

void Connections::give_back_memory(std::size_t bytes) {
    memory_.frames.give_back(bytes);
    wake_if_room();
}

void Connections::wake_if_room() {
    const bool has_starved = (!starved_to_start_.empty() && has_memory(MemoryWait::kToStart)) ||
                             (!starved_to_read_.empty() && has_memory(MemoryWait::kToRead));
    if (has_starved) loop_.post([this] { wake_starved(); });
}

void Connections::wait_for_memory(Connection& connection, MemoryWait wait) {
    starved(wait).push_back(connection.weak_from_this());
    // Another shard may have given some back since the connection looked.
    wake_if_room();
}

/// Requests that are there hold frames: they come first, and never wait for room for more frames.
void Connections::wake_starved() {
    wake_starved(MemoryWait::kToStart);
    wake_starved(MemoryWait::kToRead);
}

void Connections::wake_starved(MemoryWait wait) {
    if (!has_memory(wait)) return;
    for (const auto& weak : std::exchange(starved(wait), {}))
        if (const auto connection = weak.lock()) connection->on_memory(wait);
}

void Connections::hurry_holders(Shortage of) {
    std::vector<std::shared_ptr<Connection>> holders;
    for (const auto& [key, connection] : all_)
        if (connection->holds_memory(of)) holders.push_back(connection);
    for (const auto& connection : holders) connection->hurry_holders(of);
}

/// Deadlines are looked at now and then, not kept as timers: nearly all of them are moved before
/// they are due.
void Connections::schedule_sweep() {
    const config::BrokerConfig& c = config();
    std::int64_t soonest = std::min(c.frame_timeout_ms, c.send_timeout_ms);
    if (c.connections_max_idle_ms >= 0) soonest = std::min(soonest, c.connections_max_idle_ms);
    const std::chrono::milliseconds every{std::clamp<std::int64_t>(soonest / 4, 10, 1'000)};
    sweep_timer_ = loop_.schedule(loop_.now() + every, [this] { sweep(); });
}

void Connections::count_unsent() {
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const auto& [key, connection] : all_) {
        count += connection->unsent_count();
        bytes += connection->unsent_bytes();
    }
    const BrokerMetrics& metrics = broker().metrics();
    metrics.queued_answers.set(static_cast<std::int64_t>(count));
    metrics.queued_answer_bytes.set(static_cast<std::int64_t>(bytes));
}

void Connections::sweep() {
    sweep_timer_ = {};
    std::vector<std::shared_ptr<Connection>> late;
    const Instant now = loop_.now();
    for (const auto& [key, connection] : all_)
        if (connection->is_late(now)) late.push_back(connection);
    for (const auto& connection : late) connection->check_deadlines(now);
    count_unsent();
    // Whoever starves may be on another shard.
    if (const Shortage of = memory_.shortage(); of.frames || of.answers) hurry_holders(of);
    // Another shard may have given memory back.
    wake_starved();
    if (!all_.empty()) schedule_sweep();
}

}  // namespace leat::broker
