// SPDX-License-Identifier: Apache-2.0
#include "storage/file_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::storage {
namespace {

// Held files that one call passes over while it looks for one to close. With very many held the
// search must stay short; the next call goes on with others, because these have moved to the front.
constexpr int kPassedMax = 32;

constexpr std::int64_t kLimitWithoutBound = 1'000'000;

}  // namespace

std::size_t open_files_max(std::int32_t setting, std::int64_t process_limit) noexcept {
    if (setting > 0) return static_cast<std::size_t>(setting);
    const std::int64_t limit =
        process_limit <= 0 ? kLimitWithoutBound : std::min(process_limit, kLimitWithoutBound);
    return static_cast<std::size_t>(std::max<std::int64_t>(limit / 3, 16));
}

FileCache::~FileCache() {
    LEAT_CHECK(lru_.empty());
}

std::size_t FileCache::open_count() const {
    const std::lock_guard lock{mutex_};
    return lru_.size();
}

std::uint64_t FileCache::evictions() const {
    const std::lock_guard lock{mutex_};
    return evictions_;
}

std::shared_ptr<rt::File> FileCache::find(CachedFile& entry) {
    const std::lock_guard lock{mutex_};
    if (entry.file_ && entry.at_ != lru_.begin()) lru_.splice(lru_.begin(), lru_, entry.at_);
    return entry.file_;
}

std::shared_ptr<rt::File> FileCache::insert(CachedFile& entry, std::shared_ptr<rt::File> file) {
    std::list<std::shared_ptr<rt::File>> closing;  // Closed after the lock.
    const std::lock_guard lock{mutex_};
    LEAT_CHECK(!entry.file_);
    entry.file_ = file;
    entry.at_ = lru_.insert(lru_.begin(), &entry);
    closing = make_room();
    return file;
}

std::shared_ptr<rt::File> FileCache::take(CachedFile& entry) {
    const std::lock_guard lock{mutex_};
    if (entry.file_) lru_.erase(entry.at_);
    return std::exchange(entry.file_, nullptr);
}

std::list<std::shared_ptr<rt::File>> FileCache::make_room() {
    std::list<std::shared_ptr<rt::File>> closing;
    for (int passed = 0; lru_.size() > open_max_ && passed < kPassedMax;) {
        CachedFile& oldest = *lru_.back();
        // Nobody but the cache holds it, and only the cache can hand out more.
        if (oldest.file_.use_count() == 1) {
            closing.push_back(std::move(oldest.file_));
            oldest.file_ = nullptr;
            lru_.pop_back();
            ++evictions_;
        } else {
            lru_.splice(lru_.begin(), lru_, oldest.at_);
            ++passed;
        }
    }
    return closing;
}

Result<std::shared_ptr<rt::File>> CachedFile::open(rt::OpenMode mode) {
    if (auto file = cache_.find(*this)) return file;
    LEAT_TRY(auto file, cache_.disk().open(path_, mode));
    return cache_.insert(*this, std::move(file));
}

void CachedFile::close() {
    const auto closing = cache_.take(*this);
}

}  // namespace leat::storage
