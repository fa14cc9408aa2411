// SPDX-License-Identifier: Apache-2.0
//
// Method: random work on a simulated disk whose power is cut at a random call, also while the log
// is being opened again, against a list of what was appended and what of it was synced. And: every
// kind of call fails once, at each of its turns.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "storage/log.h"
#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::storage {
namespace {

using testing::LogFixture;
using testing::TestBatch;
using testing::TestRecord;
using testkit::DiskCall;
using testkit::SimDisk;
using testkit::SimRandom;

constexpr const char* kFolder = "d/t-0";

/// What a log should hold.
struct Model {
    std::map<std::int64_t, std::vector<std::byte>> batches;  ///< By base offset.
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t synced = 0;  ///< Nothing below may be missing.
    std::int64_t mark = 0;

    void cut(std::int64_t offset) {
        batches.erase(batches.lower_bound(offset), batches.end());
        end = std::min(end, offset);
        synced = std::min(synced, offset);
        mark = std::min(mark, offset);
    }
};

class Simulation {
  public:
    explicit Simulation(std::uint64_t seed)
        : random_(seed * 7919 + 1),
          disk_(seed, {.sync_commits_names = random_.percent(50)}),
          fixture_(disk_, kFolder, static_cast<std::size_t>(random_.between(1, 12))) {
        fixture_.config.segment_bytes = static_cast<std::int32_t>(random_.between(500, 6000));
        fixture_.config.index_interval_bytes = static_cast<std::int32_t>(random_.between(0, 900));
        fixture_.config.segment_index_bytes = static_cast<std::int32_t>(random_.between(40, 4000));
        fixture_.config.preallocate = random_.percent(30);
        fixture_.config.file_delete_delay_ms = random_.percent(50) ? 0 : 5;
        fixture_.config.retention_ms = -1;
        EXPECT_TRUE(disk_.make_directory("d").has_value());
        EXPECT_TRUE(disk_.sync_directory(".").has_value());
    }

    void run(int rounds) {
        open();
        for (int round = 0; round < rounds && !::testing::Test::HasFatalFailure(); ++round) {
            if (random_.percent(80))
                disk_.cut_power_after(static_cast<std::uint64_t>(random_.between(0, 120)));
            const auto steps = random_.between(1, 60);
            for (int i = 0; i < steps && disk_.has_power() && fixture_.log; ++i) step();
            stop();
            open();
        }
    }

  private:
    void stop() {
        bool is_clean = false;
        if (fixture_.log && disk_.has_power() && random_.percent(20)) {
            // As DataDirectory::mark_clean() does.
            is_clean = fixture_.log->close().has_value() && disk_.sync_file_system("d").has_value();
            if (is_clean) model_.synced = model_.mark = model_.end;
        }
        fixture_.log.reset();
        if (!is_clean && random_.percent(20)) {
            disk_.restart_process();
        } else {
            disk_.crash();
        }
        fixture_.options.clean = is_clean;
    }

    void open() {
        for (int attempt = 0;; ++attempt) {
            ASSERT_LT(attempt, 50);
            fixture_.options.durable_mark = Offset{model_.mark};
            fixture_.options.log_start = {model_.start};
            if (attempt < 3 && random_.percent(50))
                disk_.cut_power_after(static_cast<std::uint64_t>(random_.between(0, 12)));
            // As DataDirectory::open() does.
            if (!fixture_.options.clean && !disk_.sync_file_system("d")) {
                disk_.crash();
                continue;
            }
            const Offset replay_from{random_.between(0, model_.end + 1)};

            std::int64_t replayed = -1;
            const auto opened =
                fixture_.open(replay_from, [&](const wire::BatchHeader& header, Bytes batch) {
                    EXPECT_GT(header.base_offset.value, replayed);
                    EXPECT_TRUE(wire::check_crc(batch).has_value());
                    replayed = header.base_offset.value;
                });
            if (opened && disk_.has_power()) {
                check(replay_from, replayed);
                return;
            }
            fixture_.log.reset();
            disk_.crash();
            fixture_.options.clean = false;
        }
    }

    void check(Offset replay_from, std::int64_t replayed) {
        Log& log = *fixture_.log;
        ASSERT_EQ(log.recovered().damage, "");
        const std::int64_t end = log.log_end().value;
        ASSERT_GE(end, model_.synced);
        // What was cut on the way may also have survived.
        ASSERT_LE(end, std::max(model_.end, uncut_.end));
        if (end > model_.end) model_ = uncut_;
        model_.cut(end);
        ASSERT_EQ(model_.end, end);
        model_.synced = end;
        uncut_ = {};
        model_.start = std::max(model_.start, log.log_start().value);
        check_reads();
        // Of what lies below the start, any part may be gone.
        if (model_.end > model_.start && model_.batches.rbegin()->first >= replay_from.value) {
            EXPECT_EQ(replayed, model_.batches.rbegin()->first);
        }
        if (random_.percent(50)) model_.mark = model_.synced;
    }

    void check_reads() {
        Log& log = *fixture_.log;
        for (int i = 0; i < 4; ++i) {
            const std::int64_t from = random_.between(model_.start, model_.end);
            auto expected = model_.batches.upper_bound(from);
            if (expected != model_.batches.begin()) --expected;
            if (expected != model_.batches.end() && end_of(expected->second) <= from) ++expected;
            std::vector<std::byte> want;
            for (; expected != model_.batches.end(); ++expected)
                want.insert(want.end(), expected->second.begin(), expected->second.end());
            EXPECT_EQ(log.bytes_between({from}, {model_.end}, 1 << 30), want.size());
            std::vector<std::byte> got;
            Offset at{from};
            const auto bytes_max = static_cast<std::size_t>(random_.between(1, 3000));
            while (at.value < model_.end) {
                const auto slices = log.read(at, {model_.end}, bytes_max, true);
                ASSERT_OK(slices);
                ASSERT_FALSE(slices->empty());
                for (const ReadSlice& slice : *slices) {
                    const std::size_t before = got.size();
                    got.resize(before + slice.size_bytes);
                    ASSERT_OK(slice.file->read_at(slice.at, MutableBytes{got}.subspan(before)));
                    wire::BatchCursor cursor{Bytes{got}.subspan(before)};
                    for (auto batch = cursor.next(); batch && *batch; batch = cursor.next())
                        at = {(*batch)->header.last_offset().value + 1};
                    ASSERT_EQ(cursor.left_bytes(), 0U);
                }
            }
            ASSERT_EQ(got == want, true) << "from " << from;
        }
        check_times();
    }

    /// A record's time is its offset and 1000: no index may lead past it.
    void check_times() {
        if (model_.start >= model_.end) return;
        const std::int64_t wanted = random_.between(model_.start, model_.end - 1);
        const auto found = fixture_.log->find_by_time({1000 + wanted}, {model_.end});
        ASSERT_OK(found);
        auto expected = model_.batches.upper_bound(wanted);
        ASSERT_NE(expected, model_.batches.begin());
        const bool is_there = end_of(std::prev(expected)->second) > wanted;
        if (is_there) EXPECT_EQ(found->offset, Offset{wanted});
    }

    static std::int64_t end_of(const std::vector<std::byte>& batch) {
        return wire::parse_batch_header(batch)->last_offset().value + 1;
    }

    void step() {
        const auto dice = random_.below(100);
        if (dice < 70) {
            append();
        } else if (dice < 88) {
            sync();
        } else if (dice < 92) {
            ASSERT_FALSE(!fixture_.log->roll(fixture_.options.now) && disk_.has_power());
        } else if (dice < 94) {
            truncate();
        } else if (dice < 96) {
            advance();
        } else {
            fixture_.options.now.value += 3;
            const auto removed = fixture_.log->remove_deleted(fixture_.options.now);
            ASSERT_FALSE(!removed && disk_.has_power());
            if (disk_.has_power()) check_reads_of_open_log();
        }
    }

    void check_reads_of_open_log() {
        const auto all = fixture_.read_all({model_.start}, 700);
        ASSERT_OK(all);
        std::vector<std::int64_t> bases;
        for (const auto& [base, batch] : model_.batches)
            if (end_of(batch) > model_.start) bases.push_back(base);
        EXPECT_EQ(*all, bases);
    }

    void append() {
        TestBatch batch{.base = model_.end, .epoch = epoch_, .records = {}};
        if (random_.percent(5)) ++epoch_;
        const auto count = random_.between(1, 5);
        for (int i = 0; i < count; ++i)
            batch.records.push_back(
                {.timestamp = 1000 + model_.end + i,
                 .value = std::string(static_cast<std::size_t>(random_.between(0, 300)), 'v')});
        if (random_.percent(20)) batch.codec = codec::Codec::kLz4;
        const auto bytes = batch.build();
        const auto placed =
            fixture_.log->append(*wire::parse_batch_header(bytes), bytes, fixture_.options.now);
        ASSERT_FALSE(!placed && disk_.has_power());
        // Even a write that failed may be there after the crash.
        model_.batches[model_.end] = bytes;
        model_.end += count;
    }

    void sync() {
        const auto end = fixture_.sync();
        ASSERT_FALSE(!end && disk_.has_power());
        if (!end) return;
        EXPECT_EQ(end->value, model_.end);
        model_.synced = end->value;
        if (random_.percent(50)) model_.mark = model_.synced;
    }

    void truncate() {
        if (model_.batches.empty()) return;
        auto at = model_.batches.lower_bound(random_.between(model_.start, model_.end));
        if (at == model_.batches.end() || at->first <= model_.start) return;
        uncut_ = model_;
        model_.mark = std::min(model_.mark, at->first);
        uncut_.mark = model_.mark;
        const std::int64_t offset = at->first;
        const auto cut = fixture_.log->truncate({offset});
        ASSERT_FALSE(!cut && disk_.has_power());
        model_.cut(offset);
        if (cut) {
            uncut_ = {};
            EXPECT_EQ(fixture_.log->log_end().value, model_.end);
        }
    }

    void advance() {
        if (model_.mark <= model_.start) return;
        const std::int64_t to = random_.between(model_.start + 1, model_.mark);
        if (random_.percent(50)) fixture_.log->start_is_stored({to});
        const auto moved = fixture_.log->advance_start({to}, {to});
        ASSERT_FALSE(!moved && disk_.has_power());
        model_.start = to;
    }

    SimRandom random_;
    SimDisk disk_;
    LogFixture fixture_;
    Model model_;
    Model uncut_;  ///< Before a truncation that may not have come to its end.
    std::int32_t epoch_ = 0;
};

class LogCrash : public ::testing::TestWithParam<int> {};

TEST_P(LogCrash, LosesNothingThatWasSynced) {
    constexpr int kSeedsEach = 40;
    if (const char* only = std::getenv("LEAT_TEST_SEED")) {
        Simulation{std::stoull(only)}.run(12);
        return;
    }
    for (int seed = GetParam() * kSeedsEach; seed < (GetParam() + 1) * kSeedsEach; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Simulation{static_cast<std::uint64_t>(seed)}.run(12);
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogCrash, ::testing::Range(0, 10));

/// Appends, syncs, rolls, cuts and closes; stops at the first error.
Result<std::int64_t> scenario(LogFixture& fixture) {
    std::int64_t synced = 0;
    const auto work = [&]() -> Result<void> {
        LEAT_TRY_VOID(fixture.open());
        for (int i = 0; i < 40; ++i) {
            LEAT_TRY_VOID(fixture.append({.epoch = i / 15}));
            if (i % 10 == 7)
                LEAT_TRY_VOID(fixture.log->append_aborted(
                    {.producer_id = 1, .first = {i}, .last = {i}, .last_stable = {i}}));
            if (i % 4 == 0) {
                LEAT_TRY(const Offset end, fixture.sync());
                synced = end.value;
            }
        }
        LEAT_TRY_VOID(fixture.log->advance_start({10}, {10}));
        LEAT_TRY_VOID(fixture.log->remove_deleted({1'000'000}));
        LEAT_TRY_VOID(fixture.log->close());
        synced = fixture.log->log_end().value;
        return {};
    };
    const auto done = work();
    fixture.options.durable_mark = Offset{synced};
    if (!done) return Error{done.error().code(), done.error().detail()};
    return synced;
}

class LogFault : public ::testing::TestWithParam<std::pair<DiskCall, Errc>> {};

TEST_P(LogFault, AFailedCallLosesNothing) {
    const auto [call, code] = GetParam();
    for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE("call " + std::to_string(nth));
        ASSERT_LT(nth, 2000U);
        SimDisk disk{nth};
        ASSERT_OK(disk.make_directory("d"));
        LogFixture fixture{disk, kFolder, 3};
        fixture.config.segment_bytes = 600;
        fixture.config.index_interval_bytes = 50;
        disk.fail(call, nth, code);
        const auto done = scenario(fixture);
        if (done && disk.calls(call) < nth) break;
        if (!done) {
            EXPECT_EQ(done.error().code(), code);
            if (is_shortage(code) && fixture.log) {
                // It goes on as if nothing had been.
                disk.heal();
                const auto before = fixture.log->log_end();
                ASSERT_OK(fixture.append());
                ASSERT_OK(fixture.sync());
                EXPECT_EQ(fixture.log->log_end().value, before.value + 1);
            }
        }
        fixture.log.reset();
        disk.crash();
        ASSERT_OK(fixture.open());
        EXPECT_EQ(fixture.log->recovered().damage, "");
        EXPECT_GE(fixture.log->log_end(), *fixture.options.durable_mark);
        const auto all = fixture.read_all(fixture.log->log_start());
        ASSERT_OK(all);
        std::vector<std::int64_t> each;  // Batches have one record.
        for (Offset at = fixture.log->log_start(); at < fixture.log->log_end(); ++at.value)
            each.push_back(at.value);
        EXPECT_EQ(*all, each);
        ASSERT_OK(fixture.append({.epoch = 9}));
    }
}

INSTANTIATE_TEST_SUITE_P(EachCall, LogFault,
                         ::testing::Values(std::pair{DiskCall::kRead, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kIoError},
                                           std::pair{DiskCall::kWrite, Errc::kNoSpace},
                                           std::pair{DiskCall::kSync, Errc::kIoError},
                                           std::pair{DiskCall::kTruncate, Errc::kIoError},
                                           std::pair{DiskCall::kOpen, Errc::kIoError},
                                           std::pair{DiskCall::kOpen, Errc::kNoSpace},
                                           std::pair{DiskCall::kOpen, Errc::kTooManyOpenFiles},
                                           std::pair{DiskCall::kRename, Errc::kIoError},
                                           std::pair{DiskCall::kRename, Errc::kNoSpace},
                                           std::pair{DiskCall::kRemove, Errc::kIoError},
                                           std::pair{DiskCall::kList, Errc::kIoError},
                                           std::pair{DiskCall::kSyncDirectory, Errc::kIoError}));

}  // namespace
}  // namespace leat::storage
