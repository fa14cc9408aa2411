// SPDX-License-Identifier: Apache-2.0
//
// One client's connection: requests in, executed in order, answers out in order.
// Layer: broker (L6).
// Spec:  Kafka protocol guide, "Network" (order of answers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "broker/answer.h"
#include "broker/frame_reader.h"
#include "broker/request.h"
#include "broker/request_memory.h"
#include "rt/tcp.h"

namespace leat::broker {

class Connections;

/// One request from its last byte to its answer being sent.
struct Execution {
    enum class State : std::uint8_t { kWaiting, kExecuting, kAnswered, kTimed };
    Request request;
    State state = State::kWaiting;
    Answer answer;
    MemoryShare answer_share;      ///< What of the answer takes memory.
    std::size_t answer_bytes = 0;  ///< Of the answer, also when it was sent.
};

/// Executes one request at a time; only those whose API runs ahead begin while others of their kind
/// are in execution. Reads no further while there are too many requests and answers, too many bytes
/// that the peer does not take, or too much memory in requests of all connections.
///
/// Threading: shard-local.
/// Memory:    owned by Connections and by its requests in execution. Between requests it holds no
///            buffers.
/// Failure:   what is no request closes the connection; the cause is counted.
class Connection final : public rt::StreamHandler, public std::enable_shared_from_this<Connection> {
  public:
    Connection(Connections& home, rt::EventLoop& loop, rt::Socket socket,
               std::shared_ptr<ConnectionFacts> facts);
    ~Connection();

    MutableBytes read_space() override;
    void on_read(std::size_t bytes) override;
    [[nodiscard]] bool wants_time() const override;
    void on_time(std::chrono::nanoseconds took) override { used_ += took; }
    void on_sent() override;
    void on_closed(const Result<void>& why) override;

    /// Of answers that the peer has not taken.
    [[nodiscard]] std::size_t unsent_count() const { return stream_.unsent_count(); }
    [[nodiscard]] std::size_t unsent_bytes() const { return stream_.unsent_bytes(); }

    /// A deadline has passed.
    [[nodiscard]] bool is_late(Instant now) const;
    /// Closes when a deadline has passed: idle, inside a frame, or with answers that the peer does
    /// not take.
    void check_deadlines(Instant now);
    /// There is room again for what it waited for.
    void on_memory(MemoryWait wait);
    /// A request in execution holds memory that counts, or keeps the frames behind it from being
    /// worked off.
    [[nodiscard]] bool holds_memory(Shortage of) const;
    /// Such a request waits no longer, if it only waits: a long poll is answered with what is
    /// there.
    void hurry_holders(Shortage of);
    /// It may go over to `there`, and does when it is at rest. False: it ends instead.
    bool may_move_to(Connections& there, std::size_t shard);
    /// Answers what has arrived, reads nothing more, closes.
    void drain();
    /// At once: what is not sent is lost. `reason` is a literal.
    void abort(std::string_view reason);

    [[nodiscard]] const ConnectionFacts& facts() const noexcept { return *facts_; }

  private:
    /// After what was answered has been sent.
    void close(std::string_view reason);
    void read_frames();
    [[nodiscard]] std::size_t frame_bytes_max() const;
    [[nodiscard]] bool is_stranger() const;  ///< Has yet to prove who it is.
    /// A message of SASL is next, and no request.
    [[nodiscard]] bool expects_raw() const;
    /// TLS has told who is there. False when that is nobody, and the connection is closed.
    bool identify();
    void audit_certificate(const rt::TlsPeer& peer, bool is_known);
    void audit_handshake(std::string_view why);
    /// False when the header is none that is served; the connection is closed.
    bool read_header(Request& request);
    bool take_frame(RequestFrame frame);
    void advance();
    bool start_next();
    void start_left();  ///< What may start of a connection that works_off_.
    void start(Execution& execution);
    void finish(Execution& execution, Answer answer);
    void hurry(const std::vector<Execution*>& executing);
    /// Whether another shard has all that this connection works on: it asks to move there.
    void look_where(const Request& request);
    /// Nothing of it is on its way, in or out.
    [[nodiscard]] bool is_at_rest() const;
    void leave();
    bool send_ready();
    void send(Execution& execution);
    void send_frame(Answer& answer, MemoryShare share);
    /// The frame's bytes, counted until the kernel has them.
    std::shared_ptr<const std::byte[]> lent(wire::Frame& frame, MemoryShare share);
    /// By a quota: neither reads nor starts requests for that long.
    void mute(std::chrono::milliseconds time);
    void unmute();
    /// Nothing more is done for the answer, if there is one that was not timed before.
    void time(Execution& execution);
    void retire(std::size_t index);
    /// Why nothing more is read now. Memory may be given back by other shards at any time: ask
    /// once and act on that answer.
    enum class Pause : std::uint8_t { kNone, kEnding, kFull, kMemory, kMuted, kLogin };
    [[nodiscard]] Pause pause() const;
    [[nodiscard]] bool may_execute_more() const;
    /// A frame has memory, or needs little of it.
    [[nodiscard]] bool may_read_next() const;
    void wait_for_memory(MemoryWait wait);
    /// An answer that takes memory which others wait for has been on its way for too long, whatever
    /// the peer takes of it.
    [[nodiscard]] bool hoards(Instant now) const;
    void set_reading(Pause pause);
    /// Why the connection ends for want of a proof that holds now; "" when it need not.
    [[nodiscard]] std::string_view unproved(Instant now) const;
    /// A user or token that was removed ends its connections too.
    [[nodiscard]] bool is_disowned() const;

    Connections& home_;
    rt::EventLoop& loop_;
    std::shared_ptr<ConnectionFacts> facts_;
    FrameReader reader_;
    std::vector<std::unique_ptr<Execution>> executions_;  ///< In the order of their arrival.
    Instant opened_at_;
    Instant last_activity_;
    Instant frame_began_{};  ///< Of the frame being read; when reading went on, if that is later.
    std::size_t reserved_bytes_ = 0;              ///< Of the frame being read.
    mutable std::uint64_t credentials_seen_ = 0;  ///< Version for which is_disowned() was false.
    bool is_identified_ = false;                  ///< By TLS, or there is none.
    bool is_reading_ = true;
    bool is_advancing_ = false;
    bool is_draining_ = false;
    bool works_off_ = false;  ///< Its peer has ended it in order: what waits is still done.
    bool is_closed_ = false;
    bool is_muted_ = false;
    rt::TimerId mute_timer_;
    Instant muted_until_{};
    std::chrono::nanoseconds used_{0};  ///< Processor time not yet charged to a quota.
    bool waits_to_start_ = false;       ///< For memory.
    bool waits_to_read_ = false;
    /// An answer that counts, while it is not sent.
    struct LentAnswer {
        std::weak_ptr<const void> data;
        Instant at;
    };
    std::vector<LentAnswer> lent_;   ///< Oldest first.
    const Shard* toward_ = nullptr;  ///< Who appended what the last Produce brought.
    std::uint32_t in_a_row_ = 0;     ///< Requests that were appended there.
    bool has_fetched_ = false;
    Connections* target_ = nullptr;  ///< Where it may go.
    std::string_view close_reason_ = "peer";
    rt::TcpStream stream_;  ///< Last: it calls as soon as it is there.
};

}  // namespace leat::broker
