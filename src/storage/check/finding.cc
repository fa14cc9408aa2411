// SPDX-License-Identifier: Apache-2.0
#include "storage/check/finding.h"

#include <utility>

#include "base/check.h"

namespace leat::storage {
namespace {

using enum FindingKind;
using enum Severity;

constexpr std::string_view kRestore =
    "The next start quarantines the partition and changes nothing. Put its folder back from a "
    "backup, or copy what 'leat log dump' still reads into a new topic";
constexpr std::string_view kRemoveIndex =
    "Remove the segment's .index and .timeindex while the broker is stopped: the next start makes "
    "them anew. Left as they are, they are made anew only once it shows: by a start after a kill "
    "that finds them torn, out of order or wrong at the end, or by a read that a wrong entry leads "
    "astray";

constexpr auto kTable = std::to_array<FindingInfo>({
    {kUnreadable, "unreadable", kError, "a file or folder cannot be read",
     "Look at the system's log for errors of the disk, and at who may read the file"},
    {kDirectoryFormat, "directory-format", kError,
     "meta.properties is missing, damaged, or of another program, version or cluster",
     "A start is refused until it is right: put the file back from a backup"},
    {kMetadataDamaged, "metadata-damaged", kError, "metadata.db cannot be read",
     "A start is refused until it is right: put metadata.db and metadata.db-wal back from a "
     "backup"},
    {kMarksDamaged, "marks-damaged", kWarning, "a file of durable marks cannot be read",
     "With one good file the next start goes on with that. With none it takes all but the last "
     "segment of each partition for durable"},
    {kMarksUnknown, "marks-unknown", kNote, "a durable mark of a partition that does not exist",
     "Nothing: it is dropped when the marks are written whole"},
    {kNotStopped, "not-stopped", kNote, "the last run was killed or lost its power",
     "Nothing: the next start recovers what lies behind the durable marks"},
    {kFolderMissing, "folder-missing", kError,
     "the folder of a partition that had durable records is not there",
     "The next start quarantines the partition. Put the folder back from a backup, or delete the "
     "topic"},
    {kFolderUnknown, "folder-unknown", kWarning, "a partition's folder that the metadata has not",
     "The next start renames it to '-stray' and leaves it alone"},
    {kFolderStray, "folder-stray", kWarning, "a folder that an earlier start has put aside",
     "Remove it when nobody needs its records, or read them with 'leat log dump'"},
    {kFolderDeleted, "folder-deleted", kNote, "a folder of a deleted partition",
     "Nothing: it is removed soon after the next start"},
    {kTopicIdWrong, "topic-id-wrong", kWarning, "a folder belongs to an older topic of that name",
     "The next start renames it to '-stray' and leaves it alone"},
    {kFileDamaged, "file-damaged", kError, "a small file of a partition cannot be understood",
     "The partition does not open until the file is right: put it back from a backup"},
    {kFileUnknown, "file-unknown", kNote, "a file that no part of Leat writes",
     "Nothing: it is ignored"},
    {kFileUnfinished, "file-unfinished", kNote, "what a compaction or a deletion left",
     "Nothing: the next start finishes or removes it"},
    {kFileCut, "file-cut", kNote, "a torn tail that an earlier start has put aside",
     "Remove it when it is of no use; nothing in it was acknowledged under durability sync"},
    {kSegmentMissing, "segment-missing", kError, "the log begins above its start",
     "The records in between are gone: put the segment back from a backup"},
    {kSegmentGap, "segment-gap", kWarning, "a segment ends before the next begins",
     "Right only where Apache Kafka has compacted the log; otherwise records are missing"},
    {kBatchDamaged, "batch-damaged", kError,
     "below the durable mark something is no good batch: length, checksum, offsets or epoch",
     kRestore},
    {kTornTail, "torn-tail", kWarning, "above the durable mark something is no good batch",
     "Nothing: the next start keeps it as '.cut' and goes on without it"},
    {kEmptyTail, "empty-tail", kNote, "zeros behind the last batch: space set aside",
     "Nothing: the next start cuts them off"},
    {kRecordsDamaged, "records-damaged", kError,
     "a batch with a right checksum cannot be inflated, or its records do not add up",
     "It came so from its producer; consumers may stop there. Skip it with 'leat group reset'"},
    {kRecordsMissing, "records-missing", kError, "the log ends below its durable mark", kRestore},
    {kIndexMissing, "index-missing", kWarning, "a closed segment has no index",
     "Nothing: the next start makes it anew"},
    {kIndexWrong, "index-wrong", kError, "an offset index says what the log does not",
     kRemoveIndex},
    {kTimeIndexWrong, "timeindex-wrong", kError, "a time index says what the log does not",
     kRemoveIndex},
    {kTxnIndexWrong, "txnindex-wrong", kError,
     "the index of aborted transactions and the log differ",
     "Nothing: the next start makes it anew from the log. A broker that runs on it may show "
     "aborted "
     "records to consumers with read_committed, or keep good ones from them"},
    {kIndexOrphan, "index-orphan", kWarning, "an index without its segment",
     "Nothing, if no segment is missing: the next start removes it"},
    {kEpochsWrong, "epochs-wrong", kWarning, "leader-epoch-checkpoint and the batches differ",
     "Remove the file while the broker is stopped: the next start makes it anew"},
    {kSnapshotDamaged, "snapshot-damaged", kWarning, "a file of producers' state cannot be read",
     "Nothing: the next start uses an older one, or the log"},
    {kSnapshotWrong, "snapshot-wrong", kError, "producers' state is not what the log says",
     "Remove the .snapshot and .window of that offset while the broker is stopped: the next start "
     "reads the log instead"},
    {kSnapshotAhead, "snapshot-ahead", kWarning, "producers' state from behind the log's end",
     "Nothing: the next start removes it"},
    {kLogStartWrong, "log-start-wrong", kError, "the stored start of a log lies behind its end",
     "Put log-start-offset-checkpoint back from a backup"},
});
static_assert(kTable.size() == static_cast<std::size_t>(kCount));

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::kNote:
            return "note";
        case Severity::kWarning:
            return "warning";
        case Severity::kError:
            return "error";
    }
    return {};
}

std::span<const FindingInfo> finding_table() {
    return kTable;
}

const FindingInfo& info(FindingKind kind) {
    const FindingInfo& row = kTable.at(static_cast<std::size_t>(kind));
    LEAT_CHECK(row.kind == kind);
    return row;
}

std::string findings_reference() {
    std::string out =
        "# Findings of `leat log check`\n\n"
        "Printed by `leat reference --print log-findings` from `src/storage/check/finding.cc`; do "
        "not "
        "edit.\n\n"
        "An error: records are lost, or answers are wrong. A warning: the next start deals with "
        "it, or somebody may want to look.\n"
        "A note: worth knowing. The command ends with 1 when there are errors or warnings.\n\n"
        "| kind | severity | meaning | what to do |\n|---|---|---|---|\n";
    for (const FindingInfo& row : kTable)
        out += "| `" + std::string{row.name} + "` | " + std::string{to_string(row.severity)} +
               " | " + std::string{row.meaning} + " | " + std::string{row.next} + " |\n";
    return out;
}

void Findings::add(Finding finding) {
    if (wanted_ && !wanted_(finding)) return;
    ++counts_.at(static_cast<std::size_t>(info(finding.kind).severity));
    if (kept_.size() < kept_max_) kept_.push_back(std::move(finding));
}

}  // namespace leat::storage
