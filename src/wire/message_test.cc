// SPDX-License-Identifier: Apache-2.0
//
// Method: hand-made frames for what the corpus of Kafka's own bytes cannot show: limits, unknown
// tags, external records, headers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "testkit/bytes.h"
#include "testkit/result_matchers.h"
#include "wire/api.h"
#include "wire/frame.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/reader.h"

namespace leat::wire {
namespace {

using testkit::hex;

TEST(RequestHeader, ReadsClassicClientIdBeforeFlexibleBody) {
    // ApiVersions 3: header 2 keeps the int16 length of the client id.
    const auto frame = hex("00 12 00 03 00 00 00 07 00 02 6D 65 00 02 61 02 62 00");
    Arena arena;
    Reader in{frame, arena};
    const auto header = decode_request_header(in);
    ASSERT_OK(header);
    EXPECT_EQ(header->api->key, ApiKey::kApiVersions);
    EXPECT_EQ(header->correlation_id, 7);
    EXPECT_EQ(header->client_id, "me");
    ApiVersionsRequest body;
    ASSERT_OK(decode(in, header->version, body));
    EXPECT_EQ(body.client_software_name, "a");
    EXPECT_EQ(body.client_software_version, "b");
}

TEST(RequestHeader, UnknownApiIsAnErrorAndUnknownVersionIsNot) {
    Arena arena;
    const auto none = hex("03 E7 00 00 00 00 00 07 FF FF");
    Reader in{none, arena};
    EXPECT_ERRC(decode_request_header(in), Errc::kUnsupportedVersion);
    const auto future = hex("00 12 00 63 00 00 00 07 FF FF 00");
    Reader later{future, arena};
    const auto header = decode_request_header(later);
    ASSERT_OK(header);
    EXPECT_FALSE(header->api->serves(header->version));
    EXPECT_EQ(header->client_id, std::nullopt);
}

TEST(ApiInfo, ApiVersionsAlwaysAnswersWithHeaderZero) {
    EXPECT_EQ(api_info(ApiKey::kApiVersions).response_header(4), 0);
    EXPECT_EQ(api_info(ApiKey::kApiVersions).request_header(3), 2);
    EXPECT_EQ(api_info(ApiKey::kMetadata).response_header(9), 1);
    EXPECT_EQ(api_info(ApiKey::kMetadata).response_header(8), 0);
    EXPECT_EQ(api_info(ApiKey::kSaslHandshake).request_header(1), 1);
    EXPECT_EQ(find_api(4), nullptr);
    EXPECT_EQ(find_api(-1), nullptr);
}

TEST(Frame, ResponseCarriesLengthHeaderAndBody) {
    ApiVersionsResponse body;
    std::array<ApiVersionsResponse::ApiVersion, 1> keys{};
    keys[0] = {.api_key = 18, .min_version = 0, .max_version = 4};
    body.api_keys = keys;
    const Frame frame = response_frame(body, 0, 9);
    EXPECT_TRUE(std::ranges::equal(
        frame.bytes(), hex("00 00 00 10 00 00 00 09 00 00 00 00 00 01 00 12 00 00 00 04")));
}

TEST(Frame, ExternalRecordsLeaveASplice) {
    std::array<FetchResponse::PartitionData, 1> partitions{};
    partitions[0].records = Records::external(77, 1000);
    std::array<FetchResponse::FetchableTopicResponse, 1> topics{};
    topics[0] = {.topic = "t", .topic_id = {}, .partitions = partitions};
    FetchResponse body;
    body.responses = topics;
    const Frame frame = response_frame(body, 12, 1);
    ASSERT_EQ(frame.splices.size(), 1U);
    EXPECT_EQ(frame.splices[0].id, 77U);
    EXPECT_EQ(frame.splices[0].size_bytes, 1000U);
    EXPECT_EQ(static_cast<std::size_t>(load_be<std::int32_t>(frame.data.get())),
              frame.size_bytes - 4 + 1000);
    // After the records come the tag sections of partition, topic and message.
    EXPECT_EQ(frame.splices[0].position, frame.size_bytes - 3);

    std::vector<std::byte> whole(frame.bytes().begin(), frame.bytes().end());
    whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(frame.splices[0].position), 1000,
                 std::byte{0xAB});
    Arena arena;
    Reader in{Bytes{whole}.subspan(4), arena};
    ASSERT_OK(decode_response_header(api_info(ApiKey::kFetch), 12, in));
    FetchResponse back;
    ASSERT_OK(decode(in, 12, back));
    EXPECT_EQ(back.responses[0].partitions[0].records.bytes().size(), 1000U);
}

TEST(Reader, UnknownTagsAreSkipped) {
    const auto body = hex("02 61 02 62 01 2A 03 01 02 03");
    Arena arena;
    Reader in{body, arena};
    ApiVersionsRequest out;
    ASSERT_OK(decode(in, 3, out));
    EXPECT_EQ(in.remaining(), 0U);
}

TEST(Reader, TagsAreReadAsKafkaReadsThem) {
    // Fetch 12 up to its tag section, in which cluster_id is tag 0 and replica_state (15+) tag 1.
    const std::string body =
        "FF FF FF FF 00 00 00 64 00 00 00 01 00 00 00 64 00 00 00 00 00 FF FF FF FF 01 01 01 ";
    const auto decoded = [&body](std::string_view tags, FetchRequest& out, Arena& arena) {
        const std::vector<std::byte> bytes = hex(body + std::string{tags});
        const Bytes kept = arena.copy(Bytes{bytes});
        Reader in{kept, arena};
        return decode(in, 12, out);
    };
    Arena arena;
    FetchRequest out;
    ASSERT_OK(decoded("01 00 02 02 61", out, arena));
    EXPECT_EQ(out.cluster_id, "a");
    ASSERT_OK(decoded("02 00 02 02 61 00 02 02 62", out, arena));
    EXPECT_EQ(out.cluster_id, "b") << "the last one wins";
    ASSERT_OK(decoded("02 09 01 00 00 02 02 61", out, arena));
    EXPECT_EQ(out.cluster_id, "a") << "descending order is fine";
    ASSERT_OK(decoded("01 00 03 02 61", out, arena)) << "the size of a known field is not used";
    EXPECT_ERRC(decoded("01 01 02 02 61", out, arena), Errc::kMalformed) << "a tag of version 15";
    EXPECT_ERRC(decoded("01 09 05 02 61", out, arena), Errc::kTruncated);
    EXPECT_ERRC(decoded("91 4E 09 00", out, arena), Errc::kLimitExceeded) << "10,001 tags";
}

TEST(Reader, BytesAfterTheMessageAreLeftAloneAsInKafka) {
    const auto body = hex("02 61 02 62 00 FF FF FF");
    Arena arena;
    Reader in{body, arena};
    ApiVersionsRequest out;
    ASSERT_OK(decode(in, 3, out));
    EXPECT_EQ(in.remaining(), 3U);
}

TEST(Writer, StringsThatNoMessageCanCarryAreCut) {
    const std::string longer(40'000, 'x');
    ApiVersionsRequest body;
    body.client_software_name = longer;
    std::vector<std::byte> bytes(encoded_size(body, 3).total());
    Writer writer{bytes};
    encode(body, 3, writer);
    EXPECT_EQ(writer.written(), bytes.size());
    Arena arena;
    Reader in{bytes, arena};
    ApiVersionsRequest out;
    ASSERT_OK(decode(in, 3, out));
    EXPECT_EQ(out.client_software_name.size(), kStringBytesMax);
}

TEST(Writer, NullWhereNoneMayBeIsWrittenAsEmpty) {
    MetadataRequest body;
    body.topics.reset();
    std::vector<std::byte> bytes(encoded_size(body, 0).total());
    Writer writer{bytes};
    encode(body, 0, writer);
    EXPECT_EQ(bytes, hex("00 00 00 00"));
}

TEST(Reader, ArrayLargerThanTheFrameIsRefusedBeforeItIsAllocated) {
    const auto body = hex("7F FF FF FF 00 01 61");
    Arena arena;
    Reader in{body, arena};
    DeleteGroupsRequest out;
    EXPECT_ERRC(decode(in, 0, out), Errc::kLimitExceeded);
    const auto smaller = hex("00 00 00 02 00 01 61");
    Reader again{smaller, arena};
    EXPECT_ERRC(decode(again, 0, out), Errc::kTruncated);
    EXPECT_EQ(arena.capacity_bytes() / 4096, arena.capacity_bytes() > 0 ? 1U : 0U);
}

TEST(Reader, ManyTinyElementsHitTheMemoryBound) {
    // A Metadata topic is two bytes on the wire (empty name, no tags) and 40 in memory.
    std::vector<std::byte> body(900'000, std::byte{0});
    for (std::size_t i = 3; i < body.size(); i += 2) body[i] = std::byte{1};
    body[0] = std::byte{0xA1};  // 0xA1 0x8D 0x06 = 100,001: 100,000 topics
    body[1] = std::byte{0x8D};
    body[2] = std::byte{0x06};
    Arena arena;
    Reader roomy{body, arena};
    MetadataRequest out;
    ASSERT_OK(decode(roomy, 9, out)) << "the rest of the frame pays for them";
    arena.reset();
    Reader in{Bytes{body}.first(3 + 200'000), arena};
    EXPECT_ERRC(decode(in, 9, out), Errc::kLimitExceeded);
    EXPECT_LE(arena.capacity_bytes(), 2 * Reader::memory_max(200'003));
    static_assert(Reader::memory_max(100) == 256UZ * 1024);
    static_assert(Reader::memory_max(100 << 20) == (64 << 20) + (200 << 20));
}

TEST(Reader, NullWhereNoneMayBeIsMalformed) {
    Arena arena;
    MetadataRequest out;
    const auto null_topics = hex("FF FF FF FF");
    Reader zero{null_topics, arena};
    EXPECT_ERRC(decode(zero, 0, out), Errc::kMalformed);
    Reader one{null_topics, arena};
    ASSERT_OK(decode(one, 1, out));
    EXPECT_EQ(out.topics.has_value(), false);
}

}  // namespace
}  // namespace leat::wire
