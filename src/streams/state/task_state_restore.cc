// SPDX-License-Identifier: Apache-2.0
//
// How rows come out of a changelog into a task's database: at once, or gathered and as files.
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <utility>
#include <vector>

#include "streams/failpoints.h"
#include "streams/state/database.h"
#include "streams/state/gathered_rows.h"
#include "streams/state/registry.h"
#include "streams/state/row_bytes.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

namespace {

/// Versions are read while they are restored, and so are the least used entries. Of a store of the
/// user's only what is beside it is ours.
bool can_gather(const StoreSpec& spec) {
    return spec.kind != StoreSpec::Kind::kVersioned && !spec.entries_max;
}

}  // namespace

Result<void> TaskState::restore(StateStore& store, std::span<const ChangelogRecord> records,
                                std::int64_t next_offset) {
    if (own_.contains(store.name())) return restore_own(store, records, next_offset);
    const auto at = rows_.find(store.name());
    if (at == rows_.end()) {
        LEAT_TRY_VOID(store.restore(records));
        offsets_[store.name()] = next_offset;
        return {};
    }
    StoreRows& rows = *at->second;
    // What was gathered came before.
    LEAT_TRY_VOID(keep_gathered(store));
    rocksdb::WriteBatch batch;
    // A versioned store reads what it has just written; the others do not read.
    if (store.spec().kind != StoreSpec::Kind::kVersioned) rows.direct = &batch;
    auto applied = store.restore(records);
    if (applied) applied = store.save();
    rows.direct = nullptr;
    if (!applied) {
        rows.clear();
        return applied;
    }
    std::string offset;
    append_be(offset, next_offset);
    auto status = rows.append_to(batch);
    if (status.ok()) status = batch.Put(registry_key(kOffsetKey, store.name()), offset);
    rocksdb::WriteOptions write;
    write.disableWAL = true;
    if (status.ok()) status = database_->db->Write(write, &batch);
    rows.clear();
    if (!status.ok()) return database_->error(status, "restoring");
    database_->unlogged = true;
    offsets_[store.name()] = next_offset;
    return keep_to_budget();
}

Result<void> TaskState::gather(StateStore& store, std::span<const ChangelogRecord> records,
                               std::int64_t next_offset) {
    const auto at = rows_.find(store.name());
    if (at == rows_.end() || own_.contains(store.name()) || !can_gather(store.spec()))
        return restore(store, records, next_offset);
    StoreRows& rows = *at->second;
    if (rows.gathering == nullptr) {
        if (Gathering::is_cramped(*options_.memory)) return restore(store, records, next_offset);
        const auto status = rocksdb::Env::Default()->CreateDirIfMissing(files_path());
        if (!status.ok()) return database_->error(status, "restoring");
        const auto number = std::to_string(read_be<std::uint16_t>(rows.prefix));
        rows.gathering =
            std::make_unique<Gathering>(options_.memory, files_path() + "/" + number + ".sst");
    }
    Gathering& gathering = *rows.gathering;
    const auto make_room = [&]() -> Result<void> {
        if (!gathering.coming().is_full()) return {};
        LEAT_TRY_VOID(take_in_file(store.name(), gathering));
        gathering.begin_file(database_->db->GetOptions());
        return {};
    };
    // Of a call that failed: where there is no room each one that is tried again would add to it.
    LEAT_TRY_VOID(make_room());
    rows.gathers = true;
    auto applied = store.restore(records);
    if (applied) applied = store.save();
    rows.gathers = false;
    LEAT_TRY_VOID(std::move(applied));
    gathering.coming().next_offset = next_offset;
    return make_room();
}

Result<void> TaskState::keep_gathered(const StateStore& store) {
    const auto at = rows_.find(store.name());
    if (at == rows_.end() || at->second->gathering == nullptr) return {};
    if (is_damaged()) return Error{Errc::kMalformed, "the state is damaged"};
    Gathering& gathering = *at->second->gathering;
    LEAT_TRY_VOID(take_in_file(store.name(), gathering));
    if (gathering.coming().next_offset >= 0) {
        if (gathering.coming().are_few()) {
            LEAT_TRY_VOID(write_gathered(store.name(), gathering.coming(), false));
        } else {
            gathering.begin_file(database_->db->GetOptions());
            LEAT_TRY_VOID(take_in_file(store.name(), gathering));
        }
    }
    at->second->gathering.reset();
    return {};
}

void TaskState::drop_gathered() noexcept {
    for (const auto& [name, rows] : rows_) rows->gathering.reset();
}

Result<void> TaskState::take_in_file(const std::string& store, Gathering& gathering) {
    if (!gathering.has_begun()) return {};
    // Drops and offset may have failed behind it: it cannot be taken in twice.
    if (!gathering.is_taken_in()) LEAT_TRY_VOID(take_in_rows(gathering));
    LEAT_TRY_VOID(write_gathered(store, gathering.behind(), true));
    gathering.forget_file();
    return {};
}

Result<void> TaskState::take_in_rows(Gathering& gathering) {
    // A file is there even after the power failed. Under the number of a store that is then unknown
    // another one would find its rows.
    if (!is_registry_filed_) LEAT_TRY_VOID(flush_files());
    is_registry_filed_ = true;
    rocksdb::IngestExternalFileOptions how;
    how.move_files = true;
    how.write_global_seqno = false;
    auto status = gathering.finish_file();
    if (status.ok()) status = database_->db->IngestExternalFile({gathering.path()}, how);
    if (!status.ok()) return database_->error(status, "restoring");
    // If it ends here the rows are read again, over themselves.
    gathering.note_taken_in();
    reach(FailStep::kRestoreFileTaken);
    return {};
}

Result<void> TaskState::write_gathered(const std::string& store, const GatheredRows& rows,
                                       bool in_file) {
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    std::string offset;
    append_be(offset, rows.next_offset);
    if (!in_file) status = rows.append_rows(batch);
    if (status.ok()) status = rows.append_drops(batch);
    if (status.ok()) status = batch.Put(registry_key(kOffsetKey, store), offset);
    rocksdb::WriteOptions write;
    write.disableWAL = true;
    if (status.ok()) status = database_->db->Write(write, &batch);
    if (!status.ok()) return database_->error(status, "restoring");
    database_->unlogged = true;
    offsets_[store] = rows.next_offset;
    return keep_to_budget();
}

Result<void> TaskState::remove_files() {
    auto* env = rocksdb::Env::Default();
    std::vector<std::string> names;
    auto status = env->GetChildren(files_path(), &names);
    if (status.IsNotFound()) return {};
    for (const std::string& name : names)
        if (status.ok() && name != "." && name != "..")
            status = env->DeleteFile(files_path() + "/" + name);
    if (!status.ok()) return database_->error(status, "cleaning");
    return {};
}

}  // namespace leat::streams::detail
