// SPDX-License-Identifier: Apache-2.0
//
// Stores of the user's among a task's. Their changes are not in our write batch. At least once they
// may be ahead of the noted offset, and the changelog is applied again. Exactly once nothing may be
// kept that is not committed: no offset is noted while the task runs, as by Kafka Streams, so that
// a store that was not closed in order is emptied and restored whole.
#include <rocksdb/db.h>

#include <algorithm>
#include <utility>

#include "leat/streams/detail/big_endian.h"
#include "streams/state/database.h"
#include "streams/state/own_rows.h"
#include "streams/state/registry.h"
#include "streams/state/shared_rows.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

namespace {

/// Records that are restored before that is noted: Kafka Streams' distance of checkpoints.
constexpr std::int64_t kNoteEvery = 10'000;

}  // namespace

std::unique_ptr<OrderedBytes> TaskState::own_rows(const StoreSpec& spec) {
    OwnPlace place;
    if (database_->db && spec.persistent) {
        auto rows = open_rows(spec);
        if (rows) {
            rows_[spec.name] = *rows;
            place.folder = options_.directory + "/own/" + spec.name;
            place.beside = std::make_unique<RocksRows>(database_, *rows);
            place.is_known = std::ranges::any_of(
                offsets_, [&](const auto& one) { return store_of(one.first) == spec.name; });
        } else if (!failed_) {
            failed_ = std::move(rows).error();
        }
    } else {
        begin_in_memory(spec.name);
    }
    const auto noted = offsets_.find(spec.name);
    if (noted != offsets_.end()) noted_own_[spec.name] = noted->second;
    std::shared_ptr<OwnRows> own = make_own_rows(spec, std::move(place));
    if (options_.exactly_once && own->is_persistent())
        own->before_change = [this, name = spec.name] { return forget_own(name); };
    own_[spec.name] = own;
    return std::make_unique<SharedRows<OwnRows>>(std::move(own));
}

bool TaskState::is_put_off(std::string_view offset_name) const {
    // A global store has no transaction that could be aborted.
    return options_.exactly_once && own_.contains(offset_name);
}

Result<void> TaskState::restore_own(StateStore& store, std::span<const ChangelogRecord> records,
                                    std::int64_t next_offset) {
    const std::string& name = store.name();
    OwnRows& own = *own_.at(name);
    LEAT_TRY_VOID(own.restore([&] { return store.restore(records); }));
    offsets_[name] = next_offset;
    if (!own.is_persistent()) return {};
    LEAT_TRY_VOID(store.save());
    const auto noted = noted_own_.find(name);
    if (noted != noted_own_.end() && next_offset - noted->second < kNoteEvery) return {};
    return note_own(name, next_offset);
}

Result<void> TaskState::flush_own(Offsets& next) {
    for (const auto& entry : own_) {
        const std::string& name = entry.first;
        const std::shared_ptr<OwnRows>& own = entry.second;
        if (!own->is_persistent()) continue;
        // What it has is all there is: nothing restores it, and it is not emptied.
        if (own->is_alone()) next.try_emplace(name, 0);
        const bool is_noted = std::ranges::any_of(next, [&](const auto& one) {
            return store_of(one.first) == name && !is_put_off(one.first);
        });
        if (is_noted && own->is_changed()) LEAT_TRY_VOID(own->flush());
    }
    return {};
}

void TaskState::own_committed(const Offsets& noted) {
    for (const auto& [name, own] : own_) {
        own->settle();
        const auto at = noted.find(name);
        if (!own->is_persistent() || at == noted.end()) continue;
        if (own->is_alone()) offsets_[name] = at->second;
        if (!is_put_off(name)) noted_own_[name] = at->second;
    }
}

Result<void> TaskState::settle_own() {
    for (const auto& [name, own] : own_) {
        const auto offset = offsets_.find(name);
        if (!own->is_persistent() || own->is_changed() || offset == offsets_.end()) continue;
        const auto noted = noted_own_.find(name);
        if (noted != noted_own_.end() && noted->second == offset->second) continue;
        LEAT_TRY_VOID(note_own(name, offset->second));
    }
    return {};
}

Result<void> TaskState::note_own(const std::string& store, std::int64_t next_offset) {
    LEAT_TRY_VOID(own_.at(store)->flush());
    LEAT_TRY_VOID(write({}));  // What is beside it.
    std::string value;
    append_be(value, next_offset);
    rocksdb::WriteOptions how;
    how.disableWAL = !options_.write_ahead_log;
    const auto status = database_->db->Put(how, registry_key(kOffsetKey, store), value);
    if (!status.ok()) return database_->error(status, "noting where " + store + " is in");
    noted_own_[store] = next_offset;
    return {};
}

Result<void> TaskState::forget_own(const std::string& store) {
    if (!noted_own_.contains(store)) return {};
    // Before the change that it no longer holds of, even if the machine ends now.
    rocksdb::WriteOptions how;
    how.sync = options_.write_ahead_log;
    how.disableWAL = !options_.write_ahead_log;
    const auto status = database_->db->Delete(how, registry_key(kOffsetKey, store));
    if (!status.ok()) return database_->error(status, "forgetting where " + store + " is in");
    noted_own_.erase(store);
    return {};
}

}  // namespace leat::streams::detail
