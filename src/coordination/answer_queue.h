// SPDX-License-Identifier: Apache-2.0
//
// A coordinator's answers, from the change that settles one to the moment it may be given.
// Layer: coordination (L5).
#pragma once

#include <deque>
#include <functional>
#include <utility>

namespace leat::coordination {

/// Who is answered may call back in, so no answer is given while the state is being changed.
/// Threading: not synchronised.
class AnswerQueue {
  public:
    void push(std::move_only_function<void()> answer) { answers_.push_back(std::move(answer)); }
    /// Gives them, oldest first, and those that come of it. Within an answer it does nothing: the
    /// outermost call gives all.
    void give() {
        if (is_giving_) return;
        is_giving_ = true;
        while (!answers_.empty()) {
            auto answer = std::move(answers_.front());
            answers_.pop_front();
            answer();
        }
        is_giving_ = false;
    }

  private:
    std::deque<std::move_only_function<void()>> answers_;
    bool is_giving_ = false;
};

}  // namespace leat::coordination
