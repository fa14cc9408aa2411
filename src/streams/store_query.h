// SPDX-License-Identifier: Apache-2.0
//
// Answers a query out of one store, and finds the stores to ask. Layer: streams (L6).
#pragma once

#include <functional>
#include <map>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/raw_query.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/metadata.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/query_gate.h"
#include "streams/task_id.h"

namespace leat::streams::detail {

/// How the reason begins when an answer has more rows than it may.
inline constexpr std::string_view kTooManyRows = "there are more than ";

/// Fills rows or failure of `out`. Not const, as stores use scratch space of their own.
void answer(StateStore& store, const RawQuery& query, std::size_t rows_max, RawAnswer& out);

/// True when what `bound` asks of this partition of topics is within `position`.
[[nodiscard]] bool is_up_to(const Position& position, const Position& bound,
                            std::int32_t partition);

/// Whether another instance may have an answer where this one has none.
[[nodiscard]] bool may_be_elsewhere(const RawAnswer& answer);
/// Tells in such answers who has their partitions.
void name_owners(const std::vector<KeyQueryMetadata>& places, std::vector<RawAnswer>& answers);

/// A task as a query sees it.
struct TaskView {
    TaskId id;
    bool is_serving = false;  ///< Active, and restored.
    const Stores* stores = nullptr;
    /// Up to where the input of a store has been taken in. Absent: nothing is known.
    std::function<Position(std::string_view store)> position_of{};
};

/// Where queries find the tasks of a process.
/// Threading: thread-safe. A thread must not be inside its gate when it adds or removes itself.
class QueryDesk {
  public:
    using Visit = std::function<void(const TaskView& task)>;
    /// Calls `visit` for each task; the gate is held by whoever asks.
    using Tasks = std::function<void(const Visit& visit)>;
    void add(int thread, QueryGate& gate, Tasks tasks);
    void remove(int thread);
    /// One answer for each partition of `store` that is here or was asked for.
    [[nodiscard]] std::vector<RawAnswer> ask(std::string_view store, const RawQuery& query,
                                             const QueryOptions& options) const;
    /// The same. Errors: kTimedOut, when a thread lets nobody in for options.wait_max.
    [[nodiscard]] Result<std::vector<RawAnswer>> ask_within(std::string_view store,
                                                            const RawQuery& query,
                                                            const QueryOptions& options) const;

  private:
    struct Door {
        QueryGate* gate = nullptr;
        Tasks tasks;
    };
    mutable std::shared_mutex mutex_;
    std::map<int, Door> doors_;
};

}  // namespace leat::streams::detail
