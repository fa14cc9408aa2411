// SPDX-License-Identifier: Apache-2.0
//
// A batch that records are encoded into while they are sent, and what becomes of it. Layer: client
// (L3). Internal to client.
// Spec:  wire/record_batch.h
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "client/leader_board.h"
#include "client/producer.h"
#include "client/producer_identity.h"
#include "codec/compression.h"
#include "codec/varint.h"
#include "wire/record_batch.h"

namespace leat::client {

/// So many records in a row with the same tag.
struct TagRun {
    std::uint64_t tag = 0;
    std::int32_t count = 0;
};

/// wire::BatchBuilder is for who knows all before the first record, and makes its memory anew: here
/// the producer's numbers come last, and the memory is used again.
///
/// Usage:     begin(), add() while fits(), pack() once, stamp() as often as the numbers change.
/// Threading: not synchronised.
class WriteBatch {
  public:
    void begin(Steady now);
    /// Of its key, value and headers.
    static std::size_t weight_of(const OutgoingRecord& record);
    /// What a record of that weight takes at most.
    static std::size_t bytes_max(std::size_t weight) noexcept {
        // Lengths, numbers and the attributes.
        return weight + 1 + codec::kVarlongBytesMax + 3 * codec::kVarintBytesMax;
    }
    /// The first one always does.
    [[nodiscard]] bool fits(std::size_t weight, std::size_t bytes_limit,
                            std::int32_t records_limit) const {
        return count_ == 0 || (size_ + bytes_max(weight) <= bytes_limit && count_ < records_limit);
    }
    /// Copies it. `weight`: weight_of() it.
    void add(const OutgoingRecord& record, std::int64_t timestamp_ms, std::size_t weight);

    /// Compresses it, if that makes it smaller.
    void pack(codec::Codec codec, int level);
    /// Writes the header, which is that of `identity` and `base_sequence`. Precondition: it is
    /// packed.
    void stamp(bool is_transactional);
    /// The two halves of its records, with its age. Precondition: more than one. Errors:
    /// kCorruptMessage, which only memory that does not keep its content explains.
    Result<std::pair<std::unique_ptr<WriteBatch>, std::unique_ptr<WriteBatch>>> split() const;

    [[nodiscard]] Bytes bytes() const noexcept { return {data_.get(), size_}; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_; }
    /// Of memory.
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::int32_t count() const noexcept { return count_; }
    /// Of all its records, before compression.
    [[nodiscard]] std::size_t weight() const noexcept { return weight_; }
    [[nodiscard]] bool is_packed() const noexcept { return is_packed_; }
    [[nodiscard]] Steady opened() const noexcept { return opened_; }
    [[nodiscard]] const std::vector<TagRun>& tags() const noexcept { return tags_; }
    [[nodiscard]] std::vector<TagRun> take_tags() noexcept { return std::move(tags_); }

    // Its board's; not before it is closed.
    std::int32_t base_sequence = wire::kNoSequence;
    ProducerIdentity identity;
    std::int64_t tries = 0;    ///< Requests that it was in.
    bool is_in_doubt = false;  ///< One of them was not answered.

  private:
    struct Fields;
    void add(const Fields& fields, std::uint64_t tag);
    void reserve(std::size_t bytes);

    std::unique_ptr<std::byte[]> data_;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
    std::size_t weight_ = 0;
    std::int32_t count_ = 0;
    bool is_packed_ = false;
    codec::Codec codec_ = codec::Codec::kNone;
    std::int64_t base_timestamp_ = -1;
    std::int64_t max_timestamp_ = -1;
    Steady opened_{};
    std::vector<TagRun> tags_;
};

}  // namespace leat::client
