// SPDX-License-Identifier: Apache-2.0
//
// Method: each change to credentials with each outcome; then all kinds through a store and back.
#include "metadata/credentials.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "metadata/controller.h"
#include "metadata/store.h"
#include "rt/posix_disk.h"
#include "testkit/result_matchers.h"

namespace leat::metadata {
namespace {

using enum auth::ScramMechanism;

Controller make() {
    auto image = Image::make({}, {});
    EXPECT_OK(image);
    return Controller{*std::move(image), [] { return std::uint64_t{7}; }};
}

ScramUpsertion upsertion(std::string user, auth::ScramMechanism mechanism,
                         std::int32_t iterations = 4'096) {
    return {.user = std::move(user),
            .mechanism = mechanism,
            .iterations = iterations,
            .credential = std::make_shared<const auth::ScramCredential>(
                auth::make_credential(mechanism, "pw", "salt", 4'096))};
}

auth::DelegationToken token(std::string id) {
    auth::DelegationToken out;
    out.id = std::move(id);
    out.hmac = auth::token_hmac("secret", out.id);
    out.owner = auth::Principal::user("alice");
    out.requester = out.owner;
    out.renewers = {auth::Principal::user("bob"), auth::Principal::user("c")};
    out.issued = WallMs{1};
    out.expires = WallMs{100};
    out.ends = WallMs{200};
    auth::add_credentials(out);
    return out;
}

TEST(AlterScram, DoesAllOfAUserOrNothing) {
    Controller c = make();
    std::vector<Delta> deltas;
    const std::vector<ScramUpsertion> both{upsertion("a", kSha256), upsertion("a", kSha512)};
    EXPECT_EQ(c.alter_scram({}, both, deltas)[0].error, Errc::kDuplicateResource);
    EXPECT_TRUE(deltas.empty());
    EXPECT_EQ(c.alter_scram({}, std::span{both}.last(1), deltas)[0].error, Errc::kNone);
    const std::vector<ScramUpsertion> good{upsertion("a", kSha256), upsertion("b", kSha256, 4'095)};
    const auto outcomes = c.alter_scram({}, good, deltas);
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].error, Errc::kNone);
    EXPECT_EQ(outcomes[1].error, Errc::kUnacceptableCredential);
    EXPECT_EQ(deltas.size(), 2U);
    const std::vector<ScramDeletion> deletions{{"a", kSha256}, {"b", kSha256}};
    const std::vector<ScramUpsertion> twice{upsertion("a", kSha256)};
    const auto second = c.alter_scram(deletions, twice, deltas);
    EXPECT_EQ(second[0].error, Errc::kDuplicateResource);
    EXPECT_EQ(second[1].error, Errc::kResourceNotFound);
    EXPECT_EQ(deltas.size(), 2U);
    EXPECT_EQ(c.image().credentials().find_user("a")->size(), 2U);
    EXPECT_EQ(c.alter_scram(std::span{deletions}.first(1), {}, deltas)[0].error, Errc::kNone);
    EXPECT_EQ(c.image().credentials().find_user("a")->size(), 1U);
}

TEST(AlterScram, LastCredentialTakesTheSuperRightAlong) {
    metadata::State state;
    state.credentials.apply(SuperUserChanged{"User:a", true});
    state.credentials.apply(SuperUserChanged{"User:b", true});
    auto image = Image::make(state, {});
    ASSERT_OK(image);
    Controller c{*std::move(image), [] { return std::uint64_t{7}; }};
    std::vector<Delta> deltas;
    for (const char* user : {"a", "b"})
        for (const auth::ScramMechanism mechanism : {kSha256, kSha512}) {
            const ScramUpsertion one = upsertion(user, mechanism);
            c.alter_scram({}, {&one, 1}, deltas);
        }
    const Credentials& known = c.image().credentials();
    const std::uint64_t version = known.supers_version();
    const ScramDeletion first{"a", kSha256};
    const ScramDeletion second{"a", kSha512};
    c.alter_scram({&first, 1}, {}, deltas);
    EXPECT_TRUE(known.supers().contains("User:a")) << "the other password still proves him";
    EXPECT_EQ(known.supers_version(), version);
    deltas.clear();
    c.alter_scram({&second, 1}, {}, deltas);
    EXPECT_EQ(deltas.size(), 2U);
    EXPECT_EQ(known.supers(), (Credentials::Supers{"User:b"}));
    EXPECT_GT(known.supers_version(), version);
    const ScramUpsertion again = upsertion("a", kSha256);
    c.alter_scram({}, {&again, 1}, deltas);
    EXPECT_FALSE(known.supers().contains("User:a"));
}

TEST(AlterScram, RefusesWhatIsNoCredential) {
    Controller c = make();
    std::vector<Delta> deltas;
    const auto error_of = [&](const ScramUpsertion& one) {
        return c.alter_scram({}, {&one, 1}, deltas)[0].error;
    };
    EXPECT_EQ(error_of(upsertion("", kSha256)), Errc::kUnacceptableCredential);
    EXPECT_EQ(error_of(upsertion("a", kSha256, 16'385)), Errc::kUnacceptableCredential);
    EXPECT_EQ(error_of(upsertion("a", auth::ScramMechanism{3})), Errc::kUnsupportedSaslMechanism);
    EXPECT_EQ(error_of({.user = "a", .mechanism = kSha256, .iterations = 4'096, .credential = {}}),
              Errc::kUnacceptableCredential);
    EXPECT_TRUE(deltas.empty());
}

TEST(ChangeToken, IsForOwnersAndRenewersWhileItHolds) {
    Controller c = make();
    std::vector<Delta> deltas;
    auth::DelegationToken asked = token("t");
    asked.requester = auth::Principal::user("ops");
    const auto one = std::make_shared<const auth::DelegationToken>(asked);
    EXPECT_EQ(c.put_token(one, deltas), Errc::kNone);
    WallMs expires;
    const auto change = [&](std::string_view who, std::int64_t now, std::int64_t until,
                            bool removes = false) {
        return c.change_token({.hmac = one->hmac,
                               .who = auth::Principal::user(who),
                               .now = WallMs{now},
                               .until = WallMs{until},
                               .removes = removes},
                              deltas, expires);
    };
    for (const char* other : {"mallory", "ops"})
        for (const bool removes : {false, true})
            EXPECT_EQ(change(other, 50, 150, removes), Errc::kDelegationTokenOwnerMismatch);
    EXPECT_EQ(change("bob", 50, 150), Errc::kNone);
    EXPECT_EQ(expires, WallMs{150});
    EXPECT_EQ(change("alice", 50, 999), Errc::kNone);
    EXPECT_EQ(expires, WallMs{200});
    EXPECT_EQ(change("alice", 201, 999), Errc::kDelegationTokenExpired);
    EXPECT_EQ(change("alice", 201, 0, true), Errc::kNone);
    EXPECT_EQ(change("alice", 50, 150), Errc::kDelegationTokenNotFound);
}

TEST(PutToken, KeepsToTheLimitsOfAllAndOfAnOwner) {
    config::Layers layers;
    layers.file["leat.delegation.tokens.max"] = {"3", "f:1"};
    layers.file["leat.delegation.tokens.per.owner.max"] = {"2", "f:2"};
    auto image = Image::make({}, layers);
    ASSERT_OK(image);
    Controller c{*std::move(image), [] { return std::uint64_t{7}; }};
    std::vector<Delta> deltas;
    const auto put = [&](const char* id, const char* owner, std::int64_t issued = 1) {
        auth::DelegationToken one = token(id);
        one.owner = auth::Principal::user(owner);
        one.issued = WallMs{issued};
        return c.put_token(std::make_shared<const auth::DelegationToken>(one), deltas);
    };
    EXPECT_EQ(put("a1", "alice"), Errc::kNone);
    EXPECT_EQ(put("a2", "alice"), Errc::kNone);
    EXPECT_EQ(put("a3", "alice"), Errc::kPolicyViolation);
    EXPECT_EQ(put("b1", "bob"), Errc::kNone);
    EXPECT_EQ(put("c1", "carol"), Errc::kPolicyViolation);
    EXPECT_EQ(deltas.size(), 3U);
    EXPECT_EQ(put("a2", "alice"), Errc::kNone) << "it takes its own place";
    EXPECT_EQ(put("a3", "alice", 101), Errc::kNone) << "the others have ended by then";
    EXPECT_EQ(c.image().credentials().tokens().size(), 1U);
}

TEST(Credentials, AnswerForTokensThatHoldOnly) {
    Controller c = make();
    std::vector<Delta> deltas;
    EXPECT_EQ(c.put_token(std::make_shared<const auth::DelegationToken>(token("t")), deltas),
              Errc::kNone);
    const Credentials& known = c.image().credentials();
    EXPECT_TRUE(known.token_account("t", kSha512, WallMs{99}).has_value());
    EXPECT_FALSE(known.token_account("t", kSha512, WallMs{100}).has_value());
    EXPECT_FALSE(known.account("t", kSha512).has_value());
    auth::Session session;
    session.by_token = true;
    session.token_id = "t";
    session.token_expires = WallMs{100};
    EXPECT_TRUE(known.holds(session, WallMs{50}));
    EXPECT_TRUE(known.holds(session, WallMs{100})) << "the session has this end too";
    c.drop_expired_tokens(WallMs{101}, deltas);
    EXPECT_FALSE(known.holds(session, WallMs{50}));
}

// A secret that got out, or was taken away, must not go on opening.
TEST(Credentials, TokensHoldAsLongAsTheirSecret) {
    State state;
    for (const char* id : {"one", "two"})
        state.credentials.apply(
            TokenChanged{id, std::make_shared<const auth::DelegationToken>(token(id))});
    const auto tokens_with = [&state](std::string_view name, std::string_view secret) {
        config::Layers layers;
        if (!secret.empty()) layers.file[std::string{name}] = {std::string{secret}, "f:1"};
        const auto image = Image::make(state, layers);
        EXPECT_OK(image);
        return image->credentials().tokens().size();
    };
    EXPECT_EQ(tokens_with("delegation.token.secret.key", "secret"), 2U);
    EXPECT_EQ(tokens_with("delegation.token.master.key", "secret"), 2U);
    EXPECT_EQ(tokens_with("delegation.token.secret.key", "another"), 0U);
    EXPECT_EQ(tokens_with("delegation.token.secret.key", ""), 0U);
    EXPECT_EQ(state.credentials.tokens().size(), 2U) << "they hold again with their own";
}

TEST(Credentials, AnEndBroughtForwardEndsSessions) {
    Controller c = make();
    std::vector<Delta> deltas;
    EXPECT_EQ(c.put_token(std::make_shared<const auth::DelegationToken>(token("t")), deltas),
              Errc::kNone);
    auth::Session session;
    session.by_token = true;
    session.token_id = "t";
    session.token_expires = WallMs{100};
    auto shorter = token("t");
    shorter.expires = WallMs{60};
    EXPECT_EQ(c.put_token(std::make_shared<const auth::DelegationToken>(shorter), deltas),
              Errc::kNone);
    EXPECT_TRUE(c.image().credentials().holds(session, WallMs{59}));
    EXPECT_FALSE(c.image().credentials().holds(session, WallMs{60}));
    auto longer = token("t");
    longer.expires = WallMs{150};
    EXPECT_EQ(c.put_token(std::make_shared<const auth::DelegationToken>(longer), deltas),
              Errc::kNone);
    EXPECT_TRUE(c.image().credentials().holds(session, WallMs{120}));
}

TEST(Credentials, AnotherPasswordEndsSessions) {
    Controller c = make();
    std::vector<Delta> deltas;
    const auto put = [&](ScramUpsertion one) {
        const std::vector<ScramUpsertion> users{std::move(one)};
        c.alter_scram({}, users, deltas);
    };
    put(upsertion("a", kSha256));
    const Credentials& known = c.image().credentials();
    auth::Session session;
    session.principal = auth::Principal::user("a");
    session.mechanism = "SCRAM-SHA-256";
    session.stored_key = known.account("a", kSha256)->credential.stored_key;
    EXPECT_TRUE(known.holds(session, WallMs{0}));
    ScramUpsertion same = upsertion("a", kSha512);
    put(same);
    EXPECT_TRUE(known.holds(session, WallMs{0})) << "it is for another mechanism";
    ScramUpsertion other = upsertion("a", kSha256);
    auth::ScramCredential changed = *other.credential;
    changed.stored_key[0] ^= 1;
    other.credential = std::make_shared<const auth::ScramCredential>(changed);
    put(other);
    EXPECT_FALSE(known.holds(session, WallMs{0}));
}

TEST(Credentials, AreReadBackFromAStore) {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-cred-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const std::string path = pattern + "/metadata.db";
    rt::PosixDisk disk;
    const auth::DelegationToken kept = token("kept");
    {
        auto store = open_sqlite_store(disk, path, "c");
        ASSERT_OK(store);
        Controller c = make();
        std::vector<Delta> deltas;
        const std::vector<ScramUpsertion> users{upsertion("a", kSha256), upsertion("b", kSha512)};
        c.alter_scram({}, users, deltas);
        const ScramDeletion gone{"b", kSha512};
        c.alter_scram({&gone, 1}, {}, deltas);
        EXPECT_EQ(c.put_token(std::make_shared<const auth::DelegationToken>(kept), deltas),
                  Errc::kNone);
        deltas.emplace_back(SuperUserChanged{"User:a", true});
        ASSERT_OK((*store)->commit(deltas));
    }
    auto store = open_sqlite_store(disk, path, "c");
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    const Credentials& known = state->credentials;
    ASSERT_NE(known.find_user("a"), nullptr);
    EXPECT_EQ(*known.find_user("a")->at(kSha256), *upsertion("a", kSha256).credential);
    EXPECT_EQ(known.find_user("b"), nullptr);
    const TokenPtr back = known.find_token("kept");
    ASSERT_NE(back, nullptr);
    EXPECT_EQ(back->hmac, kept.hmac);
    EXPECT_EQ(back->owner, kept.owner);
    EXPECT_EQ(back->renewers, kept.renewers);
    EXPECT_EQ(back->credentials, kept.credentials);
    EXPECT_EQ(back->ends, kept.ends);
    EXPECT_TRUE(known.supers().contains("User:a"));
    std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace leat::metadata
