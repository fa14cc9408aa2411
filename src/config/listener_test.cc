// SPDX-License-Identifier: Apache-2.0
//
// Method: texts as they are written, what they mean, or why they are refused.
#include "config/listener.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

using Texts = std::vector<std::string>;

/// As text_of() has them, or the refusal.
Texts parsed(const Texts& texts, std::string_view protocols = {}) {
    const auto listeners = parse_listeners(texts, protocols);
    if (!listeners) return {std::string{listeners.error().detail()}};
    Texts out;
    for (const Listener& one : *listeners) out.push_back(text_of(one));
    return out;
}

TEST(Listeners, GetNamesWhenTheyComeWithoutOne) {
    EXPECT_EQ(parsed({"127.0.0.1:0", "[::1]:0", "host:9"}),
              (Texts{"PLAINTEXT://127.0.0.1:0", "PLAINTEXT_2://[::1]:0", "PLAINTEXT_3://host:9"}));
    // Names that somebody chose stay his.
    EXPECT_EQ(
        parsed({"a:1", "plaintext://b:2", "c:3", "PLAINTEXT_3://d:4"}, "PLAINTEXT_3:PLAINTEXT"),
        (Texts{"PLAINTEXT_2://a:1", "PLAINTEXT://b:2", "PLAINTEXT_4://c:3", "PLAINTEXT_3://d:4"}));
    const auto mapped =
        parse_listeners(Texts{"a:1", "b:2", "c:3"}, "PLAINTEXT:SSL,PLAINTEXT_3:SASL_SSL");
    ASSERT_OK(mapped);
    EXPECT_EQ((*mapped)[0].protocol, Protocol::kSsl);
    EXPECT_EQ((*mapped)[1].protocol, Protocol::kSsl);
    EXPECT_EQ((*mapped)[2].protocol, Protocol::kSaslSsl);
}

TEST(Listeners, AreRefusedWithTheFormThatIsWanted) {
    EXPECT_NE(parsed({"SSL://a:1", "SSL://b:2"})[0].find("NAME://host:port"), std::string::npos);
    EXPECT_NE(parsed({"a"})[0].find("host:port or NAME://host:port"), std::string::npos);
    EXPECT_NE(parsed({"a:1", "a:1"})[0].find("two listeners on one address"), std::string::npos);
    EXPECT_NE(parsed({"EXTERNAL://a:1"})[0].find("listener.security.protocol.map"),
              std::string::npos);
    EXPECT_NE(parsed({"::1:9092"})[0].find("brackets"), std::string::npos);
}

TEST(IsLoopback, OnlyAddressesOfThisMachineAndItsOwnName) {
    for (const char* host :
         {"127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host :
         {"127.evil.example", "127.0.0.1.evil.example", "127.", "127.0.0.1 ", "::ffff:10.0.0.1",
          "::127.0.0.1", "10.0.0.1", "::", "", "localhost.evil.example", "1.127.0.0"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace leat::config
