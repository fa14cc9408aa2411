// SPDX-License-Identifier: Apache-2.0
//
// Method: a partition of several segments with aborted transactions; the index of them of one
// segment is changed in each way a disk or a hand may change it, and the partition is opened once:
// one who reads what is committed is told the same as before.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/aborted_list.h"
#include "storage/testing/damages.h"
#include "storage/testing/partition_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using testing::Damage;
using testing::damages_of;
using testing::PartitionFixture;
using testkit::DiskCall;

constexpr std::int64_t kLong = 9;  ///< Its transaction spans several segments.
constexpr int kRounds = 24;

using Files = std::map<std::string, std::vector<std::byte>>;
using Answers = std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>>;

class Stopped {
  public:
    explicit Stopped(bool is_clean) {
        f.topic.segment_bytes = 1500;
        LEAT_CHECK(f.open().has_value());
        write_all();
        for (const std::string& name : names())
            if (name.ends_with(".txnindex")) indexes.push_back(name);
        LEAT_CHECK(indexes.size() > 4);
        answers = ask();
        if (is_clean)
            LEAT_CHECK(f.stop());
        else
            f.kill();
        original = read();
    }

    Answers ask() {
        Answers all;
        for (std::int64_t from = 0; from < end; from += 2) {
            const ReadResult result = f.read(from, Isolation::kReadCommitted);
            EXPECT_EQ(result.error, Errc::kNone);
            auto& one = all.emplace_back();
            for (const AbortedTransaction& each : result.aborted)
                one.emplace_back(each.producer_id, each.first_offset.value);
        }
        return all;
    }

    /// All files as they were, but the one.
    void restore(const std::string& changed, const Damage& damage) {
        f.kill();
        for (const auto& [path, bytes] : read()) LEAT_CHECK(f.disk.remove_file(path).has_value());
        for (const auto& [path, bytes] : original)
            if (path != changed) put(path, bytes);
        if (!changed.empty() && !damage.is_gone) put(changed, damage.content);
    }

    PartitionFixture f;
    std::vector<std::string> indexes;
    Files original;
    Answers answers;
    std::int64_t end = 0;

  private:
    void append(std::int64_t producer) {
        auto bytes = testing::TestBatch{.base = sequences_[producer]++,
                                        .records = {{.value = std::string(40, 'x')}},
                                        .producer_id = producer,
                                        .transactional = true}
                         .build();
        wire::set_base_offset(bytes, Offset{0});
        const auto guard = f.partition->transaction_guard(producer);
        const Appended done = f.run<Appended>(
            [&](Partition& p) { return p.append(bytes, Origin::kClient, -1, guard); });
        LEAT_CHECK(done.error == Errc::kNone);
        end = done.base_offset.value + 1;
    }
    void finish(std::int64_t producer, bool committed) {
        const Appended done = f.run<Appended>([&](Partition& p) {
            return p.end_transaction({.producer_id = producer, .epoch = 0, .committed = committed});
        });
        LEAT_CHECK(done.error == Errc::kNone);
        end = done.base_offset.value + 1;
    }
    void write_all() {
        append(kLong);
        for (int round = 0; round < kRounds; ++round) {
            append(1);
            append(2);
            append(1);
            finish(1, round % 3 == 0);
            append(2);
            finish(2, round % 2 == 0);
            if (round % 8 != 7) continue;
            append(kLong);
            finish(kLong, false);
            append(kLong);
        }
        finish(kLong, false);
    }

    std::vector<std::string> names() {
        std::vector<std::string> found;
        for (const auto& folder : {std::string{"/data"}, PartitionFixture::folder()}) {
            const auto entries = f.disk.list(folder);
            LEAT_CHECK(entries.has_value());
            for (const rt::DirEntry& entry : *entries)
                if (!entry.is_directory) found.push_back(folder + "/" + entry.name);
        }
        return found;
    }
    Files read() {
        Files files;
        for (const std::string& path : names()) {
            auto raw = rt::read_file(f.disk, path, 1 << 20);
            LEAT_CHECK(raw.has_value());
            files[path] = *std::move(raw);
        }
        return files;
    }
    void put(const std::string& path, const std::vector<std::byte>& bytes) {
        const auto file = f.disk.open(path, rt::OpenMode::kCreate);
        LEAT_CHECK(file.has_value());
        const Bytes part{bytes};
        if (!bytes.empty()) LEAT_CHECK((*file)->write_at({0}, {&part, 1}).has_value());
        LEAT_CHECK((*file)->sync().has_value());
    }

    std::map<std::int64_t, std::int64_t> sequences_;
};

class AbortedDamage : public ::testing::TestWithParam<std::tuple<bool, std::size_t>> {};

TEST_P(AbortedDamage, IsMendedByTheFirstOpen) {
    const auto [is_clean, nth] = GetParam();
    Stopped stopped{is_clean};
    const std::string name = nth == 0 ? stopped.indexes.back() : stopped.indexes.at(nth);
    for (const Damage& damage : damages_of(stopped.original.at(name))) {
        SCOPED_TRACE(name + ": " + damage.what);
        stopped.restore(name, damage);
        ASSERT_OK(stopped.f.open());
        ASSERT_FALSE(stopped.f.partition->is_offline());
        ASSERT_EQ(stopped.ask(), stopped.answers);
        if (damage.what != "missing") continue;
        const auto now = rt::read_file(stopped.f.disk, name, 1 << 20);
        ASSERT_OK(now);
        EXPECT_EQ(*now, stopped.original.at(name));
    }
}

INSTANTIATE_TEST_SUITE_P(Each, AbortedDamage,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(std::size_t{0}, std::size_t{1},
                                                              std::size_t{3})));

TEST(AbortedDamageSeen, ListMayBeLostOrCorrupt) {
    const std::string list = PartitionFixture::folder() + "/" + std::string{kAbortedListName};
    for (const bool is_clean : {false, true}) {
        Stopped stopped{is_clean};
        ASSERT_TRUE(stopped.original.contains(list));
        for (const Damage& damage : damages_of(stopped.original.at(list))) {
            SCOPED_TRACE(damage.what);
            stopped.restore(list, damage);
            ASSERT_OK(stopped.f.open());
            ASSERT_EQ(stopped.ask(), stopped.answers);
        }
    }
}

// Without snapshots the log is all there is.
TEST(AbortedDamageSeen, SnapshotsMayBeGone) {
    Stopped stopped{false};
    std::erase_if(stopped.original, [](const auto& file) {
        return file.first.ends_with(".snapshot") || file.first.ends_with(".window");
    });
    for (const std::string& name : stopped.indexes) {
        SCOPED_TRACE(name);
        stopped.restore(name, {.what = "missing", .is_gone = true});
        ASSERT_OK(stopped.f.open());
        ASSERT_EQ(stopped.ask(), stopped.answers);
    }
}

class AbortedRebuildFault : public ::testing::TestWithParam<std::pair<DiskCall, Errc>> {};

TEST_P(AbortedRebuildFault, IsToldAndTheNextOpenIsWhole) {
    const auto [call, code] = GetParam();
    Stopped stopped{true};
    const std::string name = stopped.indexes.at(1);
    Damage damage{.what = "a first offset that lies", .content = stopped.original.at(name)};
    damage.content.at(17) ^= std::byte{1};
    int failed = 0;
    for (std::uint64_t nth = 1; nth < 1000; ++nth) {
        SCOPED_TRACE(nth);
        stopped.restore(name, damage);
        stopped.f.disk.fail(call, nth, code, true);
        const auto opened = stopped.f.open();
        stopped.f.disk.heal();
        if (opened) {
            ASSERT_EQ(stopped.ask(), stopped.answers);
            break;
        }
        ++failed;
        EXPECT_EQ(opened.error().code(), code);
        stopped.f.kill();
        ASSERT_OK(stopped.f.open());
        ASSERT_EQ(stopped.ask(), stopped.answers);
    }
    EXPECT_GT(failed, 0);
}

INSTANTIATE_TEST_SUITE_P(Each, AbortedRebuildFault,
                         ::testing::Values(std::pair{DiskCall::kRead, Errc::kIoError},
                                           std::pair{DiskCall::kOpen, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kNoSpace},
                                           std::pair{DiskCall::kSync, Errc::kIoError},
                                           std::pair{DiskCall::kRename, Errc::kIoError}));

}  // namespace
}  // namespace leat::storage
