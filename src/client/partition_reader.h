// SPDX-License-Identifier: Apache-2.0
//
// Reads partitions of one's own choice, each through a queue of its own, so that one that is not
// drained stops fetching and holds up no other. Layer: client (L3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/consumer.h"

namespace leat::client {

/// A record with the memory its views point into, which may be that of many records.
/// Threading: read anywhere; what is given by one reader is destroyed by one thread at a time.
struct HeldRecord {
    ReceivedRecord record;
    std::unique_ptr<void, void (*)(void*)> memory{nullptr, [](void*) {}};
};

/// kOffsetOutOfRange as Trouble: the position is gone and the partition stands still; remove() it
/// and add() it where it shall go on.
using PartitionEvent = std::variant<Nothing, HeldRecord, ReachedEnd, Trouble>;

/// Threading: not synchronised.
class PartitionReader {
  public:
    /// A reader of batches of our own (batch_reader.h), or, where settings ask for what our
    /// connections cannot do, one on librdkafka. Does not connect yet; nothing is ever committed.
    /// Errors: kInvalidSetting.
    static Result<std::unique_ptr<PartitionReader>> open(const std::vector<Property>& properties);
    /// Whether open() would take them. Errors: kInvalidSetting.
    static Result<void> check(const std::vector<Property>& properties);
    PartitionReader(const PartitionReader&) = delete;
    PartitionReader& operator=(const PartitionReader&) = delete;
    virtual ~PartitionReader() = default;

    /// None of them may be there already; each with an offset, none of Kafka's names for one.
    /// Errors: kUsage.
    virtual Result<void> add(std::span<const StartAt> starts) = 0;
    /// What was read ahead of them is dropped.
    virtual Result<void> remove(std::span<const TopicPartition> where) = 0;

    /// A partition that was added. Good until remove() or a new add() of it.
    struct Lane {
        Lane() = default;
        Lane(const Lane&) = delete;
        Lane& operator=(const Lane&) = delete;
        virtual ~Lane() = default;
    };
    /// Null when it was not added.
    [[nodiscard]] virtual Lane* lane(const TopicPartition& where) const = 0;
    /// The next event; does not wait. Errors: what reading cannot recover from.
    virtual Result<PartitionEvent> next(Lane& lane) = 0;
    /// Puts the next event over what `into` held, if that is a record; false: next() tells it.
    virtual bool take(Lane& lane, HeldRecord& into) = 0;
    /// For who does not read much. Errors: kNotFound (not added).
    Result<PartitionEvent> next(const TopicPartition& where);

    /// Records of it, about, that were fetched and that next() has not given yet; 0 when it was not
    /// added.
    [[nodiscard]] virtual std::size_t waiting(const TopicPartition& where) const = 0;
    /// Where what may be read of it ended as the last fetch told, behind the last record; -1 when
    /// none did, or it was not added.
    [[nodiscard]] virtual std::int64_t end(const TopicPartition& where) const = 0;

    /// Waits until something came in for any partition, at most `wait`; may return early. Reports
    /// connection trouble and fatal errors of the client as a whole.
    virtual Result<void> wait(std::chrono::milliseconds wait) = 0;
    /// Makes wait() return. Threading: thread-safe.
    virtual void wake() = 0;

  protected:
    PartitionReader() = default;
};

}  // namespace leat::client
