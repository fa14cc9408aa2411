// SPDX-License-Identifier: Apache-2.0
//
// Method: what RocksDB makes of a text, against what a database is opened with without one.
#include "streams/state/rocksdb_options.h"

#include <gmock/gmock.h>
#include <rocksdb/table.h>

#include <memory>
#include <string>

#include "streams/state/database.h"

namespace leat::streams::detail {
namespace {

using std::string;
using testing::HasSubstr;

constexpr std::size_t kBudget = std::size_t{8} << 20U;

const rocksdb::BlockBasedTableOptions& table_of(const rocksdb::Options& options) {
    const auto* out = options.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    EXPECT_NE(out, nullptr);
    return *out;
}

TEST(RocksDbOptions, ChangeWhatTheyNameAndNothingElse) {
    const auto memory = std::make_shared<StateMemory>(kBudget);
    const auto ours = database_options({.memory = memory});
    const auto theirs = database_options(
        {.memory = memory,
         .rocksdb_options = "write_buffer_size=1048576; compression=kZSTD; max_background_jobs=5; "
                            "block_based_table_factory={block_size=16384}"});
    ASSERT_TRUE(ours);
    ASSERT_TRUE(theirs) << theirs.error().detail();
    EXPECT_EQ(theirs->write_buffer_size, 1'048'576U);
    EXPECT_EQ(theirs->compression, rocksdb::kZSTD);
    EXPECT_EQ(theirs->max_background_jobs, 5);
    EXPECT_EQ(table_of(*theirs).block_size, 16'384U);
    EXPECT_NE(ours->write_buffer_size, theirs->write_buffer_size);
    EXPECT_EQ(theirs->max_write_buffer_number, ours->max_write_buffer_number);
    EXPECT_EQ(theirs->compaction_style, ours->compaction_style);
    EXPECT_EQ(theirs->max_open_files, ours->max_open_files);
    EXPECT_EQ(theirs->memtable_whole_key_filtering, ours->memtable_whole_key_filtering);
    EXPECT_TRUE(theirs->create_if_missing);
    // The memory of all tasks stays one.
    EXPECT_EQ(theirs->write_buffer_manager, memory->parts().buffers);
    EXPECT_EQ(table_of(*theirs).block_cache, memory->parts().cache);
    EXPECT_NE(table_of(*theirs).filter_policy, nullptr);
    EXPECT_TRUE(table_of(*theirs).cache_index_and_filter_blocks);
}

TEST(RocksDbOptions, WhatTheStateRestsOnIsRefused) {
    for (const char* text :
         {"wal_dir=/elsewhere", "manual_wal_flush=true", "wal_recovery_mode=kPointInTimeRecovery",
          "create_if_missing=false", "error_if_exists=true", "paranoid_checks=false",
          "unordered_write=true", "prefix_extractor=fixed:4", "merge_operator=put",
          "comparator=leveldb.BytewiseComparator", "inplace_update_support=true",
          "avoid_flush_during_shutdown=true", "num_levels=10",
          "compaction_style=kCompactionStyleFIFO", "table_factory=PlainTable"}) {
        const string name{text, string{text}.find('=')};
        const auto refused = check_rocksdb_options(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code(), Errc::kInvalidSetting) << text;
        EXPECT_THAT(string{refused.error().detail()}, HasSubstr(name));
    }
}

TEST(RocksDbOptions, WhatTheStateRestsOnIsRefusedByPartsToo) {
    for (const char* text :
         {"comparator.id=rocksdb.ReverseBytewiseComparator", "merge_operator.id=put",
          "compaction_filter.id=RemoveEmptyValueCompactionFilter", "memtable_factory.id=vector",
          "memtable_factory.lookahead=4", "prefix_extractor.id=fixed:4",
          "table_factory.id=PlainTable", "compaction_options_fifo.max_table_files_size=1"}) {
        const string name{text, string{text}.find('=')};
        const auto refused = check_rocksdb_options(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code(), Errc::kInvalidSetting) << text;
        EXPECT_THAT(string{refused.error().detail()}, HasSubstr(name + " cannot be set so"));
    }
    EXPECT_TRUE(check_rocksdb_options("compaction_options_universal.size_ratio=2"));
}

TEST(RocksDbOptions, WithWhichNoDatabaseOpensAreRefusedAtOnce) {
    for (const char* text :
         {"keep_log_file_num=0", "allow_mmap_reads=true;use_direct_reads=true",
          "allow_mmap_writes=true;use_direct_io_for_flush_and_compaction=true",
          "atomic_flush=true;enable_pipelined_write=true",
          "writable_file_max_buffer_size=0;use_direct_io_for_flush_and_compaction=true",
          "blob_garbage_collection_age_cutoff=2;enable_blob_garbage_collection=true",
          "blob_garbage_collection_force_threshold=-1;enable_blob_garbage_collection=true",
          "compression_opts={zstd_max_train_bytes=1024}"}) {
        const string name{text, string{text}.find('=')};
        const auto refused = check_rocksdb_options(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code(), Errc::kInvalidSetting) << text;
        EXPECT_THAT(string{refused.error().detail()}, HasSubstr(name + " cannot be set so"));
    }
    for (const char* text : {"keep_log_file_num=1", "allow_mmap_reads=true", "atomic_flush=true",
                             "enable_pipelined_write=true"})
        EXPECT_TRUE(check_rocksdb_options(text)) << text;
}

TEST(RocksDbOptions, MemoryAndChecksumsOfBlocksAreRefused) {
    const auto cache = check_rocksdb_options("block_based_table_factory={block_cache=8388608}");
    ASSERT_FALSE(cache);
    EXPECT_THAT(string{cache.error().detail()}, HasSubstr("leat.state.memory.max.bytes"));
    EXPECT_FALSE(check_rocksdb_options("block_based_table_factory={no_block_cache=true}"));
    EXPECT_FALSE(check_rocksdb_options("block_based_table_factory={checksum=kNoChecksum}"));
    EXPECT_TRUE(check_rocksdb_options("block_based_table_factory={checksum=kCRC32c}"));
}

TEST(RocksDbOptions, WhatRocksDbDoesNotTakeIsSaidInItsWords) {
    const auto unknown = check_rocksdb_options("no_such_option=1");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), Errc::kInvalidSetting);
    EXPECT_THAT(string{unknown.error().detail()}, HasSubstr("no_such_option"));
    const auto wrong = check_rocksdb_options("write_buffer_size=large");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(string{wrong.error().detail()}, HasSubstr("write_buffer_size"));
    EXPECT_FALSE(check_rocksdb_options("write_buffer_size"));
    EXPECT_FALSE(check_rocksdb_options("compression=kBest"));
    EXPECT_TRUE(check_rocksdb_options(""));
}

}  // namespace
}  // namespace leat::streams::detail
