// SPDX-License-Identifier: Apache-2.0
//
// Method: bytes that Kafka's own library wrote, what it reads out of them, and the verdicts of its
// validator on good and broken batches (tools/recordfixtures), held against ours. Where we differ
// on purpose, different() says how.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "testkit/result_matchers.h"
#include "wire/batch_builder.h"
#include "wire/batch_validation.h"
#include "wire/control_record.h"
#include "wire/legacy_messages.h"

namespace leat::wire {
namespace {

using Buffer = std::vector<std::byte>;

constexpr std::size_t kPlenty = std::size_t{1} << 24;
constexpr std::int64_t kNow = 1'700'000'000'000;

struct Verdict {
    std::string name;
    int version = 0;
    std::string topic;
    std::string error;
    std::string indices;
    Buffer bytes;
};

struct Fixtures {
    std::map<std::string, Buffer> batches;
    std::map<std::string, std::vector<std::string>> records;  // As printed there.
    std::vector<Verdict> verdicts;
};

Buffer unhex(const std::string& text) {
    Buffer out;
    if (text == "-") return out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        unsigned value = 0;
        std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
        out.push_back(static_cast<std::byte>(value));
    }
    return out;
}

std::string hex_of(const std::optional<Bytes>& bytes) {
    if (!bytes) return "null";
    if (bytes->empty()) return "-";
    std::string out;
    for (const std::byte byte : *bytes) {
        constexpr const char* kDigits = "0123456789abcdef";
        out += kDigits[static_cast<unsigned>(byte) >> 4];
        out += kDigits[static_cast<unsigned>(byte) & 15];
    }
    return out;
}

Fixtures load() {
    Fixtures all;
    std::ifstream in{"tests/fixtures/records-kafka-4.3.1.txt"};
    std::string name;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words{line};
        std::string kind;
        std::string hex;
        words >> kind;
        if (kind == "batch") {
            words >> name >> hex;
            all.batches[name] = unhex(hex);
        } else if (kind == "record") {
            all.records[name].push_back(line);
        } else if (kind == "verdict") {
            Verdict v;
            words >> v.name >> v.version >> v.topic >> v.error >> v.indices >> hex;
            v.bytes = unhex(hex);
            all.verdicts.push_back(std::move(v));
        }
    }
    return all;
}

std::string line_of(Offset offset, WallMs timestamp, const RecordView& record) {
    std::string line = "record " + std::to_string(offset.value) + " " +
                       std::to_string(timestamp.value) + " " + hex_of(record.key) + " " +
                       hex_of(record.value);
    HeaderReader headers{record.headers};
    while (const auto header = headers.next()) {
        line += " " + hex_of(std::as_bytes(std::span{header->key})) + "=" + hex_of(header->value);
    }
    return line;
}

std::vector<std::string> lines_of(const Buffer& bytes) {
    std::vector<std::string> lines;
    BatchCursor cursor{bytes};
    for (;;) {
        const auto batch = cursor.next();
        EXPECT_OK(batch);
        if (!batch || !batch->has_value()) return lines;
        EXPECT_OK(check_crc((*batch)->bytes));
        auto reader = RecordReader::open(**batch, kPlenty);
        EXPECT_OK(reader);
        for (;;) {
            const auto record = reader->next();
            EXPECT_OK(record);
            if (!record || !record->has_value()) break;
            const BatchHeader& header = (*batch)->header;
            lines.push_back(line_of(header.offset((*record)->offset_delta),
                                    header.timestamp((*record)->timestamp_delta), **record));
        }
    }
}

TEST(KafkasBatches, AreReadAsKafkaReadsThem) {
    const Fixtures all = load();
    int compared = 0;
    for (const auto& [name, bytes] : all.batches) {
        if (!name.starts_with("v2-")) continue;
        const auto expected = all.records.find(name);
        EXPECT_EQ(lines_of(bytes),
                  expected == all.records.end() ? std::vector<std::string>{} : expected->second)
            << name;
        ++compared;
    }
    EXPECT_EQ(compared, 11);
}

TEST(KafkasBatches, ComeOutOfTheBuilderByteForByte) {
    const Fixtures all = load();
    for (const char* name : {"v2-none", "v2-transactional", "v2-snappy", "v2-commit"}) {
        const Buffer& bytes = all.batches.at(name);
        const BatchView batch{.header = *parse_batch_header(bytes), .bytes = bytes};
        BatchOptions options = BatchOptions::like(batch.header);
        options.codec = *batch.header.codec();
        BatchBuilder builder{options};
        auto reader = RecordReader::open(batch, kPlenty);
        ASSERT_OK(reader);
        for (;;) {
            const auto record = reader->next();
            ASSERT_OK(record);
            if (!record->has_value()) break;
            builder.copy(**record, batch.header.timestamp((*record)->timestamp_delta));
        }
        const auto built = builder.finish();
        ASSERT_OK(built);
        // Two versions of Snappy need not find the same matches.
        if (options.codec == codec::Codec::kNone) EXPECT_EQ(*built, bytes) << name;
        EXPECT_EQ(lines_of(*built), all.records.at(name)) << name;
    }
    const Buffer& empty = all.batches.at("v2-emptied");
    const BatchHeader header = *parse_batch_header(empty);
    BatchBuilder builder{BatchOptions::like(header)};
    EXPECT_EQ(*builder.finish({.last_offset_delta = header.last_offset_delta,
                               .max_timestamp = header.max_timestamp}),
              empty);
}

TEST(KafkasBatches, EndMarkersAreReadAndWrittenAlike) {
    const Fixtures all = load();
    for (const auto& [name, marker, offset] :
         {std::tuple{"v2-commit", EndMarker{.committed = true, .coordinator_epoch = 12}, 50},
          std::tuple{"v2-abort", EndMarker{.committed = false, .coordinator_epoch = 13}, 51}}) {
        const Buffer& bytes = all.batches.at(name);
        const BatchView batch{.header = *parse_batch_header(bytes), .bytes = bytes};
        const auto read = read_end_marker(batch);
        ASSERT_OK(read);
        EXPECT_EQ(*read, marker);
        const MarkerPlace place{.base_offset = {offset},
                                .leader_epoch = 6,
                                .producer_id = 4711,
                                .producer_epoch = 3,
                                .timestamp = {kNow}};
        EXPECT_EQ(end_marker_batch(place, marker), bytes);
    }
}

TEST(KafkasMessageSets, AreReadAsKafkaReadsThem) {
    const Fixtures all = load();
    int compared = 0;
    for (const auto& [name, bytes] : all.batches) {
        if (name.starts_with("v2-")) continue;
        EXPECT_TRUE(is_legacy_set(bytes));
        const auto set = LegacySet::parse(bytes, {.inflated_bytes_max = kPlenty});
        ASSERT_OK(set) << name;
        std::vector<std::string> lines;
        for (const LegacyMessage& message : set->messages()) {
            RecordView view;
            view.key = message.key;
            view.value = message.value;
            lines.push_back(line_of(message.offset, message.timestamp, view));
        }
        EXPECT_EQ(lines, all.records.at(name)) << name;
        const auto converted = upconvert(bytes, {.inflated_bytes_max = kPlenty});
        ASSERT_OK(converted);
        EXPECT_EQ(lines_of(*converted), all.records.at(name)) << name;
        EXPECT_EQ(codec::name(*parse_batch_header(*converted)->codec()), name.substr(3));
        ++compared;
    }
    EXPECT_EQ(compared, 8);
}

// Ours, where it is not Kafka's answer.
const std::map<std::string, std::string>& different() {
    static const std::map<std::string, std::string> answers = {
        // Kafka's library throws what its error table does not know.
        {"garbage-gzip", "INVALID_RECORD -"},
        {"garbage-snappy", "INVALID_RECORD -"},
        {"garbage-lz4", "INVALID_RECORD -"},
        {"garbage-zstd", "INVALID_RECORD -"},
        {"cut-stream-gzip", "INVALID_RECORD -"},
        {"cut-stream-snappy", "INVALID_RECORD -"},
        {"cut-stream-lz4", "INVALID_RECORD -"},
        {"cut-stream-zstd", "INVALID_RECORD -"},
        // Kafka counts records within a message of an uncompressed set, which is always 0.
        {"legacy-0-none compacted", "INVALID_RECORD 1"},
        {"legacy-1-none compacted", "INVALID_RECORD 1"},
        // Kafka drops the cut message and reports success.
        {"legacy-cut", "CORRUPT_MESSAGE -"},
    };
    return answers;
}

std::string judge(const Verdict& given) {
    BatchRules rules;
    rules.zstd_allowed = given.version >= 7;
    rules.keys_required = given.topic == "compacted";
    if (given.topic == "append") rules.timestamp_type = TimestampType::kLogAppendTime;
    if (given.topic == "bounded") {
        rules.timestamp_min = WallMs{kNow - 1000};
        rules.timestamp_max = WallMs{kNow + 1000};
    }
    std::vector<RecordError> errors;
    const auto text = [&errors](const Error& error) {
        std::string indices;
        for (const RecordError& e : errors) {
            indices += (indices.empty() ? "" : ",") + std::to_string(e.index);
        }
        return std::string{info(error.code()).name} + " " + (indices.empty() ? "-" : indices);
    };
    Buffer bytes = given.bytes;
    if (given.version < 3) {
        auto converted = upconvert(bytes, {.inflated_bytes_max = kPlenty});
        if (!converted) return text(converted.error());
        bytes = *std::move(converted);
    }
    const auto valid = validate_batch(bytes, rules, errors);
    if (!valid) return text(valid.error());
    return "NONE -";
}

TEST(KafkasVerdicts, AreOursToo) {
    const Fixtures all = load();
    EXPECT_GT(all.verdicts.size(), 150U);
    for (const Verdict& verdict : all.verdicts) {
        std::string expected = verdict.error + " " + verdict.indices;
        for (const std::string& name : {verdict.name, verdict.name + " " + verdict.topic}) {
            if (const auto it = different().find(name); it != different().end())
                expected = it->second;
        }
        EXPECT_EQ(judge(verdict), expected)
            << verdict.name << " version " << verdict.version << " topic " << verdict.topic;
    }
}

}  // namespace
}  // namespace leat::wire
