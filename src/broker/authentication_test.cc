// SPDX-License-Identifier: Apache-2.0
//
// Method: the state of a connection, driven without one.
#include "broker/authentication.h"

#include <gtest/gtest.h>

#include <chrono>

#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using enum wire::ApiKey;
using std::chrono::milliseconds;

std::shared_ptr<const ListenerAccess> access_with(std::int64_t reauth_ms) {
    const config::Listener listener{
        .name = "L", .protocol = config::Protocol::kSaslPlaintext, .host = "localhost", .port = 1};
    config::ListenerSecurity security;
    security.sasl.mechanisms = {"PLAIN", "SCRAM-SHA-256"};
    security.sasl.reauth_ms["PLAIN"] = reauth_ms;
    auto out = ListenerAccess::open(listener, security);
    EXPECT_OK(out);
    return *out;
}

struct Fixture {
    explicit Fixture(std::int64_t reauth_ms = 0) : authentication(access_with(reauth_ms)) {}
    [[nodiscard]] std::string_view refusal(wire::ApiKey key) const {
        return authentication.refusal(key, now, session);
    }
    Result<std::int64_t> succeed(std::string_view user, std::optional<WallMs> expires = {}) {
        return authentication.succeed({auth::Principal::user(user), false, expires}, now,
                                      WallMs{1'000}, session);
    }
    Authentication authentication;
    auth::Session session;
    Instant now{std::chrono::hours{1}};
};

TEST(Authentication, LetsAStrangerDoOneThingAtATime) {
    Fixture f;
    EXPECT_EQ(f.refusal(kApiVersions), "");
    EXPECT_EQ(f.refusal(kSaslHandshake), "");
    EXPECT_EQ(f.refusal(kSaslAuthenticate), "unauthenticated");
    EXPECT_EQ(f.refusal(kMetadata), "unauthenticated");
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_EQ(f.refusal(kSaslAuthenticate), "");
    EXPECT_EQ(f.refusal(kSaslHandshake), "authentication_state");
    EXPECT_EQ(f.refusal(kApiVersions), "authentication_state");
    EXPECT_FALSE(f.authentication.expects_raw());
    EXPECT_OK(f.succeed("alice"));
    EXPECT_EQ(f.refusal(kMetadata), "");
    EXPECT_EQ(f.session.principal.text(), "User:alice");
    EXPECT_EQ(f.session.mechanism, "PLAIN");
    EXPECT_EQ(f.session.expires_at, Instant::max());
}

TEST(Authentication, ReadsMessagesWithoutHeaderAfterTheOldHandshakeOnly) {
    Fixture f;
    EXPECT_OK(f.authentication.begin("PLAIN", 0));
    EXPECT_TRUE(f.authentication.expects_raw());
    EXPECT_OK(f.succeed("alice"));
    EXPECT_FALSE(f.authentication.expects_raw());
}

TEST(Authentication, IsOverAfterAFailure) {
    Fixture f;
    EXPECT_ERRC(f.authentication.begin("GSSAPI", 1), Errc::kUnsupportedSaslMechanism);
    EXPECT_EQ(f.refusal(kApiVersions), "authentication_failed");
    EXPECT_FALSE(f.authentication.may_begin(f.now, f.session));
}

TEST(Authentication, RenewsASessionAsTheSameUserByTheSameMechanism) {
    Fixture f{5'000};
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_EQ(*f.succeed("alice"), 5'000);
    EXPECT_EQ(f.session.expires_at, f.now + milliseconds{5'000});
    EXPECT_FALSE(f.authentication.may_begin(f.now + milliseconds{999}, f.session));
    f.now += milliseconds{5'001};
    EXPECT_EQ(f.refusal(kMetadata), "session_expired");
    EXPECT_EQ(f.refusal(kSaslHandshake), "");
    ASSERT_TRUE(f.authentication.may_begin(f.now, f.session));
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_ERRC(f.succeed("bob"), Errc::kSaslAuthenticationFailed);
    EXPECT_EQ(f.session.principal.text(), "User:alice");
    EXPECT_EQ(f.refusal(kMetadata), "authentication_failed");
}

TEST(Authentication, RefusesToRenewByAnotherMechanism) {
    Fixture f{5'000};
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_OK(f.succeed("alice"));
    f.now += milliseconds{2'000};
    EXPECT_ERRC(f.authentication.begin("SCRAM-SHA-256", 1), Errc::kSaslAuthenticationFailed);
}

TEST(Authentication, DoesNotRenewWhatNeverEnds) {
    Fixture f;
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_EQ(*f.succeed("alice"), 0);
    EXPECT_FALSE(f.authentication.may_begin(f.now + std::chrono::hours{1}, f.session));
}

TEST(Authentication, EndsWithTheProofWhenThatEndsFirst) {
    Fixture f{5'000};
    EXPECT_OK(f.authentication.begin("PLAIN", 1));
    EXPECT_EQ(*f.succeed("alice", WallMs{3'000}), 2'000);
    Fixture past;
    EXPECT_OK(past.authentication.begin("PLAIN", 1));
    EXPECT_EQ(*past.succeed("alice", WallMs{500}), 0);
    EXPECT_EQ(past.refusal(kMetadata), "session_expired");
}

}  // namespace
}  // namespace leat::broker
