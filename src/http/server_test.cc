// SPDX-License-Identifier: Apache-2.0
//
// Method: a server on a loop of the test's thread, and a plain socket that asks it.
#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "obs/log.h"
#include "rt/socket.h"
#include "testkit/result_matchers.h"

namespace leat::http {
namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20U;
std::vector<std::string> logged;

/// Answers "GET /N" with N MiB.
class HttpServer : public ::testing::Test {
  protected:
    void SetUp() override {
        logged.clear();
        obs::set_sink([](obs::Level, std::string_view line) { logged.emplace_back(line); });
        obs::start_logging({.repeats_per_second_max = 1'000});
    }
    void TearDown() override {
        obs::set_sink(nullptr);
        obs::start_logging({});
    }

    void open(ServerOptions options) {
        auto opened =
            Server::open(loop_, std::move(options), [](const Request& request, Respond respond) {
                const auto size = static_cast<std::size_t>(std::stoul(request.path.substr(1)));
                respond({.body = std::string(size * kMebi, 'x')});
            });
        ASSERT_OK(opened);
        server_ = *std::move(opened);
    }

    rt::Socket ask(const std::string& text) {
        auto address = rt::SocketAddress::parse("127.0.0.1:" + std::to_string(server_->port()));
        EXPECT_OK(address);
        auto socket = rt::Socket::connect(*address, {});
        EXPECT_OK(socket);
        run_until([&] { return server_->connection_count() > 0; });
        EXPECT_EQ(::send(socket->descriptor(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
        return *std::move(socket);
    }
    void run_until(const std::function<bool()>& is_done) {
        while (!is_done()) loop_.run_ready();
    }
    /// All that comes until the end of the connection, or `size` bytes.
    std::string read(const rt::Socket& socket, std::size_t size = SIZE_MAX) {
        std::string all;
        std::string some(kMebi, ' ');
        run_until([&] {
            const ssize_t got = ::recv(socket.descriptor(), some.data(), some.size(), MSG_DONTWAIT);
            if (got > 0) all.append(some, 0, static_cast<std::size_t>(got));
            return got == 0 || all.size() >= size || (got < 0 && errno != EAGAIN);
        });
        return all;
    }
    static bool is_logged(std::string_view event, std::string_view why) {
        for (const std::string& line : logged)
            if (line.contains(event) && line.contains(why)) return true;
        return false;
    }

    rt::EventLoop loop_;
    std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, SendsOneAnswerHoweverMuchLargerThanAPile) {
    open({.piled_bytes_max = kMebi});
    const rt::Socket socket = ask("GET /40 HTTP/1.1\r\nConnection: close\r\n\r\n");
    const std::string got = read(socket);
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, 40 * kMebi);
    EXPECT_TRUE(logged.empty());
}

TEST_F(HttpServer, RefusesAnAnswerBeyondTheBoundOfAllAndSaysSo) {
    open({.unsent_bytes_max = 30 * kMebi, .unsent_bytes_setting = "the.bound"});
    const std::string got = read(ask("GET /31 HTTP/1.1\r\n\r\nGET /1 HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(got.starts_with("HTTP/1.1 503 "));
    EXPECT_NE(got.find("the.bound"), std::string::npos);
    EXPECT_LT(got.size(), std::size_t{1'000});
    EXPECT_TRUE(is_logged("answer refused", "the.bound"));
    // Somebody else's answer counts until he has taken it.
    const rt::Socket slow = ask("GET /20 HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 100; ++i) loop_.run_ready();
    EXPECT_TRUE(read(ask("GET /15 HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 503 "));
    EXPECT_GT(read(slow, 20 * kMebi).size(), 20 * kMebi - 1);
    EXPECT_TRUE(
        read(ask("GET /15 HTTP/1.1\r\nConnection: close\r\n\r\n")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServer, AnswersLittleBeyondTheBoundOfAll) {
    open({.unsent_bytes_max = 1});
    const std::string much = read(ask("GET /1 HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(much.starts_with("HTTP/1.1 503 "));
    EXPECT_NE(much.find("beyond 1 bytes,"), std::string::npos) << much;
    EXPECT_TRUE(
        read(ask("GET /0 HTTP/1.1\r\nConnection: close\r\n\r\n")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServer, TellsOfConnectionsBeyondItsNumber) {
    std::vector<std::string> limits;
    open({.connections_max = 1,
          .on_refused = [&limits](std::string_view limit, const std::string& peer) {
              EXPECT_TRUE(peer.starts_with("127.0.0.1:"));
              limits.emplace_back(limit);
          }});
    const rt::Socket first = ask("GET /0 HTTP/1.1\r\n\r\n");
    EXPECT_EQ(read(ask("GET /0 HTTP/1.1\r\n\r\n")), "");
    EXPECT_EQ(limits, (std::vector<std::string>{"http"}));
}

TEST_F(HttpServer, CutsWhoAsksAndDoesNotReadAndSaysSo) {
    open({.piled_bytes_max = 8 * kMebi});
    std::string many;
    for (int i = 0; i < 20; ++i) many += "GET /7 HTTP/1.1\r\n\r\n";
    const rt::Socket socket = ask(many);
    run_until([&] { return server_->connection_count() == 0; });
    EXPECT_TRUE(is_logged("connection cut", "not read"));
}

}  // namespace
}  // namespace leat::http
