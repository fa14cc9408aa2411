// SPDX-License-Identifier: Apache-2.0
#include "streams/state/state_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>

#include "streams/state/database.h"

namespace leat::streams::detail {

namespace {

/// Rows beside the databases may take half of the memory: what they take comes to the write buffers
/// later, or never.
constexpr std::size_t kRowsShare = 2;

}  // namespace

StateMemory::StateMemory(std::size_t budget_bytes)
    : budget_bytes_(budget_bytes), parts_(std::make_unique<Parts>()) {
    parts_->cache = rocksdb::NewLRUCache(budget_bytes);
    // Write buffers take from the cache's budget; at half of it the largest is written to a file.
    parts_->buffers =
        std::make_shared<rocksdb::WriteBufferManager>(budget_bytes / 2, parts_->cache);
}

StateMemory::~StateMemory() = default;

std::size_t StateMemory::used_bytes() const {
    return parts_->cache->GetUsage() + rows_bytes_;
}

std::size_t StateMemory::row_share() const noexcept {
    return budget_bytes_ / kRowsShare / std::max<std::size_t>(row_holders_, 1);
}

bool StateMemory::take(std::size_t held, std::size_t bytes) {
    if (held + bytes > row_share()) return false;
    rows_bytes_ += bytes;
    resize_cache();
    return true;
}

void StateMemory::give_back(std::size_t bytes) noexcept {
    if (bytes == 0) return;
    rows_bytes_ -= bytes;
    resize_cache();
}

void StateMemory::resize_cache() {
    parts_->cache->SetCapacity(budget_bytes_ - std::min<std::size_t>(rows_bytes_, budget_bytes_));
}

}  // namespace leat::streams::detail
