// SPDX-License-Identifier: Apache-2.0
// Bytes that the serializers of Kafka's Java client 4.2.1 wrote for the same values.
#include "leat/streams/serdes.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>

#include "leat/streams/windowed_serde.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::optional;
using std::string;
using std::vector;

string hex(std::string_view bytes) {
    string out;
    for (const char c : bytes) {
        out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
        out += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU];
    }
    return out;
}
string unhex(std::string_view text) {
    string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out += static_cast<char>(std::stoi(string{text.substr(i, 2)}, nullptr, 16));
    return out;
}
template <class T>
string written(const T& value, const Serde<T>& serde = serde_for<T>()) {
    string out;
    const auto done = serde->encode("t", value, out);
    return done ? hex(out) : string{done.error().detail()};
}
template <class T>
optional<T> read(std::string_view text, const Serde<T>& serde = serde_for<T>()) {
    auto value = serde->decode("t", unhex(text));
    if (!value) {
        EXPECT_EQ(value.error().code(), Errc::kInvalidRecord);
        EXPECT_NE(value.error().detail(), "");
        return nullopt;
    }
    return *std::move(value);
}
/// The value is written so, and read back.
template <class T>
void same(const T& value, std::string_view bytes, const Serde<T>& serde = serde_for<T>()) {
    EXPECT_EQ(written(value, serde), bytes);
    EXPECT_EQ(read<T>(bytes, serde), value);
}
template <class T>
void refused(std::string_view bytes, const Serde<T>& serde = serde_for<T>()) {
    EXPECT_EQ(read<T>(bytes, serde), nullopt) << bytes;
}

TEST(Serdes, TextAndBytesStayAsTheyAre) {
    same<string>("h\u00e9\u20ac\U0001F600", "68c3a9e282acf09f9880");
    same<string>("", "");
    same<vector<std::byte>>({std::byte{0}, std::byte{255}}, "00ff");
    same<vector<std::uint8_t>>({1, 2, 3}, "010203");
}

TEST(Serdes, NumbersAreBigEndian) {
    same<std::int16_t>(-2, "fffe");
    same<std::int32_t>(0x01020304, "01020304");
    same<std::int64_t>(-3, "fffffffffffffffd");
    same<std::int64_t>(std::numeric_limits<std::int64_t>::max(), "7fffffffffffffff");
    same<float>(1.5F, "3fc00000");
    same<double>(-0.1, "bfb999999999999a");
    same<double>(-0.0, "8000000000000000");
    refused<std::int16_t>("00");
    refused<std::int32_t>("");
    refused<std::int64_t>("000000000000000001");
}

TEST(Serdes, NansOfDoublesAreOneAndThoseOfFloatsStay) {
    EXPECT_EQ(written(std::bit_cast<float>(0x7FC12345U)), "7fc12345");
    EXPECT_EQ(written(std::bit_cast<double>(std::uint64_t{0x7FF8000000000123})),
              "7ff8000000000000");
    EXPECT_TRUE(std::isnan(*read<double>("7ff8000000000123")));
}

TEST(Serdes, TruthIsOneByte) {
    same(true, "01");
    same(false, "00");
    for (const auto* bytes : {"02", "", "0001"}) refused<bool>(bytes);
}

TEST(Serdes, UuidsAreText) {
    const auto id = *parse_uuid_text("0123ABCD-4567-89AB-CDEF-0123456789AB");
    same(id, "30313233616263642d343536372d383961622d636465662d303132333435363738396162");
    for (const auto* bad :
         {"", "00123abcd-4567-89ab-cdef-0123456789ab", "0123abcd-4567-89ab-cdef-0123456789ag",
          "0123abcd04567-89ab-cdef-0123456789ab"})
        EXPECT_FALSE(parse_uuid_text(bad)) << bad;
}

TEST(Serdes, UuidsInShortFormAreReadAsByJava) {
    const auto read = [](std::string_view text) {
        const auto id = parse_uuid_text(text);
        return id ? uuid_text(*id) : "none";
    };
    EXPECT_EQ(read("1-2-3-4-5"), "00000001-0002-0003-0004-000000000005");
    EXPECT_EQ(read("+1-2-3-4-f"), "00000001-0002-0003-0004-00000000000f");
    EXPECT_EQ(read("123456789-12345-3-4-5"), "23456789-2345-0003-0004-000000000005");
    EXPECT_EQ(read("7fffffffffffffff-2-3-4-5"), "ffffffff-0002-0003-0004-000000000005");
    for (const auto* bad : {"1-2-3-4", "1-2-3-4-", "-1-2-3-4-5", "1-2-3-4-5-6", "1--3-4-5",
                            "+-2-3-4-5", "8000000000000000-2-3-4-5", "1-2-3-4-5 "})
        EXPECT_EQ(read(bad), "none") << bad;
}

TEST(Serdes, VoidIsNeverThere) {
    refused<Void>("");
    refused<Void>("00");
}

TEST(Serdes, ListsOfSizedEntriesTellEachSize) {
    same<vector<optional<string>>>({"a", nullopt, "", "bcd"},
                                   "01000000040000000161ffffffff0000000000000003626364");
    same<vector<string>>({}, "0100000000");
    same<vector<optional<bool>>>({true, nullopt}, "01000000020000000101ffffffff");
    same<vector<optional<vector<std::byte>>>>({vector{std::byte{9}}, nullopt},
                                              "01000000020000000109ffffffff");
    same<vector<optional<vector<std::int32_t>>>>(
        {vector{1}, nullopt}, "01000000020000000d00000000000000000100000001ffffffff");
}

TEST(Serdes, ListsOfEntriesOfOneSizeTellWhereNullsAre) {
    same<vector<optional<std::int32_t>>>({1, nullopt, -1, nullopt},
                                         "000000000200000001000000030000000400000001ffffffff");
    same<vector<std::int32_t>>({}, "000000000000000000");
    same<vector<std::int32_t>>({7, 8}, "0000000000000000020000000700000008");
    same<vector<std::int16_t>>({1}, "0000000000000000010001");
    same<vector<optional<std::int64_t>>>({nullopt, 5},
                                         "000000000100000000000000020000000000000005");
    same<vector<float>>({1.5F}, "0000000000000000013fc00000");
    same<vector<double>>({1.5}, "0000000000000000013ff8000000000000");
    same<vector<optional<Uuid>>>(
        {*parse_uuid_text("00000000-0000-0001-0000-000000000002"), nullopt},
        "0000000001000000010000000230303030303030302d303030302d303030312d303030302d3030303030303030"
        "30303032");
}

TEST(Serdes, ListsAreReadInTheOtherFormToo) {
    EXPECT_EQ(read<vector<std::int32_t>>("0100000002000000040000000700000004ffffffff"),
              (vector{7, -1}));
    const vector<optional<std::int32_t>> nothing{nullopt};
    EXPECT_EQ(read<vector<optional<std::int32_t>>>("0100000001ffffffff"), nothing);
}

TEST(Serdes, PlacesOfNullsMayBeInAnyOrderAndRepeated) {
    using Numbers = vector<optional<std::int32_t>>;
    EXPECT_EQ(read<Numbers>("0000000001000000090000000100000001"), (Numbers{1}));
    EXPECT_EQ(read<Numbers>("000000000200000000000000000000000200000001"), (Numbers{nullopt, 1}));
    EXPECT_EQ(read<Numbers>("00000000020000000100000000000000020000000700000008"),
              (Numbers{nullopt, nullopt}));
    EXPECT_EQ(read<Numbers>("0000000001ffffffff0000000100000001"), (Numbers{1}));
    EXPECT_EQ(read<Numbers>("0000000000000000010000000199"), (Numbers{1}));
}

TEST(Serdes, BrokenListsAreRefused) {
    for (const auto* bytes :
         {"", "0200000000", "000000000000000002000000", "0000000000000000020000000100",
          "00ffffffff0000000100000001", "0000000000ffffffff", "00000000007fffffff",
          "0100000001000000020001", "01ffffffff", "017fffffff"})
        refused<vector<optional<std::int32_t>>>(bytes);
    for (const auto* bytes :
         {"000000000000000001616263", "0100000001fffffffe", "01000000010000000561"})
        refused<vector<string>>(bytes);
    // A null where there can be none.
    refused<vector<string>>("0100000001ffffffff");
    refused<vector<std::int32_t>>("00000000010000000000000001");
}

TEST(Serdes, TimeWindowedKeysEndWithTheStart) {
    using std::chrono::milliseconds;
    const auto ten = time_windowed<string>(milliseconds{10});
    same<Windowed<string>>({"k", {5, 15}}, "6b0000000000000005", ten);
    same<Windowed<string>>({"", {5, 15}}, "0000000000000005", ten);
    same<Windowed<string>>({"k", {5, std::numeric_limits<std::int64_t>::max()}},
                           "6b0000000000000005", time_windowed<string>(Duration::max()));
    same<Windowed<string>>({"k", {5, 15}}, "6b000000000000000500000000",
                           time_windowed_changelog<string>(milliseconds{10}));
    EXPECT_TRUE(ten->empty_is_null());
    EXPECT_TRUE(session_windowed<string>()->empty_is_null());
    EXPECT_FALSE(serde_for<string>()->empty_is_null());
    EXPECT_EQ(read("6b000000000000000500000007", time_windowed_changelog<string>(milliseconds{10})),
              (Windowed<string>{"k", {5, 15}}));
    for (const auto* bytes : {"00000000000005", "6bffffffffffffffff", "6b7fffffffffffffff"})
        refused(bytes, ten);
}

TEST(Serdes, KeysOfSessionsEndWithEndAndStart) {
    const auto sessions = session_windowed<string>();
    same<Windowed<string>>({"k", {5, 15}}, "6b000000000000000f0000000000000005", sessions);
    for (const auto* bytes : {"00000000000005", "6b0000000000000001000000000000000f",
                              "6bffffffffffffffffffffffffffffffff"})
        refused(bytes, sessions);
}

}  // namespace
}  // namespace leat::streams
