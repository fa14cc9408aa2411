// SPDX-License-Identifier: Apache-2.0
//
// What a WriteBoard knows of a partition and of a topic, and what it tells and is told. Layer:
// client (L3). Internal to client.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "client/leader_board.h"
#include "client/spin_lock.h"
#include "client/write_batch.h"

namespace leat::client {

/// Threading: `where` is immutable, `open` is guarded by `lock`, all else by the board, whose lock
/// is taken first where both are.
struct WriteLane {
    explicit WriteLane(TopicPartition of) : where(std::move(of)) {}

    const TopicPartition where;
    SpinLock lock;
    std::unique_ptr<WriteBatch> open;  ///< Takes records.

    Uuid topic_id{};
    std::int32_t leader = -1;  ///< -1: to be looked for.
    std::int32_t epoch = -1;
    /// In their order; the first may be with a sender.
    std::deque<std::unique_ptr<WriteBatch>> closed;
    std::optional<Steady> unknown_since;  ///< To brokers that know its topic.
    Steady due = Steady::max();           ///< When `open` is to be sent; max: there is none.
    Steady not_before{};                  ///< It is sent.
    bool is_asked = false;                ///< A request with the first is under way.
    ProducerIdentity identity;            ///< That its sequences are counted for.
    std::int32_t next_sequence = 0;
    std::uint64_t enrolled_in = 0;  ///< The number of a transaction.
};

/// Threading: `partitions` may be read by anybody, all else is guarded by the board.
struct WriteTopic {
    std::atomic<std::int32_t> partitions = 0;  ///< 0: not known.
    bool is_wanted = false;                    ///< Somebody waits for an answer about it.
    std::uint64_t answers = 0;
    std::uint64_t losses = 0;      ///< How often it was given up, with what waited for it.
    Errc loss_code = Errc::kNone;  ///< Why, the last time.
    Errc code = Errc::kNone;       ///< Of the last answer.
    std::optional<Steady> unknown_since;
    std::vector<WriteLane*> lanes;
    std::vector<FoundLeader> leaders;  ///< By partition, as they were told last.
};

/// One request to one broker.
struct WritePlan {
    std::int32_t node = -1;
    struct Part {
        WriteLane* lane = nullptr;
        WriteBatch* batch = nullptr;  ///< The sender's until it is settled.
        Uuid topic_id{};
    };
    std::vector<Part> parts;            ///< By topic and partition.
    bool wants_connection = false;      ///< No request then: the broker is to be reached first.
    bool wants_identity = false;        ///< Nor then: a producer id is wanted first.
    std::vector<TopicPartition> enrol;  ///< To be made part of the transaction first.
    ProducerIdentity identity;          ///< Of the transaction.
    Steady first_end = Steady::max();   ///< When the first of them is to be given up.
    Steady deadline = Steady::min();    ///< Until when an answer is of use to any of them.
};

/// What an answer says of one part.
struct WriteAnswer {
    Errc code = Errc::kNone;
    std::int64_t base_offset = -1;
    std::string reason;
    NamedLeader leader{};
};

/// What is to be told of records.
struct WriteOutcome {
    std::string topic;
    std::int32_t partition = -1;
    Errc code = Errc::kNone;
    std::string reason;
    std::int64_t base_offset = -1;
    std::vector<TagRun> tags;
    std::size_t weight = 0;
};

}  // namespace leat::client
