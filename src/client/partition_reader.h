// SPDX-License-Identifier: Apache-2.0
//
// Reads partitions of one's own choice, each through a queue of its own, so that one that is not
// drained stops fetching and holds up no other. Layer: client (L3), on librdkafka.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/consumer.h"

namespace leat::client {

/// A record with the memory its views point into.
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
    /// Does not connect yet. Sets group.id when there is none (librdkafka wants one); nothing is
    /// ever committed. Errors: kInvalidSetting.
    static Result<std::unique_ptr<PartitionReader>> open(const std::vector<Property>& properties);
    PartitionReader(const PartitionReader&) = delete;
    PartitionReader& operator=(const PartitionReader&) = delete;
    ~PartitionReader();

    /// None of them may be there already. Errors: kUsage.
    Result<void> add(std::span<const StartAt> starts);
    /// What was read ahead of them is dropped.
    Result<void> remove(std::span<const TopicPartition> where);

    /// The next event of one partition that was added; does not wait. Errors: kNotFound (not
    /// added), what reading cannot recover from.
    Result<PartitionEvent> next(const TopicPartition& where);

    /// A partition that was added, for who reads many records of it. Good until remove() or a new
    /// add() of it.
    struct Lane;
    /// Null when it was not added.
    [[nodiscard]] Lane* lane(const TopicPartition& where) const;
    Result<PartitionEvent> next(Lane& lane);
    /// Puts the next event over what `into` held, if that is a record; false: next() tells it.
    bool take(Lane& lane, HeldRecord& into);

    /// Records of it, about, that were fetched and that next() has not given yet; 0 when it was not
    /// added.
    [[nodiscard]] std::size_t waiting(const TopicPartition& where) const;

    /// Waits until something came in for any partition, at most `wait`; may return early. Reports
    /// connection trouble and fatal errors of the client as a whole.
    Result<void> wait(std::chrono::milliseconds wait);
    /// Makes wait() return. Threading: thread-safe.
    void wake();

    /// The first offset whose record is not older than `time`; the end when there is none.
    Result<std::int64_t> offset_at(const TopicPartition& where, WallMs time,
                                   std::chrono::milliseconds wait);
    /// First and last offset; end under read_committed: of the last stable record.
    Result<Watermarks> watermarks(const TopicPartition& where, std::chrono::milliseconds wait);

  private:
    struct State;
    explicit PartitionReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace leat::client
