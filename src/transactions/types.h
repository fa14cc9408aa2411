// SPDX-License-Identifier: Apache-2.0
//
// What goes into a Coordinator and what comes out of it. Layer: transactions (L5).
// Memory: commands are views that need only live through the call; answers own what they hold.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/errc.h"
#include "base/units.h"
#include "coordination/types.h"

namespace leat::transactions {

inline constexpr std::int64_t kNoProducerId = -1;
inline constexpr std::int16_t kNoEpoch = -1;

using coordination::Now;
using coordination::Producer;
using coordination::RecordToWrite;
using coordination::Write;

struct TopicPartition {
    std::string topic = {};
    std::int32_t partition = 0;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};
using Partitions = std::set<TopicPartition>;

/// Kafka's numbers, as they stand in the log.
enum class State : std::int8_t {
    kEmpty = 0,
    kOngoing = 1,
    kPrepareCommit = 2,
    kPrepareAbort = 3,
    kCompleteCommit = 4,
    kCompleteAbort = 5,
    kDead = 6,
    kPrepareEpochFence = 7,
};
/// Kafka's word for it, such as "PrepareCommit".
[[nodiscard]] std::string_view name_of(State state) noexcept;
/// nullopt when there is no such state.
[[nodiscard]] std::optional<State> state_named(std::string_view name) noexcept;

/// What a producer can do, as the version of its request tells.
enum class Protocol : std::int8_t {
    kOne = 0,  ///< KIP-98.
    kTwo = 2,  ///< KIP-890: the epoch rises with every transaction.
};

/// The connection of a request.
struct Caller {
    std::uint64_t connection = 0;  ///< Rises with each that was accepted. 0: not asked for.
    bool has_ended = false;        ///< Its client has given it up already.
};

struct Init {
    std::string_view transactional_id = {};
    std::int32_t timeout_ms = 0;
    std::optional<Producer> expected = {};  ///< What the producer has already (KIP-360).
    std::uint64_t connection = 0;           ///< As Caller's.
};

struct InitAnswer {
    Errc error = Errc::kNone;
    Producer producer = {};
};

struct Enrol {
    std::string_view transactional_id = {};
    Producer producer = {};
    std::span<const TopicPartition> partitions = {};
    Protocol protocol = Protocol::kOne;
    Caller caller = {};  ///< None: not the coordinator's own API.
    /// Wait for the transaction before this one rather than answer kConcurrentTransactions.
    bool may_wait = false;
};

struct End {
    std::string_view transactional_id = {};
    Producer producer = {};
    bool commit = false;
    Protocol protocol = Protocol::kOne;
    Caller caller = {};
};

struct EndAnswer {
    Errc error = Errc::kNone;
    Producer producer = {};  ///< Of the next transaction.
};

/// Markers that end a transaction in its partitions; on_marked(token) when all are durable.
struct Markers {
    std::uint64_t token = 0;
    std::string transactional_id = {};
    Producer producer = {};
    bool commit = false;
    Protocol protocol = Protocol::kOne;  ///< Two: the epoch is one above that of the records.
    Partitions partitions = {};
};

struct Described {
    Errc error = Errc::kNone;  ///< kTransactionalIdNotFound; the rest is then empty.
    State state = State::kEmpty;
    std::int32_t timeout_ms = 0;
    WallMs started_at{-1};
    Producer producer = {};
    Partitions partitions = {};
};

struct Listed {
    std::string transactional_id = {};
    std::int64_t producer_id = kNoProducerId;
    State state = State::kEmpty;
    WallMs started_at{-1};
};

template <class T>
using Answer = std::move_only_function<void(T)>;

}  // namespace leat::transactions
