// SPDX-License-Identifier: Apache-2.0
//
// Lets other threads read a task's stores while the task runs. Layer: streams (L6).
// The task's thread holds the gate while it touches stores and lets readers in between two records:
// a reader sees the state after a whole record, and waits no longer than one takes. Without readers
// the task pays one relaxed load a record.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
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
        const Inside inside{*this};
        return std::forward<F>(read)();
    }

  private:
    class Inside {
      public:
        explicit Inside(QueryGate& gate) : gate_(gate) { gate_.begin_query(); }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() { gate_.end_query(); }

      private:
        QueryGate& gate_;
    };
    void let_in();
    void begin_query();
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

}  // namespace leat::streams::detail
