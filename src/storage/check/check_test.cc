// SPDX-License-Identifier: Apache-2.0
//
// Method: indexes, epochs and snapshots are held against batches made by hand; a folder written by
// Log is verified whole, then with one thing changed.
#include <gtest/gtest.h>

#include <algorithm>

#include "rt/fault_disk.h"
#include "storage/check/directory_check.h"
#include "storage/check/index_check.h"
#include "storage/check/partition_check.h"
#include "storage/check/state_check.h"
#include "storage/folder_files.h"
#include "storage/segment_files.h"
#include "storage/testing/log_fixture.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

using testing::LogFixture;
using testing::TempFolder;
using testing::TestBatch;

struct Row {
    std::int64_t base = 0;
    std::int32_t count = 1;
    std::int64_t time = 1000;
    std::int64_t producer = -1;
    bool transactional = false;
    bool control = false;
};

wire::BatchHeader header_of(const Row& row) {
    wire::BatchHeader header;
    header.base_offset = {row.base};
    header.batch_length = 88;
    header.last_offset_delta = row.count - 1;
    header.record_count = row.count;
    header.base_timestamp = header.max_timestamp = {row.time};
    header.producer_id = row.producer;
    header.producer_epoch = static_cast<std::int16_t>(row.producer < 0 ? -1 : 0);
    header.base_sequence =
        row.producer < 0 || row.control ? -1 : static_cast<std::int32_t>(row.base);
    if (row.transactional) header.attributes |= wire::kTransactionalBit;
    if (row.control) header.attributes |= wire::kControlBit;
    return header;
}

template <class Entry>
std::vector<std::byte> file_of(const std::vector<Entry>& entries) {
    std::vector<std::byte> out(entries.size() * Entry::kBytes);
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].put(out.data() + i * Entry::kBytes);
    return out;
}

/// Three batches of ten records, 100 bytes each.
IndexFault offset_fault(const std::vector<OffsetEntry>& entries, bool whole = true) {
    OffsetIndexCheck check{file_of(entries), Offset{50}};
    for (int i = 0; i < 3; ++i)
        check.batch(header_of({.base = 50 + 10 * i, .count = 10}), FilePos{100LL * i});
    return check.finish(whole);
}

TEST(OffsetIndexCheck, PassesWhatTheLogSays) {
    EXPECT_EQ(offset_fault({}).count, 0U);
    EXPECT_EQ(offset_fault({{.relative = 19, .position = 100}}).count, 0U);
    EXPECT_EQ(
        offset_fault({{.relative = 9, .position = 0}, {.relative = 29, .position = 200}}).count,
        0U);
}

TEST(OffsetIndexCheck, FindsPlacesAndOffsetsThatAreNone) {
    EXPECT_EQ(offset_fault({{.relative = 19, .position = 101}}).what,
              "no batch begins at byte 101");
    EXPECT_EQ(offset_fault({{.relative = 18, .position = 100}}).what,
              "the batch at byte 100 ends with offset 69, not 68");
    const IndexFault behind =
        offset_fault({{.relative = 19, .position = 100}, {.relative = 39, .position = 300}});
    EXPECT_EQ(behind.entry, 1U);
    EXPECT_EQ(behind.count, 1U);
    EXPECT_EQ(offset_fault({{.relative = 39, .position = 300}}, false).count, 0U);
    EXPECT_EQ(
        offset_fault({{.relative = 19, .position = 100}, {.relative = 9, .position = 200}}).count,
        1U);
}

TEST(OffsetIndexCheck, PassesZerosOfAPreallocatedFile) {
    std::vector<std::byte> file = file_of<OffsetEntry>({{.relative = 19, .position = 100}});
    file.resize(800);
    OffsetIndexCheck check{file, Offset{50}};
    for (int i = 0; i < 3; ++i)
        check.batch(header_of({.base = 50 + 10 * i, .count = 10}), FilePos{100LL * i});
    EXPECT_EQ(check.finish(true).count, 0U);
}

/// Batches of one record at offsets 50 to 53 with these times.
IndexFault time_fault(const std::vector<TimeEntry>& entries) {
    TimeIndexCheck check{file_of(entries), Offset{50}};
    std::int64_t base = 50;
    for (const std::int64_t time : {1000, 3000, 2000, 4000})
        check.batch(header_of({.base = base++, .time = time}));
    return check.finish(true);
}

TEST(TimeIndexCheck, PassesWhatTheLogSays) {
    EXPECT_EQ(
        time_fault({{.timestamp = 1000, .relative = 0}, {.timestamp = 3000, .relative = 1}}).count,
        0U);
    EXPECT_EQ(time_fault({{.timestamp = 4000, .relative = 3}}).count, 0U);
}

TEST(TimeIndexCheck, FindsTimesThatHideRecordsOrDoNotExist) {
    EXPECT_EQ(time_fault({{.timestamp = 2000, .relative = 2}}).what,
              "a record up to offset 52 has the later time 3000");
    EXPECT_EQ(time_fault({{.timestamp = 3500, .relative = 1}}).what,
              "no record at offset 51 has the time 3500");
    EXPECT_EQ(time_fault({{.timestamp = 9000, .relative = 9}}).what,
              "the segment has no offset 59");
}

/// Producer 7 writes at 0, aborts at 1; producer 8 writes at 2 and commits at 3.
IndexFault txn_fault(const std::vector<TxnEntry>& entries, std::int64_t data_count = 1) {
    TxnIndexCheck check;
    check.begin(file_of(entries), Offset{0});
    if (data_count > 0)
        check.batch(header_of({.base = 0, .producer = 7, .transactional = true}), std::nullopt);
    check.batch(header_of({.base = 1, .producer = 7, .transactional = true, .control = true}),
                true);
    check.batch(header_of({.base = 2, .producer = 8, .transactional = true}), std::nullopt);
    check.batch(header_of({.base = 3, .producer = 8, .transactional = true, .control = true}),
                false);
    return check.finish(true);
}

TEST(TxnIndexCheck, PassesOneEntryForEachAbort) {
    EXPECT_EQ(txn_fault({{.producer_id = 7, .first = {0}, .last = {1}, .last_stable = {2}}}).count,
              0U);
    // Compaction has taken the data: there is nothing to hide.
    EXPECT_EQ(txn_fault({}, 0).count, 0U);
}

TEST(TxnIndexCheck, FindsAbortsThatAreMissingAndEntriesThatAreWrong) {
    EXPECT_NE(txn_fault({}).what.find("is not in the index"), std::string::npos);
    EXPECT_NE(txn_fault({{.producer_id = 9, .first = {0}, .last = {1}, .last_stable = {2}}})
                  .what.find("of another producer"),
              std::string::npos);
    EXPECT_NE(txn_fault({{.producer_id = 7, .first = {1}, .last = {1}, .last_stable = {2}}})
                  .what.find("began at offset 0"),
              std::string::npos);
    EXPECT_NE(txn_fault({{.producer_id = 7, .first = {0}, .last = {1}, .last_stable = {2}},
                         {.producer_id = 8, .first = {2}, .last = {3}, .last_stable = {4}}})
                  .what.find("commits"),
              std::string::npos);
    EXPECT_NE(txn_fault({{.producer_id = 7, .first = {0}, .last = {1}, .last_stable = {2}},
                         {.producer_id = 8, .first = {2}, .last = {30}, .last_stable = {4}}})
                  .what.find("outside of the segment"),
              std::string::npos);
}

std::string epoch_fault(std::string_view file, Offset log_start = {0}) {
    auto epochs = LeaderEpochs::decode(file);
    LEAT_CHECK(epochs.has_value());
    EpochCheck check{*std::move(epochs), log_start};
    for (const auto& [base, epoch] : {std::pair{0, 0}, {10, 2}}) {
        wire::BatchHeader header = header_of({.base = base, .count = 10});
        header.leader_epoch = epoch;
        check.batch(header);
    }
    return check.finish({20});
}

// DeleteRecords cuts the file where the log begins from then on, which may be inside a batch.
TEST(EpochCheck, BelowTheLogsStartNothingHasToBeSaid) {
    EXPECT_EQ(epoch_fault("0\n2\n0 5\n2 10\n", {5}), "");
    EXPECT_EQ(epoch_fault("0\n1\n2 10\n", {10}), "");
    EXPECT_EQ(epoch_fault("0\n1\n2 15\n", {15}), "");
    EXPECT_NE(epoch_fault("0\n2\n0 6\n2 10\n", {5}), "");
    EXPECT_NE(epoch_fault("0\n1\n3 15\n", {15}), "");
}

TEST(EpochCheck, ComparesEachBatchWithTheFile) {
    EXPECT_EQ(epoch_fault("0\n2\n0 0\n2 10\n"), "");
    EXPECT_EQ(epoch_fault("0\n3\n0 0\n2 10\n3 20\n"), "");
    EXPECT_NE(epoch_fault("0\n1\n0 0\n"), "");
    EXPECT_NE(epoch_fault("0\n2\n0 0\n2 11\n"), "");
    EXPECT_NE(epoch_fault("0\n1\n2 10\n"), "");
    EXPECT_NE(epoch_fault("0\n3\n0 0\n2 10\n3 21\n"), "");
}

std::string snapshot_fault(const ProducerEntry& entry, Offset at = {20}) {
    SnapshotCheck check{{{.at = at, .entries = {{7, entry}}}}};
    check.batch(header_of({.base = 0, .count = 10, .producer = 7}));
    check.batch(header_of({.base = 10, .count = 10, .producer = 7, .transactional = true}));
    check.batch(header_of({.base = 20, .count = 10, .producer = 7, .transactional = true}));
    return check.finish().front().wrong;
}

ProducerEntry entry_of(std::int32_t last_sequence, std::int64_t last_offset,
                       std::int64_t transaction_start) {
    ProducerEntry entry{.epoch = 0};
    entry.remember(
        {.last_sequence = last_sequence, .offset_delta = 9, .last_offset = {last_offset}});
    entry.transaction_start = {transaction_start};
    return entry;
}

TEST(SnapshotCheck, ComparesProducersWithTheBatchesBefore) {
    EXPECT_EQ(snapshot_fault(entry_of(19, 19, 10)), "");
    EXPECT_EQ(snapshot_fault(entry_of(9, 9, -1), {10}), "");
    EXPECT_NE(snapshot_fault(entry_of(18, 19, 10)), "");
    EXPECT_NE(snapshot_fault(entry_of(9, 9, 10)), "");
    EXPECT_NE(snapshot_fault(entry_of(19, 19, -1)), "");
    EXPECT_NE(snapshot_fault(entry_of(29, 29, 10)), "");
}

/// A folder with three segments and one producer's snapshot.
struct Folder {
    Folder() {
        fixture.config.segment_bytes = 20'000;
        LEAT_CHECK(fixture.open().has_value());
        for (int i = 0; i < 200; ++i) LEAT_CHECK(fixture.append(200, 1000 + i).has_value());
        LEAT_CHECK(fixture.log->close().has_value());
        for (const Log::SegmentInfo& info : fixture.log->segments()) bases.push_back(info.base);
        fixture.log.reset();
        facts = {.mark = Offset{200}, .clean = true, .is_ours = true, .topic_id = {}};
    }

    [[nodiscard]] std::string log_of(std::size_t segment) const {
        return path + "/" + to_string(FileName{.base = bases.at(segment)});
    }
    PartitionReport check(std::string_view only = {}) {
        findings = Findings{100};
        CheckProgress progress;
        PartitionReport report =
            check_partition(disk, path, facts, CheckOptions{}, progress, findings);
        for (const Finding& finding : findings.kept())
            EXPECT_TRUE(only.empty() || info(finding.kind).name == only) << finding.what;
        EXPECT_EQ(progress.records, report.records);
        return report;
    }
    void write(const std::string& file, std::int64_t at, std::string_view text) {
        auto opened = disk.open(file, rt::OpenMode::kReadWrite);
        LEAT_CHECK(opened.has_value());
        const Bytes bytes = testing::bytes_of(text);
        LEAT_CHECK((*opened)->write_at(FilePos{at}, {&bytes, 1}).has_value());
    }

    TempFolder temp;
    rt::PosixDisk disk;
    std::string path = temp.path() + "/t-0";
    LogFixture fixture{disk, path};
    std::vector<Offset> bases;
    PartitionFacts facts;
    Findings findings{100};
};

TEST(PartitionCheck, CountsAFolderThatIsRight) {
    Folder folder;
    const PartitionReport report = folder.check();
    EXPECT_TRUE(folder.findings.kept().empty());
    EXPECT_EQ(report.folder, "t-0");
    EXPECT_EQ(report.records, 200);
    EXPECT_EQ(report.batches, 200);
    EXPECT_EQ(report.log_end, Offset{200});
    EXPECT_EQ(report.segments, static_cast<std::int64_t>(folder.bases.size()));
    EXPECT_GE(report.segments, 3);
}

TEST(PartitionCheck, NamesTheBatchWithAWrongChecksum) {
    Folder folder;
    folder.write(folder.log_of(1), 100, "?");
    const PartitionReport report = folder.check("batch-damaged");
    ASSERT_EQ(folder.findings.kept().size(), 1U);
    const Finding& found = folder.findings.kept().front();
    EXPECT_EQ(found.file, folder.log_of(1));
    EXPECT_EQ(found.at, FilePos{0});
    EXPECT_EQ(found.offset, folder.bases[1]);
    EXPECT_EQ(report.records, 200);  // It goes on behind it.
}

TEST(PartitionCheck, JudgesABadEndByTheMark) {
    Folder folder;
    const std::string last = folder.log_of(folder.bases.size() - 1);
    const auto file = folder.disk.open(last, rt::OpenMode::kRead);
    ASSERT_OK(file);
    const auto size = (*file)->size();
    ASSERT_OK(size);
    folder.write(last, *size, "this is no batch, and there is no room for a header of one in it");
    folder.facts.clean = false;
    folder.check("torn-tail");
    EXPECT_EQ(folder.findings.count(Severity::kWarning), 1);
    folder.facts.mark = Offset{201};
    folder.check("batch-damaged");
    EXPECT_EQ(folder.findings.count(Severity::kError), 1);
    folder.facts.mark = Offset{200};
    folder.facts.clean = true;
    folder.check("batch-damaged");
}

TEST(PartitionCheck, MissesRecordsThatWereDurable) {
    Folder folder;
    folder.facts.mark = Offset{201};
    folder.check("records-missing");
    EXPECT_EQ(folder.findings.count(Severity::kError), 1);
    ASSERT_OK(folder.disk.remove_file(folder.log_of(0)));
    folder.facts.mark = Offset{200};
    folder.check();
    EXPECT_TRUE(std::ranges::any_of(folder.findings.kept(), [](const Finding& finding) {
        return finding.kind == FindingKind::kSegmentMissing;
    }));
}

TEST(PartitionCheck, FindsRecordsThatCannotBeRead) {
    Folder folder;
    // A batch with a right checksum around records that are none.
    TestBatch batch{.base = 200};
    std::vector<std::byte> bytes = batch.build();
    bytes[wire::kBatchHeaderBytes] = std::byte{0x7F};
    wire::seal(bytes);
    const std::string last = folder.log_of(folder.bases.size() - 1);
    const auto file = folder.disk.open(last, rt::OpenMode::kReadWrite);
    ASSERT_OK(file);
    const auto size = (*file)->size();
    ASSERT_OK(size);
    const Bytes part{bytes};
    ASSERT_OK((*file)->write_at(FilePos{*size}, {&part, 1}));
    folder.check("records-damaged");
    EXPECT_EQ(folder.findings.count(Severity::kError), 1);
    CheckProgress progress;
    Findings shallow{10};
    (void)check_partition(folder.disk, folder.path, folder.facts, CheckOptions{.records = false},
                          progress, shallow);
    EXPECT_TRUE(shallow.is_clean());
}

TEST(DirectoryCheck, ComparesFoldersWithTheMetadata) {
    const Uuid id = Uuid::from_random(1, 2);
    DirectoryFacts facts;
    facts.is_ours = true;
    facts.marks = MarkTable{};
    (*facts.marks)[{.topic = id, .index = 0}] = Offset{5};
    (*facts.marks)[{.topic = id, .index = 1}] = Offset{7};
    (*facts.marks)[{.topic = Uuid::from_random(3, 4), .index = 0}] = Offset{1};
    facts.folders = {"t-0", "u-0"};
    const std::vector<KnownTopic> known{{.name = "t", .id = id, .partition_count = 3}};
    Findings findings{10};
    check_folders("/data", facts, known, findings);
    std::vector<std::string> found;
    for (const Finding& finding : findings.kept())
        found.push_back(std::string{info(finding.kind).name} + " " + finding.file);
    EXPECT_EQ(found,
              (std::vector<std::string>{"folder-missing /data/t-1", "folder-unknown /data/u-0",
                                        "marks-unknown /data/"}));
    EXPECT_EQ(facts_of(facts, "t-0", &known).mark, Offset{5});
    EXPECT_EQ(facts_of(facts, "t-2", &known).mark, Offset{0});
    EXPECT_EQ(facts_of(facts, "u-0", &known).mark, std::nullopt);
    EXPECT_EQ(facts_of(facts, "t-0", nullptr).mark, std::nullopt);
}

/// What a check says through a disk that refuses to open names with `pattern`.
std::vector<std::string> kinds_without(Folder& folder, const std::string& pattern) {
    rt::FaultDisk disk{
        folder.disk,
        {{.action = rt::FaultAction::kIoErrors, .call = "open", .pattern = pattern, .nth = 1}}};
    Findings findings{100};
    CheckProgress progress;
    (void)check_partition(disk, folder.path, folder.facts, CheckOptions{}, progress, findings);
    std::vector<std::string> out;
    for (const Finding& finding : findings.kept()) out.emplace_back(info(finding.kind).name);
    return out;
}

TEST(PartitionCheck, SaysOfAFileThatItMayNotReadNoMoreThanThat) {
    Folder folder;
    const std::vector<std::string> only{"unreadable"};
    // A start that was stored, so that it has something to be compared with.
    PartitionSpec spec;
    spec.topic = "t";
    ASSERT_OK(write_log_start(folder.disk, folder.path, spec, Offset{150}));
    for (const Offset base : folder.bases)
        EXPECT_EQ(kinds_without(folder, to_string(FileName{.base = base})), only) << base.value;
    EXPECT_EQ(kinds_without(folder, "log-start-offset-checkpoint"), only);
    ASSERT_OK(write_topic_id(folder.disk, folder.path, Uuid::from_random(1, 2)));
    EXPECT_EQ(kinds_without(folder, "partition.metadata"), only);
}

TEST(DirectoryCheck, KnowsWhatConcernsAPartition) {
    const std::vector<std::string> asked{"t-0"};
    const auto is_told = [&](FindingKind kind, std::string name) {
        return concerns({.kind = kind, .file = "/data/" + std::move(name), .what = ""}, asked);
    };
    EXPECT_TRUE(is_told(FindingKind::kFolderDeleted, "t-0.0123abcd-delete"));
    EXPECT_TRUE(is_told(FindingKind::kFolderStray, "t-0-stray"));
    EXPECT_TRUE(is_told(FindingKind::kFolderUnknown, "t-0"));
    EXPECT_FALSE(is_told(FindingKind::kFolderDeleted, "u-0.0123abcd-delete"));
    EXPECT_FALSE(is_told(FindingKind::kFolderStray, "t-0-1-stray"));
    EXPECT_FALSE(is_told(FindingKind::kFolderMissing, "t-01"));
    EXPECT_FALSE(is_told(FindingKind::kMarksUnknown, ""));
    EXPECT_TRUE(is_told(FindingKind::kMetadataDamaged, "metadata.db"));
    EXPECT_TRUE(is_told(FindingKind::kNotStopped, ""));
}

TEST(Findings, DropWhatIsNotWanted) {
    Findings findings{10};
    findings.keep_only([](const Finding& finding) { return finding.file == "f"; });
    findings.add({.kind = FindingKind::kTornTail, .file = "g", .what = ""});
    EXPECT_TRUE(findings.is_clean());
    findings.keep_only({});
    findings.add({.kind = FindingKind::kTornTail, .file = "g", .what = ""});
    EXPECT_EQ(findings.count(Severity::kWarning), 1);
}

TEST(Findings, KeepSomeAndCountAll) {
    Findings findings{2};
    for (int i = 0; i < 5; ++i)
        findings.add({.kind = FindingKind::kTornTail, .file = "f", .what = ""});
    EXPECT_EQ(findings.kept().size(), 2U);
    EXPECT_EQ(findings.count(Severity::kWarning), 5);
    EXPECT_FALSE(findings.is_clean());
    for (const FindingInfo& row : finding_table()) EXPECT_EQ(&info(row.kind), &row);
}

}  // namespace
}  // namespace leat::storage
