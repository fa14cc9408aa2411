// SPDX-License-Identifier: Apache-2.0
//
// Fetches from one broker what a board says, fetch after fetch. Layer: client (L3). Internal to
// client.
// Spec:  Fetch 4 to 18: KIP-74 (limits), KIP-98, KIP-320 (leader epochs), KIP-392 (the replica that
//        is to be read), KIP-516 (topic ids), KIP-219 (throttling), KIP-951 (the leader is named,
//        from version 12 on, and its address from 16 on).
#pragma once

#include <cstdint>
#include <optional>

#include "client/broker_link.h"
#include "client/fetch_board.h"
#include "wire/messages/fetch_request.h"

namespace leat::client {

/// Threading: run() has a thread of its own; nothing else is called.
class Fetcher {
  public:
    Fetcher(FetchBoard& board, const FetchSettings& settings, std::int32_t node)
        : board_(board),
          settings_(settings),
          node_(node),
          link_(board, settings.cluster.connection, node) {}

    /// Until the board is stopped.
    void run();

  private:
    using Answered = Answer<wire::FetchResponse>;
    Result<Answered> ask(const FetchPlan& plan);
    void note_failure(FetchPlan& plan, const Error& why);
    /// Returns how long the broker wants to be left alone.
    std::chrono::milliseconds take_in(FetchPlan& plan, Answered answer);
    [[nodiscard]] FetchOutcome outcome_of(const wire::FetchResponse::PartitionData& data,
                                          const KeptRef& memory, Offset from) const;

    FetchBoard& board_;
    const FetchSettings& settings_;
    const std::int32_t node_;
    BrokerLink link_;
    int failures_ = 0;  ///< Since the last answer.
};

/// A Fetch request with what its views point into. Threading: not synchronised.
class FetchMessage {
  public:
    FetchMessage(const FetchPlan& plan, const FetchSettings& settings);
    FetchMessage(const FetchMessage&) = delete;
    FetchMessage& operator=(const FetchMessage&) = delete;
    ~FetchMessage() = default;

    [[nodiscard]] const wire::FetchRequest& request() const noexcept { return request_; }
    /// Topics without an id have to be named.
    [[nodiscard]] std::int16_t version_max() const noexcept { return version_max_; }

  private:
    wire::FetchRequest request_;
    std::vector<wire::FetchRequest::FetchTopic> topics_;
    std::vector<wire::FetchRequest::FetchPartition> partitions_;
    std::int16_t version_max_ = wire::FetchRequest::kVersions.max;
};

}  // namespace leat::client
