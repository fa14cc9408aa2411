// SPDX-License-Identifier: Apache-2.0
//
// Aggregates by (key, sliding window). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamSlidingWindowAggregate (KIP-450): a window ends at each record (its
// left window) and one begins 1 ms behind it (its right window) when that holds records. A record
// changes the windows that hold it, newest first, and then makes those that are missing: the right
// window of the record before it, its own left one, its own right one.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/window_nodes.h"

namespace leat::streams::detail {

template <class K, class V, class A>
class SlidingAggregateNode final : public WindowedNode<K, V, A> {
    using Base = WindowedNode<K, V, A>;
    using Held = typename Base::Held;
    struct Found {
        std::int64_t start = 0;
        Held held;
    };
    /// What the windows near a record tell about its neighbours.
    struct Neighbours {
        std::optional<Held> left;                 ///< The window before: what came before it.
        std::optional<Held> right;                ///< A window that holds what comes after it.
        std::optional<std::int64_t> previous_at;  ///< When the record before it was.
        bool own_left = false;                    ///< Its left window exists.
        bool own_right = false;
        std::set<std::int64_t> starts;
    };

  public:
    SlidingAggregateNode(std::string name, SlidingWindows windows, Aggregation<K, V, A> aggregation,
                         StoreUse<K, A> store, Telling telling)
        : Base(std::move(name), std::move(aggregation), std::move(store), telling),
          span_(windows.difference.count()),
          grace_(windows.grace_period.count()) {}

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr || flow.value == nullptr) {
            this->task().drop(*this, flow.key == nullptr ? "null key" : "null value");
            return {};
        }
        const std::int64_t at = flow.timestamp;
        this->stream_time_ = std::max(this->stream_time_, at);
        close_ = this->stream_time_ - grace_;
        if (wrapped_sum(at, 1 + span_) <= close_) {
            this->task().drop(*this, "expired window");
            return {};
        }
        return at < span_ ? early(flow) : usual(flow);
    }

    Result<void> usual(const Flow& flow) {
        const std::int64_t at = flow.timestamp;
        LEAT_TRY(auto found, fetch(flow, at - 2 * span_, true));
        Neighbours near;
        for (Found& window : found) {
            const std::int64_t end = window.start + span_;
            near.starts.insert(window.start);
            near.own_right = near.own_right || window.start == at + 1;
            if (window.start == at + 1) continue;
            if (end < at) {
                near.previous_at = window.held.timestamp;
                near.left = std::move(window.held);
                break;
            }
            if (end > at && !near.right) near.right = window.held;
            if (end == at) {
                near.own_left = true;
                if (window.held.timestamp < at) near.previous_at = window.held.timestamp;
            }
            // A record of this time was here before: its windows are all there.
            const bool complete = end == at && window.held.timestamp >= at;
            LEAT_TRY_VOID(update(flow, window.start, std::move(window.held)));
            if (complete) return emit_closed(flow);
        }
        if (near.previous_at) {
            const std::int64_t start = *near.previous_at + 1;
            if (!near.starts.contains(start) && start + span_ >= at)
                LEAT_TRY_VOID(update(flow, start, first(at)));
        }
        if (!near.own_left) {
            const bool known = near.left && near.previous_at && at - span_ <= *near.previous_at;
            auto held = known ? std::optional<Held>{{std::move(near.left->value), at}} : first(at);
            LEAT_TRY_VOID(update(flow, at - span_, std::move(held)));
        }
        LEAT_TRY_VOID(make_own_right(flow, near));
        return emit_closed(flow);
    }

    /// A record younger than the span: all of these share the window [0, span]. Nothing is emitted
    /// as closed here, as in Kafka Streams.
    Result<void> early(const Flow& flow) {
        const std::int64_t at = flow.timestamp;
        LEAT_TRY(auto found, fetch(flow, at - span_, false));
        Neighbours near;
        std::optional<Held> shared;
        for (Found& window : found) {
            near.starts.insert(window.start);
            if (window.start == 0) {
                if (window.held.timestamp < at) near.previous_at = window.held.timestamp;
                shared = std::move(window.held);
            } else if (window.start <= at) {
                near.right = window.held;
                LEAT_TRY_VOID(update(flow, window.start, std::move(window.held)));
            } else {
                near.own_right = true;
            }
        }
        // Without a right window in between, all in the shared window came after this record.
        if (!near.right && shared && shared->timestamp > at) near.right = shared;
        LEAT_TRY_VOID(make_own_right(flow, near));
        if (near.previous_at && !near.starts.contains(*near.previous_at + 1))
            LEAT_TRY_VOID(update(flow, *near.previous_at + 1, first(at)));
        return update(flow, 0, shared ? std::move(shared) : first(at));
    }

    /// Windows of the record's key that start between `from` and 1 ms behind the record.
    Result<std::vector<Found>> fetch(const Flow& flow, std::int64_t from, bool newest_first) {
        std::vector<Found> out;
        LEAT_TRY(const auto key, this->codec_.key(*flow.key_as<K>()));
        Result<void> decoded;
        LEAT_TRY_VOID(this->store_->fetch(
            key, std::max<std::int64_t>(0, from), flow.timestamp + 1,
            [&](std::int64_t start, const WindowStore::Entry& entry) {
                auto value = this->codec_.decode(entry.value);
                if (!value) {
                    decoded = std::move(value).error();
                    return false;
                }
                out.push_back({start, {*std::move(value), entry.timestamp}});
                // The first that ends before the record tells what came before it.
                return !newest_first || start + span_ >= flow.timestamp;
            },
            newest_first ? Direction::kBackward : Direction::kForward));
        if (!decoded) return std::move(decoded).error();
        return out;
    }

    /// What a window holds before its first record; nothing in a reduction.
    std::optional<Held> first(std::int64_t at) {
        if (auto value = this->aggregation_.initial()) return Held{std::move(value), at};
        return std::nullopt;
    }

    Result<void> update(const Flow& flow, std::int64_t start, std::optional<Held> held) {
        if (start + span_ < close_) {
            this->task().drop(*this, "expired window");
            return {};
        }
        std::optional<A> before = held ? std::move(held->value) : std::nullopt;
        Held now{.timestamp = flow.timestamp};
        if (before) now.timestamp = std::max(now.timestamp, held->timestamp);
        now.value = this->aggregation_.step(*flow.key_as<K>(), flow.value_as<V>(),
                                            this->old_values_ ? before : std::move(before));
        LEAT_TRY_VOID(put(flow, start, now));
        return this->tell(flow, {start, start + span_}, before, now);
    }

    /// It holds what comes after the record, and not the record.
    Result<void> make_own_right(const Flow& flow, const Neighbours& near) {
        if (near.own_right || !near.right || near.right->timestamp <= flow.timestamp) return {};
        const std::int64_t start = flow.timestamp + 1;
        LEAT_TRY_VOID(put(flow, start, *near.right));
        return this->tell(flow, {start, start + span_}, std::nullopt, *near.right);
    }
    /// Each window that is put moves the store's time: a right one further than its record's left.
    Result<void> put(const Flow& flow, std::int64_t start, const Held& held) {
        LEAT_TRY_VOID(this->save(flow, from(), start, span_));
        return Base::put(flow, start, held);
    }

    /// The first start that was not looked at.
    [[nodiscard]] std::int64_t from() const {
        return std::max<std::int64_t>(0, this->final_.last_close() - span_);
    }
    Result<void> emit_closed(const Flow& flow) {
        const std::int64_t to = close_ - span_ - 1;
        if (!this->final_.due(close_) || to < 0) return {};
        LEAT_TRY_VOID(this->emit(flow, from(), to, span_));
        this->final_.looked(close_);
        return {};
    }

    std::int64_t span_;
    std::int64_t grace_;
    std::int64_t close_ = -1;  ///< Of the record that is being processed.
};

}  // namespace leat::streams::detail
