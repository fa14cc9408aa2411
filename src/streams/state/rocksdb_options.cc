// SPDX-License-Identifier: Apache-2.0
//
// With which options a task's database is opened.
#include "streams/state/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "streams/state/database.h"

namespace leat::streams::detail {
namespace {

constexpr int kOpenFilesMax = 256;
constexpr std::size_t kArenaBlock = std::size_t{256} << 10U;
constexpr std::size_t kInfoLogBytes = std::size_t{1} << 20U;
constexpr double kBloomBits = 10;
/// Of a write buffer, for its filter: some 16 bits a row of 100 bytes.
constexpr double kBufferBloomRatio = 0.02;
/// Only for a look at options.
constexpr std::size_t kLookBytes = std::size_t{1} << 20U;

struct Refused {
    std::string_view name;
    std::string_view why;
};
constexpr std::string_view kRows = "rows would not be found as they are put";
constexpr std::string_view kLog = "a commit would not survive the process";
constexpr std::string_view kFlush = "what is restored is in no log, the flush at the end keeps it";
constexpr std::string_view kLevels = "a database does not open with fewer levels than it has";
constexpr std::string_view kFolder = "the state is in the task's folder, which is made here";
constexpr std::string_view kChecks = "damage would not be noticed";
/// Performance is the user's, what a commit promises is not.
constexpr auto kRefused = std::to_array<Refused>({
    {"comparator", kRows},
    {"compaction_filter", kRows},
    {"compaction_filter_factory", kRows},
    {"compaction_options_fifo", kRows},
    {"inplace_update_support", kRows},
    {"memtable", kRows},
    {"memtable_factory", kRows},
    {"merge_operator", kRows},
    {"plain_table_factory", kRows},
    {"prefix_extractor", kRows},
    {"table_factory", "block_based_table_factory has what may be set of it"},
    {"unordered_write", kRows},
    {"allow_2pc", kLog},
    {"avoid_flush_during_shutdown", kFlush},
    {"manual_wal_flush", kLog},
    {"two_write_queues", kLog},
    {"wal_recovery_mode", kLog},
    {"num_levels", kLevels},
    {"cf_paths", kFolder},
    {"create_if_missing", kFolder},
    {"db_paths", kFolder},
    {"env", kFolder},
    {"error_if_exists", kFolder},
    {"wal_dir", kFolder},
    {"best_efforts_recovery", kChecks},
    {"force_consistency_checks", kChecks},
    {"paranoid_checks", kChecks},
    {"statistics", "metrics.recording.level turns it on"},
});

Error refusal(std::string_view name, std::string_view why) {
    return Error{Errc::kInvalidSetting, "leat.rocksdb.options: " + std::string{name} +
                                            " cannot be set so: " + std::string{why}};
}
Error refusal(const rocksdb::Status& status) {
    return Error{Errc::kInvalidSetting, "leat.rocksdb.options: " + status.ToString()};
}

rocksdb::Options own_options(const TaskState::Options& from) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = from.write_buffer_bytes;
    options.max_write_buffer_number = 3;
    options.arena_block_size =
        std::min(kArenaBlock, std::max<std::size_t>(from.write_buffer_bytes / 8, 4096));
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.compression = rocksdb::kNoCompression;
    options.max_open_files = kOpenFilesMax;
    options.max_background_jobs = 2;
    options.max_log_file_size = kInfoLogBytes;
    options.keep_log_file_num = 2;
    options.stats_dump_period_sec = 0;
    options.skip_stats_update_on_db_open = true;
    options.write_buffer_manager = from.memory->parts().buffers;
    // Most keys that are read are not in the buffers.
    options.memtable_prefix_bloom_size_ratio = kBufferBloomRatio;
    options.memtable_whole_key_filtering = true;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = from.memory->parts().cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBits));
    // Indexes and filters count in the budget too.
    table.cache_index_and_filter_blocks = true;
    // Those of small files stay, which are asked for every key that is not in them. Of large ones
    // they would be as much as the budget.
    table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kFlushedAndSimilar;
    // A row in a block is found at once: most reads are of one row.
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

Result<void> check_names(const std::string& text) {
    std::unordered_map<std::string, std::string> given;
    if (const auto status = rocksdb::StringToMap(text, &given); !status.ok())
        return refusal(status);
    for (const Refused& one : kRefused)
        for (const auto& [name, value] : given)
            // NAME.id and NAME.PART set NAME too.
            if (std::string_view{name}.substr(0, name.find('.')) == one.name)
                return refusal(name, one.why);
    return {};
}

/// By whatever name it was set.
Result<void> check_rows(const rocksdb::Options& own, const rocksdb::Options& set) {
    if (set.comparator != own.comparator) return refusal("comparator", kRows);
    if (set.memtable_factory == nullptr ||
        std::string_view{set.memtable_factory->Name()} != own.memtable_factory->Name())
        return refusal("memtable_factory", kRows);
    if (set.compaction_filter != nullptr) return refusal("compaction_filter", kRows);
    if (set.compaction_filter_factory != nullptr)
        return refusal("compaction_filter_factory", kRows);
    if (set.merge_operator != nullptr) return refusal("merge_operator", kRows);
    if (set.prefix_extractor != nullptr) return refusal("prefix_extractor", kRows);
    return {};
}

struct Conflict {
    bool is_there = false;
    std::string_view name;
    std::string_view why;
};

/// RocksDB itself would say so only when a task's database is opened.
/// Spec: DBImpl::ValidateOptions() and ColumnFamilyData's of RocksDB 7.8, which are private.
Result<void> check_conflicts(const rocksdb::Options& set) {
    const auto is_share = [](double value) { return value >= 0 && value <= 1; };
    const bool is_direct = set.use_direct_io_for_flush_and_compaction;
    const bool collects = set.enable_blob_garbage_collection;
    const rocksdb::CompressionOptions& compression = set.compression_opts;
    const auto conflicts = std::to_array<Conflict>({
        {set.keep_log_file_num < 1, "keep_log_file_num", "it is 1 at least"},
        {set.allow_mmap_reads && set.use_direct_reads, "allow_mmap_reads",
         "use_direct_reads is set too"},
        {set.allow_mmap_writes && is_direct, "allow_mmap_writes",
         "use_direct_io_for_flush_and_compaction is set too"},
        {set.atomic_flush && set.enable_pipelined_write, "atomic_flush",
         "enable_pipelined_write is set too"},
        {is_direct && set.writable_file_max_buffer_size == 0, "writable_file_max_buffer_size",
         "use_direct_io_for_flush_and_compaction needs a buffer"},
        {collects && !is_share(set.blob_garbage_collection_age_cutoff),
         "blob_garbage_collection_age_cutoff", "it is from 0 to 1"},
        {collects && !is_share(set.blob_garbage_collection_force_threshold),
         "blob_garbage_collection_force_threshold", "it is from 0 to 1"},
        {compression.zstd_max_train_bytes > 0 && compression.max_dict_bytes == 0,
         "compression_opts", "zstd_max_train_bytes needs max_dict_bytes"},
    });
    for (const Conflict& one : conflicts)
        if (one.is_there) return refusal(one.name, one.why);
    return {};
}

/// RocksDB itself would say so only when a task's database is opened.
Result<void> check_compressions(const rocksdb::Options& set) {
    std::vector<rocksdb::CompressionType> wanted = set.compression_per_level;
    wanted.insert(wanted.end(),
                  {set.compression, set.bottommost_compression, set.blob_compression_type});
    const auto known = rocksdb::GetSupportedCompressions();
    for (const rocksdb::CompressionType one : wanted) {
        if (one == rocksdb::kNoCompression || one == rocksdb::kDisableCompressionOption) continue;
        if (std::ranges::find(known, one) == known.end())
            return refusal("compression", "this RocksDB was built without it");
    }
    return {};
}

Result<void> check_values(const rocksdb::Options& own, const rocksdb::Options& set) {
    if (set.compaction_style != rocksdb::kCompactionStyleUniversal &&
        set.compaction_style != rocksdb::kCompactionStyleLevel)
        return refusal("compaction_style",
                       "kCompactionStyleUniversal and kCompactionStyleLevel keep what is put");
    const auto* mine = own.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    const auto* table = set.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    if (mine == nullptr || table == nullptr) return refusal("block_based_table_factory", kRows);
    if (table->no_block_cache || table->block_cache != mine->block_cache)
        return refusal("block_cache", "its memory is leat.state.memory.max.bytes");
    if (table->checksum == rocksdb::kNoChecksum) return refusal("checksum", kChecks);
    if (const auto status = set.table_factory->ValidateOptions(set, set); !status.ok())
        return refusal(status);
    return check_compressions(set);
}

}  // namespace

Result<rocksdb::Options> database_options(const TaskState::Options& from) {
    rocksdb::Options own = own_options(from);
    if (from.rocksdb_options.empty()) return own;
    LEAT_TRY_VOID(check_names(from.rocksdb_options));
    rocksdb::ConfigOptions how;
    how.ignore_unsupported_options = false;
    rocksdb::Options out;
    const auto status = rocksdb::GetOptionsFromString(how, own, from.rocksdb_options, &out);
    if (!status.ok()) return refusal(status);
    LEAT_TRY_VOID(check_rows(own, out));
    LEAT_TRY_VOID(check_conflicts(out));
    LEAT_TRY_VOID(check_values(own, out));
    // No text has it: it is the budget of all tasks.
    out.write_buffer_manager = own.write_buffer_manager;
    return out;
}

Result<void> check_rocksdb_options(const std::string& text) {
    if (text.empty()) return {};
    LEAT_TRY(const rocksdb::Options options,
             database_options(
                 {.memory = std::make_shared<StateMemory>(kLookBytes), .rocksdb_options = text}));
    static_cast<void>(options);
    return {};
}

}  // namespace leat::streams::detail
