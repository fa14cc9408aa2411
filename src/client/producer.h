// SPDX-License-Identifier: Apache-2.0
//
// Sends records and hears of each one what became of it. Layer: client (L3), on librdkafka.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/record.h"

namespace leat::client {

/// What became of one record.
struct Delivery {
    std::uint64_t tag = 0;  ///< As given to send().
    Errc code = Errc::kNone;
    std::string_view reason;  ///< For humans; empty when acknowledged.
    std::string_view topic;
    std::int32_t partition = -1;  ///< -1: none was chosen yet.
    Offset offset{-1};            ///< -1 when not known (acks=0).
    std::size_t value_bytes = 0;
    /// Of one that failed: it was sent, so that the broker may have it all the same. Told by
    /// Producer, not by RecordWriter.
    bool may_be_stored = false;
};

struct OutgoingRecord {
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    const std::vector<Header>* headers = nullptr;  ///< Not owned; copied by send().
    std::int32_t partition = -1;                   ///< -1: the partitioner chooses.
    std::int64_t timestamp_ms = -1;                ///< -1: now.
    std::uint64_t tag = 0;
};

/// Threading: not synchronised. Deliveries are reported inside poll(), send() never reports.
/// Memory:    bounded by librdkafka's queue settings; send() declines when they are reached.
class Producer {
  public:
    using OnDelivery = std::function<void(const Delivery&)>;

    /// Does not connect yet. Errors: kInvalidSetting.
    static Result<std::unique_ptr<Producer>> open(const std::vector<Property>& properties,
                                                  std::string_view topic, OnDelivery on_delivery);
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;
    ~Producer();

    /// Asks the cluster for the topic; one that it creates on demand comes into being.
    /// Errors: kNetworkException and kTimedOut (not reached), kUnknownTopicOrPartition,
    ///         kLeaderNotAvailable (just being created: ask again), what the broker says.
    Result<std::int32_t> partition_count(std::chrono::milliseconds wait);

    /// Copies the record into the send queue; false when the queue is full: poll() and try again.
    /// Errors: kMessageTooLarge, kUnknownTopicOrPartition (no such partition), and what ended the
    ///         producer.
    Result<bool> send(const OutgoingRecord& record);

    /// Reports deliveries; waits up to `wait` for the first.
    void poll(std::chrono::milliseconds wait);

    /// Records handed over and not yet reported.
    [[nodiscard]] std::size_t in_flight() const;

    /// Sends what waits and reports it, up to `wait`. Errors: kTimedOut when records are left.
    Result<void> flush(std::chrono::milliseconds wait);

    /// Drops what is left unsent; each is reported as kCancelled.
    void purge();

    /// An idempotent producer that met a gap, or was fenced, sends nothing any more: what send()
    /// takes fails.
    [[nodiscard]] bool is_fatal() const;
    /// The last connection trouble librdkafka told of; empty when there was none.
    [[nodiscard]] std::string last_trouble() const;

    /// Makes `descriptor` readable (8 bytes are written) when a delivery waits for poll().
    void signal_on(int descriptor);

  private:
    struct State;
    explicit Producer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace leat::client
