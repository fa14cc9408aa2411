// SPDX-License-Identifier: Apache-2.0
//
// Sends to one broker what a board has for it, request after request.
// Layer: client (L3). Internal to client.
// Spec:  Produce 3 to 13: KIP-98, KIP-516 (topic ids), KIP-219 (throttling), KIP-890 (from version
//        12 on a transaction's partitions are enrolled by what is written to them), KIP-951 (the
//        leader is named, from version 10 on).
#pragma once

#include <cstdint>
#include <vector>

#include "client/broker_link.h"
#include "client/transaction_calls.h"
#include "client/write_board.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace leat::client {

/// Threading: run() has a thread of its own; nothing else is called.
class BatchSender {
  public:
    /// `transactions`: null when there are none.
    BatchSender(WriteBoard& board, const WriteSettings& settings, TransactionCalls* transactions,
                std::int32_t node)
        : board_(board),
          settings_(settings),
          transactions_(transactions),
          node_(node),
          link_(board, settings.cluster.connection, node) {}

    /// Until the board is stopped.
    void run();

  private:
    using Answered = Answer<wire::ProduceResponse>;
    using Answers = std::vector<std::optional<WriteAnswer>>;
    void send(WritePlan& plan);
    Result<void> find_identity();
    /// Whether the parts are in the transaction now; else they are settled.
    bool enrol(WritePlan& plan);
    /// What is answered, or nullopt where nothing is.
    Result<std::optional<Answered>> ask(const WritePlan& plan);
    void note_failure(WritePlan& plan, const Error& why);
    static Answers answers_of(const WritePlan& plan, const Answered& answer);

    WriteBoard& board_;
    const WriteSettings& settings_;
    TransactionCalls* transactions_;
    const std::int32_t node_;
    BrokerLink link_;
    bool was_sent_ = false;  ///< What was asked last reached the broker, perhaps.
    int failures_ = 0;       ///< Since the last answer.
};

/// A Produce request with what its views point into. Threading: not synchronised.
class WriteMessage {
  public:
    WriteMessage(const WritePlan& plan, const WriteSettings& settings);
    WriteMessage(const WriteMessage&) = delete;
    WriteMessage& operator=(const WriteMessage&) = delete;
    ~WriteMessage() = default;

    [[nodiscard]] const wire::ProduceRequest& request() const noexcept { return request_; }
    /// By the ids of its external ones.
    [[nodiscard]] std::span<const Bytes> records() const noexcept { return records_; }
    /// Whether all topics have an id; those without have to be named.
    [[nodiscard]] bool has_ids() const noexcept { return has_ids_; }

  private:
    wire::ProduceRequest request_;
    std::vector<wire::ProduceRequest::TopicProduceData> topics_;
    std::vector<wire::ProduceRequest::PartitionProduceData> partitions_;
    std::vector<Bytes> records_;
    bool has_ids_ = true;
};

}  // namespace leat::client
