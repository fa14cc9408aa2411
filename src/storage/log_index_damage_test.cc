// SPDX-License-Identifier: Apache-2.0
//
// Method: a log of several segments; an index file of one of them is changed in each way a disk or
// a hand may change it, and the log is opened once: it opens, and reads and looks up as before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "storage/log.h"
#include "storage/segment_files.h"
#include "storage/testing/damages.h"
#include "storage/testing/log_fixture.h"
#include "storage/time_index.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::storage {
namespace {

using testing::Damage;
using testing::damages_of;
using testing::LogFixture;
using testkit::DiskCall;
using testkit::SimDisk;

constexpr const char* kFolder = "d/t-0";
constexpr std::int64_t kBatches = 100;
constexpr std::int64_t kFirstTime = 1000;

using Files = std::map<std::string, std::vector<std::byte>>;

/// A folder of a log with six segments, as a stop left it.
class Stopped {
  public:
    explicit Stopped(bool is_clean) : fixture{disk, kFolder} {
        LEAT_CHECK(disk.make_directory("d").has_value());
        fixture.config.segment_bytes = 4000;
        fixture.config.index_interval_bytes = 150;
        LEAT_CHECK(fixture.open().has_value());
        // Sizes that differ, so that no other place in a segment is one where a batch begins.
        for (std::int64_t i = 0; i < kBatches; ++i)
            LEAT_CHECK(fixture.append(static_cast<std::size_t>(100 + i % 7), kFirstTime + i * 10)
                           .has_value());
        LEAT_CHECK(fixture.sync().has_value());
        for (const Log::SegmentInfo& segment : fixture.log->segments())
            bases.push_back(segment.base);
        LEAT_CHECK(bases.size() > 4);
        if (is_clean) LEAT_CHECK(fixture.log->close().has_value());
        fixture.log.reset();
        fixture.options.clean = is_clean;
        fixture.options.durable_mark = Offset{is_clean ? kBatches : kBatches - 5};
        original = read();
    }

    [[nodiscard]] std::string name(std::size_t segment, FileKind kind) const {
        return to_string(FileName{.base = bases.at(segment), .kind = kind});
    }
    [[nodiscard]] std::vector<std::byte> content(const std::string& name) const {
        const auto found = original.find(name);
        return found == original.end() ? std::vector<std::byte>{} : found->second;
    }

    Files read() {
        Files files;
        const auto entries = disk.list(kFolder);
        LEAT_CHECK(entries.has_value());
        for (const rt::DirEntry& entry : *entries) {
            auto raw = rt::read_file(disk, path(entry.name), 1 << 20);
            LEAT_CHECK(raw.has_value());
            files[entry.name] = *std::move(raw);
        }
        return files;
    }

    /// All files as they were, but the one.
    void restore(const std::string& changed, const std::vector<std::byte>* content) {
        fixture.log.reset();
        for (const auto& [name, bytes] : read())
            LEAT_CHECK(disk.remove_file(path(name)).has_value());
        for (const auto& [name, bytes] : original)
            if (name != changed) write(name, bytes);
        if (content != nullptr) write(changed, *content);
    }

    void write(const std::string& name, const std::vector<std::byte>& bytes) {
        const auto file = disk.open(path(name), rt::OpenMode::kCreate);
        LEAT_CHECK(file.has_value());
        const Bytes part{bytes};
        LEAT_CHECK((*file)->write_at({0}, {&part, 1}).has_value() && (*file)->sync().has_value());
    }

    void check() {
        EXPECT_EQ(fixture.log->recovered().damage, "");
        EXPECT_EQ(fixture.log->recovered().cut_bytes, 0);
        ASSERT_EQ(fixture.log->log_end(), Offset{kBatches});
        for (std::int64_t from = 0; from < kBatches; from += 3) {
            const auto some = fixture.log->read({from}, {kBatches}, 1, true);
            ASSERT_OK(some);
            ASSERT_EQ(some->size(), 1U);
            const auto header = header_of(some->front());
            ASSERT_EQ(header.base_offset, Offset{from});
            const auto found = fixture.log->find_by_time({kFirstTime + from * 10 - 5}, {kBatches});
            ASSERT_OK(found);
            ASSERT_EQ(found->offset, Offset{from});
        }
        const auto newest = fixture.log->find_max_timestamp({kBatches});
        ASSERT_OK(newest);
        EXPECT_EQ(newest->offset, Offset{kBatches - 1});
    }

    SimDisk disk{1};
    LogFixture fixture;
    std::vector<Offset> bases;
    Files original;

  private:
    static std::string path(const std::string& name) { return std::string{kFolder} + "/" + name; }
    static wire::BatchHeader header_of(const ReadSlice& slice) {
        std::vector<std::byte> raw(slice.size_bytes);
        LEAT_CHECK(slice.file->read_at(slice.at, raw).has_value());
        const auto header = wire::parse_batch_header(raw);
        LEAT_CHECK(header.has_value());
        return *header;
    }
};

class IndexDamage : public ::testing::TestWithParam<std::tuple<bool, FileKind, std::size_t>> {};

TEST_P(IndexDamage, IsMendedByTheFirstOpen) {
    const auto [is_clean, kind, segment] = GetParam();
    Stopped stopped{is_clean};
    const std::string name = stopped.name(segment, kind);
    for (const Damage& damage : damages_of(stopped.content(name))) {
        SCOPED_TRACE(name + ": " + damage.what);
        stopped.restore(name, damage.is_gone ? nullptr : &damage.content);
        EXPECT_OK(stopped.fixture.open());
        if (stopped.fixture.log) stopped.check();
        if (HasFatalFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Each, IndexDamage,
    ::testing::Combine(::testing::Bool(), ::testing::Values(FileKind::kIndex, FileKind::kTimeIndex),
                       ::testing::Values(std::size_t{1}, std::size_t{4})));

TEST(IndexDamageSeen, FilesAreAsTheyWere) {
    for (const bool is_clean : {false, true}) {
        Stopped stopped{is_clean};
        stopped.restore("", nullptr);
        ASSERT_OK(stopped.fixture.open());
        // A run that is killed leaves none of the segment that it was writing.
        const std::int64_t others = stopped.fixture.log->recovered().rebuilt_indexes;
        EXPECT_EQ(others, is_clean ? 0 : 1);
        const std::string index = stopped.name(1, FileKind::kIndex);
        const std::string times = stopped.name(1, FileKind::kTimeIndex);
        for (const std::string& name : {index, times}) {
            std::vector<std::byte> torn = stopped.content(name);
            torn.resize(torn.size() / 2 - 1);
            std::vector<const std::vector<std::byte>*> contents{nullptr, &torn};
            // After a clean stop it is only seen whether closed segments have an index.
            if (is_clean) contents.resize(name == index ? 1 : 0);
            for (const auto* content : contents) {
                SCOPED_TRACE(name);
                stopped.restore(name, content);
                ASSERT_OK(stopped.fixture.open());
                EXPECT_EQ(stopped.fixture.log->recovered().rebuilt_indexes, others + 1);
                const Files files = stopped.read();
                EXPECT_EQ(files.at(index), stopped.content(index));
                EXPECT_EQ(files.at(times), stopped.content(times));
            }
        }
    }
}

/// What is left of an index whose last entry lies about where its batch is.
std::vector<std::byte> with_wrong_end(std::vector<std::byte> index) {
    index.at(index.size() - 1) ^= std::byte{1};
    return index;
}

// No checksum has a batch's base offset in it.
TEST(IndexRebuildDamage, StopsAtAnOffsetBehindTheSegmentAndLeavesNoHalfIndex) {
    Stopped stopped{true};
    const std::string log = stopped.name(1, FileKind::kLog);
    const std::string index = stopped.name(1, FileKind::kIndex);
    const std::string times = stopped.name(1, FileKind::kTimeIndex);
    auto batches = stopped.content(log);
    wire::BatchCursor cursor{batches};
    std::size_t at = 0;  // Of the last one: of others the next would show it.
    for (;;) {
        const auto batch = cursor.next();
        ASSERT_OK(batch);
        if (!batch->has_value()) break;
        at = static_cast<std::size_t>((*batch)->bytes.data() - batches.data());
    }
    batches.at(at + 6) ^= std::byte{1};  // 256 more.
    stopped.restore(log, &batches);
    auto wrong = stopped.content(times);
    ASSERT_GT(wrong.size(), 3U * TimeEntry::kBytes);
    wrong.at(2 * TimeEntry::kBytes - 1) ^= std::byte{1};  // Where the second entry's batch is.
    stopped.write(times, wrong);
    ASSERT_OK(stopped.fixture.open());
    ASSERT_EQ(stopped.fixture.log->recovered().rebuilt_indexes, 0) << "a clean stop is believed";

    const TimeEntry second = TimeEntry::get(&wrong.at(TimeEntry::kBytes));
    const auto find = [&] {
        return stopped.fixture.log->find_by_time({second.timestamp + 1}, {kBatches});
    };
    const auto failed = find();
    ASSERT_FALSE(failed.has_value()) << failed->offset.value;
    EXPECT_EQ(failed.error().code(), Errc::kCorruptMessage) << failed.error().detail();
    EXPECT_FALSE(stopped.read().contains(index)) << "a clean stop would believe it";
    const auto found = find();
    ASSERT_OK(found);
    EXPECT_EQ(found->timestamp, WallMs{second.timestamp + 10});
    const auto newest = stopped.fixture.log->find_max_timestamp({kBatches});
    ASSERT_OK(newest);
    EXPECT_EQ(newest->offset, Offset{kBatches - 1});
}

class IndexRebuildFault : public ::testing::TestWithParam<std::pair<DiskCall, Errc>> {};

TEST_P(IndexRebuildFault, IsToldAndTheNextOpenIsWhole) {
    const auto [call, code] = GetParam();
    for (const bool is_clean : {false, true}) {
        Stopped stopped{is_clean};
        const std::string name = stopped.name(1, FileKind::kIndex);
        const auto wrong = with_wrong_end(stopped.content(name));
        bool has_failed = true;
        std::uint64_t nth = 1;
        for (; has_failed; ++nth) {
            SCOPED_TRACE((is_clean ? "clean, call " : "killed, call ") + std::to_string(nth));
            stopped.restore(name, is_clean ? nullptr : &wrong);
            stopped.disk.fail(call, nth, code);
            const auto opened = stopped.fixture.open();
            has_failed = !opened;
            stopped.disk.heal();
            if (has_failed) {
                EXPECT_EQ(opened.error().code(), code);
                ASSERT_OK(stopped.fixture.open());
            }
            stopped.check();
            if (HasFatalFailure()) return;
            EXPECT_EQ(stopped.read().at(name), stopped.content(name));
        }
        EXPECT_GT(nth, 2U);
    }
}

INSTANTIATE_TEST_SUITE_P(EachCall, IndexRebuildFault,
                         ::testing::Values(std::pair{DiskCall::kRead, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kNoSpace},
                                           std::pair{DiskCall::kSync, Errc::kIoError},
                                           std::pair{DiskCall::kTruncate, Errc::kIoError},
                                           std::pair{DiskCall::kOpen, Errc::kIoError},
                                           std::pair{DiskCall::kOpen, Errc::kNoSpace}));

}  // namespace
}  // namespace leat::storage
