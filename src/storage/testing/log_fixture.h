// SPDX-License-Identifier: Apache-2.0
//
// Batches and logs for tests. Layer: test-only.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "rt/posix_disk.h"
#include "storage/file_cache.h"
#include "storage/log.h"
#include "wire/batch_builder.h"
#include "wire/record_reader.h"

namespace leat::storage::testing {

inline Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

struct TestRecord {
    std::int64_t timestamp = 1000;
    std::string key = "k";
    std::string value = "v";
    bool is_tombstone = false;
};

struct TestBatch {
    std::int64_t base = 0;
    std::int32_t epoch = 0;
    std::vector<TestRecord> records = {{}};
    codec::Codec codec = codec::Codec::kNone;
    std::int64_t producer_id = -1;
    bool transactional = false;

    [[nodiscard]] std::vector<std::byte> build() const {
        wire::BatchOptions options;
        options.base_offset = {base};
        options.leader_epoch = epoch;
        options.codec = codec;
        options.producer_id = producer_id;
        options.producer_epoch = static_cast<std::int16_t>(producer_id < 0 ? -1 : 0);
        options.base_sequence = producer_id < 0 ? -1 : static_cast<std::int32_t>(base);
        options.transactional = transactional;
        wire::BatchBuilder builder{options};
        for (const TestRecord& record : records) {
            builder.add({.timestamp = {record.timestamp},
                         .key = bytes_of(record.key),
                         .value = record.is_tombstone ? std::optional<Bytes>{}
                                                      : std::optional{bytes_of(record.value)},
                         .headers = {}});
        }
        auto batch = builder.finish();
        LEAT_CHECK(batch.has_value());
        return *std::move(batch);
    }
};

/// A folder that is gone after the test.
class TempFolder {
  public:
    TempFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "leat-test-XXXXXX").string();
        LEAT_CHECK(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Threading: not synchronised.
class LogFixture {
  public:
    explicit LogFixture(rt::Disk& disk, std::string folder, std::size_t open_max = 1000)
        : disk_(disk), files_(disk, open_max) {
        options.directory = std::move(folder);
        options.config = std::make_shared<config::TopicConfig>(config);
    }

    Result<void> open(Offset replay_from = {INT64_MAX}, const ReplayBatch& replay = {}) {
        log.reset();
        options.config = std::make_shared<config::TopicConfig>(config);
        LEAT_TRY(log, Log::open(disk_, files_, options, replay_from, replay));
        return {};
    }
    /// Appends at the end of the log, `records` of `value_bytes` each.
    Result<Placed> append(TestBatch batch) {
        batch.base = log->log_end().value;
        const auto bytes = batch.build();
        const auto header = wire::parse_batch_header(bytes);
        LEAT_CHECK(header.has_value());
        return log->append(*header, bytes, options.now);
    }
    Result<Placed> append(std::size_t value_bytes = 10, std::int64_t timestamp = 1000) {
        return append(TestBatch{
            .records = {{.timestamp = timestamp, .value = std::string(value_bytes, 'x')}}});
    }
    /// Makes everything durable; what the flusher does.
    Result<Offset> sync() {
        Log::Unsynced unsynced = log->take_unsynced();
        for (const auto& file : unsynced.files) LEAT_TRY_VOID(file->sync());
        if (unsynced.names) LEAT_TRY_VOID(disk_.sync_directory(options.directory));
        return unsynced.end;
    }
    /// Base offsets of the batches that reads give from `from` on.
    Result<std::vector<std::int64_t>> read_all(Offset from, std::size_t bytes_max = 1 << 20) {
        std::vector<std::int64_t> bases;
        while (from < log->log_end()) {
            LEAT_TRY(const auto slices, log->read(from, log->log_end(), bytes_max, true));
            if (slices.empty()) return bases;
            for (const ReadSlice& slice : slices) LEAT_TRY_VOID(note_batches(slice, bases, from));
        }
        return bases;
    }
    [[nodiscard]] FileCache& files() { return files_; }

    config::TopicConfig config;
    LogOptions options;
    std::unique_ptr<Log> log;

  private:
    static Result<void> note_batches(const ReadSlice& slice, std::vector<std::int64_t>& bases,
                                     Offset& next) {
        std::vector<std::byte> raw(slice.size_bytes);
        LEAT_TRY(const std::size_t got, slice.file->read_at(slice.at, raw));
        LEAT_CHECK(got == raw.size());
        wire::BatchCursor cursor{raw};
        for (;;) {
            LEAT_TRY(const auto batch, cursor.next());
            if (!batch) break;
            LEAT_TRY_VOID(wire::check_crc(batch->bytes));
            bases.push_back(batch->header.base_offset.value);
            next = {batch->header.last_offset().value + 1};
        }
        LEAT_CHECK(cursor.left_bytes() == 0);
        return {};
    }

    rt::Disk& disk_;
    FileCache files_;

  public:
    LogFixture(const LogFixture&) = delete;
    LogFixture& operator=(const LogFixture&) = delete;
    ~LogFixture() { log.reset(); }
};

}  // namespace leat::storage::testing
