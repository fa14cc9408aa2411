// SPDX-License-Identifier: Apache-2.0
#include "streams/state/task_state.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/statistics.h>

#include <algorithm>
#include <utility>

#include "leat/streams/detail/task.h"
#include "streams/failpoints.h"
#include "streams/state/database.h"
#include "streams/state/own_rows.h"
#include "streams/state/registry.h"
#include "streams/state/row_bytes.h"
#include "streams/state/shared_rows.h"

namespace leat::streams::detail {

namespace {

/// However many tasks there are: smaller batches would cost more than they save.
constexpr std::size_t kUncommittedBytesMin = std::size_t{256} << 10U;

/// In the layout of a store of the user's, whose rows are in its folder.
constexpr std::string_view kOwnLayout = ":o";

/// Rows of another layout cannot be read as this store's.
std::string layout_of(const StoreSpec& spec) {
    std::string out = std::to_string(static_cast<int>(spec.kind)) + ":" +
                      std::to_string(spec.retention_ms) + ":" + std::to_string(spec.segment_ms) +
                      (spec.time_ordered ? ":t" : ":k");
    if (spec.own) out += kOwnLayout;
    return out;
}

}  // namespace

TaskState::TaskState(Options options)
    : options_(std::move(options)), database_(std::make_shared<Database>()) {
    constexpr std::size_t kAlone = std::size_t{64} << 20U;
    if (options_.directory.empty())
        options_.memory.reset();
    else if (!options_.memory)
        options_.memory = std::make_shared<StateMemory>(kAlone);
    database_->directory = options_.directory;
    if (!options_.memory) return;
    options_.memory->add_user();
    row_budget = options_.memory;
}

TaskState::~TaskState() {
    if (options_.memory) options_.memory->remove_user();
}

Database* TaskState::database() const noexcept {
    return database_->db ? database_.get() : nullptr;
}

Result<std::unique_ptr<TaskState>> TaskState::open(Options options) {
    std::unique_ptr<TaskState> state{new TaskState{std::move(options)}};  // tidy: private
    if (state->options_.directory.empty()) return state;
    auto* env = rocksdb::Env::Default();
    const std::string mark = state->database_->mark_path();
    Result<void> opened;
    if (env->FileExists(mark).ok()) {
        std::string told;
        const auto read = rocksdb::ReadFileToString(env, mark, &told);
        opened = Error{Errc::kMalformed, read.ok() ? told : "the state is marked as damaged"};
    } else {
        opened = state->open_database();
    }
    if (!opened && opened.error().code() == Errc::kMalformed) {
        state->damage_ = opened.error().detail();
        opened = state->replace_database();
    }
    if (!opened) return std::move(opened).error();
    return state;
}

bool TaskState::is_damaged() const noexcept {
    return database_->damaged;
}

std::string TaskState::offset_name(std::string_view store, std::int32_t partition) {
    return std::string{store} + kPartitionMark + std::to_string(partition);
}

Result<TaskState::Offsets> TaskState::peek(const std::string& directory) {
    if (!rocksdb::Env::Default()->FileExists(directory + "/rocksdb/CURRENT").ok()) return Offsets{};
    TaskState state{{.directory = directory}};
    LEAT_TRY(const rocksdb::Options options, database_options(state.options_));
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(options, state.database_path(), &db);
    state.database_->db.reset(db);
    if (!status.ok()) return state.database_->error(status, "looking at");
    LEAT_TRY_VOID(state.read_rows_of_registry());
    return std::move(state.offsets_);
}

Result<void> TaskState::open_database() {
    rocksdb::DB* db = nullptr;
    LEAT_TRY(rocksdb::Options options, database_options(options_));
    if (options_.statistics) {
        database_->statistics = rocksdb::CreateDBStatistics();
        database_->statistics->set_stats_level(rocksdb::StatsLevel::kExceptDetailedTimers);
        options.statistics = database_->statistics;
    }
    const auto status = rocksdb::DB::Open(options, database_path(), &db);
    database_->db.reset(db);
    if (!status.ok()) return database_->error(status, "opening");
    LEAT_TRY_VOID(remove_files());
    return read_registry();
}

Result<void> TaskState::remove_database() {
    drop_gathered();
    database_->db.reset();
    database_->damaged = false;
    is_registry_filed_ = false;
    registry_.clear();
    offsets_.clear();
    next_number_ = 1;
    LEAT_TRY(const rocksdb::Options options, database_options(options_));
    const auto status = rocksdb::DestroyDB(database_path(), options);
    if (!status.ok()) return database_->error(status, "removing");
    return {};
}

Result<void> TaskState::replace_database() {
    LEAT_TRY_VOID(remove_database());
    const auto gone = rocksdb::Env::Default()->DeleteFile(database_->mark_path());
    if (!gone.ok() && !gone.IsNotFound()) return database_->error(gone, "removing");
    return open_database();
}

Result<void> TaskState::start_anew(const Stores& stores, Task& task) {
    std::map<std::string, std::string, std::less<>> layouts;
    for (const auto& [name, rows] : rows_) layouts.emplace(name, registry_[name].layout);
    database_->unlogged = false;
    LEAT_TRY_VOID(replace_database());
    offsets_.clear();
    for (const auto& [name, rows] : rows_) LEAT_TRY_VOID(empty(name, layouts.at(name), *rows));
    for (const auto& [name, rows] : memory_) rows->clear();
    noted_own_.clear();
    for (const auto& [name, own] : own_) LEAT_TRY_VOID(own->clear());
    for (const auto& [name, store] : stores) LEAT_TRY_VOID(store->open(task));
    return {};
}

Result<void> TaskState::read_registry() {
    std::string format;
    auto status = database_->db->Get({}, registry_key(kFormatKey), &format);
    if (status.IsNotFound()) {
        status = database_->db->Put({}, registry_key(kFormatKey), slice(kFormat));
        if (!status.ok()) return database_->error(status, "starting");
        return {};
    }
    if (!status.ok()) return database_->error(status, "reading");
    if (format != kFormat)
        return Error{Errc::kDataDirFormat, "the state in " + options_.directory +
                                               " was written by a newer version (format " + format +
                                               ")"};
    return read_rows_of_registry();
}

Result<void> TaskState::read_rows_of_registry() {
    const auto broken = [&] {
        return Error{Errc::kMalformed, "the registry of the state in " + options_.directory +
                                           " cannot be read; remove it so that it is restored"};
    };
    const std::string end = *after_prefix(kRegistry);
    const rocksdb::Slice upper = end;
    rocksdb::ReadOptions read;
    read.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at{database_->db->NewIterator(read)};
    for (at->Seek(slice(kRegistry)); at->Valid(); at->Next()) {
        const std::string_view key = view(at->key()).substr(kRegistry.size());
        const std::string_view value = view(at->value());
        if (key.empty()) return broken();
        const std::string name{key.substr(1)};
        if (key.front() == kStoreKey) {
            if (value.size() < 2) return broken();
            const auto number = read_be<std::uint16_t>(value);
            registry_[name].number = number;
            registry_[name].layout = value.substr(2);
            next_number_ =
                std::max<std::uint16_t>(next_number_, static_cast<std::uint16_t>(number + 1));
        } else if (key.front() == kSourceKey) {
            registry_[name].changelog_id = value;
        } else if (key.front() == kOffsetKey) {
            if (value.size() != 8) return broken();
            offsets_[name] = read_be<std::int64_t>(value);
        }
    }
    if (!at->status().ok()) return database_->error(at->status(), "reading");
    return {};
}

std::unique_ptr<OrderedBytes> TaskState::rows(const StoreSpec& spec) {
    if (spec.own) return own_rows(spec);
    // What a suppress buffer holds is in memory, whatever its spec says.
    if (database_->db && spec.persistent && spec.kind != StoreSpec::Kind::kSuppress) {
        auto rows = open_rows(spec);
        if (rows) {
            rows_[spec.name] = *rows;
            return std::make_unique<RocksRows>(database_, *rows);
        }
        if (!failed_) failed_ = std::move(rows).error();
    }
    auto& memory = memory_[spec.name];
    if (!memory) {
        memory = std::make_shared<MemoryBytes>();
        begin_in_memory(spec.name);
    }
    return std::make_unique<SharedRows<MemoryBytes>>(memory);
}

void TaskState::begin_in_memory(const std::string& store) {
    std::erase_if(offsets_, [&](const auto& one) { return store_of(one.first) == store; });
}

Result<void> TaskState::ready() {
    if (!failed_) return {};
    return Error{failed_->code(), failed_->detail()};
}

Result<std::shared_ptr<StoreRows>> TaskState::open_rows(const StoreSpec& spec) {
    const std::string layout = layout_of(spec);
    const auto known = registry_.find(spec.name);
    if (known == registry_.end() || known->second.number == 0 || known->second.layout != layout)
        LEAT_TRY_VOID(renumber(spec.name, layout));
    auto rows = std::make_shared<StoreRows>();
    append_be(rows->prefix, registry_[spec.name].number);
    return rows;
}

Result<void> TaskState::renumber(const std::string& store, const std::string& layout) {
    // What was written past the log must be in files before anything later is in the log.
    if (options_.write_ahead_log && database_->unlogged) LEAT_TRY_VOID(flush_files());
    is_registry_filed_ = false;
    Registered& known = registry_[store];
    const Registered next{next_number_, layout, {}};
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    std::string prefix;
    if (known.number != 0) {
        append_be(prefix, known.number);
        status = batch.DeleteRange(prefix, *after_prefix(prefix));
        for (const char what : {kOffsetKey, kSourceKey})
            if (status.ok()) status = batch.Delete(registry_key(what, store));
        const std::string of_partitions = registry_key(kOffsetKey, store + kPartitionMark);
        if (status.ok()) status = batch.DeleteRange(of_partitions, *after_prefix(of_partitions));
        std::erase_if(offsets_, [&](const auto& one) { return store_of(one.first) == store; });
    }
    std::string value;
    append_be(value, next.number);
    if (status.ok()) status = batch.Put(registry_key(kStoreKey, store), value + layout);
    rocksdb::WriteOptions how;
    how.disableWAL = !options_.write_ahead_log;
    // A folder that is emptied next must not be found with its note when the power has failed.
    how.sync = options_.write_ahead_log && layout.ends_with(kOwnLayout);
    if (status.ok()) status = database_->db->Write(how, &batch);
    if (!status.ok()) return database_->error(status, "adding store " + store + " to");
    // Not before: whoever tries again must find what was known against its rows.
    known = next;
    ++next_number_;
    return {};
}

Result<void> TaskState::empty(const std::string& store, const std::string& layout,
                              StoreRows& rows) {
    behind_.erase(store);
    rows.gathering.reset();
    LEAT_TRY_VOID(renumber(store, layout));
    rows.clear();
    rows.prefix.clear();
    append_be(rows.prefix, registry_[store].number);
    return {};
}

Result<void> TaskState::wipe(StateStore& store, Task& task) {
    const std::string& name = store.name();
    std::erase_if(offsets_, [&](const auto& one) { return store_of(one.first) == name; });
    if (const auto memory = memory_.find(name); memory != memory_.end()) memory->second->clear();
    if (const auto rows = rows_.find(name); rows != rows_.end()) {
        const std::string layout = registry_[name].layout;
        LEAT_TRY_VOID(empty(name, layout, *rows->second));
    }
    noted_own_.erase(name);
    if (const auto own = own_.find(name); own != own_.end()) LEAT_TRY_VOID(own->second->clear());
    return store.open(task);
}

Result<bool> TaskState::bind(StateStore& store, Task& task, std::string_view changelog_id) {
    const std::string& name = store.name();
    if (changelog_id.empty() || !rows_.contains(name)) return false;
    if (registry_[name].changelog_id == changelog_id) return false;
    // Of state without a note nothing is known against it.
    const bool is_foreign = !registry_[name].changelog_id.empty();
    if (is_foreign) LEAT_TRY_VOID(wipe(store, task));
    is_registry_filed_ = false;
    registry_[name].changelog_id = changelog_id;
    rocksdb::WriteOptions how;
    how.disableWAL = !options_.write_ahead_log;
    const auto status =
        database_->db->Put(how, registry_key(kSourceKey, name), slice(changelog_id));
    if (!status.ok()) return database_->error(status, "naming the changelog of " + name + " in");
    return is_foreign;
}

std::optional<std::int64_t> TaskState::changelog_offset(std::string_view store) const {
    const auto found = offsets_.find(store);
    if (found == offsets_.end()) return std::nullopt;
    return found->second;
}

Result<void> TaskState::commit(const Stores& stores, const Offsets& next_offsets) {
    is_torn_ = true;
    for (const auto& [name, store] : stores) LEAT_TRY_VOID(store->save());
    Offsets noted = next_offsets;
    Behind behind = behind_;
    for (const auto& [name, store] : stores) {
        const auto next = noted.find(name);
        if (next == noted.end()) continue;
        LEAT_TRY(const auto offset, store->note_commit(changelog_offset(name), next->second));
        if (offset == next->second)
            behind.erase(name);
        else
            behind[name] = offset;
        if (has_fault(Fault::kNewestForgotten)) continue;
        if (offset)
            next->second = *offset;
        else
            noted.erase(next);
    }
    LEAT_TRY_VOID(flush_own(noted));
    LEAT_TRY_VOID(write(noted));
    behind_ = std::move(behind);
    for (const auto& [name, offset] : next_offsets) offsets_[name] = offset;
    own_committed(noted);
    is_torn_ = false;
    return {};
}

bool TaskState::is_overdue(const Stores& stores) const {
    return database_->db && std::ranges::count_if(stores, [](const auto& one) {
                                return one.second->is_overdue();
                            }) > 0;
}

Result<void> TaskState::settle(const Stores& stores) {
    if (!database_->db || is_damaged()) return {};
    // What is beside an unchanged store of the user's came from its changelog.
    for (const auto& [name, rows] : rows_)
        if (const auto own = own_.find(name); own == own_.end() || own->second->is_changed())
            rows->clear();
    Offsets noted;
    for (const auto& [name, store] : stores) {
        LEAT_TRY(const bool is_whole, store->settle());
        const auto behind = behind_.find(name);
        if (behind == behind_.end()) continue;
        if (is_whole && !is_torn_)
            noted[name] = offsets_[name];
        else if (behind->second)
            offsets_[name] = *behind->second;
        else
            offsets_.erase(name);
    }
    behind_.clear();
    is_torn_ = false;
    if (!noted.empty()) LEAT_TRY_VOID(write(noted));
    return settle_own();
}

Result<void> TaskState::write(const Offsets& next_offsets) {
    if (!database_->db) return {};
    // What was written past the log must be in files before anything later is in the log.
    if (options_.write_ahead_log && database_->unlogged) LEAT_TRY_VOID(flush_files());
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    for (const auto& [name, rows] : rows_)
        if (status.ok()) status = rows->append_to(batch);
    for (const auto& [name, offset] : next_offsets) {
        if (!rows_.contains(store_of(name)) || is_put_off(name) || !status.ok()) continue;
        std::string value;
        append_be(value, offset);
        status = batch.Put(registry_key(kOffsetKey, name), value);
    }
    rocksdb::WriteOptions how;
    how.disableWAL = !options_.write_ahead_log;
    how.memtable_insert_hint_per_batch = true;  // The rows of a store come sorted.
    if (status.ok() && batch.Count() > 0) status = database_->db->Write(how, &batch);
    if (!status.ok()) return database_->error(status, "writing");
    for (const auto& [name, rows] : rows_) rows->clear();
    return keep_to_budget();
}

/// RocksDB writes buffers to files beside us and may fall behind; then we wait for it. Its own way
/// to stall waits for ever when idle tasks hold the memory.
Result<void> TaskState::keep_to_budget() {
    const auto& buffers = *options_.memory->parts().buffers;
    if (buffers.memory_usage() <= buffers.buffer_size()) return {};
    std::uint64_t own = 0;
    const std::size_t worthwhile = buffers.buffer_size() / 8;
    if (!database_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &own) ||
        own < worthwhile)
        return {};
    return flush_files();
}

Result<void> TaskState::rollback(const Stores& stores, Task& task) {
    LEAT_TRY_VOID(settle(stores));
    drop_gathered();
    for (const auto& [name, rows] : rows_) rows->clear();
    for (const auto& [name, rows] : memory_) {
        rows->clear();
        offsets_.erase(name);
    }
    for (const auto& [name, own] : own_) {
        if (!own->is_changed() && own->is_persistent()) continue;
        offsets_.erase(name);
        LEAT_TRY_VOID(forget_own(name));
        LEAT_TRY_VOID(own->clear());
    }
    for (const auto& [name, store] : stores) LEAT_TRY_VOID(store->open(task));
    return {};
}

std::size_t TaskState::uncommitted_bytes() const noexcept {
    std::size_t out = 0;
    for (const auto& [name, rows] : rows_) out += rows->bytes;
    return out;
}

bool TaskState::is_full() const noexcept {
    return uncommitted_bytes() >= uncommitted_bytes_max();
}

std::size_t TaskState::uncommitted_bytes_max() const noexcept {
    if (!options_.memory) return options_.uncommitted_bytes_max;
    const std::size_t share =
        options_.memory->budget_bytes() / 4 / std::max<std::size_t>(options_.memory->users(), 1);
    return std::min(options_.uncommitted_bytes_max, std::max(share, kUncommittedBytesMin));
}

Result<void> TaskState::write_early() {
    return options_.exactly_once ? Result<void>{} : write({});
}

Result<void> TaskState::flush_files() {
    if (!database_->db) return {};
    rocksdb::FlushOptions options;
    options.wait = true;
    if (auto status = database_->db->Flush(options); !status.ok())
        return database_->error(status, "writing");
    database_->unlogged = false;
    return {};
}

}  // namespace leat::streams::detail
