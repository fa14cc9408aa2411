// SPDX-License-Identifier: Apache-2.0
//
// What clients of the simulated storage know: what they sent, what was acknowledged, what they have
// read. Judges what comes back. Layer: test-only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/types.h"
#include "wire/record_batch.h"

namespace leat::sim {

/// Names one record for ever: its producer and its number there.
using Token = std::uint64_t;
inline constexpr int kTokenShift = 32;
/// Records of this producer are damaged on the way: none may ever be seen.
inline constexpr std::uint64_t kEvilProducer = 0xFFFF;
/// Names the records that end transactions, which are in no order.
inline constexpr std::uint64_t kMarkerProducer = 0xFFFE;

[[nodiscard]] constexpr Token token(std::uint64_t producer, std::uint64_t number) {
    return (producer << kTokenShift) | number;
}

/// A batch of records with tokens one after the other.
struct BatchPlan {
    std::uint64_t producer = 0;
    std::uint32_t first = 0;
    std::int32_t count = 1;
    std::int32_t value_bytes = 16;
    std::int64_t producer_id = wire::kNoProducerId;
    std::int16_t epoch = wire::kNoProducerEpoch;
    WallMs now;
    bool transactional = false;
    std::int32_t sequence = -1;  ///< -1: that of the tokens.
};
[[nodiscard]] std::vector<std::byte> make_batch(const BatchPlan& plan);

/// One partition as its clients know it.
///
/// Rules: an acknowledged record is there, where it was said to be, until it is deleted; a record
/// that was read once stays; records of one producer are in its order, those of an idempotent one
/// without gaps and once; high watermark and log start do not go back. What is not durable by
/// contract (`is_durable` false) may lose its tail when the power goes, but must keep the rest.
class PartitionModel {
  public:
    PartitionModel(std::string name, bool is_durable)
        : name_(std::move(name)), is_durable_(is_durable) {}

    // What happens. Each gives "" or what is wrong.
    [[nodiscard]] std::string acked(const BatchPlan& batch, Offset base);
    /// Whole batches as one read gave them, from offset `from` on.
    [[nodiscard]] std::string read(Offset from, Bytes batches, Offset& next);
    [[nodiscard]] std::string watermarks(Offset log_start, Offset high_watermark);
    /// As read(), by one who wants records of committed transactions only.
    [[nodiscard]] std::string read_committed(Offset from, const storage::ReadResult& result,
                                             Bytes batches, Offset& next);
    /// The batch's records are in a transaction from now on; how that one was decided.
    void began(const BatchPlan& batch);
    void decided(Token first, Token end, bool committed);
    /// All of committed transactions has been read below `last_stable`.
    [[nodiscard]] std::string complete_committed(Offset log_start, Offset last_stable) const;
    void deleting(Offset before) { may_start_ = std::max(may_start_, before); }
    /// The process is gone: what was not durable may be.
    void restarted();
    /// Everything that is there has been read, from the start to the high watermark.
    [[nodiscard]] std::string complete(Offset log_start, Offset high_watermark) const;

    void add_idempotent(std::uint64_t producer) { idempotent_.insert(producer); }
    [[nodiscard]] bool is_durable() const { return is_durable_; }
    [[nodiscard]] std::size_t acked_count() const { return acked_.size(); }

  private:
    [[nodiscard]] std::string wrong(const std::string& what) const { return name_ + ": " + what; }
    [[nodiscard]] std::string see(std::int64_t offset, Token token);

    enum class Fate : std::uint8_t { kOpen, kCommitted, kAborted };
    [[nodiscard]] std::string judge(std::int64_t offset, Token token, bool is_hidden);

    std::string name_;
    bool is_durable_;
    std::map<Token, Fate> fates_;            ///< Of records in transactions.
    std::map<std::int64_t, Token> visible_;  ///< To those who want committed records.
    std::map<std::int64_t, Token> acked_;
    std::map<std::int64_t, Token> seen_;
    std::set<std::uint64_t> idempotent_;
    Offset high_watermark_{0};
    Offset log_start_{0};
    Offset may_start_{0};  ///< The highest that was asked for.
};

}  // namespace leat::sim
