// SPDX-License-Identifier: Apache-2.0
//
// An answer of a coordinator that a request waits for. Layer: broker (L6).
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "base/errc.h"
#include "rt/task.h"

namespace leat::broker {

/// `T` as the answer to a call that could not be made.
template <class T>
[[nodiscard]] T refused_with(Errc error) {
    if constexpr (std::same_as<T, Errc>) {
        return error;
    } else {
        T out{};
        out.error = error;
        return out;
    }
}

/// An answer that a coroutine waits for on the coordinator's shard. The first one counts.
template <class T>
struct ParkedAnswer {
    rt::Completion<T> done;
    void settle(T value) {
        if (!done.is_set()) done.set(std::move(value));
    }
};

/// What a coordinator is given to answer with. Dropped without an answer, because the coordinator
/// is gone, it says so.
/// Threading: shard-local.
template <class T>
class Ticket {
  public:
    explicit Ticket(std::shared_ptr<ParkedAnswer<T>> parked) noexcept
        : parked_(std::move(parked)) {}
    Ticket(Ticket&& other) noexcept : parked_(std::exchange(other.parked_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
        if (parked_) answer(refused_with<T>(Errc::kNotCoordinator));
    }
    void operator()(T value) { answer(std::move(value)); }

  private:
    void answer(T value) {
        const std::shared_ptr<ParkedAnswer<T>> parked = std::exchange(parked_, nullptr);
        if (parked) parked->settle(std::move(value));
    }
    std::shared_ptr<ParkedAnswer<T>> parked_;
};

}  // namespace leat::broker
