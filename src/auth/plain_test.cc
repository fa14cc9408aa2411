// SPDX-License-Identifier: Apache-2.0
#include "auth/plain.h"

#include <gtest/gtest.h>

namespace leat::auth {
namespace {

std::unique_ptr<SaslServer> server_of_alice() {
    return make_plain_server(
        [](std::string_view user, std::string_view password) -> std::optional<Identity> {
            if (!has_password({{"alice", "pw"}, {"none", ""}}, user, password)) return std::nullopt;
            return Identity{Principal::user(user), false, {}};
        });
}

std::string told(std::string_view message) {
    const auto answer = server_of_alice()->next(message);
    return answer.has_value() ? answer->identity->principal.text()
                              : std::string{answer.error().detail()};
}

TEST(PlainServer, TakesNameAndPassword) {
    EXPECT_EQ(told(plain_message("alice", "pw")), "User:alice");
    EXPECT_EQ(told(std::string_view{"alice\0alice\0pw", 14}), "User:alice");
}

TEST(PlainServer, RefusesInKafkasWords) {
    EXPECT_EQ(told(plain_message("alice", "px")),
              "Authentication failed: Invalid username or password");
    EXPECT_EQ(told(plain_message("bob", "pw")),
              "Authentication failed: Invalid username or password");
    EXPECT_EQ(told(plain_message("", "pw")), "Authentication failed: username not specified");
    EXPECT_EQ(told(plain_message("none", "")), "Authentication failed: password not specified");
    EXPECT_EQ(told("alice"), "Invalid SASL/PLAIN response: expected 3 tokens, got 1");
    EXPECT_EQ(told(std::string_view{"a\0b\0c\0d", 7}),
              "Invalid SASL/PLAIN response: expected 3 tokens, got 4");
    EXPECT_EQ(told(std::string_view{"bob\0alice\0pw", 12}),
              "Authentication failed: Client requested an authorization id that is different from "
              "username");
}

TEST(PlainServer, IsOverAfterOneMessage) {
    const auto server = server_of_alice();
    EXPECT_FALSE(server->next(plain_message("alice", "px")).has_value());
    EXPECT_FALSE(server->next(plain_message("alice", "pw")).has_value());
}

}  // namespace
}  // namespace leat::auth
