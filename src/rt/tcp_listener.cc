// SPDX-License-Identifier: Apache-2.0
#include "rt/tcp_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "base/check.h"
#include "rt/os_error.h"

namespace leat::rt {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr int kPortTries = 16;
constexpr std::chrono::milliseconds kRetryAfter{100};

Descriptor open_reserve() {
    return Descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

struct Bound {
    Descriptor fd;
    SocketAddress address;
};

// `every` makes an IPv6 socket take IPv4 connections too.
Result<Bound> bind_one(const SocketAddress& address, bool every, const ListenOptions& options) {
    sockaddr_storage native{};
    const unsigned size = address.to_native(native);
    Descriptor fd{
        ::socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)};
    if (!fd.is_open()) return os_error("listen on", address.text());
    const int on = 1;
    const int v6_only = every ? 0 : 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options.share_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address.is_v6())
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    if (::bind(fd.get(), std::bit_cast<const sockaddr*>(&native), size) != 0 ||
        ::listen(fd.get(), options.backlog) != 0)
        return os_error("listen on", address.text());
    socklen_t length = sizeof native;
    LEAT_CHECK(::getsockname(fd.get(), std::bit_cast<sockaddr*>(&native), &length) == 0);
    return Bound{std::move(fd),
                 SocketAddress::from_native(*std::bit_cast<const sockaddr*>(&native))};
}

Result<std::vector<Bound>> bind_every(const ListenOptions& options) {
    std::vector<Bound> bound;
    for (const char* any : {"[::]:0", "0.0.0.0:0"}) {
        LEAT_TRY(const SocketAddress address, SocketAddress::parse(any));
        auto one = bind_one(address.with_port(options.port), true, options);
        const bool is_last = !address.is_v6();
        if (!one && (is_last || one.error().code() == Errc::kAlreadyExists))
            return std::move(one).error();
        if (!one) continue;  // A machine without IPv6.
        bound.push_back(*std::move(one));
        break;
    }
    return bound;
}

Result<std::vector<Bound>> bind_each(const std::vector<SocketAddress>& addresses,
                                     const ListenOptions& options) {
    std::vector<Bound> bound;
    std::optional<Error> first_error;
    for (const SocketAddress& address : addresses) {
        const std::uint16_t port = bound.empty() ? options.port : bound.front().address.port();
        auto one = bind_one(address.with_port(port), false, options);
        if (one) {
            bound.push_back(*std::move(one));
        } else if (one.error().code() == Errc::kAlreadyExists) {
            return std::move(one).error();
        } else if (!first_error) {
            first_error = std::move(one).error();
        }
    }
    // "localhost" has ::1 in many files of hosts on machines without IPv6.
    if (bound.empty()) return *std::move(first_error);
    return bound;
}

Result<std::vector<Bound>> bind_all(const ListenOptions& options) {
    if (options.host.empty()) return bind_every(options);
    LEAT_TRY(const std::vector<SocketAddress> addresses, SocketAddress::look_up(options.host));
    if (addresses.empty())
        return Error{Errc::kNotFound, "host " + options.host + " has no address"};
    // As Java does: "[::]" is every address of IPv4 too.
    if (std::ranges::find(addresses, "::", &SocketAddress::host) != addresses.end())
        return bind_every(options);
    auto bound = bind_each(addresses, options);
    // The free port that the first address got may be taken on the second.
    for (int i = 0; i < kPortTries && options.port == 0 && !bound &&
                    bound.error().code() == Errc::kAlreadyExists;
         ++i)
        bound = bind_each(addresses, options);
    return bound;
}

}  // namespace

/// Lives as long as a callback runs in it, even when that destroys the listener.
class TcpListener::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(EventLoop& loop, const ListenOptions& options, OnAccept on_accept)
        : loop_(loop),
          socket_(options.socket),
          on_accept_(std::move(on_accept)),
          on_refused_(options.on_refused),
          reserve_(open_reserve()) {}

    Result<void> add(std::vector<Bound> bound) {
        for (Bound& one : bound) {
            doors_.push_back(std::make_unique<Door>(*this, std::move(one.fd)));
            addresses_.push_back(one.address);
            LEAT_TRY(doors_.back()->watch,
                     loop_.watch(doors_.back()->fd.get(), *doors_.back(), Interest::kRead));
        }
        return {};
    }

    void close() {
        if (retry_.value != 0) loop_.cancel(retry_);
        for (const auto& door : doors_) {
            if (door->watch.value != 0) loop_.unwatch(door->watch);
            door->fd.reset();
        }
        is_open_ = false;
        retry_ = {};
    }

    void set_paused(bool paused) {
        if (paused_ == paused) return;
        paused_ = paused;
        update_interest();
    }

    [[nodiscard]] const std::vector<SocketAddress>& addresses() const { return addresses_; }
    [[nodiscard]] std::uint64_t refused_count() const { return refused_count_; }

  private:
    /// One listening socket.
    struct Door final : Watcher {
        Door(Impl& impl, Descriptor d) : owner(impl), fd(std::move(d)) {}
        void on_ready(Ready /*ready*/) override { owner.accept(*this); }
        Impl& owner;
        Descriptor fd;
        WatchId watch;
    };

    void accept(const Door& door) {
        const auto self = shared_from_this();
        for (int i = 0; i < kAcceptsPerTurn && is_open_ && !paused_ && !resting_; ++i) {
            sockaddr_storage native{};
            socklen_t size = sizeof native;
            Descriptor fd{::accept4(door.fd.get(), std::bit_cast<sockaddr*>(&native), &size,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC)};
            if (!fd.is_open()) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                    return refuse(door);
                if (errno == EAGAIN) return;
                continue;  // That peer is gone already, or a signal came.
            }
            if (native.ss_family != AF_INET && native.ss_family != AF_INET6) continue;
            const auto peer = SocketAddress::from_native(*std::bit_cast<const sockaddr*>(&native));
            on_accept_(Socket::adopt(std::move(fd), socket_), peer);
        }
    }

    void refuse(const Door& door) {
        bool refused = false;
        if (reserve_.is_open()) {
            reserve_.reset();
            const Descriptor dropped{::accept4(door.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            refused = dropped.is_open();
            if (refused) ++refused_count_;
        }
        reserve_ = open_reserve();
        if (refused && on_refused_) on_refused_();
        if (refused && reserve_.is_open()) return;
        // Another thread took the reserve, or memory is short: rest, the kernel's queue waits.
        resting_ = true;
        update_interest();
        retry_ = loop_.schedule(loop_.now() + kRetryAfter, [this] {
            retry_ = {};
            resting_ = false;
            if (!reserve_.is_open()) reserve_ = open_reserve();
            update_interest();
        });
    }

    void update_interest() {
        if (!is_open_) return;
        const auto want = paused_ || resting_ ? Interest::kNothing : Interest::kRead;
        for (const auto& door : doors_) loop_.set_interest(door->watch, want);
    }

    EventLoop& loop_;
    const SocketOptions socket_;
    const OnAccept on_accept_;
    const std::function<void()> on_refused_;
    Descriptor reserve_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::vector<SocketAddress> addresses_;
    TimerId retry_;
    std::uint64_t refused_count_ = 0;
    bool is_open_ = true;
    bool paused_ = false;
    bool resting_ = false;  ///< Until retry_, for want of descriptors.
};

Result<TcpListener> TcpListener::open(EventLoop& loop, const ListenOptions& options,
                                      OnAccept on_accept) {
    LEAT_TRY(std::vector<Bound> bound, bind_all(options));
    TcpListener listener{std::make_shared<Impl>(loop, options, std::move(on_accept))};
    LEAT_TRY_VOID(listener.impl_->add(std::move(bound)));
    return listener;
}

TcpListener::TcpListener(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TcpListener::TcpListener(TcpListener&&) noexcept = default;

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
    if (this != &other) {
        if (impl_) impl_->close();
        impl_ = std::move(other.impl_);
    }
    return *this;
}

TcpListener::~TcpListener() {
    if (impl_) impl_->close();
}

void TcpListener::pause() {
    impl_->set_paused(true);
}
void TcpListener::resume() {
    impl_->set_paused(false);
}
const std::vector<SocketAddress>& TcpListener::addresses() const {
    return impl_->addresses();
}
std::uint16_t TcpListener::port() const {
    return impl_->addresses().front().port();
}
std::uint64_t TcpListener::refused_count() const {
    return impl_->refused_count();
}

}  // namespace leat::rt
