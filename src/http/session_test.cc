// SPDX-License-Identifier: Apache-2.0
//
// Method: a session over a carrier that records, and a clock the test sets.
#include "http/session.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace leat::http {
namespace {

using std::chrono::seconds;

Instant at(int second) {
    return Instant{} + seconds{second};
}

/// A connection with its handler; answers at once unless `hold`.
struct Peer {
    explicit Peer(SessionOptions options = {}) {
        session = Session::create(
            options,
            [this](Request request, Respond respond) {
                seen.push_back(request.method + " " + request.path);
                if (drop) return;
                if (hold) {
                    held.push_back(std::move(respond));
                } else {
                    respond({.body = request.path});
                }
            },
            {.send = [this](const std::string& text) { sent += text; },
             .close = [this] { ++closed; }},
            at(0));
    }
    void receive(std::string_view text, int second = 0) {
        session->receive(std::as_bytes(std::span{text.data(), text.size()}), at(second));
    }

    std::vector<std::string> seen;
    std::vector<Respond> held;
    std::string sent;
    int closed = 0;
    bool hold = false;
    bool drop = false;
    std::shared_ptr<Session> session;  // Last: dropped answers must find the rest alive.
};

TEST(Session, AnswersPipelinedRequestsInOrder) {
    Peer peer;
    peer.receive("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    EXPECT_EQ(peer.seen, (std::vector<std::string>{"GET /a", "GET /b"}));
    EXPECT_LT(peer.sent.find("\r\n\r\n/a"), peer.sent.find("\r\n\r\n/b"));
    EXPECT_EQ(peer.closed, 0);
}

TEST(Session, HandsOutTheNextRequestOnlyAfterALateAnswer) {
    Peer peer{{.pipelined_bytes_max = 10}};
    peer.hold = true;
    peer.receive("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    EXPECT_EQ(peer.seen.size(), 1U);
    EXPECT_FALSE(peer.session->wants_bytes());
    EXPECT_EQ(peer.session->deadline(), Instant::max());
    std::exchange(peer.held[0], nullptr)({.body = "late"});
    EXPECT_EQ(peer.seen.size(), 2U);
    EXPECT_NE(peer.sent.find("late"), std::string::npos);
}

TEST(Session, ClosesAfterTheAnswerWhenThePeerAsksForIt) {
    Peer peer;
    peer.receive("GET /a HTTP/1.1\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    EXPECT_EQ(peer.seen.size(), 1U);
    EXPECT_EQ(peer.closed, 1);
    EXPECT_NE(peer.sent.find("Connection: close"), std::string::npos);
}

TEST(Session, AnswersHeadWithoutABody) {
    Peer peer;
    peer.receive("HEAD /abc HTTP/1.1\r\n\r\n");
    EXPECT_NE(peer.sent.find("Content-Length: 4\r\n"), std::string::npos);
    EXPECT_TRUE(peer.sent.ends_with("\r\n\r\n"));
}

TEST(Session, RefusesGarbageOnceAndCloses) {
    Peer peer;
    peer.receive("\x01\x02\x03\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(peer.sent.starts_with("HTTP/1.1 400 "));
    EXPECT_EQ(peer.closed, 1);
    peer.receive("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(peer.seen.empty());
    EXPECT_EQ(peer.closed, 1);
}

TEST(Session, CutsAPeerThatTricklesItsRequest) {
    Peer peer{{.request_timeout = seconds{10}}};
    peer.receive("GET /", 5);
    peer.receive(" HTTP/1.1\r\n", 14);
    EXPECT_EQ(peer.session->deadline(), at(15));
    peer.session->tick(at(14));
    EXPECT_EQ(peer.closed, 0);
    peer.session->tick(at(15));
    EXPECT_TRUE(peer.sent.starts_with("HTTP/1.1 408 "));
    EXPECT_EQ(peer.closed, 1);
}

TEST(Session, ClosesSilentlyWhenIdleForTooLong) {
    Peer peer{{.idle_timeout = seconds{60}}};
    peer.receive("GET /a HTTP/1.1\r\n\r\n", 30);
    const std::string before = peer.sent;
    peer.session->tick(at(90));
    EXPECT_EQ(peer.sent, before);
    EXPECT_EQ(peer.closed, 1);
}

TEST(Session, InvitesABodyThatWaitsForContinue) {
    Peer peer;
    peer.receive("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(peer.sent, "HTTP/1.1 100 Continue\r\n\r\n");
    peer.receive("hi");
    EXPECT_EQ(peer.seen.size(), 1U);
}

TEST(Session, Answers500WhenTheHandlerDropsTheRequest) {
    Peer peer;
    peer.drop = true;
    peer.receive("GET /a HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(peer.sent.starts_with("HTTP/1.1 500 "));
}

TEST(Session, IgnoresAnAnswerAfterTheConnectionIsGone) {
    Peer peer;
    peer.hold = true;
    peer.receive("GET /a HTTP/1.1\r\n\r\n");
    peer.session->peer_closed();
    std::exchange(peer.held[0], nullptr)({.body = "late"});
    peer.hold = true;
    EXPECT_EQ(peer.sent, "");
    EXPECT_EQ(peer.closed, 0);
}

}  // namespace
}  // namespace leat::http
