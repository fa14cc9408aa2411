// SPDX-License-Identifier: Apache-2.0
//
// Lets other threads read a task's stores while the task runs. Layer: streams (L6).
// The task's thread holds the gate while it touches stores and lets readers in between two records:
// a reader sees the state after a whole record, and waits no longer than one takes. Without readers
// the task pays one relaxed load a record.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace leat::streams::detail {

/// Threading: thread-safe; enter(), breathe() and leave() belong to the task's thread.
class QueryGate {
  public:
    QueryGate() = default;
    QueryGate(const QueryGate&) = delete;
    QueryGate& operator=(const QueryGate&) = delete;

    /// Before the task touches its stores; waits for a reader that is inside.
    void enter();
    /// Between two records: readers that wait are let in, then the task goes on.
    void breathe() {
        if (waiting_.load(std::memory_order_relaxed) > 0) let_in();
    }
    /// Before the task waits for input.
    void leave();

    /// Runs `read` with the stores at rest and returns what it returns. Not from the task's thread
    /// while it is inside. What `read` found must be copied: views end with it.
    template <class F>
    auto query(F&& read) {
        const Inside inside{*this, std::nullopt};
        return std::forward<F>(read)();
    }
    /// The same; false, without a call, when the task does not let it in for that long.
    template <class F>
    bool query_within(std::chrono::milliseconds at_most, F&& read) {
        const Inside inside{*this, at_most};
        if (inside.is_there()) std::forward<F>(read)();
        return inside.is_there();
    }

  private:
    class Inside {
      public:
        Inside(QueryGate& gate, std::optional<std::chrono::milliseconds> at_most)
            : gate_(gate), is_there_(gate.begin_query(at_most)) {}
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() {
            if (is_there_) gate_.end_query();
        }
        [[nodiscard]] bool is_there() const noexcept { return is_there_; }

      private:
        QueryGate& gate_;
        bool is_there_;
    };
    void let_in();
    /// False: the time was over first.
    bool begin_query(std::optional<std::chrono::milliseconds> at_most);
    void end_query();

    std::atomic<std::uint32_t> waiting_{0};  ///< Readers before the gate; changed under mutex_.
    std::mutex mutex_;
    std::condition_variable moved_;
    bool held_ = false;
    std::uint64_t served_ = 0;
};

/// The task's thread inside the gate.
/// Threading: belongs to that thread.
class WorkInside {
  public:
    explicit WorkInside(QueryGate& gate) : gate_(gate) { gate_.enter(); }
    WorkInside(const WorkInside&) = delete;
    WorkInside& operator=(const WorkInside&) = delete;
    ~WorkInside() { gate_.leave(); }

  private:
    QueryGate& gate_;
};

/// The task's thread outside of the gate for as long as it waits and touches no store, in the
/// middle of work. Threading: belongs to that thread.
class WorkOutside {
  public:
    explicit WorkOutside(QueryGate& gate) : gate_(gate) { gate_.leave(); }
    WorkOutside(const WorkOutside&) = delete;
    WorkOutside& operator=(const WorkOutside&) = delete;
    ~WorkOutside() { gate_.enter(); }

  private:
    QueryGate& gate_;
};

}  // namespace leat::streams::detail
