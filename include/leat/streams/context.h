// SPDX-License-Identifier: Apache-2.0
//
// What a processor's task offers. Layer: streams SDK.
// Spec:  Kafka Streams' ProcessingContext. Threading: belongs to the processor's task.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/context.h"
#include "leat/streams/record.h"
#include "leat/streams/stores.h"
#include "leat/streams/streams_metrics.h"

namespace leat::streams {

class Context {
  public:
    explicit Context(detail::ContextState& state) : state_(&state) {}
    [[nodiscard]] const std::string& application_id() const {
        return state_->identity().application_id;
    }
    /// "0_3": sub-topology and partition.
    [[nodiscard]] const std::string& task_id() const { return state_->identity().task_id; }
    /// The application's settings as they were given, names that nobody knows included.
    [[nodiscard]] const std::map<std::string, std::string>& app_configs() const {
        return state_->configs();
    }
    /// Those whose names begin with `prefix`, without it.
    [[nodiscard]] std::map<std::string, std::string> app_configs_with_prefix(
        std::string_view prefix) const {
        std::map<std::string, std::string> out;
        for (const auto& [name, value] : app_configs())
            if (name.starts_with(prefix)) out.emplace(name.substr(prefix.size()), value);
        return out;
    }
    /// The folder of the task's state; empty: none of it is on disk. What a processor puts there
    /// goes with the state.
    [[nodiscard]] const std::string& state_dir() const { return state_->identity().state_dir; }
    /// Where the record came from; nothing in init() and in punctuations.
    [[nodiscard]] std::optional<RecordMetadata> record_metadata() const {
        return state_->record_metadata();
    }
    /// Largest timestamp that the task has processed; negative before the first record.
    [[nodiscard]] Timestamp stream_time() const { return {state_->task().stream_time()}; }
    [[nodiscard]] Timestamp wall_time() const { return {state_->task().wall_time()}; }
    /// Asks for a commit soon; the call does not wait for it.
    void commit() { state_->task().request_commit(); }
    /// Calls `punctuate` every `interval` from then on. By stream time the first call comes with
    /// the first record, by the wall clock after one interval; missed calls are made once, and
    /// one that would be beyond the last time there is never comes. Errors: kInvalidRequest: an
    /// interval below 1 ms.
    Result<Cancellable> schedule(Duration interval, PunctuationType type, Punctuator punctuate) {
        return state_->schedule(std::nullopt, interval, type, std::move(punctuate));
    }
    /// The same on a grid that `start` is a time of: the first call is then, or at the next time of
    /// the grid when that is over.
    Result<Cancellable> schedule(Timestamp start, Duration interval, PunctuationType type,
                                 Punctuator punctuate) {
        return state_->schedule(start, interval, type, std::move(punctuate));
    }
    /// For metrics of the processor's own.
    [[nodiscard]] StreamsMetrics& metrics() { return state_->metrics; }
    /// A store that the processor is connected to, or a global one. Keep the answer.
    /// Errors: kInvalidRequest: not connected, or of another kind or without serdes.
    template <class S>
    Result<S> store(const StoreRef<S>& ref) {
        return state_->store<S>(ref.spec.name, ref.key, ref.value);
    }
    template <class S>
    Result<S> store(std::string_view name) {
        return state_->store<S>(name, {}, {});
    }

  protected:
    detail::ContextState* state_;
};

}  // namespace leat::streams
