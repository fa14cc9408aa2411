// SPDX-License-Identifier: Apache-2.0
#include "storage/batch_scan.h"

#include <algorithm>
#include <limits>
#include <string>

namespace leat::storage {
namespace {

// Headers of small batches are read many at a time, those of large ones alone: copying what lies
// between them would cost more than the calls.
constexpr std::size_t kSmallBatch = 4096;
constexpr std::size_t kHeadersAhead = std::size_t{16} * 1024;
constexpr std::size_t kWholeAhead = std::size_t{256} * 1024;

Error no_batch(std::string_view why, FilePos at) {
    return Error{Errc::kCorruptMessage, std::string{why} + " at byte " + std::to_string(at.value)};
}

}  // namespace

/// At least `size` bytes at range_.from, or as many as there are; reads `ahead` when it must read.
Result<Bytes> BatchScan::look(std::size_t size, std::size_t ahead) {
    const auto left = static_cast<std::size_t>(range_.end.value - range_.from.value);
    size = std::min(size, left);
    const std::int64_t skip = range_.from.value - buffer_at_.value;
    const bool is_here =
        skip >= 0 && static_cast<std::size_t>(skip) + size <= buffered_ && buffered_ > 0;
    if (!is_here) {
        const std::size_t want = std::min(std::max(size, ahead), left);
        if (buffer_.size() < want) buffer_.resize(want);
        LEAT_TRY(buffered_, file_->read_at(range_.from, MutableBytes{buffer_}.first(want)));
        buffer_at_ = range_.from;
        return Bytes{buffer_}.first(buffered_);
    }
    return Bytes{buffer_}.subspan(static_cast<std::size_t>(skip),
                                  buffered_ - static_cast<std::size_t>(skip));
}

Result<std::optional<FoundBatch>> BatchScan::next() {
    if (range_.from >= range_.end) return std::optional<FoundBatch>{};
    const std::size_t ahead = depth_ == Depth::kWhole    ? kWholeAhead
                              : last_size_ < kSmallBatch ? kHeadersAhead
                                                         : wire::kBatchHeaderBytes;
    LEAT_TRY(Bytes bytes, look(wire::kBatchHeaderBytes, ahead));
    const auto header = wire::parse_batch_header(bytes);
    if (!header) {
        if (header.error().code() == Errc::kTruncated)
            return no_batch("less than a batch header", range_.from);
        return no_batch(header.error().detail(), range_.from);
    }
    const std::size_t size = header->size_bytes();
    if (range_.from.value + static_cast<std::int64_t>(size) > range_.end.value)
        return no_batch("a batch that is not complete", range_.from);
    if (header->base_offset < range_.least)
        return no_batch("a batch with an offset below the one before it", range_.from);
    if (header->last_offset_delta < 0 || header->record_count < 0 ||
        header->base_offset.value >
            std::numeric_limits<std::int64_t>::max() - header->last_offset_delta - 1)
        return no_batch("a batch with impossible offsets", range_.from);

    FoundBatch found{.header = *header, .at = range_.from, .bytes = {}};
    if (depth_ == Depth::kWhole) {
        LEAT_TRY(bytes, look(size, kWholeAhead));
        if (bytes.size() < size) return no_batch("a batch that is not complete", range_.from);
        found.bytes = bytes.first(size);
    }
    range_.from = found.end();
    range_.least = {header->last_offset().value + 1};
    last_size_ = size;
    return std::optional{found};
}

}  // namespace leat::storage
