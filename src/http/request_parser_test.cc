// SPDX-License-Identifier: Apache-2.0
//
// Method: whole requests, the same bytes cut at every place, and one example for each refusal.
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "testkit/result_matchers.h"

namespace leat::http {
namespace {

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

/// Every request in `text`, fed `step` bytes at a time.
Result<std::vector<Request>> parse_all(std::string_view text, std::size_t step,
                                       Limits limits = {}) {
    RequestParser parser{limits};
    std::vector<Request> out;
    while (!text.empty()) {
        LEAT_TRY(const std::size_t taken, parser.feed(bytes_of(text.substr(0, step))));
        text.remove_prefix(taken);
        if (parser.is_done()) out.push_back(parser.take());
    }
    return out;
}

/// What the refusal of `text` is answered with; 200: it was none.
std::int16_t status_after(std::string_view text, std::size_t step, Limits limits = {}) {
    RequestParser parser{limits};
    while (!text.empty() && !parser.is_done()) {
        const Result<std::size_t> taken = parser.feed(bytes_of(text.substr(0, step)));
        if (!taken) {
            EXPECT_EQ(parser.error_status() == 400, taken.error().code() == Errc::kMalformed);
            return parser.error_status();
        }
        text.remove_prefix(*taken);
    }
    return 200;
}

TEST(RequestParser, GivesEachRequestWhereverTheBytesAreCut) {
    const std::string text =
        "GET /metrics?name=a%20b HTTP/1.1\r\nHost: x\r\nX-Trace: 7\r\n\r\n"
        "POST /topics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
        "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        "GET /last HTTP/1.0\r\n\r\n";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        const Result<std::vector<Request>> got = parse_all(text, step);
        ASSERT_OK(got);
        ASSERT_EQ(got->size(), 4U) << "step " << step;
        EXPECT_EQ((*got)[0].method, "GET");
        EXPECT_EQ((*got)[0].path, "/metrics");
        EXPECT_EQ(query_value((*got)[0].query, "name"), "a b");
        EXPECT_EQ((*got)[0].header("x-trace"), "7");
        EXPECT_EQ((*got)[1].body, "hello");
        EXPECT_EQ((*got)[2].body, "abcde");
        EXPECT_TRUE((*got)[2].keep_alive);
        EXPECT_FALSE((*got)[3].keep_alive);
    }
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
    EXPECT_ERRC(parse_all({"\0\0\0\x10kafka frame\r\n\r\n", 19}, 100), Errc::kMalformed);
    EXPECT_ERRC(parse_all("GET / HTTP/9.9\r\n\r\n", 100), Errc::kMalformed);
    EXPECT_ERRC(parse_all("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 100), Errc::kMalformed);
}

TEST(RequestParser, RefusesTwoLengthsBecauseProxiesDisagreeOnThem) {
    EXPECT_ERRC(
        parse_all("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "0\r\n\r\n",
                  1000),
        Errc::kMalformed);
    EXPECT_ERRC(
        parse_all("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 1000),
        Errc::kMalformed);
}

TEST(RequestParser, RefusesHeadersAndBodiesAboveTheirLimits) {
    const Limits limits{.header_bytes_max = 200, .body_bytes_max = 10};
    const std::string long_header = "GET / HTTP/1.1\r\nA: " + std::string(500, 'x') + "\r\n\r\n";
    const std::string long_trailer =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(500, 'x') +
        "\r\n\r\n";
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
        EXPECT_EQ(status_after(long_header, step, limits), 431);
        EXPECT_EQ(status_after(long_trailer, step, limits), 431);
        EXPECT_EQ(status_after("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", step, limits), 413);
        EXPECT_EQ(status_after("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "B\r\n01234567890\r\n0\r\n\r\n",
                               step, limits),
                  413);
        EXPECT_EQ(status_after("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", step, limits), 400);
    }
}

TEST(RequestParser, TakesALineAtItsLimitWhereverTheBytesAreCut) {
    const Limits limits{.header_bytes_max = 62, .body_bytes_max = 10};
    const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    // A chunk's size with its extension is held to 256 bytes, all trailers to header_bytes_max,
    // their ends but the last among them.
    const std::string chunk = head + "1;" + std::string(254, 'x') + "\r\nA\r\n0\r\n\r\n";
    const std::string longer_chunk = head + "1;" + std::string(255, 'x') + "\r\nA\r\n0\r\n\r\n";
    const std::string trailer = head + "0\r\nA: " + std::string(57, 'x') + "\r\n\r\n";
    const std::string longer_trailer = head + "0\r\nA: " + std::string(58, 'x') + "\r\n\r\n";
    for (std::size_t step = 1; step < longer_chunk.size(); ++step) {
        EXPECT_EQ(status_after(chunk, step, limits), 200) << step;
        EXPECT_EQ(status_after(longer_chunk, step, limits), 400) << step;
        EXPECT_EQ(status_after(trailer, step, limits), 200) << step;
        EXPECT_EQ(status_after(longer_trailer, step, limits), 431) << step;
    }
}

TEST(RequestParser, RefusesMoreHeadersThanAServerNeeds) {
    std::string text = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 100; ++i) text += "A: 1\r\n";
    EXPECT_EQ(status_after(text + "\r\n", text.size()), 200);
    EXPECT_EQ(status_after(text + "A: 1\r\n\r\n", text.size()), 431);
}

TEST(WriteResponse, KeepsAHeaderValueOnItsLine) {
    const std::string out =
        write_response({.status = 302, .headers = {{"Location", "/x\r\nSet-Cookie: stolen=1"}}},
                       {.keep_alive = false});
    EXPECT_EQ(
        out,
        "HTTP/1.1 302 Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n"
        "Location: /x  Set-Cookie: stolen=1\r\nConnection: close\r\n\r\n");
}

TEST(QueryValue, DecodesTheNamedValueOnly) {
    EXPECT_EQ(query_value("a=1&bb=x+y%2Fz&a=2", "bb"), "x y/z");
    EXPECT_EQ(query_value("a=1&bb", "bb"), "");
    EXPECT_EQ(query_value("a=100%", "a"), "100%");
    EXPECT_EQ(query_value("", "a"), "");
}

TEST(ReasonPhrase, StatusesOfAnOwnerThatCannotBeAskedHaveTheirPhrases) {
    EXPECT_EQ(reason_phrase(421), "Misdirected Request");
    EXPECT_EQ(reason_phrase(502), "Bad Gateway");
    EXPECT_EQ(reason_phrase(504), "Gateway Timeout");
    EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace leat::http
