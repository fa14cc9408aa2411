// SPDX-License-Identifier: Apache-2.0
#include "transactions/snapshot.h"

#include <limits>
#include <map>

#include "base/arena.h"
#include "base/check.h"
#include "wire/records/transaction_log.h"
#include "wire/versioned.h"

namespace leat::transactions {
namespace {

constexpr std::int16_t kLargestEpoch = std::numeric_limits<std::int16_t>::max();

/// The next state of `from`; its producer is then the one before.
Snapshot after(const Snapshot& from, State state, WallMs now) {
    Snapshot next = from;
    next.previous_producer_id = from.producer.id;
    next.state = state;
    next.updated_at = now;
    return next;
}

Snapshot emptied(const Snapshot& from, std::int32_t timeout, WallMs now) {
    Snapshot next = after(from, State::kEmpty, now);
    next.timeout_ms = timeout;
    next.partitions.clear();
    next.started_at = WallMs{-1};
    return next;
}

Result<State> state_of(std::int8_t number) {
    // The other two are never written.
    if (number < 0 || number > static_cast<std::int8_t>(State::kCompleteAbort))
        return Error{Errc::kMalformed, "a state of transactions that does not exist"};
    return static_cast<State>(number);
}

}  // namespace

bool Snapshot::is_epoch_exhausted() const noexcept {
    return producer.epoch >= kLargestEpoch - 1;
}

Result<Snapshot> Snapshot::with_next_epoch(std::int32_t timeout,
                                           std::optional<std::int16_t> expected, WallMs now) const {
    LEAT_CHECK(is_idle() && !is_epoch_exhausted());
    Snapshot next = emptied(*this, timeout, now);
    const auto raised = static_cast<std::int16_t>(producer.epoch + 1);
    if (!expected) {
        next.producer.epoch = raised;
        next.last_epoch = kNoEpoch;
    } else if (producer.epoch == kNoEpoch || *expected == producer.epoch) {
        next.producer.epoch = raised;
        next.last_epoch = producer.epoch;
    } else if (*expected != last_epoch) {
        return Error{Errc::kProducerFenced};
    }
    // Else the request is repeated: a new owner would have cleared the last epoch.
    return next;
}

Snapshot Snapshot::with_producer(std::int64_t id, std::int32_t timeout, bool keep_last,
                                 WallMs now) const {
    LEAT_CHECK(is_idle());
    Snapshot next = emptied(*this, timeout, now);
    next.last_epoch = keep_last ? producer.epoch : kNoEpoch;
    next.producer = {.id = id, .epoch = 0};
    return next;
}

Snapshot Snapshot::with_partitions(std::span<const TopicPartition> added, Protocol by,
                                   WallMs now) const {
    Snapshot next = after(*this, State::kOngoing, now);
    if (is_idle()) next.started_at = now;
    next.partitions.insert(added.begin(), added.end());
    next.protocol = by;
    return next;
}

Snapshot Snapshot::decided(const Decision& decision, WallMs now) const {
    Snapshot next =
        after(*this, decision.commit ? State::kPrepareCommit : State::kPrepareAbort, now);
    const bool may_rise = producer.epoch < kLargestEpoch;
    if (decision.by == Protocol::kTwo) {
        if (may_rise) next.producer.epoch = static_cast<std::int16_t>(producer.epoch + 1);
        next.last_epoch = producer.epoch;
    } else if (decision.is_fence) {
        if (may_rise) next.producer.epoch = static_cast<std::int16_t>(producer.epoch + 1);
        next.last_epoch = kNoEpoch;
    }
    // Of an abort without any partition nobody knows when it began.
    if (is_idle()) next.started_at = now;
    next.next_producer_id = decision.next_id;
    next.protocol = decision.by;
    return next;
}

Snapshot Snapshot::completed(WallMs now) const {
    LEAT_CHECK(is_deciding());
    Snapshot next =
        after(*this,
              state == State::kPrepareCommit ? State::kCompleteCommit : State::kCompleteAbort, now);
    // The last epoch stays the one that the client has seen.
    if (protocol == Protocol::kTwo && next_producer_id != kNoProducerId)
        next.producer = {.id = next_producer_id, .epoch = 0};
    next.next_producer_id = kNoProducerId;
    next.partitions.clear();
    return next;
}

Result<std::optional<std::string_view>> decode_key(Bytes key) {
    Arena unused;
    wire::Reader in{key, unused};
    LEAT_TRY(const std::int16_t type, wire::decode_type(in));
    if (type != wire::TransactionLogKey::kType) return std::optional<std::string_view>{};
    wire::TransactionLogKey out;
    LEAT_TRY_VOID(decode(in, 0, out));
    return std::optional{out.transactional_id};
}

Result<Snapshot> decode_value(Bytes value) {
    Arena arena;
    wire::Reader in{value, arena};
    wire::TransactionLogValue from;
    LEAT_TRY_VOID(wire::decode_versioned(in, wire::NewerVersion::kRefuse, from));
    Snapshot out;
    LEAT_TRY(out.state, state_of(from.transaction_status));
    out.producer = {.id = from.producer_id, .epoch = from.producer_epoch};
    out.previous_producer_id = from.previous_producer_id;
    out.next_producer_id = from.next_producer_id;
    out.timeout_ms = from.transaction_timeout_ms;
    out.protocol = from.client_transaction_version >= static_cast<std::int16_t>(Protocol::kTwo)
                       ? Protocol::kTwo
                       : Protocol::kOne;
    out.started_at = WallMs{from.transaction_start_timestamp_ms};
    out.updated_at = WallMs{from.transaction_last_update_timestamp_ms};
    // An empty transaction has no partitions; as in Kafka, what stands there is not looked at.
    if (!from.transaction_partitions || out.state == State::kEmpty) return out;
    for (const auto& topic : *from.transaction_partitions)
        for (const std::int32_t partition : topic.partition_ids)
            out.partitions.insert({std::string{topic.topic}, partition});
    return out;
}

std::vector<std::byte> encode_key(std::string_view transactional_id) {
    wire::TransactionLogKey key;
    key.transactional_id = transactional_id;
    return wire::encode_key(key);
}

std::vector<std::byte> encode_value(const Snapshot& snapshot, std::int16_t version) {
    using Schema = wire::TransactionLogValue::PartitionsSchema;
    std::map<std::string_view, std::vector<std::int32_t>> by_topic;
    for (const TopicPartition& each : snapshot.partitions)
        by_topic[each.topic].push_back(each.partition);
    std::vector<Schema> schemas;
    schemas.reserve(by_topic.size());
    for (auto& [topic, partitions] : by_topic) schemas.push_back({topic, partitions});

    wire::TransactionLogValue to;
    to.producer_id = snapshot.producer.id;
    to.producer_epoch = snapshot.producer.epoch;
    to.previous_producer_id = snapshot.previous_producer_id;
    to.next_producer_id = snapshot.next_producer_id;
    to.transaction_timeout_ms = snapshot.timeout_ms;
    to.transaction_status = static_cast<std::int8_t>(snapshot.state);
    to.transaction_partitions.reset();
    if (snapshot.state != State::kEmpty) to.transaction_partitions.emplace(schemas);
    to.transaction_last_update_timestamp_ms = snapshot.updated_at.value;
    to.transaction_start_timestamp_ms = snapshot.started_at.value;
    to.client_transaction_version = static_cast<std::int16_t>(snapshot.protocol);
    return wire::encode_versioned(to, version);
}

}  // namespace leat::transactions
