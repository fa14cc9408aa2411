// SPDX-License-Identifier: Apache-2.0
//
// One side of a join of two streams in a window of time. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamKStreamJoin. What an outer side has not matched waits in one store
// of both sides, by time, side (right first) and key, until its window and grace are over.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/join_rows.h"
#include "leat/streams/detail/join_sides.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

template <class K, class V, class V2, class Out>
class JoinNode final : public Node {
  public:
    JoinNode(std::string name, JoinSide side, JoinFn<K, V, V2, Out> join, Serde<V> value,
             StoreUse<K, V2> other)
        : Node(std::move(name)),
          side_(std::move(side)),
          join_(std::move(join)),
          value_(std::move(value)),
          other_(std::move(other)) {}

    Result<void> open(Task& task) override {
        other_store_ = &dynamic_cast<WindowStore&>(task.store(other_.store()));
        if (!side_.waiting.empty()) waiting_ = &dynamic_cast<ListStore&>(task.store(side_.waiting));
        clock_ = task.template shared<JoinClock>(side_.clock);
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        clock_->stream_time = std::max(clock_->stream_time, flow.timestamp);
        if (side_.outer && flow.key == nullptr && flow.value != nullptr)
            return tell(flow, nullptr, flow.timestamp);
        if (flow.key == nullptr || flow.value == nullptr) {
            task().drop(*this, flow.key == nullptr ? "null key" : "null value");
            return {};
        }
        if (waiting_ != nullptr && flow.timestamp == clock_->stream_time)
            LEAT_TRY_VOID(tell_unmatched(flow));
        const auto to = std::max<std::int64_t>(0, wrapped_sum(flow.timestamp, side_.after));
        LEAT_TRY(const auto matches, fetch_matches(other_, *other_store_, *flow.key_as<K>(),
                                                   wrapped_sum(flow.timestamp, -side_.before), to));
        for (const auto& [at, value] : matches) {
            LEAT_TRY_VOID(matched(flow, at));
            LEAT_TRY_VOID(tell(flow, &value, std::max(flow.timestamp, at)));
        }
        if (!side_.outer || !matches.empty()) return {};
        // Too late to wait for a match; the grace period does not count here, as in Kafka Streams.
        if (to < clock_->stream_time) return tell(flow, nullptr, flow.timestamp);
        clock_->first_waiting = std::min(clock_->first_waiting, flow.timestamp);
        return wait(flow);
    }

    Result<void> tell(const Flow& flow, const V2* other, std::int64_t timestamp) {
        const auto joined = join_(flow.key_as<K>(), flow.value_as<V>(), other);
        return forward({.key = flow.key,
                        .value = address(joined),
                        .timestamp = timestamp,
                        .headers = flow.headers});
    }

    /// The other side's records of this key and time wait no longer.
    Result<void> matched(const Flow& flow, std::int64_t at) {
        if (waiting_ == nullptr) return {};
        LEAT_TRY(const auto key, other_.key(*flow.key_as<K>()));
        const std::string row = waiting_row(at, !side_.left, key);
        bool known = false;
        LEAT_TRY_VOID(waiting_->range(row, row + '\0', [&](auto, auto) {
            known = true;
            return false;
        }));
        return known ? waiting_->erase(row, flow.timestamp) : Result<void>{};
    }

    Result<void> wait(const Flow& flow) {
        LEAT_TRY(const auto key, other_.key(*flow.key_as<K>()));
        std::string value = side_byte(side_.left);
        LEAT_TRY_VOID(value_->encode(side_.waiting, *flow.value_as<V>(), value));
        return waiting_->append(waiting_row(flow.timestamp, side_.left, key), value,
                                flow.timestamp);
    }

    /// Whether a match for it can still come.
    [[nodiscard]] bool open_window(const WaitingRow& row) const {
        // A left record waits for what comes up to `after` it, a right one for `before`.
        const std::int64_t span = row.left == side_.left ? side_.after : side_.before;
        return wrapped_sum(row.timestamp, span + side_.grace) >= clock_->stream_time;
    }

    Result<void> tell_unmatched(const Flow& flow) {
        // Wraps around when nothing waits, and the store is then looked at: as in Kafka Streams.
        const auto first = wrapped_sum(clock_->first_waiting, side_.after + side_.grace);
        if (first >= clock_->stream_time) return {};
        const std::int64_t now = task().wall_time();
        if (now < clock_->next_look_ms) return {};
        clock_->next_look_ms = now + task().emit_interval_ms();
        LEAT_TRY(const auto closed, take_closed());
        // A row is erased with all of its values, when the next one is told: if that fails, no more
        // than the row before it is told again, as in Kafka Streams.
        const std::string* told = nullptr;
        const std::int64_t next_waiting = clock_->first_waiting;
        for (const auto& [row, value] : closed) {
            const WaitingRow at = read_waiting(row);
            clock_->first_waiting = at.timestamp;  // Where it fails the next look begins.
            LEAT_TRY_VOID(tell_waiting(flow, at, std::string_view{value}.substr(1)));
            if (told != nullptr && *told != row)
                LEAT_TRY_VOID(waiting_->erase_told(*told, flow.timestamp));
            told = &row;
        }
        clock_->first_waiting = next_waiting;
        return told == nullptr ? Result<void>{} : waiting_->erase_told(*told, flow.timestamp);
    }

    Result<std::vector<std::pair<std::string, std::string>>> take_closed() {
        std::vector<std::pair<std::string, std::string>> closed;
        bool left_open = false;
        bool right_open = false;
        clock_->first_waiting = std::numeric_limits<std::int64_t>::max();
        LEAT_TRY_VOID(waiting_->all([&](std::string_view row, std::string_view value) {
            const WaitingRow at = read_waiting(row);
            clock_->first_waiting = at.timestamp;
            if (left_open && right_open) return false;
            if (open_window(at))
                (at.left ? left_open : right_open) = true;
            else
                closed.emplace_back(row, value);
            return true;
        }));
        return closed;
    }

    Result<void> tell_waiting(const Flow& flow, const WaitingRow& row, std::string_view value) {
        LEAT_TRY(const K key, other_.decode_key(row.key));
        std::optional<Out> joined;
        if (row.left == side_.left) {
            LEAT_TRY(const V self, value_->decode(side_.waiting, value));
            joined = join_(&key, &self, nullptr);
        } else {
            LEAT_TRY(const V2 other, other_.decode(value));
            joined = join_(&key, nullptr, &other);
        }
        return forward({.key = &key,
                        .value = address(joined),
                        .timestamp = row.timestamp,
                        .headers = flow.headers});
    }

    JoinSide side_;
    JoinFn<K, V, V2, Out> join_;
    Serde<V> value_;
    StoreCodec<K, V2> other_;
    WindowStore* other_store_ = nullptr;
    ListStore* waiting_ = nullptr;
    std::shared_ptr<JoinClock> clock_;
};

}  // namespace leat::streams::detail
