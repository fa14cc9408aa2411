// SPDX-License-Identifier: Apache-2.0
//
// Two instances with a partition each, asked the same way wherever it is; what is answered is known
// by hand. No sockets: an instance asks the other by a call.
#include "stream_endpoint/router.h"

#include <gtest/gtest.h>

#include "stream_endpoint/testing/fake_instances.h"

namespace leat::stream_endpoint {
namespace {

using streams::ApplicationState;

constexpr const char* kOne = "one:1";
constexpr const char* kTwo = "two:2";

class Routing : public testing::Test {
  protected:
    void SetUp() override {
        for (std::int32_t partition = 0; partition < 2; ++partition) {
            auto driver = streams::TestDriver::open(counting(), {});
            ASSERT_TRUE(driver) << driver.error().detail();
            states_.push_back(*std::move(driver));
        }
        // "b", "d" are even, "a", "c" odd.
        pipe(0, "b", 10);
        pipe(0, "b", 30);
        pipe(0, "d", 250);
        pipe(1, "a", 20);
        pipe(1, "c", 120);
        ASSERT_TRUE((states_[1]->pipe<std::string, std::string>("table", "k", "one", {100})));
        ASSERT_TRUE((states_[1]->pipe<std::string, std::string>("table", "k", "two", {200})));
        one_.held[0] = {states_[0], true, 17};
        two_.held[1] = {states_[1], true, 4};
        for (FakeInstance* each : {&one_, &two_}) {
            each->told[0].active = kOne;
            each->told[1].active = kTwo;
        }
        peers_.known = {{kOne, &first_}, {kTwo, &second_}};
    }
    void pipe(std::size_t partition, const std::string& key, std::int64_t at) {
        ASSERT_TRUE((states_[partition]->pipe<std::string, std::string>("in", key, "x", {at})));
    }
    http::Response get(const Router& router, const std::string& path, const std::string& query = {},
                       bool was_forwarded = false) {
        http::Request request;
        request.method = "GET";
        request.path = path;
        request.query = query;
        if (was_forwarded) request.headers.emplace_back(std::string{kForwardedHeader}, "1");
        if (auto now = router.at_once(request)) return *std::move(now);
        auto progress = router.read(request);
        if (progress.response) return *std::move(progress.response);
        return router.finish(std::move(progress), peers_);
    }
    static std::string brief(const http::Response& response) {
        std::string code = response.body;
        if (const auto at = code.find("\"code\":\""); at != std::string::npos)
            code = code.substr(at + 8, code.find('"', at + 8) - at - 8);
        return std::to_string(response.status) + " " + code;
    }

    std::vector<std::shared_ptr<streams::TestDriver>> states_;
    FakeInstance one_{kOne};
    FakeInstance two_{kTwo};
    Router first_{one_, exposed(), {.rows_max = 100}};
    Router second_{two_, exposed(), {.rows_max = 100}};
    FakePeers peers_;
};

TEST_F(Routing, KeyIsAnsweredByTheInstanceThatHasIt) {
    const auto here = get(first_, "/stores/counts/key", "key=b");
    EXPECT_EQ(here.status, 200);
    EXPECT_EQ(here.content_type, "application/json");
    EXPECT_EQ(here.body,
              R"({"store":"counts","partition":0,"instance":"one:1","position":"in:0:17",)"
              R"("key":"b","value":2,"timestamp":30})"
              "\n");
    EXPECT_TRUE(peers_.asked.empty());
}

TEST_F(Routing, KeyOfAnotherInstanceIsAnsweredThroughItsOwner) {
    const auto there = get(first_, "/stores/counts/key", "key=a");
    EXPECT_EQ(there.status, 200);
    EXPECT_EQ(there.body,
              R"({"store":"counts","partition":1,"instance":"two:2","position":"in:1:4",)"
              R"("key":"a","value":1,"timestamp":20})"
              "\n");
    EXPECT_EQ(peers_.asked,
              (std::vector<std::string>{"two:2/stores/counts/key?key=a&partition=1"}));
    EXPECT_EQ(get(second_, "/stores/counts/key", "key=a").body, there.body);
}

TEST_F(Routing, AbsentKeysAreToldFromUnknownStores) {
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=z")), "404 KEY_NOT_FOUND");
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=y")), "404 KEY_NOT_FOUND");
    EXPECT_EQ(brief(get(first_, "/stores/others/key", "key=z")), "404 UNKNOWN_STORE");
    EXPECT_EQ(brief(get(first_, "/stores/counts/keys", "key=z")), "404 UNKNOWN_QUERY");
    EXPECT_EQ(brief(get(first_, "/elsewhere")), "404 NOT_FOUND");
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=b&partition=2")), "404 DOES_NOT_EXIST");
}

TEST_F(Routing, RangeIsGatheredFromAllInstances) {
    const auto all = get(second_, "/stores/counts/range", "order=desc");
    EXPECT_EQ(all.body,
              R"({"store":"counts","partitions":[)"
              R"({"store":"counts","partition":0,"instance":"one:1","position":"in:0:17","rows":[)"
              R"({"key":"d","value":1,"timestamp":250},{"key":"b","value":2,"timestamp":30}]},)"
              R"({"store":"counts","partition":1,"instance":"two:2","position":"in:1:4","rows":[)"
              R"({"key":"c","value":1,"timestamp":120},{"key":"a","value":1,"timestamp":20}]}]})"
              "\n");
    const auto few = get(second_, "/stores/counts/range", "from=c&to=c&partition=1");
    EXPECT_EQ(few.body,
              R"({"store":"counts","partition":1,"instance":"two:2","position":"in:1:4","rows":[)"
              R"({"key":"c","value":1,"timestamp":120}]})"
              "\n");
}

TEST_F(Routing, WindowsSessionsAndVersionsHaveTheirTimes) {
    const auto rows = [](const http::Response& response) {
        const auto at = response.body.find("\"rows\"");
        return at == std::string::npos ? response.body : response.body.substr(at);
    };
    EXPECT_EQ(rows(get(first_, "/stores/windows/windows", "key=b&from=0&to=1000")),
              R"("rows":[{"key":"b","window":{"start":0,"end":100},"value":2,"timestamp":30}]})"
              "\n");
    EXPECT_EQ(rows(get(first_, "/stores/windows/windows", "from=200&partition=0")),
              R"("rows":[{"key":"d","window":{"start":200,"end":300},"value":1,)"
              R"("timestamp":250}]})"
              "\n");
    EXPECT_EQ(rows(get(first_, "/stores/sessions/sessions", "key=b")),
              R"("rows":[{"key":"b","session":{"start":10,"end":30},"value":2}]})"
              "\n");
    EXPECT_EQ(rows(get(first_, "/stores/versions/versions", "key=k&order=asc")),
              R"("rows":[{"key":"k","from":100,"to":200,"value":"one"},)"
              R"({"key":"k","from":200,"to":null,"value":"two"}]})"
              "\n");
    const auto then = get(first_, "/stores/versions/version", "key=k&as-of=150");
    EXPECT_NE(then.body.find(R"("key":"k","from":100,"to":200,"value":"one"})"), std::string::npos)
        << then.body;
}

TEST_F(Routing, WrongParametersAreNamed) {
    for (const char* query :
         {"", "key=b&limit=0", "key=b&stale=maybe", "key=b&position=in", "key=b&key=c", "kex=b",
          "key=b&partition=-1", "key=b&partition=99999999999"})
        EXPECT_EQ(brief(get(first_, "/stores/counts/key", query)), "400 INVALID_REQUEST") << query;
    EXPECT_EQ(brief(get(first_, "/stores/counts/range", "order=up")), "400 INVALID_REQUEST");
    EXPECT_EQ(brief(get(first_, "/stores/windows/windows", "key=b&from=2&to=1")),
              "400 INVALID_REQUEST");
    EXPECT_EQ(brief(get(first_, "/stores/windows/key", "key=b")), "400 UNKNOWN_QUERY_TYPE");
    EXPECT_EQ(brief(get(first_, "/stores/counts/range", "limit=1&partition=0")),
              "413 TOO_MANY_ROWS");
}

TEST_F(Routing, OwnerThatIsNotReachedIsNamed) {
    peers_.known.erase(kTwo);
    const auto gone = get(first_, "/stores/counts/key", "key=a");
    EXPECT_EQ(brief(gone), "502 OWNER_UNREACHABLE");
    EXPECT_NE(gone.body.find("partition 1 of counts is at two:2: connection refused"),
              std::string::npos)
        << gone.body;
    EXPECT_EQ(brief(get(first_, "/stores/counts/range")), "502 OWNER_UNREACHABLE");
    peers_.failure = Errc::kTimedOut;
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a")), "504 OWNER_TIMED_OUT");
    one_.told[1].active.clear();
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a")), "503 OWNER_UNKNOWN");
    one_.told.clear();
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a")), "503 NOT_READY");
}

TEST_F(Routing, QuestionIsPassedOnOnce) {
    // The task has moved, and both know only of how it was.
    two_.held.clear();
    two_.told[1].active = kOne;
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a")), "503 NOT_READY");
    EXPECT_EQ(peers_.asked.size(), 1U);
    EXPECT_EQ(brief(get(second_, "/stores/counts/key", "key=a", true)), "421 NOT_HERE");
    EXPECT_EQ(peers_.asked.size(), 1U);
}

TEST_F(Routing, WhatIsBeingRestoredHereIsNotReady) {
    one_.held[0].is_active = false;
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=b")), "503 NOT_READY");
    EXPECT_TRUE(peers_.asked.empty());
}

TEST_F(Routing, StandbyAnswersOnlyWhoTakesThat) {
    one_.held[1] = {states_[1], false, 3};
    EXPECT_NE(get(first_, "/stores/counts/key", "key=a").body.find("two:2"), std::string::npos);
    const auto stale = get(first_, "/stores/counts/key", "key=a&stale=true");
    EXPECT_NE(stale.body.find(R"("instance":"one:1","position":"in:1:3")"), std::string::npos)
        << stale.body;
    // It is behind what is asked for: the owner is not.
    const auto newer = get(first_, "/stores/counts/key", "key=a&stale=true&position=in:1:4");
    EXPECT_NE(newer.body.find(R"("instance":"two:2","position":"in:1:4")"), std::string::npos)
        << newer.body;
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a&stale=true&position=in:1:5")),
              "503 NOT_UP_TO_BOUND");
    // The owner is gone; a copy elsewhere answers.
    one_.held.erase(1);
    two_.held[1].is_active = false;
    peers_.known = {{"three:3", &second_}};
    one_.told[1].standby = {"three:3"};
    EXPECT_EQ(get(first_, "/stores/counts/key", "key=a&stale=true").status, 200);
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=a")), "502 OWNER_UNREACHABLE");
}

TEST_F(Routing, HealthAndReadinessFollowTheState) {
    const auto both = [&](ApplicationState state) {
        one_.now = state;
        return std::to_string(get(first_, "/healthz").status) + " " +
               std::to_string(get(first_, "/readyz").status);
    };
    EXPECT_EQ(both(ApplicationState::kCreated), "200 503");
    EXPECT_EQ(both(ApplicationState::kRebalancing), "200 503");
    EXPECT_EQ(both(ApplicationState::kRunning), "200 200");
    EXPECT_EQ(both(ApplicationState::kPendingShutdown), "200 503");
    EXPECT_EQ(both(ApplicationState::kError), "503 503");
    EXPECT_EQ(get(first_, "/healthz").body, "ERROR\n");
    EXPECT_EQ(brief(get(first_, "/stores/counts/key", "key=b")), "503 NOT_RUNNING");
}

TEST_F(Routing, MetricsAndStoresAreListed) {
    EXPECT_NE(get(first_, "/metrics").body.find("kafka_streams_stream_metrics_client_state 2\n"),
              std::string::npos);
    one_.told[1].standby = {kOne};
    const auto stores = get(first_, "/stores");
    EXPECT_TRUE(
        stores.body.starts_with(R"({"stores":[{"store":"counts","partitions":[)"
                                R"({"partition":0,"active":"one:1","standby":[]},)"
                                R"({"partition":1,"active":"two:2","standby":["one:1"]}]},)"))
        << stores.body;
    http::Request post;
    post.method = "POST";
    post.path = "/metrics";
    EXPECT_FALSE(Router::asks_a_store(post)) << "it waits for no query";
    ASSERT_TRUE(first_.at_once(post));
    EXPECT_EQ(first_.at_once(post)->status, 405);
}

}  // namespace
}  // namespace leat::stream_endpoint
