// SPDX-License-Identifier: Apache-2.0
//
// Method: real listeners on free loopback ports, clients on the test's own thread.
#include "rt/tcp_listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

struct Accepted {
    std::vector<Socket> sockets;
    std::vector<SocketAddress> peers;
    TcpListener::OnAccept take() {
        return [this](Socket socket, const SocketAddress& peer) {
            sockets.push_back(std::move(socket));
            peers.push_back(peer);
        };
    }
};

SocketAddress loopback(std::uint16_t port) {
    return SocketAddress::parse("127.0.0.1:0")->with_port(port);
}

void run_until(EventLoop& loop, const std::function<bool()>& is_done) {
    while (!is_done()) loop.run_ready();
}

TEST(TcpListener, AcceptsOnAFreePortAndNamesThePeer) {
    EventLoop loop;
    Accepted got;
    auto listener = TcpListener::open(loop, {.host = "127.0.0.1"}, got.take());
    ASSERT_OK(listener);
    EXPECT_NE(listener->port(), 0);
    EXPECT_EQ(listener->addresses().front(), loopback(listener->port()));
    auto client = Socket::connect(listener->addresses().front());
    ASSERT_OK(client);
    run_until(loop, [&] { return !got.sockets.empty(); });
    EXPECT_EQ(got.peers[0], client->local_address());
    EXPECT_EQ(got.sockets[0].local_address(), listener->addresses().front());
    const int fd = got.sockets[0].descriptor();
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    EXPECT_EQ(no_delay, 1);
}

TEST(TcpListener, EmptyHostTakesIpv4AndIpv6) {
    EventLoop loop;
    Accepted got;
    auto listener = TcpListener::open(loop, {}, got.take());
    ASSERT_OK(listener);
    ASSERT_OK(Socket::connect(loopback(listener->port())));
    run_until(loop, [&] { return got.peers.size() == 1; });
    EXPECT_EQ(got.peers[0].host(), "127.0.0.1");
    const auto v6 = Socket::connect(SocketAddress::parse("[::1]:0")->with_port(listener->port()));
    if (!v6) GTEST_SKIP() << "no IPv6 here: " << v6.error().detail();
    run_until(loop, [&] { return got.peers.size() == 2; });
    EXPECT_EQ(got.peers[1].host(), "::1");
}

TEST(TcpListener, EveryAddressOfIpv6IsEveryOneOfIpv4Too) {
    EventLoop loop;
    Accepted got;
    for (const char* any : {"::", "0:0:0:0:0:0:0:0"}) {
        auto listener = TcpListener::open(loop, {.host = any}, got.take());
        ASSERT_OK(listener);
        const std::size_t before = got.peers.size();
        ASSERT_OK(Socket::connect(loopback(listener->port())));
        run_until(loop, [&] { return got.peers.size() == before + 1; });
        EXPECT_EQ(got.peers.back().host(), "127.0.0.1");
    }
}

TEST(TcpListener, NameIsBoundOnEachOfItsAddressesWithOnePort) {
    EventLoop loop;
    Accepted got;
    auto listener = TcpListener::open(loop, {.host = "localhost"}, got.take());
    ASSERT_OK(listener);
    std::size_t count = 0;
    for (const SocketAddress& address : listener->addresses()) {
        EXPECT_EQ(address.port(), listener->port());
        ASSERT_OK(Socket::connect(address));
        run_until(loop, [&] { return got.sockets.size() == count + 1; });
        ++count;
    }
    EXPECT_GE(count, 1U);
}

TEST(TcpListener, ErrorsNameTheAddress) {
    EventLoop loop;
    auto first = TcpListener::open(loop, {.host = "127.0.0.1"}, {});
    ASSERT_OK(first);
    const auto second = TcpListener::open(loop, {.host = "127.0.0.1", .port = first->port()}, {});
    EXPECT_ERRC(second, Errc::kAlreadyExists);
    EXPECT_NE(second.error().detail().find(first->addresses().front().text()), std::string::npos)
        << second.error().detail();
    const auto foreign = TcpListener::open(loop, {.host = "192.0.2.1"}, {});
    EXPECT_ERRC(foreign, Errc::kNotFound);
    EXPECT_NE(foreign.error().detail().find("192.0.2.1:0"), std::string::npos);
    EXPECT_ERRC(TcpListener::open(loop, {.host = "no such host"}, {}), Errc::kNotFound);
}

TEST(TcpListener, SharedPortIsOpenedTwice) {
    EventLoop loop;
    auto first = TcpListener::open(loop, {.host = "127.0.0.1", .share_port = true}, {});
    ASSERT_OK(first);
    ASSERT_OK(TcpListener::open(
        loop, {.host = "127.0.0.1", .port = first->port(), .share_port = true}, {}));
}

TEST(TcpListener, PausedLeavesConnectionsWaitingUntilResume) {
    EventLoop loop;
    Accepted got;
    auto listener = TcpListener::open(loop, {.host = "127.0.0.1"}, got.take());
    ASSERT_OK(listener);
    listener->pause();
    auto client = Socket::connect(loopback(listener->port()));
    ASSERT_OK(client);
    for (int i = 0; i < 10; ++i) loop.run_ready();
    EXPECT_TRUE(got.sockets.empty());
    listener->resume();
    run_until(loop, [&] { return !got.sockets.empty(); });
}

TEST(TcpListener, MayBeDestroyedByItsOwnCallback) {
    EventLoop loop;
    std::optional<TcpListener> listener;
    int accepted = 0;
    auto opened = TcpListener::open(loop, {.host = "127.0.0.1"},
                                    [&](const Socket& /*socket*/, const SocketAddress& /*peer*/) {
                                        ++accepted;
                                        listener.reset();
                                    });
    ASSERT_OK(opened);
    listener.emplace(*std::move(opened));
    auto a = Socket::connect(loopback(listener->port()));
    auto b = Socket::connect(loopback(listener->port()));
    run_until(loop, [&] { return accepted > 0; });
    loop.run_ready();
    EXPECT_EQ(accepted, 1);
}

TEST(TcpListener, WithoutDescriptorsRefusesCleanlyAndRecovers) {
    EventLoop loop;
    Accepted got;
    int told = 0;
    auto listener = TcpListener::open(
        loop, {.host = "127.0.0.1", .on_refused = [&told] { ++told; }}, got.take());
    ASSERT_OK(listener);
    // One before the shortage: the sanitizer's type check needs descriptors the first time.
    ASSERT_OK(Socket::connect(loopback(listener->port())));
    run_until(loop, [&] { return got.sockets.size() == 1; });
    auto client = Socket::connect(loopback(listener->port()));
    ASSERT_OK(client);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    // The lowest free number is the limit: nothing can be opened, the reserve lies below it.
    const int lowest_free = ::dup(client->descriptor());
    const Descriptor probe{lowest_free};
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(lowest_free) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    run_until(loop, [&] { return listener->refused_count() == 1; });
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(got.sockets.size(), 1U);
    EXPECT_EQ(told, 1);
    // The peer is told: its end reads the end of the stream.
    ASSERT_EQ(::fcntl(client->descriptor(), F_SETFL, 0), 0);
    char byte = 0;
    EXPECT_LE(::recv(client->descriptor(), &byte, 1, 0), 0);
    ASSERT_OK(Socket::connect(loopback(listener->port())));
    run_until(loop, [&] { return got.sockets.size() == 2; });
}

}  // namespace
}  // namespace leat::rt
