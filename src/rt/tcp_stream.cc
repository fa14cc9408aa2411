// SPDX-License-Identifier: Apache-2.0
#include "rt/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "rt/os_error.h"
#include "rt/process.h"
#include "rt/send_queue.h"

namespace leat::rt {
namespace {

enum class State : std::uint8_t {
    kOpen,
    kEnding,     ///< close_after_sending(): the queue is not empty yet.
    kLingering,  ///< All is sent and our end is shut; waits for the peer's.
    kClosed,
};

constexpr std::size_t kTlsReadBytes = std::size_t{64} << 10U;
constexpr int kTlsStepsPerTurn = 16;

/// Bytes on their way through TLS, never across a call of a handler.
std::array<std::byte, kTlsReadBytes>& tls_scratch() {
    thread_local std::array<std::byte, kTlsReadBytes> scratch;
    return scratch;
}

bool has_ended(int fd) {
    ::tcp_info info{};
    socklen_t length = sizeof info;
    const int code = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return code != 0 || info.tcpi_state != TCP_ESTABLISHED;
}

Error socket_failure(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return os_error("connection to", "peer", error != 0 ? error : ECONNRESET);
}

}  // namespace

/// Shared so that it outlives a callback in which the handler destroys the stream.
class TcpStream::Impl final : public Watcher, public std::enable_shared_from_this<Impl> {
  public:
    Impl(EventLoop& loop, Socket socket, StreamHandler& handler, const StreamOptions& options)
        : loop_(loop),
          handler_(&handler),
          options_(options),
          fd_(std::move(socket).take()),
          last_progress_(loop.now()) {
        if (options_.tls != nullptr) tls_.emplace(TlsChannel::server(*options_.tls));
    }

    void start() {
        auto watch = loop_.watch(fd_.get(), *this, Interest::kRead);
        if (!watch) return fail(std::move(watch).error());
        watch_ = *watch;
    }

    void send(std::vector<std::byte> bytes) {
        if (state_ != State::kOpen || bytes.empty()) return;
        std::size_t sent = 0;
        if (may_send_now()) {
            sent = send_now(bytes);
            if (sent == bytes.size() || state_ != State::kOpen) return;
        }
        queue_.push(std::move(bytes), sent);
        settle();
    }

    void send(std::shared_ptr<const void> keep, Bytes bytes) {
        if (state_ != State::kOpen || bytes.empty()) return;
        if (may_send_now()) {
            bytes = bytes.subspan(send_now(bytes));
            if (bytes.empty() || state_ != State::kOpen) return;
        }
        queue_.push(std::move(keep), bytes);
        settle();
    }

    void send_file(std::shared_ptr<File> file, FilePos at, std::size_t bytes) {
        if (state_ != State::kOpen || bytes == 0) return;
        const bool is_first = queue_.empty() && !is_corked();
        queue_.push_file(std::move(file), at, bytes);
        if (is_first) flush();
    }

    void cork() { ++corks_; }

    void uncork() {
        LEAT_CHECK(corks_ > 0);
        if (--corks_ == 0) flush();
    }

    void cork_this_turn() {
        if (std::exchange(corked_for_turn_, true)) return;
        cork();
        loop_.post([self = weak_from_this()] {
            const auto impl = self.lock();
            if (!impl) return;
            impl->corked_for_turn_ = false;
            impl->timed([&] { impl->uncork(); });
        });
    }

    void set_paused(bool paused) {
        paused_ = paused;
        // What TLS has decrypted already, no readiness of the socket tells of.
        if (!paused && tls_ && state_ == State::kOpen) deliver_later();
        // Pausing is noted only; if the peer does send, on_ready() takes the interest away.
        if (!paused && state_ != State::kClosed) update_interest();
    }

    void close() {
        if (state_ != State::kClosed) end({});
    }

    void close_after_sending() {
        if (state_ != State::kOpen) return;
        state_ = State::kEnding;
        flush();
    }

    [[nodiscard]] Socket give_up() {
        LEAT_CHECK(state_ == State::kOpen && !tls_ && queue_.empty());
        handler_ = nullptr;
        Descriptor fd = std::move(fd_);
        release();
        return Socket::adopt(std::move(fd), {});
    }

    /// The stream is destroyed.
    void detach() {
        handler_ = nullptr;
        release();
    }

    void on_ready(Ready ready) override {
        const auto self = shared_from_this();
        timed([&] { serve(ready); });
    }

    void serve(Ready ready) {
        if (state_ == State::kLingering) return discard();
        if (ready.writable) flush_and_tell();
        if (state_ == State::kClosed || handler_ == nullptr) return;
        if (ready.failed && (paused_ || state_ == State::kEnding))
            return fail_now(socket_failure(fd_.get()));
        if (!ready.readable && !ready.failed) return;
        if (wants_read()) return read();
        update_interest();
    }

    [[nodiscard]] bool is_open() const { return state_ == State::kOpen; }
    [[nodiscard]] bool peer_has_ended() const { return has_ended(fd_.get()); }
    [[nodiscard]] bool is_plain() const { return !tls_; }
    [[nodiscard]] bool is_established() const { return !tls_ || tls_->is_established(); }
    [[nodiscard]] std::optional<TlsPeer> tls_peer() const {
        if (!tls_ || !tls_->is_established()) return std::nullopt;
        return tls_->peer();
    }
    [[nodiscard]] const SendQueue& queue() const { return queue_; }
    [[nodiscard]] std::size_t unsent_bytes() const {
        return queue_.bytes() + (tls_ && tls_->is_established() ? tls_->output().size() : 0);
    }
    [[nodiscard]] Instant last_progress() const { return last_progress_; }

  private:
    /// Calls of the loop come through here. The handler may go meanwhile.
    template <class Work>
    void timed(const Work& work) {
        CpuMeter meter{handler_ != nullptr && handler_->wants_time()};
        work();
        const std::chrono::nanoseconds took = meter.stop();
        if (took.count() > 0 && handler_ != nullptr) handler_->on_time(took);
    }
    [[nodiscard]] bool is_corked() const { return corks_ > 0; }
    [[nodiscard]] bool may_send_now() const { return queue_.empty() && !is_corked() && !tls_; }
    [[nodiscard]] bool has_output() const {
        if (!tls_) return !queue_.empty();
        return !tls_->output().empty() || (tls_->is_established() && !queue_.empty());
    }
    /// Something was queued that did not leave at once.
    void settle() {
        if (is_corked()) return;
        if (tls_) return flush();
        update_interest();
    }
    [[nodiscard]] bool wants_read() const {
        if (state_ == State::kLingering) return true;
        // What waits to be sent cannot leave before the handshake is over, and that needs reading.
        const bool in_handshake = tls_ && !tls_->is_established();
        if (state_ == State::kEnding) return in_handshake;
        return state_ == State::kOpen && (!paused_ || in_handshake);
    }

    std::size_t send_now(Bytes bytes) {
        const auto put = retry_eintr([&] {
            return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        });
        if (put < 0) {
            if (errno != EAGAIN) fail(os_error("send to", "peer"));
            return 0;
        }
        last_progress_ = loop_.now();
        return static_cast<std::size_t>(put);
    }

    void read() {
        if (tls_) return read_tls();
        const MutableBytes space = handler_->read_space();
        if (handler_ == nullptr || state_ != State::kOpen) return;
        if (space.empty()) {
            paused_ = true;
            return update_interest();
        }
        const auto got = retry_eintr(
            [&] { return ::recv(fd_.get(), space.data(), space.size(), MSG_DONTWAIT); });
        if (got == 0) return end_now({});
        if (got < 0) {
            if (errno != EAGAIN) fail_now(os_error("receive from", "peer"));
            return;
        }
        cork();
        handler_->on_read(static_cast<std::size_t>(got));
        --corks_;
        if (!queue_.empty() || state_ == State::kEnding) flush_and_tell();
    }

    void read_tls() {
        std::array<std::byte, kTlsReadBytes>& scratch = tls_scratch();
        const auto got = retry_eintr(
            [&] { return ::recv(fd_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT); });
        if (got == 0) return end_now({});
        if (got < 0) {
            if (errno != EAGAIN) fail_now(os_error("receive from", "peer"));
            return;
        }
        tls_->feed(Bytes{scratch}.first(static_cast<std::size_t>(got)));
        deliver();
    }

    /// Gives the handler what TLS has for it.
    void deliver() {
        Result<void> shaken = tls_->handshake();
        // Also an alert that tells the peer why.
        put_output();
        if (state_ == State::kClosed) return;
        if (!shaken) return fail_now(std::move(shaken).error());
        while (tls_->is_established() && state_ == State::kOpen && !paused_) {
            const MutableBytes space = handler_->read_space();
            if (handler_ == nullptr || state_ != State::kOpen) return;
            if (space.empty()) {
                paused_ = true;
                break;
            }
            Result<std::size_t> got = tls_->read(space);
            if (!got) {
                put_output();
                if (state_ != State::kClosed) fail_now(std::move(got).error());
                return;
            }
            if (*got == 0) {
                if (tls_->is_at_end()) return end_now({});
                break;
            }
            cork();
            handler_->on_read(*got);
            --corks_;
            if (handler_ == nullptr || state_ == State::kClosed) return;
        }
        if (has_output() || state_ == State::kEnding) return flush_and_tell();
        update_interest();
    }

    void deliver_later() {
        loop_.post([self = weak_from_this()] {
            const auto impl = self.lock();
            if (impl && impl->state_ == State::kOpen && !impl->paused_)
                impl->timed([&] { impl->deliver(); });
        });
    }

    /// Sends what TLS has for the network; true when all of it left.
    bool put_output() {
        for (Bytes out = tls_->output(); !out.empty(); out = tls_->output()) {
            const std::size_t put = send_now(out);
            if (state_ == State::kClosed || put == 0) return false;
            tls_->drop_output(put);
        }
        return true;
    }

    /// Encrypts and sends, some at a time so that one peer does not hold the loop. False when the
    /// stream has failed.
    bool flush_tls() {
        for (int i = 0; i < kTlsStepsPerTurn; ++i) {
            if (!put_output()) return state_ != State::kClosed;
            if (queue_.empty() || !tls_->is_established()) return true;
            std::array<std::byte, kTlsReadBytes>& scratch = tls_scratch();
            Result<std::size_t> taken = queue_.take(scratch);
            Result<void> done = taken ? tls_->write(Bytes{scratch}.first(*taken))
                                      : Result<void>{std::move(taken).error()};
            if (!done) {
                fail(std::move(done).error());
                return false;
            }
        }
        return put_output() || state_ != State::kClosed;
    }

    // For calls from the loop, where the handler does not see by itself that the queue shrank.
    void flush_and_tell() {
        const std::size_t before = unsent_bytes();
        flush();
        if (handler_ != nullptr && state_ != State::kClosed && unsent_bytes() < before)
            handler_->on_sent();
    }

    void flush() {
        if (state_ == State::kClosed || state_ == State::kLingering || is_corked()) return;
        if (tls_) {
            if (!flush_tls()) return;
            if (state_ == State::kEnding && queue_.empty() && tls_->output().empty()) {
                tls_->close();
                put_output();
                if (state_ == State::kClosed) return;
                return begin_linger();
            }
            return update_interest();
        }
        if (!queue_.empty()) {
            auto wrote = queue_.write_to(fd_.get());
            if (!wrote) return fail(std::move(wrote).error());
            if (*wrote > 0) last_progress_ = loop_.now();
        }
        if (queue_.empty() && state_ == State::kEnding) return begin_linger();
        update_interest();
    }

    void begin_linger() {
        state_ = State::kLingering;
        if (::shutdown(fd_.get(), SHUT_WR) != 0) return end({});
        linger_timer_ = loop_.schedule(loop_.now() + options_.linger, [this] {
            linger_timer_ = {};
            const auto self = shared_from_this();
            end_now({});
        });
        update_interest();
    }

    void discard() {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): never read.
        std::array<std::byte, 16'384> unwanted;
        const auto got = retry_eintr(
            [&] { return ::recv(fd_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT); });
        if (got > 0 || (got < 0 && errno == EAGAIN)) return;
        end_now({});
    }

    void update_interest() {
        if (watch_.value == 0) return;
        const bool wants_write =
            has_output() && (!is_corked() || (tls_ && !tls_->output().empty()));
        const auto want = static_cast<Interest>((wants_read() ? 1 : 0) | (wants_write ? 2 : 0));
        if (want == interest_) return;
        interest_ = want;
        loop_.set_interest(watch_, want);
    }

    /// From inside a call of the owner: on_closed() comes by a post.
    void end(Result<void> why) {
        release();
        loop_.post([self = shared_from_this(), w = std::move(why)] { self->tell_closed(w); });
    }
    void fail(Error error) { end(Result<void>{std::move(error)}); }

    /// From the loop.
    void end_now(const Result<void>& why) {
        release();
        tell_closed(why);
    }
    void fail_now(Error error) { end_now(Result<void>{std::move(error)}); }

    void tell_closed(const Result<void>& why) {
        if (StreamHandler* handler = std::exchange(handler_, nullptr); handler != nullptr)
            handler->on_closed(why);
    }

    void release() {
        state_ = State::kClosed;
        if (linger_timer_.value != 0) loop_.cancel(std::exchange(linger_timer_, {}));
        if (watch_.value != 0) loop_.unwatch(std::exchange(watch_, {}));
        fd_.reset();
        queue_.clear();
    }

    EventLoop& loop_;
    StreamHandler* handler_;  ///< Null when on_closed() has been called or the stream is gone.
    const StreamOptions options_;
    Descriptor fd_;
    std::optional<TlsChannel> tls_;
    WatchId watch_;
    TimerId linger_timer_;
    SendQueue queue_;
    Instant last_progress_;
    int corks_ = 0;
    State state_ = State::kOpen;
    Interest interest_ = Interest::kRead;  ///< As the loop has it.
    bool paused_ = false;
    bool corked_for_turn_ = false;
};

TcpStream::TcpStream(EventLoop& loop, Socket socket, StreamHandler& handler,
                     const StreamOptions& options)
    : impl_(std::make_shared<Impl>(loop, std::move(socket), handler, options)) {
    impl_->start();
}

TcpStream::~TcpStream() {
    if (impl_) impl_->detach();
}

void TcpStream::send(std::vector<std::byte> bytes) {
    impl_->send(std::move(bytes));
}
void TcpStream::send(std::shared_ptr<const void> keep, Bytes bytes) {
    impl_->send(std::move(keep), bytes);
}
void TcpStream::send_file(std::shared_ptr<File> file, FilePos at, std::size_t bytes) {
    impl_->send_file(std::move(file), at, bytes);
}
void TcpStream::cork() {
    impl_->cork();
}
void TcpStream::uncork() {
    impl_->uncork();
}
void TcpStream::cork_this_turn() {
    impl_->cork_this_turn();
}
void TcpStream::pause_reading() {
    impl_->set_paused(true);
}
void TcpStream::resume_reading() {
    impl_->set_paused(false);
}
void TcpStream::close() {
    impl_->close();
}
void TcpStream::close_after_sending() {
    impl_->close_after_sending();
}
Socket TcpStream::release() {
    return impl_->give_up();
}
bool TcpStream::is_plain() const {
    return impl_->is_plain();
}
bool TcpStream::is_open() const {
    return impl_->is_open();
}
bool TcpStream::peer_has_ended() const {
    return impl_->peer_has_ended();
}
bool TcpStream::is_established() const {
    return impl_->is_established();
}
std::optional<TlsPeer> TcpStream::tls_peer() const {
    return impl_->tls_peer();
}
std::size_t TcpStream::unsent_bytes() const {
    return impl_->unsent_bytes();
}
std::size_t TcpStream::unsent_count() const {
    return impl_->queue().count();
}
Instant TcpStream::last_progress() const {
    return impl_->last_progress();
}

}  // namespace leat::rt
