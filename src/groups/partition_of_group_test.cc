// SPDX-License-Identifier: Apache-2.0
// Method: values computed with a JVM's String.hashCode.
#include "groups/partition_of_group.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::groups {
namespace {

std::string unhex(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
    }
    return out;
}

TEST(PartitionOfGroup, HashIsJavasForTextsOfAllLengthsOfUtf8) {
    struct Case {
        std::string_view text;  // UTF-8, malformed at the end, in hex.
        std::int32_t hash;
    };
    const Case cases[] = {
        {"", 0},
        {"6733", 3244},
        {"636f6e6e6563742d636c7573746572", 1440343063},
        {"706f6c7967656e656c7562726963616e7473", INT32_MIN},
        {"636166c3a9", 3045921},
        {"e697a5e69cace8aa9e", 25921943},
        {"f09f98802067", 1703757034},
        {"ff61", 2031620},
        {"c080", 2097056},
        {"e282", 65533},
        {"e28261", 2031620},
        {"eda080", 65533},
        {"f09f98", 65533},
        {"f580", 2097056},
        {"f08080", 65074269},
    };
    for (const auto& [text, hash] : cases) EXPECT_EQ(java_string_hash(unhex(text)), hash) << text;
}

TEST(PartitionOfGroup, PartitionIsInRangeWhenTheHashIsTheSmallestInteger) {
    EXPECT_EQ(java_string_hash("polygenelubricants"), INT32_MIN);
    EXPECT_EQ(partition_of_group("polygenelubricants", 50), 0);
    EXPECT_EQ(partition_of_group("", 50), 0);
}

}  // namespace
}  // namespace leat::groups
