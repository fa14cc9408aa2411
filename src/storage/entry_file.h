// SPDX-License-Identifier: Apache-2.0
//
// A file of entries of one size in ascending order: what a segment's indexes are made of. The
// newest entries are kept in memory until there are enough for a write. Layer: storage (L3).
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "storage/file_cache.h"

namespace leat::storage {

/// `Entry` has kBytes, `static Entry get(const std::byte*)` and `void put(std::byte*) const`.
///
/// Threading: not synchronised.
/// Memory:    the entries that are not written; nothing for those that are.
template <class Entry>
class EntryFile {
  public:
    /// `exists`: false saves the look at the disk for a file that is not there.
    EntryFile(FileCache& files, std::string path, bool exists)
        : file_(files, std::move(path)), exists_(exists), loaded_(!exists) {}

    /// Whole entries, in the file and in memory. Errors: kIoError.
    Result<std::size_t> count() {
        LEAT_TRY_VOID(load());
        return stored_ + unwritten_.size();
    }

    /// Precondition: `index` is below count(). Errors: kIoError; kCorruptIndex (the file has
    /// become shorter).
    Result<Entry> at(std::size_t index) {
        LEAT_TRY_VOID(load());
        if (index >= stored_) {
            LEAT_CHECK(index - stored_ < unwritten_.size());
            return unwritten_[index - stored_];
        }
        std::byte raw[Entry::kBytes];
        LEAT_TRY_VOID(read(index, raw));
        return Entry::get(raw);
    }

    /// Index of the first entry that is not `below`, count() when there is none. Precondition: the
    /// entries that are come first. About log2(count / 256) small reads. Errors: as at().
    template <class Below>
    Result<std::size_t> partition_point(Below below) {
        LEAT_TRY_VOID(load());
        if (!unwritten_.empty() && (stored_ == 0 || below(unwritten_.front()))) {
            const auto found = std::ranges::partition_point(unwritten_, below);
            return stored_ + static_cast<std::size_t>(found - unwritten_.begin());
        }
        std::size_t low = 0;
        std::size_t high = stored_;
        while (high - low > kBlockEntries) {
            const std::size_t middle = low + (high - low) / 2;
            LEAT_TRY(const Entry entry, at(middle));
            (below(entry) ? low : high) = middle;
        }
        std::vector<std::byte> block((high - low) * Entry::kBytes);
        if (!block.empty()) LEAT_TRY_VOID(read(low, block));
        for (std::size_t i = 0; low + i < high; ++i)
            if (!below(Entry::get(block.data() + i * Entry::kBytes))) return low + i;
        return high;
    }

    /// Errors: kIoError.
    Result<void> push(const Entry& entry) {
        LEAT_TRY_VOID(load());
        unwritten_.push_back(entry);
        return {};
    }
    [[nodiscard]] std::size_t unwritten() const noexcept { return unwritten_.size(); }

    /// Writes what is only in memory; the file to sync, null when there was nothing. On an error
    /// the entries stay in memory. Errors: kNoSpace, kIoError.
    Result<std::shared_ptr<rt::File>> write_out() {
        if (unwritten_.empty()) return std::shared_ptr<rt::File>{};
        LEAT_TRY_VOID(load());
        std::vector<std::byte> raw(unwritten_.size() * Entry::kBytes);
        for (std::size_t i = 0; i < unwritten_.size(); ++i)
            unwritten_[i].put(raw.data() + i * Entry::kBytes);
        LEAT_TRY(auto file, file_.open(rt::OpenMode::kCreate));
        exists_ = true;
        const Bytes part{raw};
        LEAT_TRY_VOID(file->write_at(position(stored_), {&part, 1}));
        stored_ += unwritten_.size();
        unwritten_ = {};
        return file;
    }

    /// Writes the entries from `first` on that are in the file once more. The file to sync, null
    /// when there are none. Errors: kIoError, kNoSpace.
    Result<std::shared_ptr<rt::File>> rewrite(std::size_t first) {
        LEAT_TRY_VOID(load());
        if (first >= stored_) return std::shared_ptr<rt::File>{};
        std::vector<std::byte> raw((stored_ - first) * Entry::kBytes);
        LEAT_TRY_VOID(read(first, raw));
        LEAT_TRY(auto file, file_.open());
        const Bytes part{raw};
        LEAT_TRY_VOID(file->write_at(position(first), {&part, 1}));
        return file;
    }

    /// Makes the file, empty, when it is not there. Errors: kNoSpace, kIoError.
    Result<void> make_file() {
        if (exists_) return {};
        LEAT_TRY(const auto file, file_.open(rt::OpenMode::kCreate));
        exists_ = true;
        return {};
    }

    /// Drops the entries from `count` on, also from the file, and what is behind the last whole
    /// entry there. The caller syncs. Errors: kIoError.
    Result<std::shared_ptr<rt::File>> truncate(std::size_t count) {
        LEAT_TRY_VOID(load());
        if (count >= stored_) {
            unwritten_.resize(std::min(unwritten_.size(), count - stored_));
            if (!torn_) return std::shared_ptr<rt::File>{};
        } else {
            unwritten_.clear();
            stored_ = count;
        }
        LEAT_TRY(auto file, file_.open());
        LEAT_TRY_VOID(file->truncate(position(stored_)));
        torn_ = false;
        return file;
    }

    /// Removes the file and forgets all entries. Errors: kIoError.
    Result<void> remove() {
        file_.close();
        auto removed = file_.cache().disk().remove_file(file_.path());
        if (!removed && removed.error().code() != Errc::kNotFound) return removed;
        reload(false);
        return {};
    }

    /// Somebody else has put another file there, or removed it.
    void reload(bool exists) {
        file_.close();
        exists_ = exists;
        torn_ = false;
        loaded_ = !exists;
        stored_ = 0;
        unwritten_ = {};
    }

    /// All bytes of the file, for a check. Errors: kIoError.
    Result<std::vector<std::byte>> raw() {
        LEAT_TRY_VOID(load());
        std::vector<std::byte> bytes(stored_ * Entry::kBytes);
        if (!bytes.empty()) LEAT_TRY_VOID(read(0, bytes));
        return bytes;
    }

    /// The file ends inside of an entry. Precondition: count() was asked for.
    [[nodiscard]] bool is_torn() const noexcept { return torn_; }
    [[nodiscard]] bool exists() const noexcept { return exists_; }
    [[nodiscard]] CachedFile& file() noexcept { return file_; }

  private:
    static constexpr std::size_t kBlockEntries = 256;

    static FilePos position(std::size_t index) {
        return {static_cast<std::int64_t>(index * Entry::kBytes)};
    }

    Result<void> load() {
        if (loaded_) return {};
        LEAT_TRY(const auto file, file_.open());
        LEAT_TRY(const std::int64_t size, file->size());
        stored_ = static_cast<std::size_t>(size) / Entry::kBytes;
        torn_ = static_cast<std::size_t>(size) % Entry::kBytes != 0;
        loaded_ = true;
        return {};
    }

    Result<void> read(std::size_t index, MutableBytes to) {
        LEAT_TRY(const auto file, file_.open());
        LEAT_TRY(const std::size_t got, file->read_at(position(index), to));
        if (got != to.size()) return Error{Errc::kCorruptIndex, file_.path() + " is too short"};
        return {};
    }

    CachedFile file_;
    bool exists_;
    bool loaded_;
    bool torn_ = false;
    std::size_t stored_ = 0;  ///< Entries in the file.
    std::vector<Entry> unwritten_;
};

}  // namespace leat::storage
