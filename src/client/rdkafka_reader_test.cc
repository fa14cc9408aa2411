// SPDX-License-Identifier: Apache-2.0
#include "client/rdkafka_reader.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"

namespace leat::client {
namespace {

/// A port of this machine to which somebody may come.
class Door {
  public:
    Door() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        auto* address = reinterpret_cast<sockaddr*>(&where);
        LEAT_CHECK(socket_ >= 0);
        EXPECT_EQ(::bind(socket_, address, size), 0);
        EXPECT_EQ(::listen(socket_, 1), 0);
        EXPECT_EQ(::getsockname(socket_, address, &size), 0);
        port_ = ntohs(where.sin_port);
    }
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    ~Door() { ::close(socket_); }

    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    /// Waits until somebody has come.
    [[nodiscard]] bool is_visited() const {
        const int guest = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
        if (guest >= 0) ::close(guest);
        return guest >= 0;
    }

  private:
    int socket_;
    std::uint16_t port_ = 0;
};

// The client's threads are not ours: in a program that a sanitizer watches, the one that looks up
// the address died of its first allocation.
TEST(RdkafkaReader, ItsThreadsComeToTheBroker) {
    const Door door;
    auto reader = open_rdkafka_reader({{"bootstrap.servers", door.address(), 0}});
    ASSERT_TRUE(reader) << reader.error().detail();
    const std::vector<StartAt> starts{{{"topic", 0}, Offset{0}}};
    ASSERT_TRUE((*reader)->add(starts));
    EXPECT_TRUE(door.is_visited());
}

}  // namespace
}  // namespace leat::client
