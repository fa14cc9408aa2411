// SPDX-License-Identifier: Apache-2.0
//
// One TCP connection on a loop: reads into its owner's buffers, an ordered send queue. Layer: rt
// (L1).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/units.h"
#include "rt/disk.h"
#include "rt/event_loop.h"
#include "rt/socket.h"
#include "rt/tls_channel.h"

namespace leat::rt {

/// The owner of a stream. All calls come from the loop, never from inside a call to the stream, and
/// any of them may destroy the stream.
///
/// Threading: shard-local.
class StreamHandler {
  public:
    /// Where the next bytes go; asked before each read. All of it may be filled by one read, so
    /// give room for what is expected. Empty: as pause_reading().
    virtual MutableBytes read_space() = 0;

    /// The first `bytes` (at least 1) of the last read_space() are filled. What is sent meanwhile
    /// leaves together when this returns.
    virtual void on_read(std::size_t bytes) = 0;

    /// The peer took bytes that had been waiting: unsent_bytes() is smaller than before.
    virtual void on_sent() {}

    /// Whether on_time() is to be called: asked at the begin of each turn of the stream.
    [[nodiscard]] virtual bool wants_time() const { return false; }
    /// Processor time that a turn took: reading, what the handler did about it, sending.
    virtual void on_time(std::chrono::nanoseconds /*took*/) {}

    /// The last call, once for each stream that is not destroyed before. Ok: the peer ended the
    /// connection, or this side did by close() or close_after_sending(). kTruncated: a file was
    /// shorter than send_file() was told. kIoError: reset by the peer, and other failures.
    /// kNetworkException: TLS failed; the detail says why.
    virtual void on_closed(const Result<void>& why) = 0;

  protected:
    ~StreamHandler() = default;
};

struct StreamOptions {
    /// How long close_after_sending() waits for the peer's end once all is sent. Bytes that arrive
    /// until then are dropped; closing with unread bytes would make the kernel send a reset, which
    /// takes the last answer away from the peer.
    std::chrono::milliseconds linger{1000};
    /// Set: this end is the server of a TLS connection. Bytes are then copied, files too.
    std::shared_ptr<const TlsContext> tls = nullptr;
};

/// Sends at once what the kernel takes and keeps the rest in order. One read a turn, so that a
/// fast peer does not starve the others. Reading begins at construction.
///
/// Threading: shard-local.
/// Memory:    an idle stream has no buffers (well below 1 KiB). What is queued is bounded by the
///            owner: watch unsent_bytes() and stop reading.
/// Failure:   after a failure or close, sends are dropped; on_closed() tells.
class TcpStream {
  public:
    /// `loop` and `handler` outlive the stream. A socket that cannot be watched ends in
    /// on_closed().
    TcpStream(EventLoop& loop, Socket socket, StreamHandler& handler,
              const StreamOptions& options = {});
    TcpStream(TcpStream&&) noexcept = default;
    TcpStream& operator=(TcpStream&&) = delete;
    /// Closes without a call to the handler. Bytes that are not sent are lost.
    ~TcpStream();

    void send(std::vector<std::byte> bytes);
    /// `keep` holds `bytes` alive until the kernel has copied them.
    void send(std::shared_ptr<const void> keep, Bytes bytes);
    /// Bytes of a file by sendfile(2): they must be there already, and the call waits for the disk
    /// when they are not in the page cache. A file without descriptor is read instead.
    void send_file(std::shared_ptr<File> file, FilePos at, std::size_t bytes);

    /// Between cork() and its uncork() sends only queue; the last uncork() sends them in one call.
    void cork();
    void uncork();
    /// As cork(), undone by the loop when the posts of this turn have run. More calls are free.
    void cork_this_turn();

    /// Costs a system call only when the peer sends while paused. A reset is noticed all the same.
    void pause_reading();
    void resume_reading();

    /// Drops what is not sent. on_closed() comes later, from the loop.
    void close();
    /// No more reads; closes when everything has been sent and the peer has ended or linger passed.
    void close_after_sending();

    /// Gives up the socket, which stays connected, and calls the handler no more; what the peer
    /// sends waits in the kernel. Precondition: is_open(), is_plain(), nothing unsent.
    [[nodiscard]] Socket release();

    [[nodiscard]] bool is_open() const;
    /// Whether the kernel knows that the peer sends no more, though not all may be read yet. Costs
    /// a system call.
    [[nodiscard]] bool peer_has_ended() const;
    /// Without TLS.
    [[nodiscard]] bool is_plain() const;
    /// The handshake of TLS is over; true at once without TLS.
    [[nodiscard]] bool is_established() const;
    /// With TLS, once it is established.
    [[nodiscard]] std::optional<TlsPeer> tls_peer() const;
    [[nodiscard]] std::size_t unsent_bytes() const;
    /// Sends that have not left completely.
    [[nodiscard]] std::size_t unsent_count() const;
    /// When the kernel last took bytes (at first: construction). With unsent bytes this is when
    /// the peer last made room: the base of a deadline for slow peers.
    [[nodiscard]] Instant last_progress() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leat::rt
