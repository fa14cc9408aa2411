// SPDX-License-Identifier: Apache-2.0
// Method: commands of both protocols against a coordinator whose appends the test completes; what
// is refused, lost or left behind on the way from one protocol to the other.
#include <gtest/gtest.h>

#include <array>

#include "groups/coordinator.h"
#include "groups/testing/coordinator_fixture.h"

namespace leat::groups {
namespace {

using namespace std::chrono_literals;
using testing::quick;

/// An assignment of nothing, version 0: one of text could not be converted.
const std::string& nothing() {
    static const std::string out = std::string(6, '\0') + std::string(4, '\xFF');
    return out;
}

struct Fixture : testing::Fixture {
    using testing::Fixture::Fixture;

    struct Beat {
        std::string member = "new";
        std::int32_t epoch = 0;
        std::optional<std::string> instance = {};
        std::string topic = "t1";
    };
    std::shared_ptr<std::optional<ConsumerHeartbeatAnswer>> send(const Beat& beat) {
        auto out = std::make_shared<std::optional<ConsumerHeartbeatAnswer>>();
        const std::array<std::string_view, 1> topics{beat.topic};
        ConsumerHeartbeat request{.group_id = "g",
                                  .member_id = beat.member,
                                  .member_epoch = beat.epoch,
                                  .instance_id = beat.instance,
                                  .client_id = "app",
                                  .client_host = "/127.0.0.1",
                                  .makes_own_id = true};
        if (beat.epoch == 0) {
            request.rebalance_timeout_ms = 30'000;
            request.topics = topics;
            request.owned = std::span<const OwnedTopic>{};
        }
        c->consumer_heartbeat(request, now,
                              [out](ConsumerHeartbeatAnswer answer) { *out = std::move(answer); });
        return out;
    }
    Errc beat(const Beat& beat) {
        const auto out = send(beat);
        write();
        return out->has_value() ? (*out)->error : Errc::kRequestTimedOut;
    }
    /// Takes part in the generation that is about to begin, as its only classic member.
    std::string enter(const Options& o) {
        const auto joined = join("g", o);
        pass({});
        write();
        EXPECT_TRUE(joined->has_value() && (*joined)->error == Errc::kNone);
        if (!*joined) return {};
        const std::string id = (*joined)->member_id;
        const auto synced = sync("g", (*joined)->generation, id, {{id, nothing()}});
        write();
        EXPECT_TRUE(synced->has_value() && (*synced)->error == Errc::kNone);
        return id;
    }
    std::string type() { return c->list().empty() ? "" : std::string{c->list().front().type}; }
};

TEST(MigrationRefused, LeavesTheClassicGroupAsItWas) {
    Settings settings = quick();
    settings.member_bytes_max = 1'000;
    Fixture f{settings};
    const std::string id = f.enter({});
    const auto waiting = f.join("g", {});
    EXPECT_EQ(f.beat({.topic = std::string(1'000, 'x')}), Errc::kInvalidRequest);
    EXPECT_EQ(f.type(), "classic");
    EXPECT_FALSE(*waiting) << "it waits on";
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kRebalanceInProgress);
}

TEST(MigrationRefused, LeavesAnEmptyGroupThatCanBeDeleted) {
    Settings settings = quick();
    settings.member_bytes_max = 1'000;
    Fixture f{settings};
    f.leave("g", f.enter({}));
    f.write();
    EXPECT_EQ(f.beat({.topic = std::string(1'000, 'x')}), Errc::kInvalidRequest);
    EXPECT_EQ(f.type(), "classic");
    std::optional<Errc> outcome;
    f.c->delete_group("g", f.now, [&](Errc error) { outcome = error; });
    f.write();
    EXPECT_EQ(outcome, Errc::kNone);
    f.restart();
    EXPECT_TRUE(f.c->list().empty());
}

TEST(MigrationRefused, LeavesNoGroupThatWasNotThere) {
    Settings settings = quick();
    settings.member_bytes_max = 1'000;
    Fixture f{settings};
    EXPECT_EQ(f.beat({.topic = std::string(1'000, 'x')}), Errc::kInvalidRequest);
    EXPECT_TRUE(f.c->list().empty());
}

TEST(MigrationRefused, ByAGroupOrANodeThatIsFullButNotForWhoIsThere) {
    Fixture f;
    f.enter({.instance = "i1"});
    f.settings.group_bytes_max = 600;
    f.c->set_settings(f.settings);
    EXPECT_EQ(f.beat({.topic = std::string(100, 'x')}), Errc::kGroupMaxSizeReached);
    EXPECT_EQ(f.type(), "classic");
    f.settings = quick();
    f.settings.all_groups_bytes_max = 1;
    f.c->set_settings(f.settings);
    EXPECT_EQ(f.beat({}), Errc::kCoordinatorLoadInProgress);
    EXPECT_EQ(f.type(), "classic");
    EXPECT_EQ(f.beat({.instance = "i1"}), Errc::kNone);
    EXPECT_EQ(f.type(), "consumer");
}

TEST(Downgrade, OfAStaticMemberThatIsAloneKeepsToThePolicy) {
    for (const MigrationPolicy policy :
         {MigrationPolicy::kUpgrade, MigrationPolicy::kBidirectional}) {
        Settings settings = quick();
        settings.migration = policy;
        Fixture f{settings};
        EXPECT_EQ(f.beat({.instance = "i1"}), Errc::kNone);
        const auto joined = f.join("g", {.instance = "i1"});
        f.write();
        ASSERT_TRUE(*joined);
        EXPECT_EQ((*joined)->error, Errc::kNone);
        EXPECT_EQ(f.type(), policy == MigrationPolicy::kUpgrade ? "consumer" : "classic");
        EXPECT_EQ(f.heartbeat("g", (*joined)->generation, (*joined)->member_id, "i1"), Errc::kNone);
    }
}

TEST(Downgrade, ThatIsForbiddenLeavesClassicMembersThatHearOfTheNewTarget) {
    Settings settings = quick();
    settings.migration = MigrationPolicy::kUpgrade;
    Fixture f{settings};
    const std::string id = f.enter({});
    EXPECT_EQ(f.beat({}), Errc::kNone);
    f.enter({.member = id});
    EXPECT_EQ(f.heartbeat("g", 2, id), Errc::kNone);
    EXPECT_EQ(f.beat({.epoch = -1}), Errc::kNone);
    EXPECT_EQ(f.type(), "consumer");
    EXPECT_EQ(f.heartbeat("g", 2, id), Errc::kNone) << "the last target is too young";
    f.pass(1'000ms);
    EXPECT_EQ(f.heartbeat("g", 2, id), Errc::kRebalanceInProgress);
    f.enter({.member = id});
    EXPECT_EQ(f.heartbeat("g", 3, id), Errc::kNone);
    f.restart();
    EXPECT_EQ(f.heartbeat("g", 3, id), Errc::kNone);
}

TEST(Downgrade, ThatIsForbiddenIsHeardOfBySyncToo) {
    Settings settings = quick();
    settings.migration = MigrationPolicy::kUpgrade;
    Fixture f{settings};
    const std::string id = f.enter({});
    f.beat({});
    f.enter({.member = id});
    f.beat({.epoch = -1});
    f.pass(1'000ms);
    const auto synced = f.sync("g", 2, id);
    f.write();
    ASSERT_TRUE(*synced);
    EXPECT_EQ((*synced)->error, Errc::kRebalanceInProgress);
}

TEST(Downgrade, ThatWasLostIsNotWrittenBehindALaterGeneration) {
    Fixture f;
    Fixture::Options o{.session_ms = 1'800'000};
    const std::string id = f.enter(o);
    o.member = id;
    f.beat({});
    f.enter(o);
    f.send({.epoch = -1});
    f.write(Errc::kNoSpace);
    EXPECT_EQ(f.type(), "classic");
    f.enter(o);
    EXPECT_EQ(f.heartbeat("g", 3, id), Errc::kNone);
    // What is missing is written now, and so without the generation that was lost.
    const std::size_t before = f.log.size();
    f.pass(601s);
    f.write();
    EXPECT_GT(f.log.size(), before);
    f.restart();
    EXPECT_EQ(f.type(), "classic");
    EXPECT_EQ(f.heartbeat("g", 3, id), Errc::kNone);
}

}  // namespace
}  // namespace leat::groups
