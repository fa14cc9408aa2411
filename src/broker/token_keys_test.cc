// SPDX-License-Identifier: Apache-2.0
//
// Method: a reader and a clock of the test's own; tokens whose signatures are wrong, since only
// their key ids matter here.
#include "broker/token_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>

#include "auth/digest.h"
#include "rt/event_loop.h"
#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using std::chrono::seconds;

std::string url_base64(std::string_view text) {
    std::string out = auth::base64(text);
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (out.ends_with('=')) out.pop_back();
    return out;
}

std::string token(std::string_view key) {
    return url_base64(R"({"alg":"RS256","kid":")" + std::string{key} + R"("})") + "." +
           url_base64("{}") + "." + url_base64(std::string(256, 'x'));
}

std::string key_set() {
    return R"({"keys":[{"kty":"RSA","kid":"known","use":"sig","e":"AQAB","n":")" +
           url_base64(std::string(256, '\xC3')) + R"("}]})";
}

struct Fixture {
    explicit Fixture(std::function<Result<std::string>()> read, std::int64_t refresh_ms = 3'600'000)
        : keys(
              settings(refresh_ms),
              [this, read = std::move(read)] {
                  ++reads;
                  return read();
              },
              [this] { return Instant{seconds{now.load()}}; }) {}
    static config::OAuthSettings settings(std::int64_t refresh_ms) {
        config::OAuthSettings out;
        out.algorithms = {"RS256"};
        out.refresh_ms = refresh_ms;
        out.retry_backoff_ms = 5'000;
        out.retry_backoff_max_ms = 15'000;
        return out;
    }
    /// Begins `count` logins with tokens of `key`; true when all went on at once.
    bool begin(std::string_view key, int count = 1) {
        const int before = ended;
        tokens.push_back(token(key));
        for (int i = 0; i < count; ++i)
            rt::start(keys.prepare(tokens.back(), &loop), [this] {
                if (++ended == wanted) loop.stop();
            });
        return ended == before + count;
    }
    void run_until(int count) {
        wanted = count;
        if (ended < wanted) loop.run();
    }

    std::atomic<int> now{100};
    std::atomic<int> reads = 0;
    rt::EventLoop loop;
    int ended = 0;
    int wanted = -1;
    std::deque<std::string> tokens;
    TokenKeys keys;  // Last: its thread uses the others.
};

/// Ends before anything is sent.
TEST(TokenKeys, AreNotAskedForOverHttpBeyondThisMachine) {
    for (const char* url :
         {"http://keys.example.org/", "http://127.0.0.1:x@keys.example.org/",
          "http://127.0.0.1@keys.example.org/", "http://localhost:80@[2001:db8::1]/"}) {
        config::OAuthSettings settings;
        settings.jwks_url = url;
        const auto opened = TokenKeys::open(settings);
        ASSERT_FALSE(opened.has_value()) << url;
        EXPECT_EQ(opened.error().code(), Errc::kInvalidSetting) << url;
        EXPECT_TRUE(opened.error().detail().contains("use https")) << opened.error().detail();
    }
}

TEST(TokenKeys, OneFetchServesAllWhoWait) {
    Fixture f{[] { return Result<std::string>{key_set()}; }};
    EXPECT_ERRC(f.keys.verify(token("known"), WallMs{0}), Errc::kIoError);
    f.begin("known", 5);
    f.run_until(5);
    EXPECT_EQ(f.reads, 1);
    EXPECT_ERRC(f.keys.verify(token("known"), WallMs{0}), Errc::kSaslAuthenticationFailed);
    EXPECT_TRUE(f.begin("known"));
    EXPECT_EQ(f.reads, 1);
}

TEST(TokenKeys, UnknownKeysAreAskedForOnceInAWhile) {
    Fixture f{[] { return Result<std::string>{key_set()}; }};
    f.begin("known");
    f.run_until(1);
    f.now += 4;
    EXPECT_TRUE(f.begin("other", 3)) << "it was just read";
    EXPECT_EQ(f.reads, 1);
    f.now += 1;
    EXPECT_FALSE(f.begin("other"));
    f.run_until(5);
    EXPECT_EQ(f.reads, 2);
    EXPECT_TRUE(f.begin("another"));
    EXPECT_EQ(f.reads, 2);
}

TEST(TokenKeys, OfARefreshWithoutEndAreReadOnce) {
    std::atomic<int> reads = 0;
    {
        const auto read = [&reads] {
            ++reads;
            return Result<std::string>{key_set()};
        };
        Fixture f{read, INT64_MAX};
        f.begin("known");
        f.run_until(1);
        f.now += 86'400;
        for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(f.begin("known"));
    }  // Waits for a fetch that runs beside logins.
    EXPECT_EQ(reads, 1);
}

TEST(TokenKeys, AFetchThatFailedAfterLongIsNotBegunAnew) {
    Fixture* self = nullptr;
    Fixture f{[&self]() -> Result<std::string> {
        self->now += 10;
        return Error{Errc::kIoError, "timeout"};
    }};
    self = &f;
    f.begin("known", 4);
    f.run_until(4);
    EXPECT_TRUE(f.begin("known"));
    EXPECT_EQ(f.reads, 1);
    f.now += 5;
    EXPECT_FALSE(f.begin("known"));
    f.run_until(6);
    EXPECT_EQ(f.reads, 2);
}

TEST(TokenKeys, PauseDoublesUpToItsMostUntilAFetchIsOfUse) {
    std::atomic<bool> has_other = false;
    Fixture f{[&] {
        std::string keys = key_set();
        if (has_other) keys.replace(keys.find("known"), 5, "other");
        return Result<std::string>{std::move(keys)};
    }};
    int ended = 0;
    for (const int pause : {0, 5, 10, 15, 15}) {
        f.now += pause - 1;
        EXPECT_TRUE(pause == 0 || f.begin("other")) << pause;
        ended += pause == 0 ? 0 : 1;
        f.now += 1;
        EXPECT_FALSE(f.begin("other")) << pause;
        f.run_until(++ended);
    }
    has_other = true;
    f.now += 15;
    EXPECT_FALSE(f.begin("other"));
    f.run_until(++ended);
    f.now += 5;
    EXPECT_FALSE(f.begin("third")) << "from the beginning again";
    f.run_until(++ended);
    EXPECT_EQ(f.reads, 7);
}

TEST(TokenKeys, AFetchThatHangsHoldsUpNobodyElse) {
    std::latch go{1};
    std::atomic<bool> hangs = false;
    Fixture f{[&] {
        if (hangs) go.wait();
        return Result<std::string>{key_set()};
    }};
    f.begin("known");
    f.run_until(1);
    hangs = true;
    f.now += 10;
    EXPECT_FALSE(f.begin("other", 6));
    EXPECT_TRUE(f.begin("known"));
    EXPECT_ERRC(f.keys.verify(token("known"), WallMs{0}), Errc::kSaslAuthenticationFailed);
    f.now += 7'200;
    EXPECT_TRUE(f.begin("known")) << "old keys are better than none";
    go.count_down();
    f.run_until(9);
    EXPECT_EQ(f.reads, 2);
}

}  // namespace
}  // namespace leat::broker
