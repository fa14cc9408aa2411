// SPDX-License-Identifier: Apache-2.0
#include "client/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace leat::client {
namespace {

/// That one call of the kernel takes.
constexpr std::size_t kPiecesMax = 64;

struct AddressDeleter {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

Error network_error(std::string_view what, int code) {
    return Error{Errc::kNetworkException, std::string{what} + ": " + std::strerror(code)};
}

/// Waits until `descriptor` is ready for `events`. Errors: kTimedOut; kCancelled (`stop` can be
/// read).
Result<void> wait_for(int descriptor, short events, Deadline deadline, int stop) {
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        // A negative descriptor is passed over.
        std::array<pollfd, 2> waiting{pollfd{.fd = descriptor, .events = events, .revents = 0},
                                      pollfd{.fd = stop, .events = POLLIN, .revents = 0}};
        const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
        const int ready = poll(waiting.data(), waiting.size(), wait_ms);
        if (waiting[1].revents != 0) return Error{Errc::kCancelled, "nobody waits any more"};
        if (ready > 0) return {};
        if (ready == 0) return Error{Errc::kTimedOut, "no answer in time"};
        if (errno != EINTR) return network_error("poll", errno);
    }
}

/// A connected descriptor, or the error of this one address.
Result<int> connect_one(const addrinfo& address, Deadline deadline, int stop) {
    const int descriptor =
        ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return network_error("socket", errno);
    int failure = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) {
        if (Result<void> ready = wait_for(descriptor, POLLOUT, deadline, stop); !ready) {
            close(descriptor);
            return std::move(ready).error();
        }
        socklen_t size = sizeof failure;
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure != 0) {
        close(descriptor);
        return Error{Errc::kNetworkException, std::strerror(failure)};
    }
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

/// The channel's own word is that of a broken connection; here one end refused the other.
Error refused(Error error) {
    if (error.code() != Errc::kNetworkException) return error;
    return Error{Errc::kClosed, error.detail()};
}

/// The connection broke in the handshake: how a peer without TLS, or one that dislikes what it was
/// shown, refuses. Said as the channel says it.
Error broke_off(Error error) {
    if (error.code() != Errc::kNetworkException) return error;
    return Error{Errc::kClosed, "TLS: " + std::string{error.detail()}};
}

}  // namespace

Socket::Socket(Socket&& other) noexcept
    : tls_(std::move(other.tls_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      stop_(other.stop_) {}

Socket::~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
}

Result<Socket> Socket::connect(const Endpoint& to, Deadline deadline, int stop) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, AddressDeleter> addresses{found};
    if (code != 0)
        return Error{Errc::kNetworkException, to.text() + ": no such host: " + gai_strerror(code)};
    Errc why = Errc::kNetworkException;
    std::string reason = "no address";
    std::int64_t left = 0;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) ++left;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next, --left) {
        // Each its share: one that answers nothing must not take the time of those behind it.
        const auto now = std::chrono::steady_clock::now();
        Result<int> descriptor = connect_one(*one, now + (deadline - now) / left, stop);
        if (descriptor) return Socket{*descriptor, stop};
        why = descriptor.error().code();
        reason = std::string{descriptor.error().detail()};
    }
    return Error{why, to.text() + ": " + reason};
}

Result<void> Socket::write_raw(Bytes bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            LEAT_TRY_VOID(wait_for(descriptor_, POLLOUT, deadline, stop_));
        } else if (errno != EINTR) {
            return network_error("connection lost while sending", errno);
        }
    }
    return {};
}

Result<void> Socket::write(std::span<const Bytes> pieces, Deadline deadline) {
    std::array<iovec, kPiecesMax> parts{};
    std::size_t skip = 0;  // Bytes of the first piece that are sent.
    while (!pieces.empty()) {
        if (tls_) {
            LEAT_TRY_VOID(write(pieces.front(), deadline));
            pieces = pieces.subspan(1);
            continue;
        }
        const std::size_t count = std::min(pieces.size(), parts.size());
        for (std::size_t i = 0; i < count; ++i) {
            const Bytes piece = i == 0 ? pieces[i].subspan(skip) : pieces[i];
            // sendmsg() takes void*, and writes nothing there.
            parts[i] = {const_cast<std::byte*>(piece.data()), piece.size()};
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            skip += static_cast<std::size_t>(sent);
            while (!pieces.empty() && skip >= pieces.front().size()) {
                skip -= pieces.front().size();
                pieces = pieces.subspan(1);
            }
        } else if (errno == EAGAIN) {
            LEAT_TRY_VOID(wait_for(descriptor_, POLLOUT, deadline, stop_));
        } else if (errno != EINTR) {
            return network_error("connection lost while sending", errno);
        }
    }
    return {};
}

Result<std::size_t> Socket::read_raw(MutableBytes to, Deadline deadline) {
    while (true) {
        const ssize_t got = ::recv(descriptor_, to.data(), to.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) {
            return Error{Errc::kNetworkException, "the broker closed the connection"};
        } else if (errno == EAGAIN) {
            LEAT_TRY_VOID(wait_for(descriptor_, POLLIN, deadline, stop_));
        } else if (errno != EINTR) {
            return network_error("connection lost while waiting for an answer", errno);
        }
    }
}

Result<void> Socket::flush_tls(Deadline deadline) {
    const Bytes out = tls_->output();
    if (out.empty()) return {};
    LEAT_TRY_VOID(write_raw(out, deadline));
    tls_->drop_output(out.size());
    return {};
}

Result<void> Socket::feed_tls(Deadline deadline) {
    std::array<std::byte, 16'384> space{};
    LEAT_TRY(const std::size_t got, read_raw(space, deadline));
    tls_->feed(Bytes{space}.first(got));
    return {};
}

Result<void> Socket::start_tls(const rt::TlsContext& context, const std::string& host,
                               Deadline deadline) {
    tls_.emplace(rt::TlsChannel::client(context, host));
    while (true) {
        Result<void> done = tls_->handshake();
        // A refusal is told to the peer too.
        LEAT_TRY_VOID(flush_tls(deadline));
        if (!done) return refused(std::move(done).error());
        if (tls_->is_established()) return {};
        if (Result<void> fed = feed_tls(deadline); !fed) return broke_off(std::move(fed).error());
    }
}

Result<void> Socket::write(Bytes bytes, Deadline deadline) {
    if (!tls_) return write_raw(bytes, deadline);
    LEAT_TRY_VOID(tls_->write(bytes));
    return flush_tls(deadline);
}

Result<void> Socket::read(MutableBytes to, Deadline deadline) {
    while (!to.empty()) {
        if (!tls_) {
            LEAT_TRY(const std::size_t got, read_raw(to, deadline));
            to = to.subspan(got);
            continue;
        }
        Result<std::size_t> got = tls_->read(to);
        if (!got) return refused(std::move(got).error());
        to = to.subspan(*got);
        if (*got > 0) continue;
        if (tls_->is_at_end())
            return Error{Errc::kNetworkException, "the broker closed the connection"};
        LEAT_TRY_VOID(feed_tls(deadline));
    }
    return {};
}

}  // namespace leat::client
