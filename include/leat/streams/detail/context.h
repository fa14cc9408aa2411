// SPDX-License-Identifier: Apache-2.0
//
// What stands behind a processor's context. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/detail/typed_store.h"
#include "leat/streams/options.h"
#include "leat/streams/record.h"
#include "leat/streams/streams_metrics.h"

namespace leat::streams {

/// Where a record was read.
struct RecordMetadata {
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    friend bool operator==(const RecordMetadata&, const RecordMetadata&) = default;
};

enum class PunctuationType : std::uint8_t { kStreamTime, kWallClockTime };
using Punctuator = std::function<Result<void>(Timestamp now)>;

/// Ends the calls of a punctuator; may be used inside of one. Made without one, it ends nothing: a
/// processor keeps it as a member until init() assigns what schedule() answers.
class Cancellable {
  public:
    Cancellable() = default;
    explicit Cancellable(std::shared_ptr<bool> cancelled) : cancelled_(std::move(cancelled)) {}
    void cancel() {
        if (cancelled_ != nullptr) *cancelled_ = true;
    }

  private:
    std::shared_ptr<bool> cancelled_;
};

namespace detail {

template <class K, class V>
Flow flow_of(const Record<K, V>& record) {
    return {.key = record.key ? &*record.key : nullptr,
            .value = record.value ? &*record.value : nullptr,
            .timestamp = record.timestamp.ms,
            .headers = &record.headers};
}

template <class K, class V>
Record<K, V> record_of(const Flow& flow) {
    Record<K, V> out{.timestamp = {flow.timestamp}};
    if (flow.key != nullptr) out.key = *flow.key_as<K>();
    if (flow.value != nullptr) out.value = *flow.value_as<V>();
    if (flow.headers != nullptr) out.headers = *flow.headers;
    return out;
}

/// Makes fixed-key records, which users cannot.
struct FixedKeyAccess {
    template <class Fixed, class R>
    static Fixed make(R record) {
        return Fixed{std::move(record)};
    }
    template <class Fixed>
    static const auto& record(const Fixed& fixed) {
        return fixed.record_;
    }
};

/// Gives a user's processor its context, whether its init() calls the base's or not.
struct ContextAccess {
    template <class P, class C>
    static void give(P& processor, C& context) {
        processor.context_ = &context;
    }
    /// What context() answers: a user's function runs in guarded() wherever it may be called.
    template <class C>
    static C& given(C* context) {
        if (context == nullptr)
            throw Refusal{Error{Errc::kInvalidRequest,  // tidy: right here, see Refusal.
                                "context() before init(): there is none yet"}};
        return *context;
    }
};

class ContextState {
  public:
    explicit ContextState(Node& node) : metrics(node), node_(&node) {}

    [[nodiscard]] Task& task() const { return node_->task(); }
    [[nodiscard]] const TaskIdentity& identity() const { return task().identity(); }
    [[nodiscard]] const std::map<std::string, std::string>& configs() const {
        static const std::map<std::string, std::string> none;
        return identity().configs == nullptr ? none : *identity().configs;
    }
    [[nodiscard]] std::optional<RecordMetadata> record_metadata() const {
        const Origin& origin = task().origin();
        if (origin.topic.empty()) return std::nullopt;
        return RecordMetadata{std::string{origin.topic}, origin.partition, origin.offset};
    }
    /// Errors: kInvalidRequest before is_open: what is below is opened later.
    Result<void> forward(const Flow& flow, std::string_view child) {
        if (!is_open)
            return Error{Errc::kInvalidRequest,
                         node_->name() +
                             ": forward() in init(): what is below is not open yet; "
                             "forward from process() or from a punctuation"};
        if (flow.timestamp < 0)
            return Error{Errc::kInvalidTimestamp,
                         node_->name() + ": a record that it forwards has a negative timestamp"};
        return child.empty() ? node_->forward(flow) : node_->forward(flow, child);
    }
    /// `start`: one time of the grid, the first call's unless that is over. Not given: with the
    /// first record, or after one interval of the clock.
    Result<Cancellable> schedule(std::optional<Timestamp> start, Duration interval,
                                 PunctuationType type, Punctuator punctuate) {
        if (interval.count() < 1)
            return Error{Errc::kInvalidRequest,
                         node_->name() + ": a punctuation's interval is at least 1 ms"};
        auto cancelled = std::make_shared<bool>(false);
        const bool by_stream = type == PunctuationType::kStreamTime;
        auto& queue = by_stream ? task().by_stream_time() : task().by_wall_time();
        const std::int64_t now = by_stream ? task().stream_time() : task().wall_time();
        std::optional<std::int64_t> first = start ? start->ms : 0;
        if (!start && !by_stream) first = PunctuationQueue::next(now, interval.count(), now);
        if (start && start->ms < now)
            first = PunctuationQueue::next(start->ms, interval.count(), now);
        auto call = [this, punctuate = std::move(punctuate)](std::int64_t time) {
            present = {.timestamp = time};
            return punctuate(Timestamp{time});
        };
        if (first) queue.add(*node_, *first, interval.count(), std::move(call), cancelled);
        return Cancellable{std::move(cancelled)};
    }
    template <class S>
    Result<S> store(std::string_view name, const Serde<typename S::Key>& key,
                    const Serde<typename S::Value>& value) {
        StateStore* store = node_->find_store(name);
        const auto refuse = [&](std::string_view why) {
            return Error{Errc::kInvalidRequest,
                         node_->name() + ": the store " + std::string{name} + std::string{why}};
        };
        if (store == nullptr) return refuse(" is not connected to it");
        if (store->spec().kind != S::kKind) return refuse(" is of another kind");
        auto key_serde = choose(key, Serde<typename S::Key>{});
        auto value_serde = choose(value, Serde<typename S::Value>{});
        if (const std::string missing = missing_serdes(
                {need("its key", "store()", key_serde), need("its value", "store()", value_serde)});
            !missing.empty())
            return refuse(": " + missing);
        return S{StoreAccess<typename S::Key, typename S::Value>{*store, std::move(key_serde),
                                                                 std::move(value_serde), present,
                                                                 node_->may_write(*store)}};
    }

    Present present;       ///< Of the record that is being processed.
    bool is_open = false;  ///< init() is over.
    StreamsMetrics metrics;

  private:
    Node* node_;
};

/// While a record is processed. Its headers do not outlive that, whatever it ends with.
class PresentScope {
  public:
    PresentScope(Present& present, const Flow& flow) : present_(&present) {
        present = {.timestamp = flow.timestamp, .headers = flow.headers};
    }
    PresentScope(const PresentScope&) = delete;
    PresentScope& operator=(const PresentScope&) = delete;
    ~PresentScope() { present_->headers = nullptr; }

  private:
    Present* present_;
};

}  // namespace detail

}  // namespace leat::streams
