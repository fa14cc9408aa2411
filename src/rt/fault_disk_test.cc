// SPDX-License-Identifier: Apache-2.0
//
// Fault points against the kernel's files in a folder of the test.
#include "rt/fault_disk.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "rt/posix_disk.h"
#include "testkit/bytes.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

/// Threading: not synchronised.
class FaultDiskTest : public testing::Test {
  protected:
    FaultDiskTest() {
        std::string name = testing::TempDir() + "fault_disk_XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~FaultDiskTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string at(const std::string& name) const { return folder_ + "/" + name; }
    FaultDisk disk(const char* points) { return {under_, *parse_fault_points(points)}; }

    PosixDisk under_;
    std::string folder_;
    std::array<std::byte, 4> bytes_{};
    std::array<Bytes, 1> parts_{Bytes{bytes_}};
};

TEST_F(FaultDiskTest, FailsTheNthMatchingCallOnce) {
    FaultDisk faulty = disk("io-error:write:.log:2");
    const auto log = *faulty.open(at("a.log"), OpenMode::kCreate);
    const auto other = *faulty.open(at("a.index"), OpenMode::kCreate);
    EXPECT_TRUE(other->write_at({0}, parts_).has_value());
    EXPECT_TRUE(log->write_at({0}, parts_).has_value());
    const auto failed = log->write_at({0}, parts_);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code(), Errc::kIoError);
    EXPECT_TRUE(log->write_at({0}, parts_).has_value());
}

TEST_F(FaultDiskTest, FailsFromTheNthCallOnWhenAskedTo) {
    FaultDisk faulty = disk("no-spaces:any:.log:2");
    const auto log = *faulty.open(at("a.log"), OpenMode::kCreate);
    EXPECT_EQ(log->write_at({0}, parts_).error().code(), Errc::kNoSpace);
    EXPECT_EQ(log->sync().error().code(), Errc::kNoSpace);
}

TEST_F(FaultDiskTest, LacksDescriptorsWhenAskedTo) {
    FaultDisk once = disk("no-file:create:.log:1");
    EXPECT_EQ(once.open(at("a.log"), OpenMode::kCreate).error().code(), Errc::kTooManyOpenFiles);
    EXPECT_FALSE(*under_.exists(at("a.log")));
    EXPECT_TRUE(once.open(at("a.log"), OpenMode::kCreate).has_value());
    FaultDisk always = disk("no-files:open:.log:1");
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(always.open(at("a.log"), OpenMode::kRead).error().code(),
                  Errc::kTooManyOpenFiles);
}

TEST_F(FaultDiskTest, SkipsCallsThatShouldHaveSynced) {
    FaultDisk faulty = disk("skip:truncate:.log:1");
    const auto log = *faulty.open(at("a.log"), OpenMode::kCreate);
    ASSERT_TRUE(log->write_at({0}, parts_).has_value());
    ASSERT_TRUE(log->truncate({0}).has_value());
    EXPECT_EQ(*log->size(), 4);
}

TEST_F(FaultDiskTest, MakesCallsSlow) {
    FaultDisk faulty = disk("delay:sync:.log:1");
    const auto log = *faulty.open(at("a.log"), OpenMode::kCreate);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(log->sync().has_value());
    EXPECT_GE(std::chrono::steady_clock::now() - begun, kFaultDelay);
}

TEST_F(FaultDiskTest, EndsTheProcessBeforeTheCall) {
    FaultDisk faulty = disk("kill-before:rename:b:1");
    const auto log = *faulty.open(at("a"), OpenMode::kCreate);
    EXPECT_EXIT(ignore(faulty.rename(at("a"), at("b")), "does not return"),
                testing::KilledBySignal(SIGKILL), "");
    EXPECT_TRUE(*under_.exists(at("a")));
}

TEST_F(FaultDiskTest, EndsTheProcessAfterTheCall) {
    FaultDisk faulty = disk("kill-after:rename:b:1");
    const auto log = *faulty.open(at("a"), OpenMode::kCreate);
    EXPECT_EXIT(ignore(faulty.rename(at("a"), at("b")), "does not return"),
                testing::KilledBySignal(SIGKILL), "");
    EXPECT_TRUE(*under_.exists(at("b")));
}

TEST(FaultPoints, AreRefusedWhenTheyCannotBeRead) {
    for (const char* bad : {"io-error", "io-error:write", "io-error:write:x", "io-error:write:x:0",
                            "io-error:write:x:n", "explode:write:x:1", "io-error:fly:x:1"})
        EXPECT_FALSE(parse_fault_points(bad).has_value()) << bad;
    EXPECT_EQ(parse_fault_points("io-error:write::1,kill-after:any:x:3")->size(), 2U);
}

}  // namespace
}  // namespace leat::rt
