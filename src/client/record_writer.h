// SPDX-License-Identifier: Apache-2.0
//
// Sends records to any topics, in transactions when a transactional.id is given. Layer: client
// (L3).
// Spec:  KIP-98, KIP-447 (offsets of a group's member in the transaction).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/group_offsets.h"
#include "client/producer.h"

namespace leat::client {

/// Threading: not synchronised. Deliveries are reported inside poll(), flush() and the calls of
///            transactions; send() never reports.
/// Memory:    bounded by queue.buffering.max.messages and .kbytes; send() declines when they are
///            reached.
/// Failure:   after an error of a transactional call, must_abort() or is_fatal() say what is left
///            to do; after is_fatal() only destruction.
class RecordWriter {
  public:
    using OnDelivery = std::function<void(const Delivery&)>;

    /// What on_delivery hears of. Only failures: records that were acknowledged are not handed
    /// back, which costs less; in_flight() and flush() count them all the same.
    enum class Reports : std::uint8_t { kAll, kFailures };
    /// Batches of our own, or librdkafka's where settings ask for what our connections lack. Does
    /// not connect yet. Errors: kInvalidSetting.
    static Result<std::unique_ptr<RecordWriter>> open(const std::vector<Property>& properties,
                                                      OnDelivery on_delivery,
                                                      Reports reports = Reports::kAll);
    /// Whether open() would take them. Errors: kInvalidSetting.
    static Result<void> check(const std::vector<Property>& properties);
    RecordWriter(const RecordWriter&) = delete;
    RecordWriter& operator=(const RecordWriter&) = delete;
    /// Drops what is unsent, without a word.
    virtual ~RecordWriter() = default;

    /// Copies the record; false when the queue is full: poll() and try again. The first one of a
    /// topic may wait for a second until its partitions are known. Errors:
    /// kMessageTooLarge, kUnknownTopicOrPartition, and what ended the writer.
    virtual Result<bool> send(std::string_view topic, const OutgoingRecord& record) = 0;
    /// Asks the cluster. Errors: kUnknownTopicOrPartition, kTimedOut and what else answers.
    virtual Result<std::int32_t> partition_count(std::string_view topic,
                                                 std::chrono::milliseconds wait) = 0;
    virtual void poll(std::chrono::milliseconds wait) = 0;
    [[nodiscard]] virtual std::size_t in_flight() const = 0;
    /// Errors: kTimedOut when records are left.
    virtual Result<void> flush(std::chrono::milliseconds wait) = 0;

    /// Fences who used this transactional.id before, and ends its transaction.
    virtual Result<void> init_transactions(std::chrono::milliseconds wait) = 0;
    virtual Result<void> begin() = 0;
    virtual Result<void> send_offsets(const GroupIdentity& as,
                                      std::span<const CommittedOffset> offsets,
                                      std::chrono::milliseconds wait) = 0;
    /// Whether send_offsets() that ended with kTimedOut goes on when it is called again; if not, it
    /// has broken the transaction. commit() goes on always.
    [[nodiscard]] virtual bool resumes_offsets() const = 0;
    virtual Result<void> commit(std::chrono::milliseconds wait) = 0;
    virtual Result<void> abort(std::chrono::milliseconds wait) = 0;
    [[nodiscard]] virtual bool must_abort() const = 0;
    /// Fenced, or broken otherwise.
    [[nodiscard]] virtual bool is_fatal() const = 0;

  protected:
    RecordWriter() = default;
};

}  // namespace leat::client
