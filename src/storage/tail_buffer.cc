// SPDX-License-Identifier: Apache-2.0
#include "storage/tail_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace leat::storage {

void TailBuffer::keep(std::size_t bytes_max) {
    bytes_max_ = bytes_max;
}

void TailBuffer::clear() {
    bytes_max_ = 0;
    batches_.clear();
    chunks_bytes_ = 0;
}

void TailBuffer::drop_first() {
    const bool last_of_chunk = batches_.size() == 1 || batches_[1].chunk != batches_[0].chunk;
    if (last_of_chunk) chunks_bytes_ -= batches_[0].chunk->capacity;
    batches_.pop_front();
}

/// Leaves a last batch whose chunk has `size` bytes free, or no batch at all.
void TailBuffer::make_room(std::size_t size) {
    const std::size_t chunk_bytes = std::max(bytes_max_ / 4, size);
    if (!batches_.empty()) {
        const Chunk& last = *batches_.back().chunk;
        if (last.capacity - last.used >= size) return;
    }
    while (!batches_.empty() && chunks_bytes_ + chunk_bytes > bytes_max_) drop_first();
}

void TailBuffer::push(Offset base, Offset last, Bytes batch) {
    if (bytes_max_ == 0) return;
    const bool has_gap = !batches_.empty() && base.value != batches_.back().last.value + 1;
    if (has_gap || batch.size() > bytes_max_) {
        batches_.clear();
        chunks_bytes_ = 0;
        if (batch.size() > bytes_max_) return;
    }
    make_room(batch.size());
    std::shared_ptr<Chunk> chunk;
    if (!batches_.empty()) {
        chunk = batches_.back().chunk;
        if (chunk->capacity - chunk->used < batch.size()) chunk.reset();
    }
    if (!chunk) {
        const std::size_t capacity = std::max(bytes_max_ / 4, batch.size());
        chunk = std::make_shared<Chunk>();
        chunk->bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
        chunk->capacity = capacity;
        chunks_bytes_ += capacity;
    }
    std::memcpy(chunk->bytes.get() + chunk->used, batch.data(), batch.size());
    const std::size_t at = std::exchange(chunk->used, chunk->used + batch.size());
    batches_.push_back({base, last, std::move(chunk), at, batch.size()});
}

bool TailBuffer::read(Offset from, Offset below, std::size_t bytes_max, bool at_least_one,
                      std::vector<ReadSlice>& out) const {
    if (batches_.empty() || from < batches_.front().base || from > batches_.back().last)
        return false;
    auto at = std::ranges::lower_bound(batches_, from, {}, &Batch::last);
    std::size_t taken = 0;
    for (; at != batches_.end() && at->last < below; ++at) {
        if (taken + at->size > bytes_max && !(taken == 0 && at_least_one)) break;
        taken += at->size;
        const Bytes bytes{at->chunk->bytes.get() + at->at, at->size};
        const bool goes_on = !out.empty() && out.back().memory == at->chunk &&
                             out.back().bytes.data() + out.back().bytes.size() == bytes.data();
        if (goes_on) {
            out.back().bytes = {out.back().bytes.data(), out.back().bytes.size() + at->size};
            out.back().size_bytes += at->size;
        } else {
            ReadSlice slice;
            slice.memory = at->chunk;
            slice.bytes = bytes;
            slice.size_bytes = at->size;
            out.push_back(std::move(slice));
        }
    }
    return true;
}

}  // namespace leat::storage
