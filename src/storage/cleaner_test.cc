// SPDX-License-Identifier: Apache-2.0
//
// Method: random records, tombstones and transactions in a log on a simulated disk, compacted while
// the power may fail at any call, against a list of all records that were appended.
#include "storage/cleaner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "storage/segment_files.h"
#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"
#include "wire/control_record.h"

namespace leat::storage {
namespace {

using testing::LogFixture;
using testing::TestBatch;
using testkit::SimDisk;
using testkit::SimRandom;

/// A record as a reader sees it.
struct Seen {
    std::int64_t offset = 0;
    std::string key;
    std::optional<std::string> value;
    friend bool operator==(const Seen&, const Seen&) = default;
};

std::string text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void read_batch(const wire::BatchView& batch, std::vector<Seen>& records) {
    if (batch.header.is_control()) return;
    auto reader = wire::RecordReader::open(batch, 1 << 20);
    EXPECT_OK(reader);
    for (auto record = reader->next(); record && *record; record = reader->next()) {
        Seen seen{.offset = batch.header.offset((*record)->offset_delta).value,
                  .key = text((*record)->key.value_or(Bytes{})),
                  .value = std::nullopt};
        if ((*record)->value) seen.value = text(*(*record)->value);
        records.push_back(std::move(seen));
    }
}

/// All records; and that offsets rise, checksums fit and headers cover their records.
std::vector<Seen> read_records(LogFixture& fixture) {
    std::vector<Seen> records;
    Offset from = fixture.log->log_start();
    std::int64_t last = -1;
    while (from < fixture.log->log_end()) {
        const auto slices = fixture.log->read(from, fixture.log->log_end(), 1 << 20, true);
        EXPECT_OK(slices);
        if (!slices || slices->empty()) return records;
        for (const ReadSlice& slice : *slices) {
            std::vector<std::byte> raw(slice.size_bytes);
            EXPECT_OK(slice.file->read_at(slice.at, raw));
            wire::BatchCursor cursor{raw};
            for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
                EXPECT_OK(wire::check_crc((*batch)->bytes));
                EXPECT_GT((*batch)->header.base_offset.value, last);
                last = (*batch)->header.last_offset().value;
                from = {last + 1};
                read_batch(**batch, records);
            }
        }
    }
    return records;
}

class Compacted {
  public:
    explicit Compacted(std::uint64_t seed)
        : random_(seed), disk_(seed), fixture_(disk_, "d/t-0", 8) {
        EXPECT_OK(disk_.make_directory("d"));
        EXPECT_OK(disk_.sync_directory("."));
        fixture_.config.cleanup_compact = true;
        fixture_.config.cleanup_delete = false;
        fixture_.config.segment_bytes = static_cast<std::int32_t>(random_.between(600, 4000));
        fixture_.config.index_interval_bytes = 200;
        fixture_.config.delete_retention_ms = 1000;
        fixture_.options.now = {1'000'000};
        EXPECT_OK(fixture_.open());
    }

    /// Of all that is there.
    [[nodiscard]] auto plan(Offset first_dirty) const {
        return plan_cleaning({.segments = fixture_.log->segments(),
                              .first_dirty = first_dirty,
                              .bound = fixture_.log->log_end(),
                              .now = fixture_.options.now},
                             fixture_.config);
    }

    void append_some() {
        const auto batches = random_.between(1, 40);
        for (int i = 0; i < batches; ++i) {
            TestBatch batch;
            batch.records.clear();
            const std::int64_t base = fixture_.log->log_end().value;
            const auto count = random_.between(1, 4);
            for (int j = 0; j < count; ++j) {
                testing::TestRecord record;
                record.key = "key" + std::to_string(random_.below(20));
                record.value = "value" + std::to_string(base + j);
                record.is_tombstone = random_.percent(15);
                record.timestamp = fixture_.options.now.value;
                batch.records.push_back(record);
                all_.push_back(
                    {.offset = base + j,
                     .key = record.key,
                     .value = record.is_tombstone ? std::nullopt : std::optional{record.value}});
            }
            if (random_.percent(30)) batch.codec = codec::Codec::kZstd;
            ASSERT_OK(fixture_.append(batch));
        }
        ASSERT_OK(fixture_.log->roll(fixture_.options.now));
        ASSERT_OK(fixture_.sync());
    }

    /// False when the power failed.
    bool compact() {
        const auto plan = this->plan(cleaned_);
        if (!plan) return true;
        Cleaner cleaner{disk_, options(*plan)};
        for (;;) {
            const auto step = cleaner.step();
            if (!step) {
                EXPECT_FALSE(disk_.has_power()) << step.error().detail();
                return false;
            }
            if (*step == Cleaner::Step::kDone) break;
            if (*step != Cleaner::Step::kSwap) continue;
            const auto replaced = fixture_.log->replace_segments(cleaner.first(), cleaner.last());
            if (!replaced) {
                EXPECT_FALSE(disk_.has_power()) << replaced.error().detail();
                return false;
            }
        }
        cleaned_ = cleaner.clean_to();
        return true;
    }

    CleanerOptions options(const CleanerPlan& plan) {
        return {.directory = "d/t-0",
                .plan = plan,
                .config = std::make_shared<config::TopicConfig>(fixture_.config),
                .producers = {},
                .now = fixture_.options.now,
                .map_bytes_max = 1,
                .map_load = 0.5,
                .secret = {},
                .step_bytes = random_.between(1, 3000)};
    }

    void crash() {
        const Offset end = fixture_.log->log_end();
        fixture_.log.reset();
        disk_.crash();
        fixture_.options.durable_mark = end;
        ASSERT_OK(fixture_.open());
        ASSERT_EQ(fixture_.log->recovered().damage, "");
        ASSERT_EQ(fixture_.log->log_end(), end);
        cleaned_ = {0};
    }

    /// Every key has its last value; what else is there was appended like that.
    void check() {
        const auto now = read_records(fixture_);
        std::map<std::int64_t, const Seen*> appended;
        std::map<std::string, std::optional<std::string>> want;
        for (const Seen& record : all_) {
            appended[record.offset] = &record;
            want[record.key] = record.value;
        }
        std::map<std::string, std::optional<std::string>> got;
        for (const Seen& record : now) {
            ASSERT_TRUE(appended.contains(record.offset));
            ASSERT_EQ(record, *appended[record.offset]);
            got[record.key] = record.value;
        }
        std::erase_if(want, [](const auto& entry) { return !entry.second; });
        std::erase_if(got, [](const auto& entry) { return !entry.second; });
        ASSERT_EQ(got, want);
    }

    SimRandom random_;
    SimDisk disk_;
    LogFixture fixture_;
    std::vector<Seen> all_;
    Offset cleaned_{0};
};

TEST(Cleaner, KeepsTheLastRecordOfEachKeyThroughCrashes) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Compacted log{seed};
        for (int round = 0; round < 6 && !HasFailure(); ++round) {
            log.append_some();
            if (log.random_.percent(60))
                log.disk_.cut_power_after(static_cast<std::uint64_t>(log.random_.between(0, 30)));
            const bool done = log.compact();
            if (!done || !log.disk_.has_power()) log.crash();
            log.disk_.cut_power_after(std::uint64_t{1} << 60U);
            if (HasFailure()) return;
            log.check();
            log.fixture_.options.now.value += log.random_.between(0, 900);
        }
        if (HasFailure()) return;
    }
}

TEST(Cleaner, LeavesOneRecordAKeyAndDropsTombstonesAfterTheirRest) {
    Compacted log{1};
    log.fixture_.config.min_cleanable_dirty_ratio = 0;
    for (int round = 0; round < 5; ++round) {
        log.append_some();
        ASSERT_TRUE(log.compact());
    }
    ASSERT_TRUE(log.compact());
    log.check();
    std::map<std::string, int> count;
    for (const Seen& record : read_records(log.fixture_)) ++count[record.key];
    for (const auto& [key, records] : count) EXPECT_EQ(records, 1) << key;
    // The rest is over at the next round that has something to do.
    log.fixture_.options.now.value += 5000;
    ASSERT_OK(log.fixture_.append(
        TestBatch{.records = {{.timestamp = 1'005'000, .key = "new", .value = "new"}}}));
    log.all_.push_back(
        {.offset = log.fixture_.log->log_end().value - 1, .key = "new", .value = "new"});
    ASSERT_OK(log.fixture_.log->roll(log.fixture_.options.now));
    ASSERT_TRUE(log.compact());
    log.check();
    for (const Seen& record : read_records(log.fixture_)) EXPECT_TRUE(record.value) << record.key;
}

/// Ends the transaction of `producer` that began at `first`; `others`: where the first of those
/// that are still open began.
void append_marker(LogFixture& fixture, std::int64_t producer, Offset first, bool commits,
                   std::optional<Offset> others = {}) {
    const Offset at = fixture.log->log_end();
    wire::BatchOptions marker;
    marker.base_offset = at;
    marker.leader_epoch = 0;
    marker.producer_id = producer;
    marker.producer_epoch = 0;
    marker.transactional = marker.control = true;
    wire::BatchBuilder builder{marker};
    std::array<std::byte, 4> key{};
    if (commits) key[3] = std::byte{1};
    const std::array<std::byte, 6> value{};
    builder.add({.timestamp = {1000}, .key = Bytes{key}, .value = Bytes{value}, .headers = {}});
    const auto bytes = builder.finish();
    ASSERT_OK(bytes);
    ASSERT_OK(fixture.log->append(*wire::parse_batch_header(*bytes), *bytes, {1000}));
    if (commits) return;
    ASSERT_OK(fixture.log->append_aborted({.producer_id = producer,
                                           .first = first,
                                           .last = at,
                                           .last_stable = others.value_or(Offset{at.value + 1})}));
}

/// Of no transaction when `producer` is -1.
void append_one(LogFixture& fixture, std::string key, std::string value, std::int64_t producer) {
    TestBatch batch{.records = {{.key = std::move(key), .value = std::move(value)}}};
    batch.producer_id = producer;
    batch.transactional = producer >= 0;
    ASSERT_OK(fixture.append(std::move(batch)));
}

/// What a reader of committed records keeps from `from` on: as Kafka's clients do, it leaves out
/// all of a producer from where an aborted transaction of it begins until its marker.
class CommittedReader {
  public:
    static std::vector<Seen> read(LogFixture& fixture, Offset from) {
        const auto aborted = fixture.log->aborted_between(from, fixture.log->log_end());
        EXPECT_OK(aborted);
        CommittedReader reader{*aborted};
        while (from < fixture.log->log_end()) {
            const auto slices = fixture.log->read(from, fixture.log->log_end(), 1 << 20, true);
            EXPECT_OK(slices);
            if (!slices || slices->empty()) break;
            for (const ReadSlice& slice : *slices) {
                std::vector<std::byte> raw(slice.size_bytes);
                EXPECT_OK(slice.file->read_at(slice.at, raw));
                wire::BatchCursor cursor{raw};
                for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
                    from = {(*batch)->header.last_offset().value + 1};
                    reader.take(**batch);
                }
            }
        }
        return std::move(reader.kept_);
    }

  private:
    explicit CommittedReader(const std::vector<AbortedTransaction>& aborted) : aborted_(aborted) {}

    void take(const wire::BatchView& batch) {
        const wire::BatchHeader& header = batch.header;
        for (; begun_ < aborted_.size() && aborted_[begun_].first_offset <= header.last_offset();
             ++begun_)
            hidden_.insert(aborted_[begun_].producer_id);
        if (header.is_control()) {
            const auto end = wire::read_end_marker(batch);
            if (end && *end && !(*end)->committed) hidden_.erase(header.producer_id);
        } else if (!header.is_transactional() || !hidden_.contains(header.producer_id)) {
            read_batch(batch, kept_);
        }
    }

    const std::vector<AbortedTransaction>& aborted_;
    std::size_t begun_ = 0;
    std::set<std::int64_t> hidden_;
    std::vector<Seen> kept_;
};

/// A log with transactions, and which of its records were committed.
class Transactional : public Compacted {
  public:
    using Compacted::Compacted;

    void append_some() {
        fixture_.config.min_cleanable_dirty_ratio = 0;
        const auto steps = random_.between(1, 30);
        for (int i = 0; i < steps; ++i) {
            const std::int64_t producer = random_.between(-1, 2);
            if (open_.contains(producer) && random_.percent(40)) {
                end(producer, random_.percent(50));
            } else {
                write(producer);
            }
        }
        // Compaction goes no further than the first open one.
        while (!open_.empty()) end(open_.begin()->first, random_.percent(50));
        ASSERT_OK(fixture_.log->roll(fixture_.options.now));
        ASSERT_OK(fixture_.sync());
    }

    /// From wherever a reader begins it has the last committed value of each key that lies behind.
    void check_committed() {
        for (const Offset from :
             {Offset{0}, Offset{random_.between(0, fixture_.log->log_end().value)}}) {
            SCOPED_TRACE("from " + std::to_string(from.value));
            std::map<std::string, Seen> want;
            std::map<std::string, Seen> got;
            for (const auto& [offset, record] : committed_) want[record.key] = record;
            std::erase_if(want, [&](const auto& one) { return one.second.offset < from.value; });
            for (const Seen& record : CommittedReader::read(fixture_, from)) {
                ASSERT_TRUE(committed_.contains(record.offset)) << "offset " << record.offset;
                got[record.key] = record;
            }
            for (const auto& [key, record] : want) ASSERT_EQ(got[key], record) << key;
        }
    }

  private:
    struct Open {
        Offset first;
        std::vector<Seen> records;
    };

    void write(std::int64_t producer) {
        const Offset at = fixture_.log->log_end();
        Seen record{.offset = at.value,
                    .key = "key" + std::to_string(random_.below(8)),
                    .value = "value" + std::to_string(at.value)};
        append_one(fixture_, record.key, *record.value, producer);
        if (producer < 0) {
            committed_[at.value] = std::move(record);
        } else {
            const auto [open, is_new] =
                open_.try_emplace(producer, Open{.first = at, .records = {}});
            open->second.records.push_back(std::move(record));
        }
    }
    void end(std::int64_t producer, bool commits) {
        const Open ended = std::move(open_.extract(producer).mapped());
        std::optional<Offset> others;
        for (const auto& [id, one] : open_)
            others = std::min(others.value_or(one.first), one.first);
        append_marker(fixture_, producer, ended.first, commits, others);
        if (commits)
            for (const Seen& record : ended.records) committed_[record.offset] = record;
    }

    std::map<std::int64_t, Open> open_;
    std::map<std::int64_t, Seen> committed_;
};

TEST(Cleaner, ShowsTheLastCommittedValueOfEachKeyThroughCrashes) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Transactional log{seed};
        for (int round = 0; round < 8 && !HasFailure(); ++round) {
            log.append_some();
            if (log.random_.percent(30))
                log.disk_.cut_power_after(static_cast<std::uint64_t>(log.random_.between(0, 40)));
            const bool done = log.compact();
            if (!done || !log.disk_.has_power()) log.crash();
            log.disk_.cut_power_after(std::uint64_t{1} << 60U);
            if (HasFailure()) return;
            log.check_committed();
            log.fixture_.options.now.value += log.random_.between(0, 2000);
        }
        if (HasFailure()) return;
    }
}

TEST(Cleaner, RemovesAbortedRecordsAtOnceAndKeepsTheMarker) {
    Compacted log{3};
    log.fixture_.config.min_cleanable_dirty_ratio = 0;
    append_one(log.fixture_, "a", "good", -1);
    append_one(log.fixture_, "a", "aborted", 7);
    append_marker(log.fixture_, 7, {1}, false);
    append_one(log.fixture_, "b", "later", -1);
    ASSERT_OK(log.fixture_.log->roll(log.fixture_.options.now));
    ASSERT_TRUE(log.compact());
    const auto records = read_records(log.fixture_);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].value, "good");
    EXPECT_EQ(records[1].value, "later");
    EXPECT_EQ(*log.fixture_.read_all({0}), (std::vector<std::int64_t>{0, 2, 3}));
    EXPECT_EQ(log.fixture_.log->aborted_between({0}, {4})->size(), 1U);
}

/// Without its marker an entry of the index would hide all that the producer wrote afterwards.
TEST(Cleaner, ForgetsAnAbortedTransactionBeforeItsMarkerGoes) {
    Compacted log{4};
    LogFixture& fixture = log.fixture_;
    fixture.config.min_cleanable_dirty_ratio = 0;
    append_one(fixture, "a", "aborted", 7);
    append_marker(fixture, 7, {0}, false);
    append_one(fixture, "b", "committed", 7);
    append_marker(fixture, 7, {2}, true);
    bool is_marker_gone = false;
    for (int round = 0; round < 5; ++round) {
        SCOPED_TRACE(round);
        append_one(fixture, "c", "round", -1);
        ASSERT_OK(fixture.log->roll(fixture.options.now));
        ASSERT_TRUE(log.compact());
        const auto records = CommittedReader::read(fixture, {0});
        ASSERT_EQ(records.size(), 2U);
        EXPECT_EQ(records[0].value, "committed");
        EXPECT_EQ(records[1].value, "round");
        const auto aborted = fixture.log->aborted_between({0}, fixture.log->log_end());
        ASSERT_OK(aborted);
        is_marker_gone = std::ranges::count(*fixture.read_all({0}), 1) == 0;
        EXPECT_EQ(aborted->size(), round == 0 ? 1U : 0U);
        fixture.options.now.value += 5000;
    }
    EXPECT_TRUE(is_marker_gone);
}

/// With the names of an exchange that nobody makes the next start would make it.
TEST(Cleaner, LeavesNothingWhenItCannotSyncItsFolder) {
    Compacted log{5};
    log.append_some();
    const auto plan = log.plan({0});
    ASSERT_TRUE(plan);
    {
        Cleaner cleaner{log.disk_, log.options(*plan)};
        log.disk_.fail(testkit::DiskCall::kSyncDirectory, 1, Errc::kIoError);
        auto step = cleaner.step();
        while (step && *step == Cleaner::Step::kMore) step = cleaner.step();
        EXPECT_ERRC(step, Errc::kIoError);
    }
    const auto names = log.disk_.list("d/t-0");
    ASSERT_OK(names);
    for (const rt::DirEntry& entry : *names)
        EXPECT_FALSE(entry.name.ends_with(".swap") || entry.name.ends_with(".cleaned"))
            << entry.name;
}

// No sum is over it: what it says of old records would remove newer ones.
TEST(Cleaner, StopsAtABaseOffsetOfTheNextSegment) {
    Compacted log{5};
    log.append_some();
    const auto plan = log.plan({0});
    ASSERT_TRUE(plan);
    const Log::SegmentInfo& info = plan->segments.front();
    const auto file =
        log.disk_.open("d/t-0/" + to_string(FileName{.base = info.base}), rt::OpenMode::kReadWrite);
    ASSERT_OK(file);
    std::vector<std::byte> bytes(static_cast<std::size_t>(info.size_bytes));
    ASSERT_OK((*file)->read_at(FilePos{0}, bytes));
    std::size_t last = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        last = at;
        at += wire::parse_batch_header(Bytes{bytes}.subspan(at))->size_bytes();
    }
    wire::set_base_offset(MutableBytes{bytes}.subspan(last), Offset{info.end.value + 1'000});
    const Bytes damaged{bytes};
    ASSERT_OK((*file)->write_at(FilePos{0}, {&damaged, 1}));
    Cleaner cleaner{log.disk_, log.options(*plan)};
    auto step = cleaner.step();
    while (step && *step == Cleaner::Step::kMore) step = cleaner.step();
    EXPECT_ERRC(step, Errc::kCorruptMessage);
}

TEST(Cleaner, ASegmentThatIsNotWantedAnyMoreIsNoneForTheNextStart) {
    for (std::int64_t calls = 0; calls < 12; ++calls) {
        SCOPED_TRACE("power for " + std::to_string(calls) + " calls");
        Compacted log{5};
        log.append_some();
        const auto plan = log.plan({0});
        ASSERT_TRUE(plan);
        Cleaner cleaner{log.disk_, log.options(*plan)};
        auto step = cleaner.step();
        while (step && *step == Cleaner::Step::kMore) step = cleaner.step();
        ASSERT_OK(step);
        ASSERT_EQ(*step, Cleaner::Step::kSwap);
        const auto before = read_records(log.fixture_);
        log.disk_.cut_power_after(static_cast<std::uint64_t>(calls));
        const auto discarded = log.fixture_.log->discard_swap(cleaner.first());
        EXPECT_TRUE(discarded || !log.disk_.has_power());
        log.disk_.cut_power_after(std::uint64_t{1} << 60U);
        const bool is_gone = discarded.has_value();
        log.crash();
        log.check();
        if (is_gone) {
            EXPECT_EQ(read_records(log.fixture_), before);
            const auto names = log.disk_.list("d/t-0");
            ASSERT_OK(names);
            for (const rt::DirEntry& entry : *names)
                EXPECT_FALSE(entry.name.ends_with(".swap")) << entry.name;
        }
    }
}

TEST(OffsetMap, RemembersTheLargestOffsetOfEachKey) {
    OffsetMap map{std::size_t{1} << 20U, 0.9, 5000, {1, 2}};
    for (int i = 0; i < 20'000; ++i)
        map.put(testing::bytes_of("key" + std::to_string(i % 5000)), Offset{i});
    EXPECT_EQ(map.size(), 5000U);
    for (int i = 0; i < 5000; ++i)
        EXPECT_EQ(map.find(testing::bytes_of("key" + std::to_string(i))), Offset{15'000 + i});
    EXPECT_FALSE(map.find(testing::bytes_of("other")));
}

TEST(OffsetMap, HashesAsSipHashDoes) {
    // The first vectors of the reference implementation: key 00..0f, input of 0 and 1 bytes.
    const HashSecret secret{0x0706050403020100U, 0x0F0E0D0C0B0A0908U};
    EXPECT_EQ(hash_key({}, secret), (KeyHash{0xE6A825BA047F81A3U, 0x930255C71472F66DU}));
}

}  // namespace
}  // namespace leat::storage
