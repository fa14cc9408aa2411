// SPDX-License-Identifier: Apache-2.0
#include "rt/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <bit>
#include <string>

#include "base/check.h"
#include "rt/os_error.h"

namespace leat::rt {
namespace {

// Failure is not an error of the caller: the option is a wish, or the peer is gone already.
void set_option(int fd, int level, int name, int value) {
    static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

}  // namespace

Socket Socket::adopt(Descriptor fd, const SocketOptions& options) {
    LEAT_CHECK(fd.is_open());
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if ((flags & O_NONBLOCK) == 0) LEAT_CHECK(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0);
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.send_buffer_bytes >= 0)
        set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
    if (options.receive_buffer_bytes >= 0)
        set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes);
    Socket socket;
    socket.fd_ = std::move(fd);
    return socket;
}

Result<Socket> Socket::connect(const SocketAddress& to, const SocketOptions& options) {
    sockaddr_storage native{};
    const unsigned size = to.to_native(native);
    Descriptor fd{::socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!fd.is_open()) return os_error("socket for", to.text());
    if (::connect(fd.get(), std::bit_cast<const sockaddr*>(&native), size) != 0) {
        // Interrupted, it goes on by itself; the socket is writable when it is done.
        if (errno != EINTR) return os_error("connect", to.text());
        pollfd wait{.fd = fd.get(), .events = POLLOUT, .revents = 0};
        if (retry_eintr([&] { return ::poll(&wait, 1, -1); }) < 0)
            return os_error("connect", to.text());
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return os_error("connect", to.text(), error);
    }
    return adopt(std::move(fd), options);
}

SocketAddress Socket::local_address() const {
    sockaddr_storage native{};
    socklen_t size = sizeof native;
    LEAT_CHECK(::getsockname(fd_.get(), std::bit_cast<sockaddr*>(&native), &size) == 0);
    return SocketAddress::from_native(*std::bit_cast<const sockaddr*>(&native));
}

}  // namespace leat::rt
