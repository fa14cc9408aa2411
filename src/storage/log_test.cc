// SPDX-License-Identifier: Apache-2.0
//
// Method: logs in a real folder, opened again after each kind of stop.
#include "storage/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "storage/testing/log_fixture.h"
#include "testkit/bytes.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using testing::LogFixture;
using testing::TempFolder;
using testing::TestBatch;
using testing::TestRecord;

/// A fixture on the real disk.
struct OnDisk {
    TempFolder folder;
    rt::PosixDisk disk;
    LogFixture fixture{disk, folder.path() + "/t-0"};
    LogFixture* operator->() { return &fixture; }
    Log& log() { return *fixture.log; }
};

std::vector<std::int64_t> upto(std::int64_t count) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

TEST(Log, ANewOneIsEmpty) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    EXPECT_EQ(disk.log().log_end(), Offset{0});
    EXPECT_EQ(disk.log().recovered().damage, "");
    EXPECT_TRUE(disk.log().take_unsynced().names);
}

TEST(Log, GivesBackWhatWasAppended) {
    OnDisk disk;
    disk->config.segment_bytes = 20'000;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 500; ++i) ASSERT_OK(disk->append(200));
    EXPECT_GT(disk.log().segments().size(), 4U);
    const auto all = disk->read_all({0});
    ASSERT_OK(all);
    EXPECT_EQ(*all, upto(500));
    for (const std::int64_t from : {1, 77, 250, 499}) {
        const auto rest = disk->read_all({from}, 1000);
        ASSERT_OK(rest);
        EXPECT_EQ(rest->front(), from);
        EXPECT_EQ(rest->size(), static_cast<std::size_t>(500 - from));
    }
}

TEST(Log, ReadsOneBatchThatIsLargerThanAsked) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    ASSERT_OK(disk->append(5000));
    ASSERT_OK(disk->append(5000));
    const auto none = disk.log().read({0}, {2}, 100, false);
    ASSERT_OK(none);
    EXPECT_TRUE(none->empty());
    const auto one = disk.log().read({0}, {2}, 100, true);
    ASSERT_OK(one);
    ASSERT_EQ(one->size(), 1U);
    EXPECT_LT((*one)[0].size_bytes, 6000U);
    EXPECT_EQ(disk.log().bytes_between({0}, {1}, 1 << 20), (*one)[0].size_bytes);
}

TEST(Log, OpensWithoutScanAfterClose) {
    OnDisk disk;
    disk->config.segment_bytes = 100'000;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 2000; ++i) ASSERT_OK(disk->append(200, 1000 + i));
    ASSERT_OK(disk.log().close());
    disk->options.clean = true;
    disk->options.durable_mark = Offset{2000};
    ASSERT_OK(disk->open());
    EXPECT_EQ(disk.log().log_end(), Offset{2000});
    EXPECT_LT(disk.log().recovered().scanned_bytes, 10'000);
    EXPECT_EQ(disk.log().recovered().rebuilt_indexes, 0);
    EXPECT_EQ(*disk->read_all({0}), upto(2000));
    ASSERT_OK(disk->append(200, 9000));
    const auto newest = disk.log().find_max_timestamp({3000});
    ASSERT_OK(newest);
    EXPECT_EQ(newest->offset, Offset{2000});
    EXPECT_EQ(newest->timestamp, WallMs{9000});
}

TEST(Log, ScansOnlyBehindTheMark) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 6000; ++i) ASSERT_OK(disk->append(4000, 1000 + i));
    ASSERT_OK(disk->sync());
    disk->options.durable_mark = Offset{5990};
    ASSERT_OK(disk->open());
    EXPECT_EQ(disk.log().log_end(), Offset{6000});
    // 2048 index entries are written at a time; what follows them must be read.
    EXPECT_LT(disk.log().recovered().scanned_bytes, 2'100 * 4'100);
    EXPECT_EQ(*disk->read_all({0}), upto(6000));
}

TEST(Log, ReplaysFromWhereItIsAsked) {
    OnDisk disk;
    disk->config.segment_bytes = 10'000;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 100; ++i) ASSERT_OK(disk->append(500));
    ASSERT_OK(disk.log().close());
    disk->options.clean = true;
    std::vector<std::int64_t> seen;
    ASSERT_OK(disk->open({37}, [&](const wire::BatchHeader& header, Bytes batch) {
        EXPECT_OK(wire::check_crc(batch));
        seen.push_back(header.base_offset.value);
    }));
    ASSERT_EQ(seen.size(), 63U);
    EXPECT_EQ(seen.front(), 37);
}

TEST(Log, CutsATornTailAndKeepsIt) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 10; ++i) ASSERT_OK(disk->append(100));
    ASSERT_OK(disk->sync());
    const std::string path = disk->options.directory + "/00000000000000000000.log";
    const auto size = std::filesystem::file_size(path);
    {
        const auto file = disk.disk.open(path, rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        const auto half = TestBatch{.base = 10}.build();
        const Bytes part = Bytes{half}.first(50);
        ASSERT_OK((*file)->write_at({static_cast<std::int64_t>(size)}, {&part, 1}));
    }
    disk->options.durable_mark = Offset{10};
    ASSERT_OK(disk->open());
    EXPECT_EQ(disk.log().log_end(), Offset{10});
    EXPECT_EQ(disk.log().recovered().damage, "");
    EXPECT_EQ(disk.log().recovered().cut_bytes, 50);
    EXPECT_EQ(std::filesystem::file_size(disk.log().recovered().cut_file), 50U);
    EXPECT_EQ(std::filesystem::file_size(path), size);
    ASSERT_OK(disk->append());
    EXPECT_EQ(disk->read_all({0})->size(), 11U);
}

TEST(Log, DamageBelowTheMarkIsReportedAndNothingCut) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 10; ++i) ASSERT_OK(disk->append(100));
    ASSERT_OK(disk->sync());
    const std::string path = disk->options.directory + "/00000000000000000000.log";
    const auto size = std::filesystem::file_size(path);
    {
        const auto file = disk.disk.open(path, rt::OpenMode::kReadWrite);
        ASSERT_OK(file);
        const std::byte flipped{0x55};
        const Bytes part{&flipped, 1};
        ASSERT_OK((*file)->write_at({static_cast<std::int64_t>(size) - 5}, {&part, 1}));
    }
    disk->options.durable_mark = Offset{10};
    ASSERT_OK(disk->open());
    EXPECT_THAT(disk.log().recovered().damage, ::testing::HasSubstr("checksum"));
    EXPECT_EQ(std::filesystem::file_size(path), size);
    EXPECT_ERRC(disk->append(), Errc::kQuarantined);
    EXPECT_EQ(disk->read_all({0})->size(), 9U);
}

/// Turns bit `bit` of the base offset of the batch at `at`.
void turn_offset_bit(rt::PosixDisk& disk, const std::string& path, std::int64_t at, int bit) {
    const auto file = disk.open(path, rt::OpenMode::kReadWrite);
    ASSERT_OK(file);
    const FilePos place{at + 7 - bit / 8};
    std::byte content{};
    ASSERT_OK((*file)->read_at(place, MutableBytes{&content, 1}));
    content ^= std::byte{1} << (bit % 8);
    const Bytes part{&content, 1};
    ASSERT_OK((*file)->write_at(place, {&part, 1}));
}

/// The checksum does not cover it; what follows looks as if it came from before.
TEST(Log, AnOffsetThatIsTooHighIsDamageAndNothingIsCut) {
    for (const int bit : {4, 20, 31, 62}) {
        SCOPED_TRACE(bit);
        OnDisk disk;
        ASSERT_OK(disk->open());
        for (int i = 0; i < 10; ++i) ASSERT_OK(disk->append(100));
        ASSERT_OK(disk->sync());
        const std::string path = disk->options.directory + "/00000000000000000000.log";
        const auto size = std::filesystem::file_size(path);
        disk->log.reset();
        turn_offset_bit(disk.disk, path, static_cast<std::int64_t>(size) / 10 * 7, bit);
        disk->options.durable_mark = Offset{10};
        ASSERT_OK(disk->open({0}));
        EXPECT_NE(disk.log().recovered().damage, "");
        EXPECT_EQ(disk.log().recovered().cut_bytes, 0);
        EXPECT_EQ(std::filesystem::file_size(path), size);
    }
}

TEST(Log, AnOffsetOfTheNextSegmentIsDamageAndNoSegmentIsPutAside) {
    OnDisk disk;
    disk->config.segment_bytes = 600;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 10; ++i) ASSERT_OK(disk->append(100));
    ASSERT_OK(disk->sync());
    const std::string path = disk->options.directory + "/00000000000000000000.log";
    const auto size = std::filesystem::file_size(path);
    const auto names = std::filesystem::directory_iterator{disk->options.directory};
    const auto count = std::distance(begin(names), end(names));
    disk->log.reset();
    // The last of its segment: nothing behind it there could tell.
    turn_offset_bit(disk.disk, path, static_cast<std::int64_t>(size) / 3 * 2, 10);
    disk->options.durable_mark = Offset{10};
    ASSERT_OK(disk->open({0}));
    EXPECT_THAT(disk.log().recovered().damage, ::testing::HasSubstr("of the next segment"));
    const auto after = std::filesystem::directory_iterator{disk->options.directory};
    EXPECT_EQ(std::distance(begin(after), end(after)), count);
    EXPECT_EQ(std::filesystem::file_size(path), size);
}

TEST(Log, AShorterFileThanTheMarkIsDamage) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 10; ++i) ASSERT_OK(disk->append(100));
    ASSERT_OK(disk.log().close());
    const std::string path = disk->options.directory + "/00000000000000000000.log";
    disk->log.reset();
    std::filesystem::resize_file(path, 0);
    disk->options.durable_mark = Offset{10};
    disk->options.clean = true;
    ASSERT_OK(disk->open());
    EXPECT_NE(disk.log().recovered().damage, "");
    std::filesystem::remove(path);
    ASSERT_OK(disk->open());
    EXPECT_NE(disk.log().recovered().damage, "");
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Log, FindsRecordsByTimeInsideOfCompressedBatches) {
    OnDisk disk;
    disk->config.segment_bytes = 5000;
    disk->config.index_interval_bytes = 200;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 100; ++i) {
        std::vector<TestRecord> records;
        records.reserve(10);
        for (int j = 0; j < 10; ++j)
            records.push_back({.timestamp = 1000 + 10 * (10 * i + j), .value = "value"});
        ASSERT_OK(disk->append(TestBatch{.records = records, .codec = codec::Codec::kZstd}));
    }
    EXPECT_GT(disk.log().segments().size(), 1U);
    for (int i = 0; i < 1000; i += 7) {
        const auto found = disk.log().find_by_time({1000 + 10 * i - 3}, {1000});
        ASSERT_OK(found);
        EXPECT_EQ(found->offset, Offset{i});
        EXPECT_EQ(found->timestamp, WallMs{1000 + 10 * i});
    }
    EXPECT_EQ(disk.log().find_by_time({1'000'000}, {1000})->offset, Offset{-1});
    EXPECT_EQ(disk.log().find_by_time({1000 + 10 * 500}, {500})->offset, Offset{-1});
    EXPECT_EQ(disk.log().find_max_timestamp({1000})->offset, Offset{999});
}

TEST(Log, LargestTimestampIsThatBelowTheBound) {
    OnDisk disk;
    disk->config.segment_bytes = 4000;
    disk->config.index_interval_bytes = 300;
    ASSERT_OK(disk->open());
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i < 150; ++i) {
        times.push_back(1000 + i * 10 + (i * 37 % 11) * 40);  // Not in order.
        ASSERT_OK(disk->append(60, times.back()));
    }
    EXPECT_EQ(disk.log().find_max_timestamp({0})->offset, Offset{-1});
    for (std::int64_t below = 1; below <= 150; ++below) {
        const auto largest = std::max_element(times.begin(), times.begin() + below);
        const auto found = disk.log().find_max_timestamp({below});
        ASSERT_OK(found);
        EXPECT_EQ(found->offset, Offset{largest - times.begin()}) << below;
        EXPECT_EQ(found->timestamp, WallMs{*largest}) << below;
    }
}

TEST(Log, RetentionTakesOldSegments) {
    OnDisk disk;
    disk->config.segment_bytes = 2000;
    disk->config.retention_ms = 1000;
    disk->config.file_delete_delay_ms = 10;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 100; ++i) ASSERT_OK(disk->append(100, 1000 + 100 * i));
    const auto start = disk.log().retain({6'000}, {100});
    ASSERT_OK(start);
    EXPECT_GT(start->value, 20);
    EXPECT_LE(start->value, 41);
    EXPECT_EQ(disk->read_all(*start)->front(), start->value);
    ASSERT_OK(disk.log().remove_deleted({6'010}));
    for (const auto& entry : std::filesystem::directory_iterator(disk->options.directory))
        EXPECT_NE(entry.path().extension(), ".deleted");
    // All are old: the log goes on empty.
    ASSERT_OK(disk.log().retain({1'000'000}, {100}));
    EXPECT_EQ(disk.log().log_start(), Offset{100});
    EXPECT_EQ(disk.log().size_bytes(), 0);
    ASSERT_OK(disk->append());
    EXPECT_EQ(disk.log().log_end(), Offset{101});
}

TEST(Log, FilesOfADelayWithoutEndStay) {
    OnDisk disk;
    disk->config.segment_bytes = 2000;
    disk->config.retention_ms = 1000;
    disk->config.file_delete_delay_ms = config::kNever;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 100; ++i) ASSERT_OK(disk->append(100, 1000 + 100 * i));
    ASSERT_OK(disk.log().retain({6'000}, {100}));
    ASSERT_OK(disk.log().remove_deleted({1'000'000}));
    int left = 0;
    for (const auto& entry : std::filesystem::directory_iterator(disk->options.directory))
        left += entry.path().extension() == ".deleted" ? 1 : 0;
    EXPECT_GT(left, 0);
}

TEST(Log, RetentionAsksForThePolicyDelete) {
    for (const bool deletes : {false, true}) {
        OnDisk disk;
        disk->config.segment_bytes = 2000;
        disk->config.retention_ms = 1000;
        disk->config.cleanup_compact = true;
        disk->config.cleanup_delete = deletes;
        ASSERT_OK(disk->open());
        for (int i = 0; i < 100; ++i) ASSERT_OK(disk->append(100, 1000 + 100 * i));
        const auto start = disk.log().retain({6'000}, {100});
        ASSERT_OK(start);
        EXPECT_EQ(start->value > 0, deletes);
    }
}

TEST(Log, RetentionBySizeKeepsAtLeastThatMuch) {
    OnDisk disk;
    disk->config.segment_bytes = 2000;
    disk->config.retention_bytes = 5000;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 100; ++i) ASSERT_OK(disk->append(100));
    // The high watermark bounds it.
    ASSERT_OK(disk.log().retain({1'000}, {5}));
    EXPECT_EQ(disk.log().log_start(), Offset{0});
    ASSERT_OK(disk.log().retain({1'000}, {100}));
    EXPECT_GE(disk.log().size_bytes(), 5000);
    EXPECT_LT(disk.log().size_bytes(), 7000);
}

TEST(Log, TruncatesToABatchDurably) {
    OnDisk disk;
    disk->config.segment_bytes = 2000;
    disk->config.index_interval_bytes = 100;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 50; ++i) ASSERT_OK(disk->append({.epoch = i / 10}));
    ASSERT_OK(disk.log().truncate({25}));
    EXPECT_EQ(disk.log().log_end(), Offset{25});
    EXPECT_EQ(disk.log().latest_epoch(), 2);
    EXPECT_EQ(*disk->read_all({0}), upto(25));
    for (int i = 0; i < 20; ++i) ASSERT_OK(disk->append({.epoch = 7}));
    disk->options.durable_mark = Offset{25};
    ASSERT_OK(disk->open());
    EXPECT_EQ(*disk->read_all({0}), upto(45));
    EXPECT_EQ(disk.log().end_of_epoch(2), (std::pair{2, Offset{25}}));
    EXPECT_EQ(disk.log().end_of_epoch(7), (std::pair{7, Offset{45}}));
    ASSERT_OK(disk.log().truncate_fully({1000}));
    EXPECT_EQ(disk.log().log_start(), Offset{1000});
    ASSERT_OK(disk->append());
}

TEST(Log, RebuildsEpochsThatAreMissing) {
    OnDisk disk;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 50; ++i) ASSERT_OK(disk->append({.epoch = i / 10}));
    ASSERT_OK(disk.log().close());
    std::filesystem::remove(disk->options.directory + "/leader-epoch-checkpoint");
    disk->options.clean = true;
    ASSERT_OK(disk->open());
    for (int epoch = 0; epoch < 5; ++epoch)
        EXPECT_EQ(disk.log().end_of_epoch(epoch), (std::pair{epoch, Offset{10 * epoch + 10}}));
    EXPECT_TRUE(std::filesystem::exists(disk->options.directory + "/leader-epoch-checkpoint"));
}

TEST(Log, RebuildsIndexesThatAreMissingOrWrong) {
    for (const bool remove : {true, false}) {
        OnDisk disk;
        disk->config.segment_bytes = 50'000;
        ASSERT_OK(disk->open());
        for (int i = 0; i < 500; ++i) ASSERT_OK(disk->append(500, 1000 + i));
        ASSERT_OK(disk.log().close());
        const auto segments = disk.log().segments();
        ASSERT_GT(segments.size(), 3U);
        disk->log.reset();
        for (const auto& entry : std::filesystem::directory_iterator(disk->options.directory)) {
            if (entry.path().extension() != ".index") continue;
            if (remove) {
                std::filesystem::remove(entry.path());
            } else {
                // In order, and wrong.
                const auto file = disk.disk.open(entry.path(), rt::OpenMode::kReadWrite);
                const auto raw = testkit::hex("00 00 00 03 00 00 00 05 00 00 00 05 00 00 00 77");
                const Bytes part{raw};
                ASSERT_OK((*file)->write_at({0}, {&part, 1}));
            }
        }
        disk->options.clean = true;
        ASSERT_OK(disk->open());
        if (remove) EXPECT_EQ(disk.log().recovered().rebuilt_indexes, std::ssize(segments));
        for (const std::int64_t from : {4, 100, 250, 499})
            EXPECT_EQ(disk->read_all({from}, 3000)->size(), static_cast<std::size_t>(500 - from));
    }
}

TEST(Log, RemembersAbortedTransactions) {
    OnDisk disk;
    disk->config.segment_bytes = 2000;
    ASSERT_OK(disk->open());
    for (int i = 0; i < 50; ++i) {
        ASSERT_OK(disk->append(100));
        if (i % 10 == 9)
            ASSERT_OK(disk.log().append_aborted(
                {.producer_id = i, .first = {i - 5}, .last = {i}, .last_stable = {i - 5}}));
    }
    const auto some = disk.log().aborted_between({15}, {35});
    ASSERT_OK(some);
    ASSERT_EQ(some->size(), 3U);  // Those of 19, 29 and, begun at 34, of 39.
    EXPECT_EQ((*some)[0].producer_id, 19);
    EXPECT_EQ((*some)[0].first_offset, Offset{14});
    // Shown again after a start: no second entry.
    ASSERT_OK(disk.log().append_aborted(
        {.producer_id = 49, .first = {44}, .last = {49}, .last_stable = {44}}));
    EXPECT_EQ(disk.log().aborted_between({0}, {50})->size(), 5U);
}

}  // namespace
}  // namespace leat::storage
