// SPDX-License-Identifier: Apache-2.0
// Method: cases by chance with what Kafka's own assignors gave for them (tools/assignorcases);
// LEAT_ASSIGNOR_CASES names another file of them. Beside them, what any assignment must hold.
#include "groups/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <sstream>

#include "groups/hash_order.h"
#include "groups/partition_of_group.h"

namespace leat::groups {
namespace {

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string part; std::getline(in, part, by);) out.push_back(part);
    return out;
}

struct Case {
    struct Member {
        std::string id;
        std::string instance;
        std::vector<Uuid> topics;
        TopicPartitions target;
        TopicPartitions gets;
    };
    std::string assignor;
    bool is_homogeneous = false;
    std::vector<std::pair<Uuid, std::int32_t>> topics;
    std::deque<Member> members;

    [[nodiscard]] TopicPartitions partitions(const std::string& text) const {
        TopicPartitions out;
        if (text == "-") return out;
        for (const std::string& part : split(text, ';')) {
            const std::size_t colon = part.find(':');
            auto& into = out[topics[std::stoul(part.substr(0, colon))].first];
            for (const std::string& number : split(part.substr(colon + 1), ','))
                into.push_back(std::stoi(number));
        }
        return out;
    }
    [[nodiscard]] std::vector<TopicPartitions> run() const {
        std::vector<AssignedMember> all;
        for (const Member& member : members) {
            AssignedMember& one = all.emplace_back();
            one.id = member.id;
            if (member.instance != "-") one.instance_id = member.instance;
            one.topics = member.topics;
            one.target = &member.target;
        }
        return assign(
            *assignor_named(assignor),
            {.members = all,
             .is_homogeneous = is_homogeneous,
             .partition_count = [this](const Uuid& id) {
                 return std::ranges::find(topics, id, [](auto& t) { return t.first; })->second;
             }});
    }
};

std::vector<Case> cases() {
    const char* named = std::getenv("LEAT_ASSIGNOR_CASES");
    std::ifstream in{named != nullptr ? named : "tests/fixtures/assignors-kafka-4.3.1.txt"};
    std::vector<Case> out;
    for (std::string line; std::getline(in, line);) {
        const std::vector<std::string> words = split(line, ' ');
        if (words[0] == "case") {
            Case& one = out.emplace_back();
            one.assignor = words[1];
            one.is_homogeneous = words[2] == "same";
        } else if (words[0] == "topic") {
            out.back().topics.emplace_back(*Uuid::parse(words[1]), std::stoi(words[2]));
        } else if (words[0] == "member") {
            Case::Member& member = out.back().members.emplace_back();
            member.id = words[1];
            member.instance = words[2];
            if (words[3] != "-")
                for (const std::string& topic : split(words[3], ','))
                    member.topics.push_back(out.back().topics[std::stoul(topic)].first);
            member.target = out.back().partitions(words[4]);
        } else if (words[0] == "gets") {
            const auto at = std::ranges::find(out.back().members, words[1], &Case::Member::id);
            at->gets = out.back().partitions(words[2]);
        }
    }
    return out;
}

std::string text_of(const TopicPartitions& partitions) {
    std::string out;
    for (const auto& [topic, numbers] : partitions) {
        out += topic.text() + ":";
        for (const std::int32_t number : numbers) out += std::to_string(number) + ",";
    }
    return out;
}

TEST(Assignor, GivesWhatKafkaGives) {
    const std::vector<Case> all = cases();
    ASSERT_GE(all.size(), 100U);
    std::size_t number = 0;
    for (const Case& one : all) {
        ++number;
        const std::vector<TopicPartitions> got = one.run();
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_EQ(text_of(got[i]), text_of(one.members[i].gets))
                << "case " << number << " " << one.assignor << ", " << one.members[i].id;
    }
}

TEST(Assignor, GivesEachPartitionToOneReaderOfItsTopic) {
    for (const Case& one : cases()) {
        const std::vector<TopicPartitions> got = one.run();
        std::map<std::pair<Uuid, std::int32_t>, int> owners;
        std::map<Uuid, int> readers;
        for (std::size_t i = 0; i < got.size(); ++i) {
            for (const Uuid& topic : one.members[i].topics) ++readers[topic];
            for (const auto& [topic, numbers] : got[i]) {
                EXPECT_TRUE(std::ranges::is_sorted(numbers));
                EXPECT_NE(std::ranges::find(one.members[i].topics, topic),
                          one.members[i].topics.end());
                for (const std::int32_t number : numbers) ++owners[{topic, number}];
            }
        }
        for (const auto& [topic, count] : one.topics)
            for (std::int32_t p = 0; readers[topic] > 0 && p < count; ++p)
                EXPECT_EQ((owners[{topic, p}]), 1);
    }
}

TEST(Assignor, ChangesNothingWhenNothingChanged) {
    for (Case& one : cases()) {
        if (one.assignor != "uniform") continue;
        std::vector<TopicPartitions> first = one.run();
        for (std::size_t i = 0; i < first.size(); ++i) one.members[i].target = first[i];
        EXPECT_EQ(one.run(), first);
    }
}

TEST(Assignor, GivesNothingToNobody) {
    EXPECT_TRUE(assign(AssignorKind::kUniform, {}).empty());
    EXPECT_TRUE(assign(AssignorKind::kRange, {}).empty());
    EXPECT_FALSE(assignor_named("sticky").has_value());
}

TEST(HashOrder, GrowsAsJavaDoes) {
    // 17 and 33 share a bucket with 1 while there are 16; the thirteenth key doubles them.
    std::vector<std::int32_t> hashes{33, 17, 1};
    EXPECT_EQ(hash_order(hashes), (std::vector<std::uint32_t>{0, 1, 2}));
    for (std::int32_t more = 2; hashes.size() < 13; ++more) hashes.push_back(more);
    EXPECT_EQ(hash_order(hashes).back(), 1U);
    EXPECT_EQ(hash_buckets_for(12), 32U);
    EXPECT_EQ(hash_buckets_for(11), 16U);
}

}  // namespace
}  // namespace leat::groups
