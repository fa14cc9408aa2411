// SPDX-License-Identifier: Apache-2.0
//
// What one fetch brought of one partition, as far as its reader is to see it. Layer: client (L3).
// Internal to client.
// Spec:  KIP-98 (aborted transactions, control batches), KIP-74 (batches that are cut off).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "client/kept_bytes.h"
#include "wire/messages/fetch_response.h"
#include "wire/record_reader.h"

namespace leat::client {

/// Threading: as KeptBytes.
struct Fetched {
    KeptRef memory;                        ///< Of the batches.
    std::vector<wire::BatchView> batches;  ///< Those with records to give, in order.
    Offset from{};                         ///< Records below are not given.
    Offset next{};                         ///< Where the next fetch goes on.
    std::size_t records = 0;               ///< As the headers say, those below `from` with them.
    std::size_t bytes = 0;                 ///< Of the batches.
    /// Behind the records: the partition was read to its end; is told; or what it cannot get over.
    std::optional<Offset> end;
    std::optional<Errc> trouble;
    std::optional<Error> failure;

    [[nodiscard]] bool is_empty() const noexcept {
        return batches.empty() && !end && !trouble && !failure;
    }
};

struct FetchRules {
    bool committed_only = false;
    bool checks_crc = false;
    std::size_t inflated_bytes_max = 0;  ///< Of what a compressed message of old holds.
};

/// Walks the batches of an answer without an error code, from `from` on; `memory` holds them, and
/// is kept where they are half of it or more: otherwise they are copied, so that what is kept is at
/// most twice `bytes`. Stops in front of what is broken, which becomes the failure: records that
/// can be read are given, then `next` stays there. No end is set.
[[nodiscard]] Fetched read_fetched(const wire::FetchResponse::PartitionData& data, KeptRef memory,
                                   Offset from, const FetchRules& rules);

/// A malformed or cut-off record, a batch with more or fewer records than it says.
[[nodiscard]] Error corrupt_batch(Offset base, std::string_view why);

/// The records of one batch after the other. Threading: not synchronised.
class RecordCursor {
  public:
    /// Unpacks a compressed batch, into memory of its own. Errors: kCorruptMessage, kLimitExceeded,
    /// kUnsupportedCompressionType.
    Result<void> open(const wire::BatchView& batch, const KeptRef& memory, std::size_t bytes_max);
    void close() noexcept;

    [[nodiscard]] std::int32_t left() const noexcept { return left_; }
    /// Precondition: left() > 0. nullptr, or what is wrong with it.
    [[nodiscard]] const char* take(wire::RecordView& out) noexcept;
    [[nodiscard]] const wire::BatchHeader& header() const noexcept { return header_; }
    /// What the records given point into.
    [[nodiscard]] KeptBytes& memory() const noexcept { return *memory_.get(); }

  private:
    wire::BatchHeader header_;
    KeptRef memory_;
    Bytes rest_;
    std::int32_t left_ = 0;
};

}  // namespace leat::client
