// SPDX-License-Identifier: Apache-2.0
#include "client/key_partitioner.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace leat::client {
namespace {

constexpr std::int32_t kPartitions = 17;
constexpr std::array<std::string_view, 6> kKeys{
    "unaligned", "this is another string with more length to it perhaps", "hejsan", "", "123456789",
    "2147483647"};

/// -1: any.
std::int32_t chosen(std::string_view name, std::optional<std::string_view> key) {
    return partition_for(*key_partitioner_of(name), key, kPartitions).value_or(-1);
}

TEST(KeyPartitioner, ConsistentIsTheCrc) {
    // Of "123456789" the checksum is 0xCBF43926, of nothing it is 0.
    EXPECT_EQ(chosen("consistent", "123456789"), 0xCBF43926U % kPartitions);
    EXPECT_EQ(chosen("consistent", ""), 0);
    EXPECT_EQ(chosen("consistent", std::nullopt), 0);
    EXPECT_EQ(chosen("consistent_random", "123456789"), 0xCBF43926U % kPartitions);
    EXPECT_EQ(chosen("consistent_random", ""), -1);
    EXPECT_EQ(chosen("consistent_random", std::nullopt), -1);
}

TEST(KeyPartitioner, MurmurIsThatOfTheJavaClient) {
    EXPECT_EQ(chosen("murmur2", "foobar"), (-790332482 & 0x7FFF'FFFF) % kPartitions);
    EXPECT_EQ(chosen("murmur2_random", "foobar"), (-790332482 & 0x7FFF'FFFF) % kPartitions);
    EXPECT_EQ(chosen("murmur2_random", std::nullopt), -1);
    EXPECT_EQ(chosen("murmur2_random", ""), chosen("murmur2", ""));
    EXPECT_EQ(chosen("murmur2", std::nullopt), chosen("murmur2", ""));
}

TEST(KeyPartitioner, FnvIsItsSizeWithoutASign) {
    // 0x811C9DC5 of nothing, as a signed number -2128831035; 0xE40C292C of "a", -468965076.
    EXPECT_EQ(chosen("fnv1a", ""), 2'128'831'035 % kPartitions);
    EXPECT_EQ(chosen("fnv1a", "a"), 468'965'076 % kPartitions);
    // Of "foobar" 0xBF9CF968, as a signed number -1080231576.
    EXPECT_EQ(chosen("fnv1a", "foobar"), 1'080'231'576 % kPartitions);
    EXPECT_EQ(chosen("fnv1a_random", "a"), chosen("fnv1a", "a"));
    EXPECT_EQ(chosen("fnv1a_random", std::nullopt), -1);
}

TEST(KeyPartitioner, RandomIsAnyOfThem) {
    for (const std::string_view key : kKeys) EXPECT_EQ(chosen("random", key), -1);
}

TEST(KeyPartitioner, OthersDoNotExist) {
    EXPECT_FALSE(key_partitioner_of("sticky"));
    EXPECT_FALSE(key_partitioner_of(""));
}

}  // namespace
}  // namespace leat::client
