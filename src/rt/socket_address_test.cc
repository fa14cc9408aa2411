// SPDX-License-Identifier: Apache-2.0
//
// Method: text to address and back; native forms made by hand.
#include "rt/socket_address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>

#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

class SocketAddressText : public ::testing::TestWithParam<const char*> {};

TEST_P(SocketAddressText, ComesBackThroughNative) {
    const auto address = SocketAddress::parse(GetParam());
    ASSERT_OK(address);
    EXPECT_EQ(address->text(), GetParam());
    sockaddr_storage native{};
    EXPECT_GT(address->to_native(native), 0U);
    EXPECT_EQ(SocketAddress::from_native(*std::bit_cast<const sockaddr*>(&native)), *address);
}

INSTANTIATE_TEST_SUITE_P(Forms, SocketAddressText,
                         ::testing::Values("127.0.0.1:4711", "0.0.0.0:0", "[::1]:65535",
                                           "[2001:db8::7]:9092", "[::]:1", "[fe80::1%lo]:5"));

class SocketAddressBadText : public ::testing::TestWithParam<const char*> {};

TEST_P(SocketAddressBadText, IsMalformed) {
    EXPECT_ERRC(SocketAddress::parse(GetParam()), Errc::kMalformed);
}

INSTANTIATE_TEST_SUITE_P(Forms, SocketAddressBadText,
                         ::testing::Values("", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536",
                                           "127.0.0.1:-1", "127.0.0.1:1x", "1.2.3:4", "::1:5",
                                           "[::1]", "[::1", "[::1]5", "[127.0.0.1]:5",
                                           "[fe80::1%none9]:5", "localhost:1"));

TEST(SocketAddress, MappedIpv4IsIpv4) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(80);
    in.sin6_addr.s6_addr[10] = 0xFF;
    in.sin6_addr.s6_addr[11] = 0xFF;
    in.sin6_addr.s6_addr[12] = 127;
    in.sin6_addr.s6_addr[15] = 9;
    const auto address = SocketAddress::from_native(*std::bit_cast<const sockaddr*>(&in));
    EXPECT_EQ(address.text(), "127.0.0.9:80");
    EXPECT_EQ(address.host(), "127.0.0.9");
    EXPECT_TRUE(address.is_loopback());
    EXPECT_FALSE(address.is_v6());
}

TEST(SocketAddress, LoopbackIsTheWholeBlockInIpv4AndOneInIpv6) {
    EXPECT_TRUE(SocketAddress::parse("127.9.9.9:1")->is_loopback());
    EXPECT_FALSE(SocketAddress::parse("10.0.0.1:1")->is_loopback());
    EXPECT_TRUE(SocketAddress::parse("[::1]:1")->is_loopback());
    EXPECT_FALSE(SocketAddress::parse("[::2]:1")->is_loopback());
    EXPECT_FALSE(SocketAddress::parse("[1::1]:1")->is_loopback());
    EXPECT_EQ(SocketAddress::parse("[::1]:1")->with_port(9).text(), "[::1]:9");
}

}  // namespace
}  // namespace leat::rt
