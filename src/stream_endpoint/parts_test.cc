// SPDX-License-Identifier: Apache-2.0
//
// Forms, parameters, positions and heads of answers, by examples; the wire between two instances
// over a loopback socket.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "http/server.h"
#include "leat/stream_endpoint/endpoint.h"
#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "rt/event_loop.h"
#include "rt/loop_thread.h"
#include "rt/tls_context.h"
#include "stream_endpoint/access.h"
#include "stream_endpoint/answer_head.h"
#include "stream_endpoint/http_peers.h"
#include "stream_endpoint/parameters.h"
#include "stream_endpoint/testing/certificate.h"

namespace leat::stream_endpoint {

enum class Color : std::uint8_t { kRed, kGreen };
struct Pixel {
    std::int32_t x = 0;
    Color color = Color::kRed;
};

}  // namespace leat::stream_endpoint

template <>
struct leat::streams::Enumerators<leat::stream_endpoint::Color> {
    static constexpr auto list =  // NOLINT(readability-identifier-naming): the library asks for it
        enumerators_of(named("red", leat::stream_endpoint::Color::kRed),
                       named("green", leat::stream_endpoint::Color::kGreen));
};
template <>
struct leat::streams::Members<leat::stream_endpoint::Pixel> {
    static constexpr auto list = members_of(
        member("x", &leat::stream_endpoint::Pixel::x),  // NOLINT(readability-identifier-naming)
        member("color", &leat::stream_endpoint::Pixel::color));
};

namespace leat::stream_endpoint {
namespace {

template <class T>
std::string back(std::string_view text) {
    const auto value = Form<T>::read(text);
    if (!value) return "error" + std::string{value.error().detail()};
    std::string json;
    const auto written = Form<T>::write(*value, json);
    return written ? json : "error";
}

TEST(Form, KeysAreReadAsPeopleWriteThem) {
    EXPECT_EQ(back<std::string>("a \"b\""), R"("a \"b\"")");
    EXPECT_EQ(back<std::string>("\xFF!"), R"({"hex":"ff21"})");
    EXPECT_EQ(back<std::int64_t>("-42"), "-42");
    EXPECT_EQ(back<std::int16_t>("70000").substr(0, 5), "error");
    EXPECT_EQ(back<double>("1.5"), "1.5");
    EXPECT_EQ(back<bool>("true"), "true");
    EXPECT_EQ(back<Color>("green"), R"("green")");
    EXPECT_EQ(back<Color>("blue").substr(0, 5), "error");
    EXPECT_EQ(back<Uuid>("01234567-89ab-cdef-0123-456789abcdef"),
              R"("01234567-89ab-cdef-0123-456789abcdef")");
    EXPECT_EQ(back<std::vector<std::uint8_t>>("00fF"), R"("00ff")");
    EXPECT_EQ(back<std::vector<std::uint8_t>>("0").substr(0, 5), "error");
    EXPECT_EQ(back<Pixel>(R"({"x":3,"color":"green"})"), R"({"x":3,"color":"green"})");
}

TEST(Expose, BytesAreThoseOfTheSerdes) {
    const auto store = expose<std::int32_t, std::string>("s");
    const auto key = store.key_of("258");
    ASSERT_TRUE(key);
    EXPECT_EQ(*key, std::string("\0\0\1\2", 4));
    std::string json;
    ASSERT_TRUE(store.write_key(*key, json));
    ASSERT_TRUE(store.write_value("x", json));
    EXPECT_EQ(json, "258\"x\"");
    EXPECT_FALSE(store.write_key("123", json));
}

TEST(Parameters, AbsentIsNotEmpty) {
    const auto in = Parameters::parse("key=&from=a%20b+c&&x");
    ASSERT_TRUE(in);
    EXPECT_EQ(in->find("key"), "");
    EXPECT_EQ(in->find("from"), "a b c");
    EXPECT_EQ(in->find("x"), "");
    EXPECT_EQ(in->find("to"), std::nullopt);
    EXPECT_TRUE(in->allow("x key from"));
    EXPECT_FALSE(in->allow("key from"));
}

TEST(Position, IsReadAsItIsTold) {
    const streams::Position position{{"a", {{0, 5}, {1, 6}}}, {"b", {{0, 7}}}};
    EXPECT_EQ(position_text(position), "a:0:5,a:1:6,b:0:7");
    const auto again = parse_position("b:0:7,a:1:6,a:0:2,a:0:5");
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, position);
    for (const char* text : {"a", "a:0", ":0:1", "a:x:1", "a:0:-1", "a:-1:1", "a:0:1:2"})
        EXPECT_FALSE(parse_position(text)) << text;
}

TEST(AnswerHead, NeedsStatusAndLength) {
    const auto ok = parse_answer_head("HTTP/1.1 404 Not Found\r\ncontent-LENGTH: 12\r\n\r\n");
    ASSERT_TRUE(ok);
    EXPECT_EQ(ok->status, 404);
    EXPECT_EQ(ok->body_bytes, 12U);
    for (const char* text :
         {"", "HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"})
        EXPECT_FALSE(parse_answer_head(text)) << text;
}

TEST(HttpPeers, AskAndSayThatItWasPassedOn) {
    rt::EventLoop loop;
    auto server =
        http::Server::open(loop, {}, [](const http::Request& request, http::Respond respond) {
            respond({.status = 404,
                     .body = request.path + "?" + request.query + " " +
                             std::string{request.header(kForwardedHeader)}});
        });
    ASSERT_TRUE(server) << server.error().detail();
    const std::string address = "127.0.0.1:" + std::to_string((*server)->port());
    {
        const rt::LoopThread thread{loop, [] {}};
        HttpPeers peers{{}};
        const auto got = peers.get(address, "/stores/s/key?key=a%2Fb");
        EXPECT_TRUE(got) << got.error().detail();
        if (got) {
            EXPECT_EQ(got->status, 404);
            EXPECT_EQ(got->body, "/stores/s/key?key=a%2Fb 1");
        }
        HttpPeers narrow{{.body_bytes_max = 3}};
        const auto large = narrow.get(address, "/stores");
        EXPECT_TRUE(!large && large.error().code() == Errc::kLimitExceeded);
        loop.stop();
    }
    server->reset();
    HttpPeers peers{{}};
    const auto gone = peers.get(address, "/");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code(), Errc::kNetworkException);
    EXPECT_FALSE(peers.get("no port", "/"));
}

class OpenedEndpoint : public testing::Test {
  protected:
    void open(std::map<std::string, std::string> properties) {
        streams::Builder builder;
        static_cast<void>(builder.stream<std::string, std::string>("in").group_by_key().count(
            {.store = "counts", .persistent = false}));
        const auto topology = builder.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        auto app = streams::Application::open(*topology, {.application_id = "endpoint",
                                                          .bootstrap_servers = "127.0.0.1:1",
                                                          .properties = std::move(properties)});
        ASSERT_TRUE(app) << app.error().detail();
        app_ = *std::move(app);
    }
    std::unique_ptr<streams::Application> app_;
};

TEST_F(OpenedEndpoint, ListensOnlyWhenASettingSaysSo) {
    open({});
    const auto closed = Endpoint::open(*app_, {});
    ASSERT_TRUE(closed) << closed.error().detail();
    EXPECT_EQ((*closed)->address(), "");
}

TEST_F(OpenedEndpoint, TellsAnApplicationThatDoesNotRun) {
    open({{"leat.endpoint.listen", "127.0.0.1:0"}});
    const auto endpoint =
        Endpoint::open(*app_, {.stores = {expose<std::string, std::int64_t>("counts")}});
    ASSERT_TRUE(endpoint) << endpoint.error().detail();
    HttpPeers peers{{}};
    const std::string address = (*endpoint)->address();
    const auto ready = peers.get(address, "/readyz");
    ASSERT_TRUE(ready) << ready.error().detail();
    EXPECT_EQ(ready->status, 503);
    EXPECT_EQ(ready->body, "CREATED\n");
    const auto metrics = peers.get(address, "/metrics");
    ASSERT_TRUE(metrics) << metrics.error().detail();
    EXPECT_NE(metrics->body.find("alive_stream_threads"), std::string::npos);
    const auto answer = peers.get(address, "/stores/counts/key?key=a");
    ASSERT_TRUE(answer) << answer.error().detail();
    EXPECT_EQ(answer->status, 503);
    EXPECT_NE(answer->body.find("NOT_READY"), std::string::npos) << answer->body;
}

TEST_F(OpenedEndpoint, SpeaksTlsAndAsksForThePassword) {
    open({{"leat.endpoint.listen", "127.0.0.1:0"},
          {"leat.endpoint.ssl.keystore.key", kTestKey},
          {"leat.endpoint.ssl.keystore.certificate.chain", kTestCertificate},
          {"leat.endpoint.user", "reader"},
          {"leat.endpoint.password", "a secret"}});
    const auto endpoint =
        Endpoint::open(*app_, {.stores = {expose<std::string, std::int64_t>("counts")}});
    ASSERT_TRUE(endpoint) << endpoint.error().detail();
    const std::string address = (*endpoint)->address();
    const auto trusting = [](const char* certificates) {
        return *rt::TlsContext::client(
            {.trusted = {.certificates_text = certificates}, .check = rt::PeerCheck::kRequired});
    };
    const auto status = [&](const HttpPeers::Options& options, const char* target) {
        const auto got = HttpPeers{options}.get(address, target);
        return got ? got->status : std::int16_t{0};
    };
    HttpPeers::Options peer{.tls = trusting(kTestCertificate)};
    EXPECT_EQ(status(peer, "/readyz"), 503) << "a probe needs no password";
    EXPECT_EQ(status(peer, "/metrics"), 401);
    EXPECT_EQ(status(peer, "/stores/counts/key?key=a"), 401);
    peer.authorization = Access::open("reader", "another")->authorization();
    EXPECT_EQ(status(peer, "/metrics"), 401);
    peer.authorization = Access::open("reader", "a secret")->authorization();
    EXPECT_EQ(status(peer, "/metrics"), 200);
    // Whom it does not trust it tells nothing, and who speaks no TLS is not answered.
    peer.tls = *rt::TlsContext::client({.check = rt::PeerCheck::kRequired});
    const auto stranger = HttpPeers{peer}.get(address, "/metrics");
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().code(), Errc::kClosed);
    peer.tls = nullptr;
    EXPECT_EQ(status(peer, "/metrics"), 0);
}

TEST(HttpPeers, AskOnlyWhomTheCertificateNames) {
    rt::EventLoop loop;
    const rt::TlsStore keys{.key_text = kTestKey, .certificates_text = kTestCertificate};
    http::ServerOptions options;
    options.tls = *rt::TlsContext::server({.keys = keys});
    // An address of this machine that the certificate is not for.
    options.host = "127.0.0.2";
    auto server = http::Server::open(
        loop, std::move(options),
        [](const http::Request& /*request*/, http::Respond respond) { respond({}); });
    ASSERT_TRUE(server) << server.error().detail();
    const rt::LoopThread thread{loop, [] {}};
    const auto trust = *rt::TlsContext::client(
        {.trusted = {.certificates_text = kTestCertificate}, .check = rt::PeerCheck::kRequired});
    HttpPeers peers{{.tls = trust}};
    const auto got = peers.get("127.0.0.2:" + std::to_string((*server)->port()), "/");
    EXPECT_TRUE(!got && got.error().code() == Errc::kClosed);
    loop.stop();
}

TEST(Access, IsByTheWholeOfNameAndPassword) {
    const auto access = Access::open("Aladdin", "open sesame");
    ASSERT_TRUE(access);
    EXPECT_EQ(access->authorization(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617
    const auto status = [&](const char* path, const char* given) {
        http::Request request;
        request.path = path;
        if (given != nullptr) request.headers.emplace_back("authorization", given);
        const auto no = access->refuse(request);
        return no ? no->status : std::int16_t{200};
    };
    EXPECT_EQ(status("/stores", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), 200);
    EXPECT_EQ(status("/stores", "bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), 200);
    EXPECT_EQ(status("/stores", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ="), 401);
    EXPECT_EQ(status("/stores", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZA=="), 401);
    EXPECT_EQ(status("/stores", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), 401);
    EXPECT_EQ(status("/stores", ""), 401);
    EXPECT_EQ(status("/metrics", nullptr), 401);
    EXPECT_EQ(status("/healthz", nullptr), 200);
    EXPECT_EQ(status("/readyz", nullptr), 200);
    http::Request without;
    without.path = "/";
    EXPECT_FALSE(Access::open("", "")->refuse(without));
    EXPECT_EQ(access->refuse(without)->headers.front().first, "WWW-Authenticate");
}

TEST(Access, NeedsBothAndANameWithoutColon) {
    EXPECT_FALSE(Access::open("a", ""));
    EXPECT_FALSE(Access::open("", "b"));
    EXPECT_FALSE(Access::open("a:b", "c"));
}

TEST_F(OpenedEndpoint, IsForTheNetworkWithTlsAndAPassword) {
    // No machine has the address: what may listen there fails later, and differently.
    std::map<std::string, std::string> settings{
        {"leat.endpoint.listen", "192.0.2.1:0"},
        {"leat.endpoint.ssl.keystore.key", kTestKey},
        {"leat.endpoint.ssl.keystore.certificate.chain", kTestCertificate}};
    const auto code = [&] {
        open(settings);
        const auto opened = Endpoint::open(*app_, {});
        return opened ? Errc::kNone : opened.error().code();
    };
    EXPECT_EQ(code(), Errc::kInvalidSetting) << "anybody could ask";
    settings["leat.endpoint.user"] = "reader";
    EXPECT_EQ(code(), Errc::kInvalidSetting) << "a name without a password";
    settings["leat.endpoint.password"] = "a secret";
    EXPECT_NE(code(), Errc::kInvalidSetting);
    settings["leat.endpoint.ssl.keystore.key"] = "no key";
    EXPECT_EQ(code(), Errc::kInvalidSetting);
}

TEST_F(OpenedEndpoint, IsRefusedWhereItMakesNoSense) {
    open({});
    const auto code = [&](Endpoint::Options options) {
        auto opened = Endpoint::open(*app_, std::move(options));
        return opened ? Errc::kNone : opened.error().code();
    };
    EXPECT_EQ(code({.listen = "0.0.0.0:0"}), Errc::kInvalidSetting);
    EXPECT_EQ(code({.listen = "nonsense"}), Errc::kInvalidSetting);
    EXPECT_EQ(code({.stores = {expose<std::string, std::int64_t>("other")}}), Errc::kNotFound);
    EXPECT_EQ(code({.stores = {expose<std::string, std::int64_t>("counts"),
                               expose<std::string, std::int64_t>("counts")}}),
              Errc::kInvalidRequest);
    EXPECT_EQ(code({.stores = {ExposedStore{.name = "counts"}}}), Errc::kInvalidRequest);
}

}  // namespace
}  // namespace leat::stream_endpoint
