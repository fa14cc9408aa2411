// SPDX-License-Identifier: Apache-2.0
//
// Method: tests/corpus/wire holds bytes that Kafka's own Java classes wrote, with the values that
// went in. For each of them our decoder must give these values, and our encoder these bytes; every
// version that we serve must be there, with every field set to something of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "testkit/bytes.h"
#include "testkit/result_matchers.h"
#include "wire/testing/catalog.h"

namespace leat::wire::testing {
namespace {

constexpr const char* kCorpus = "tests/corpus/wire";

struct Line {
    std::string part, version, variant, bytes, values;
    std::string where;

    [[nodiscard]] std::int16_t number() const {
        return static_cast<std::int16_t>(std::stoi(version));
    }
};

std::vector<Line> read_corpus(std::string_view stem) {
    std::vector<Line> lines;
    const auto path = std::filesystem::path{kCorpus} / (std::string{stem} + ".txt");
    std::ifstream in{path};
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
        if (text.starts_with('#')) continue;
        Line line;
        std::istringstream words{text};
        words >> line.part >> line.version >> line.variant >> line.bytes >> std::ws;
        std::getline(words, line.values);
        line.where = path.string() + ":" + std::to_string(number);
        lines.push_back(line);
    }
    return lines;
}

std::vector<std::byte> from_hex(std::string_view digits) {
    std::string spaced;
    for (std::size_t i = 0; digits != "-" && i < digits.size(); i += 2) {
        spaced += digits.substr(i, 2);
        spaced += ' ';
    }
    return testkit::hex(spaced);
}

// The lines of one message.
std::vector<Line> lines_of(const Entry& entry) {
    std::vector<Line> all = read_corpus(entry.stem);
    std::erase_if(all, [&](const Line& line) { return line.part != entry.part; });
    return all;
}

// Those with bytes of a version that we serve.
std::vector<Line> messages_of(const Entry& entry) {
    std::vector<Line> all = lines_of(entry);
    std::erase_if(all, [&](const Line& line) {
        return line.version == "-" || !entry.versions.contains(line.number());
    });
    return all;
}

TEST(Corpus, KafkasBytesGiveItsValuesAndComeBackIdentical) {
    for (const Entry& entry : catalog()) {
        for (const Line& line : messages_of(entry)) {
            SCOPED_TRACE(line.where);
            const std::vector<std::byte> bytes = from_hex(line.bytes);
            const RoundTrip got = entry.round_trip(bytes, line.number());
            ASSERT_OK(got.decoded);
            EXPECT_EQ(got.left_over, 0U);
            EXPECT_EQ(got.text, line.values);
            EXPECT_EQ(got.measured, bytes.size());
            EXPECT_EQ(got.bytes, bytes);
        }
    }
}

TEST(Corpus, EveryVersionServedIsCovered) {
    ASSERT_GT(catalog().size(), 100U);
    for (const Entry& entry : catalog()) {
        std::set<std::string> have;
        for (const Line& line : messages_of(entry)) have.insert(line.version + " " + line.variant);
        for (int v = entry.versions.min; v <= entry.versions.max; ++v) {
            EXPECT_TRUE(have.contains(std::to_string(v) + " default") &&
                        have.contains(std::to_string(v) + " full"))
                << entry.stem << " " << entry.part << " " << v;
        }
    }
}

TEST(Corpus, DefaultsAreKafkas) {
    for (const Entry& entry : catalog()) {
        std::vector<std::string> ours;
        entry.defaults(ours);
        std::size_t checked = 0;
        for (const Line& line : lines_of(entry)) {
            if (line.version != "-") continue;
            const std::string kafkas = line.variant + " " + line.bytes + " " + line.values;
            EXPECT_THAT(ours, ::testing::Contains(kafkas)) << line.where;
            ++checked;
        }
        // Some fields exist only in old versions and so not in the newest jar, which lists these.
        EXPECT_GE(checked + 2, ours.size()) << entry.stem;
    }
}

TEST(Corpus, EveryTruncationIsAnError) {
    for (const Entry& entry : catalog()) {
        for (const Line& line : messages_of(entry)) {
            if (line.variant != "full") continue;
            const std::vector<std::byte> bytes = from_hex(line.bytes);
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                const RoundTrip got = entry.round_trip(Bytes{bytes}.first(size), line.number());
                EXPECT_FALSE(got.decoded.has_value()) << line.where << " cut to " << size;
            }
        }
    }
}

}  // namespace
}  // namespace leat::wire::testing
