// SPDX-License-Identifier: Apache-2.0
//
// Aggregates by (key, window of time). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamWindowAggregate. A null value counts, a null key does not.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/emit_final.h"

namespace leat::streams::detail {

/// What the nodes of fixed-size windows have in common: the store, and how results leave.
template <class K, class V, class A>
class WindowedNode : public Node {
  public:
    WindowedNode(std::string name, Aggregation<K, V, A> aggregation, StoreUse<K, A> store,
                 Telling telling)
        : Node(std::move(name)),
          aggregation_(std::move(aggregation)),
          codec_(std::move(store)),
          old_values_(telling.old_values),
          final_(telling.emit) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<WindowStore&>(task.store(codec_.store()));
        final_.open(task, codec_.store());
        // What is told on close is read from the store, held back or not: a flush tells nothing.
        if (!final_.on_close())
            cached_ = store_->forward_on_flush(
                [this](const Flushed& update) { return guarded([&] { return tell(update); }); },
                old_values_);
        return Node::open(task);
    }

  protected:
    /// An aggregate that is in the store, or the first one with a record's time.
    struct Held {
        std::optional<A> value{};
        std::int64_t timestamp = -1;
    };

    /// A deletion is logged with the record's time, whatever was kept.
    Result<void> put(const Flow& flow, std::int64_t start, const Held& held) {
        LEAT_TRY(const auto key_bytes, codec_.key(*flow.key_as<K>()));
        LEAT_TRY(const auto value_bytes, codec_.value(held.value));
        const auto time = held.value ? held.timestamp : flow.timestamp;
        LEAT_TRY(const bool kept, store_->put(key_bytes, start, value_bytes, time, flow.headers));
        if (!kept) task().drop(*this, "expired window");
        return {};
    }
    /// `before` counts only when old values are asked for.
    Result<void> tell(const Flow& flow, Window window, const std::optional<A>& before,
                      const Held& now) {
        if (final_.on_close() || cached_) return {};
        const Windowed<K> windowed{*flow.key_as<K>(), window};
        const Change change{.now = address(now.value),
                            .before = old_values_ ? address(before) : nullptr};
        return forward({.key = &windowed,
                        .value = &change,
                        .timestamp = now.timestamp,
                        .headers = flow.headers});
    }
    Result<void> tell(const Flushed& update) {
        LEAT_TRY(const auto told, codec_.told(update));
        const Windowed<K> windowed{told.key, {update.start, update.end}};
        return forward(flow_of(update, &windowed, told.change()));
    }
    /// Hands on the windows of all keys with from <= start <= to that were not saved.
    Result<void> emit(const Flow& flow, std::int64_t from, std::int64_t to, std::int64_t length) {
        struct Closed {
            std::string key;
            std::int64_t start;
            WindowStore::Entry entry;
        };
        const std::int64_t begin = begin_final();
        std::vector<Closed> closed;
        const auto see = [&](auto key, auto start, const auto& entry) {
            closed.push_back({std::string{key}, start, entry});
            return true;
        };
        LEAT_TRY_VOID(store_->fetch_all(final_.untold(from), to, see));
        for (const Closed& one : closed) {
            LEAT_TRY(auto key, codec_.decode_key(one.key));
            LEAT_TRY(const A value, codec_.decode(one.entry.value));
            const Windowed<K> windowed{std::move(key), {one.start, one.start + length}};
            const Change change{.now = &value};
            LEAT_TRY_VOID(forward({.key = &windowed,
                                   .value = &change,
                                   .timestamp = one.entry.timestamp,
                                   .headers = flow.headers}));
        }
        count_final(begin, closed.size());
        return {};
    }
    /// Before a window that starts at `newest` is put: hands on what the store would then lose.
    Result<void> save(const Flow& flow, std::int64_t from, std::int64_t newest,
                      std::int64_t length) {
        const std::int64_t oldest = store_->oldest_found_after(newest);
        if (!final_.losing(from, oldest)) return {};
        LEAT_TRY_VOID(emit(flow, from, oldest - 1, length));
        final_.saved(oldest);
        return {};
    }

    Aggregation<K, V, A> aggregation_;
    StoreCodec<K, A> codec_;
    bool old_values_;
    bool cached_ = false;
    FinalEmitter final_;
    WindowStore* store_ = nullptr;
    std::int64_t stream_time_ = -1;
};

/// W: TimeWindows or UnlimitedWindows.
template <class K, class V, class A, class W>
class WindowAggregateNode final : public WindowedNode<K, V, A> {
    using Base = WindowedNode<K, V, A>;
    using Held = typename Base::Held;

  public:
    WindowAggregateNode(std::string name, W windows, Aggregation<K, V, A> aggregation,
                        StoreUse<K, A> store, Telling telling)
        : Base(std::move(name), std::move(aggregation), std::move(store), telling),
          windows_(windows) {}

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr) {
            this->task().drop(*this, "null key");
            return {};
        }
        this->stream_time_ = std::max(this->stream_time_, flow.timestamp);
        const std::int64_t close = this->stream_time_ - windows_.grace_period.count();
        if constexpr (std::is_same_v<W, TimeWindows>) {
            const std::int64_t last = windows_.last_start(flow.timestamp);
            if (last > std::numeric_limits<std::int64_t>::max() - length())
                return Error{Errc::kInvalidTimestamp, this->name() + ": its window has no end"};
            LEAT_TRY_VOID(this->save(flow, from(), last, length()));
            for (auto start = windows_.first_start(flow.timestamp); start <= last;
                 start += windows_.advance.count())
                LEAT_TRY_VOID(update(flow, {start, start + length()}, close));
            return emit_closed(flow, close);
        } else {
            if (flow.timestamp < windows_.start) return {};
            return update(flow, {windows_.start, std::numeric_limits<std::int64_t>::max()}, close);
        }
    }
    Result<void> update(const Flow& flow, Window window, std::int64_t close) {
        if (window.end <= close) {
            this->task().drop(*this, "expired window");
            return {};
        }
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const auto key_bytes, this->codec_.key(key));
        LEAT_TRY(const bool known, this->store_->get(key_bytes, window.start, entry_));
        std::optional<A> before;
        Held now{.timestamp = flow.timestamp};
        if (known) {
            LEAT_TRY(before, this->codec_.decode(entry_.value));
            now.timestamp = std::max(now.timestamp, entry_.timestamp);
        } else {
            before = this->aggregation_.initial();
        }
        now.value = this->aggregation_.step(key, flow.value_as<V>(),
                                            this->old_values_ ? before : std::move(before));
        LEAT_TRY_VOID(this->put(flow, window.start, now));
        return this->tell(flow, window, before, now);
    }
    [[nodiscard]] std::int64_t length() const { return windows_.size.count(); }
    /// The first start that was not looked at.
    [[nodiscard]] std::int64_t from() const {
        const std::int64_t last = this->final_.last_close();
        return last == -1 ? 0 : std::max<std::int64_t>(0, last - length()) + 1;
    }
    Result<void> emit_closed(const Flow& flow, std::int64_t close) {
        if (!this->final_.due(close) || close < length()) return {};
        const std::int64_t first = from();
        const std::int64_t to = close - length();
        const bool same_windows = this->final_.last_close() != -1 &&
                                  windows_.first_start(to) == windows_.first_start(first - 1) &&
                                  windows_.last_start(to) == windows_.last_start(first - 1);
        if (same_windows) return {};
        LEAT_TRY_VOID(this->emit(flow, first, to, length()));
        this->final_.looked(close);
        return {};
    }

    W windows_;
    WindowStore::Entry entry_;
};

}  // namespace leat::streams::detail
