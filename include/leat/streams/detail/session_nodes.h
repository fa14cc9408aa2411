// SPDX-License-Identifier: Apache-2.0
//
// Aggregates by (key, session). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamSessionWindowAggregate. A record merges all sessions of its key that
// it touches; each of these is taken back (a null) before the new one is told.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/session_store.h"
#include "leat/streams/detail/window_nodes.h"

namespace leat::streams::detail {

template <class K, class V, class A>
class SessionAggregateNode final : public Node {
    struct Session {
        Window window;
        std::optional<A> value;
    };

  public:
    SessionAggregateNode(std::string name, SessionWindows windows, Aggregation<K, V, A> aggregation,
                         StoreUse<K, A> store, Telling telling)
        : Node(std::move(name)),
          gap_(windows.gap.count()),
          grace_(windows.grace_period.count()),
          aggregation_(std::move(aggregation)),
          codec_(std::move(store)),
          old_values_(telling.old_values),
          final_(telling.emit) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<SessionStore&>(task.store(codec_.store()));
        final_.open(task, codec_.store());
        cached_ = store_->forward_on_flush(
            [this](const Flushed& update) { return guarded([&] { return tell(update); }); },
            old_values_);
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr) {
            task().drop(*this, "null key");
            return {};
        }
        stream_time_ = std::max(stream_time_, flow.timestamp);
        const std::int64_t close = stream_time_ - grace_ - gap_;
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const auto touched, find(key, flow.timestamp));
        Session merged{{flow.timestamp, flow.timestamp}, aggregation_.initial()};
        for (const Session& one : touched) {
            merged.value = aggregation_.merge(key, std::move(merged.value), one.value);
            merged.window = {std::min(merged.window.start, one.window.start),
                             std::max(merged.window.end, one.window.end)};
        }
        if (merged.window.end < close) {
            task().drop(*this, "expired window");
        } else {
            if (merged.window != Window{flow.timestamp, flow.timestamp})
                LEAT_TRY_VOID(take_back(flow, touched));
            // The sessions that this record reaches are gone by now: what is emitted is over.
            LEAT_TRY_VOID(save(flow, merged.window.end));
            merged.value = aggregation_.step(key, flow.value_as<V>(), std::move(merged.value));
            LEAT_TRY_VOID(put(flow, merged));
            LEAT_TRY_VOID(tell(flow, merged.window, std::nullopt, merged.value));
        }
        return emit_closed(flow, close);
    }

    Result<std::vector<Session>> find(const K& key, std::int64_t at) {
        std::vector<Session> out;
        LEAT_TRY(const auto key_bytes, codec_.key(key));
        Result<void> decoded;
        LEAT_TRY_VOID(store_->find(key_bytes, at - gap_, wrapped_sum(at, gap_),
                                   [&](Window window, std::string_view bytes) {
                                       auto value = codec_.decode(bytes);
                                       if (value)
                                           out.push_back({window, *std::move(value)});
                                       else
                                           decoded = std::move(value).error();
                                       return decoded.has_value();
                                   }));
        if (!decoded) return std::move(decoded).error();
        return out;
    }

    Result<void> put(const Flow& flow, const Session& session) {
        LEAT_TRY(const auto key_bytes, codec_.key(*flow.key_as<K>()));
        LEAT_TRY(const auto value_bytes, codec_.value(session.value));
        LEAT_TRY(const bool kept,
                 store_->put(key_bytes, session.window, value_bytes, flow.timestamp, flow.headers));
        if (!kept) task().drop(*this, "expired session");
        return {};
    }

    Result<void> take_back(const Flow& flow, const std::vector<Session>& sessions) {
        for (const Session& one : sessions) {
            LEAT_TRY_VOID(put(flow, {one.window, std::nullopt}));
            LEAT_TRY_VOID(tell(flow, one.window, one.value, std::nullopt));
        }
        return {};
    }

    Result<void> tell(const Flow& flow, Window window, const std::optional<A>& before,
                      const std::optional<A>& now) {
        if (final_.on_close() || cached_) return {};
        const Windowed<K> windowed{*flow.key_as<K>(), window};
        const Change change{.now = address(now), .before = old_values_ ? address(before) : nullptr};
        // Kafka Streams makes a new record for each session: without the headers of what caused it.
        return forward({.key = &windowed, .value = &change, .timestamp = window.end});
    }

    Result<void> tell(const Flushed& update) {
        LEAT_TRY(const auto told, codec_.told(update));
        const Windowed<K> windowed{told.key, {update.start, update.end}};
        const Change change = told.change();
        return forward({.key = &windowed,
                        .value = &change,
                        .timestamp = update.end,
                        .headers = update.headers});
    }

    /// Before a session that ends at `newest` is put: hands on what the store would then lose.
    Result<void> save(const Flow& flow, std::int64_t newest) {
        const std::int64_t oldest = store_->oldest_ended_after(newest);
        if (!final_.losing(std::max<std::int64_t>(0, final_.last_close()), oldest)) return {};
        LEAT_TRY_VOID(emit(flow, oldest - 1));
        final_.saved(oldest);
        return {};
    }
    Result<void> emit_closed(const Flow& flow, std::int64_t close) {
        if (!final_.due(close) || close - 1 < 0) return {};
        if (close - 1 < std::max<std::int64_t>(0, final_.last_close())) return {};
        LEAT_TRY_VOID(emit(flow, close - 1));
        final_.looked(close);
        return {};
    }
    /// Hands on the sessions that ended up to `to` and were neither looked at nor saved.
    Result<void> emit(const Flow& flow, std::int64_t to) {
        struct Closed {
            std::string key;
            Window window;
            std::string value;
        };
        const std::int64_t begin = begin_final();
        std::vector<Closed> closed;
        LEAT_TRY_VOID(
            store_->find_ended(final_.untold(std::max<std::int64_t>(0, final_.last_close())), to,
                               [&](std::string_view key, Window window, std::string_view value) {
                                   closed.push_back({std::string{key}, window, std::string{value}});
                                   return true;
                               }));
        for (const Closed& one : closed) {
            LEAT_TRY(auto key, codec_.decode_key(one.key));
            LEAT_TRY(const A value, codec_.decode(one.value));
            const Windowed<K> windowed{std::move(key), one.window};
            const Change change{.now = &value};
            LEAT_TRY_VOID(forward({.key = &windowed,
                                   .value = &change,
                                   .timestamp = one.window.end,
                                   .headers = flow.headers}));
        }
        count_final(begin, closed.size());
        return {};
    }

    std::int64_t gap_;
    std::int64_t grace_;
    Aggregation<K, V, A> aggregation_;
    StoreCodec<K, A> codec_;
    bool old_values_;
    bool cached_ = false;
    FinalEmitter final_;
    SessionStore* store_ = nullptr;
    std::int64_t stream_time_ = -1;
};

}  // namespace leat::streams::detail
