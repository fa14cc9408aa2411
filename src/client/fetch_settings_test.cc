// SPDX-License-Identifier: Apache-2.0
#include "client/fetch_settings.h"

#include <gtest/gtest.h>

#include <string>

#include "client/librdkafka_settings.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

std::vector<Property> with(std::vector<Property> more) {
    more.push_back({"bootstrap.servers", "localhost:9092", 0});
    return more;
}

TEST(FetchSettings, AreLibrdkafkasWhereNothingIsSaid) {
    const auto got = fetch_settings_of(with({}));
    ASSERT_TRUE(got) << got.error().detail();
    EXPECT_EQ(got->wait_max, milliseconds{500});
    EXPECT_EQ(got->bytes_min, 1);
    EXPECT_EQ(got->bytes_max, 52'428'800);
    EXPECT_EQ(got->partition_bytes_max, 1'048'576);
    EXPECT_EQ(got->queued_records, 100'000U);
    EXPECT_EQ(got->queued_bytes, 65'536U * 1024);
    EXPECT_EQ(got->buffered_bytes, std::size_t{256} << 20U);
    EXPECT_EQ(got->response_bytes_max, 100'000'000U);
    EXPECT_TRUE(got->rules.committed_only);
    EXPECT_FALSE(got->rules.checks_crc);
    EXPECT_EQ(got->pauses.first, milliseconds{100});
    EXPECT_EQ(got->pauses.most, milliseconds{10'000});
    EXPECT_EQ(got->refresh, milliseconds{900'000});
    EXPECT_EQ(got->propagation, milliseconds{30'000});
    EXPECT_EQ(got->rack, "");
}

TEST(FetchSettings, AreTakenUnderAllTheirNames) {
    const auto java = fetch_settings_of(with({{"fetch.max.wait.ms", "7", 0},
                                              {"max.partition.fetch.bytes", "2000", 0},
                                              {"isolation.level", "read_uncommitted", 0},
                                              {"check.crcs", "true", 0},
                                              {"client.rack", "r1", 0},
                                              {"client.id", "me", 0},
                                              {"request.timeout.ms", "9000", 0}}));
    ASSERT_TRUE(java) << java.error().detail();
    EXPECT_EQ(java->wait_max, milliseconds{7});
    EXPECT_EQ(java->partition_bytes_max, 2'000);
    EXPECT_FALSE(java->rules.committed_only);
    EXPECT_TRUE(java->rules.checks_crc);
    EXPECT_EQ(java->rack, "r1");
    EXPECT_EQ(java->cluster.connection.client_id, "me");
    EXPECT_EQ(java->cluster.connection.request_timeout, milliseconds{9'000});
    const auto theirs = fetch_settings_of(with({{"fetch.wait.max.ms", "8", 0},
                                                {"fetch.message.max.bytes", "3000", 0},
                                                {"queued.min.messages", "10", 0},
                                                {"queued.max.messages.kbytes", "20", 0},
                                                {"leat.input.buffer.max.bytes", "1", 0},
                                                {"leat.input.buffer.max.bytes", "70000", 0}}));
    ASSERT_TRUE(theirs) << theirs.error().detail();
    EXPECT_EQ(theirs->wait_max, milliseconds{8});
    EXPECT_EQ(theirs->partition_bytes_max, 3'000);
    EXPECT_EQ(theirs->queued_records, 10U);
    EXPECT_EQ(theirs->queued_bytes, 20U * 1024);
    EXPECT_EQ(theirs->buffered_bytes, 70'000U);
}

TEST(FetchSettings, RefuseWhatLibrdkafkaRefuses) {
    EXPECT_EQ(fetch_settings_of(with({{"fetch.min.bytes", "0", 0}})).error().code(),
              Errc::kInvalidSetting);
    EXPECT_EQ(fetch_settings_of(with({{"isolation.level", "some", 0}})).error().code(),
              Errc::kInvalidSetting);
}

TEST(FetchSettings, RefuseBytesThatAreNone) {
    for (const char* wrong : {"-1", "much", "1k", ""})
        EXPECT_EQ(
            fetch_settings_of(with({{"leat.input.buffer.max.bytes", wrong, 0}})).error().code(),
            Errc::kInvalidSetting)
            << wrong;
}

TEST(FetchSettings, LeaveARequestTimeForItsWait) {
    const auto got = fetch_settings_of(
        with({{"fetch.wait.max.ms", "20000", 0}, {"request.timeout.ms", "1000", 0}}));
    ASSERT_TRUE(got) << got.error().detail();
    EXPECT_GT(got->cluster.connection.request_timeout, milliseconds{20'000});
}

TEST(FetchSettings, KnowWhatOnlyLibrdkafkaCanDo) {
    const auto login = [](const std::string& mechanism) {
        return with({{"security.protocol", "SASL_PLAINTEXT", 0},
                     {"sasl.mechanism", mechanism, 0},
                     {"sasl.username", "u", 0},
                     {"sasl.password", "p", 0}});
    };
    EXPECT_FALSE(needs_librdkafka({}));
    EXPECT_FALSE(needs_librdkafka(with({{"security.protocol", "SSL", 0}})));
    for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
        EXPECT_FALSE(needs_librdkafka(login(mechanism))) << mechanism;
    for (const char* mechanism : {"GSSAPI", "OAUTHBEARER"})
        EXPECT_TRUE(needs_librdkafka(login(mechanism))) << mechanism;
    auto from_file = login("OAUTHBEARER");
    from_file.push_back({"sasl.oauthbearer.token.endpoint.url", "file:/token", 0});
    EXPECT_FALSE(needs_librdkafka(from_file));
    for (const char* name : {"ssl.crl.location", "ssl.cipher.suites", "ssl.sigalgs.list"})
        EXPECT_TRUE(needs_librdkafka(with({{name, "x", 0}}))) << name;
}

}  // namespace
}  // namespace leat::client
