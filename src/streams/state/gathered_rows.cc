// SPDX-License-Identifier: Apache-2.0
#include "streams/state/gathered_rows.h"

#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "streams/state/database.h"
#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10U;
/// A larger file would be no better, and sorting it would take longer.
constexpr std::size_t kFileBytesMax = std::size_t{64} << 20U;
/// Below it a file costs more than a batch: it is synced, and read when keys are looked for.
constexpr std::size_t kFileBytesMin = std::size_t{1} << 20U;
/// What a store that gathers needs of the memory: two halves, and others that come later.
constexpr std::size_t kShareBytesMin = 4 * kFileBytesMin;
/// In place of a value's size.
constexpr std::uint32_t kDeleted = 0xFFFF'FFFFU;

/// In front of a row's key and value.
struct Head {
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
};

}  // namespace

/// Most comparisons are over after the first bytes in which keys of a store differ.
struct GatheredRows::Row {
    std::uint64_t begin = 0;  ///< The first of them.
    const char* key = nullptr;
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    std::uint32_t number = 0;

    [[nodiscard]] std::string_view key_view() const { return {key, key_size}; }
    [[nodiscard]] bool deletes() const { return value_size == kDeleted; }
    [[nodiscard]] rocksdb::Slice value() const { return {key + key_size, value_size}; }
};

GatheredRows::GatheredRows(std::shared_ptr<StateMemory> memory) : memory_(std::move(memory)) {
    memory_->join();
}

GatheredRows::~GatheredRows() {
    memory_->give_back(taken_);
    memory_->leave();
}

void GatheredRows::clear() noexcept {
    blocks_.clear();
    count_ = held_ = 0;
    next_offset = -1;
    is_full_ = false;
    dropped_.clear();
}

bool GatheredRows::are_few() const noexcept {
    return held_ < kFileBytesMin;
}

char* GatheredRows::room_for(std::size_t bytes) {
    if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes) {
        const std::size_t size = std::max(bytes, kBlockBytes);
        // tidy: bytes that are all written before they are read
        blocks_.push_back({.bytes = std::make_unique_for_overwrite<char[]>(size), .size = size});
        held_ += size;
    }
    Block& block = blocks_.back();
    return block.bytes.get() + std::exchange(block.used, block.used + bytes);
}

/// Each row has a place in what is sorted too.
void GatheredRows::charge() {
    const std::size_t all = held_ + count_ * sizeof(Row);
    if (all >= kFileBytesMax) is_full_ = true;
    if (all <= taken_ || is_full_) return;
    if (memory_->take(taken_, kBlockBytes))
        taken_ += kBlockBytes;
    else
        is_full_ = true;
}

void GatheredRows::add(std::string_view prefix, std::string_view row,
                       std::optional<std::string_view> value) {
    const std::size_t key_size = prefix.size() + row.size();
    const Head head{.key_size = static_cast<std::uint32_t>(key_size),
                    .value_size = value ? static_cast<std::uint32_t>(value->size()) : kDeleted};
    char* at = room_for(sizeof head + key_size + (value ? value->size() : 0));
    std::memcpy(at, &head, sizeof head);
    at += sizeof head;
    // Not memcpy(): what is empty may have no address.
    at = std::ranges::copy(prefix, at).out;
    at = std::ranges::copy(row, at).out;
    if (value) std::ranges::copy(*value, at);
    ++count_;
    charge();
}

std::vector<GatheredRows::Row> GatheredRows::sorted() const {
    std::vector<Row> out;
    out.reserve(count_);
    std::size_t same = std::string_view::npos;  // Bytes that all keys begin with.
    for (const Block& block : blocks_) {
        for (std::size_t at = 0; at < block.used;) {
            Head head;
            std::memcpy(&head, block.bytes.get() + at, sizeof head);
            at += sizeof head;
            const char* key = block.bytes.get() + at;
            out.push_back({.key = key,
                           .key_size = head.key_size,
                           .value_size = head.value_size,
                           .number = static_cast<std::uint32_t>(out.size())});
            at += head.key_size + (head.value_size == kDeleted ? 0 : head.value_size);
            const std::string_view first = out.front().key_view();
            same = std::min<std::size_t>({same, head.key_size, first.size()});
            if (std::memcmp(first.data(), key, same) == 0) continue;
            same = static_cast<std::size_t>(
                std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(same), key)
                    .first -
                first.begin());
        }
    }
    for (Row& row : out) {
        std::array<char, sizeof row.begin> begin{};
        std::memcpy(begin.data(), row.key + same, std::min(row.key_size - same, begin.size()));
        row.begin = read_be<std::uint64_t>({begin.data(), begin.size()});
    }
    std::ranges::sort(out, [](const Row& a, const Row& b) {
        if (a.begin != b.begin) return a.begin < b.begin;
        const int order = a.key_view().compare(b.key_view());
        return order != 0 ? order < 0 : a.number < b.number;
    });
    // The last of those that are the same: seen from behind, the first.
    const auto rest = std::unique(out.rbegin(), out.rend(), [](const Row& a, const Row& b) {
        return a.begin == b.begin && a.key_view() == b.key_view();
    });
    out.erase(out.begin(), rest.base());
    return out;
}

rocksdb::Status GatheredRows::write_file(const rocksdb::Options& options,
                                         const std::string& path) const {
    // A name that is left may be a link to a table of the database, which must not be written.
    auto gone = rocksdb::Env::Default()->DeleteFile(path);
    if (!gone.ok() && !gone.IsNotFound() && !gone.IsPathNotFound()) return gone;
    // What is written stays in the page cache: it is merged and read soon.
    rocksdb::SstFileWriter writer{rocksdb::EnvOptions{options}, options, nullptr, false};
    auto status = writer.Open(path);
    for (const Row& row : sorted()) {
        if (!status.ok()) return status;
        const rocksdb::Slice key = slice(row.key_view());
        status = row.deletes() ? writer.Delete(key) : writer.Put(key, row.value());
    }
    return status.ok() ? writer.Finish() : status;
}

rocksdb::Status GatheredRows::append_rows(rocksdb::WriteBatch& batch) const {
    rocksdb::Status status;
    for (const Row& row : sorted()) {
        if (!status.ok()) return status;
        const rocksdb::Slice key = slice(row.key_view());
        status = row.deletes() ? batch.Delete(key) : batch.Put(key, row.value());
    }
    return status;
}

rocksdb::Status GatheredRows::append_drops(rocksdb::WriteBatch& batch) const {
    rocksdb::Status status;
    for (const auto& [from, to] : dropped_)
        if (status.ok()) status = batch.DeleteRange(from, to);
    return status;
}

bool Gathering::is_cramped(const StateMemory& memory) {
    return memory.row_share() < kShareBytesMin;
}

Gathering::Gathering(const std::shared_ptr<StateMemory>& memory, std::string path)
    : coming_(std::make_unique<GatheredRows>(memory)),
      behind_(std::make_unique<GatheredRows>(memory)),
      path_(std::move(path)) {}

Gathering::~Gathering() {
    writer_ = {};
    if (has_begun_) static_cast<void>(rocksdb::Env::Default()->DeleteFile(path_));
}

void Gathering::begin_file(const rocksdb::Options& options) {
    std::swap(coming_, behind_);
    options_ = options;
    has_begun_ = true;
    writer_ = rt::NamedThread{"restored-file",
                              [this] { written_ = behind_->write_file(options_, path_); }};
}

rocksdb::Status Gathering::finish_file() {
    writer_ = {};
    // Perhaps there is room again.
    if (!written_.ok()) written_ = behind_->write_file(options_, path_);
    return written_;
}

void Gathering::forget_file() noexcept {
    behind_->clear();
    has_begun_ = is_taken_in_ = false;
}

}  // namespace leat::streams::detail
