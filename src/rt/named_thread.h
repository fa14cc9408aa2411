// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs one function to its end. Layer: rt (L1).
#pragma once

#include <string>
#include <thread>

#include "rt/executor.h"

namespace leat::rt {

/// Threading: owned by one thread, which also joins.
class NamedThread {
  public:
    NamedThread() = default;
    /// The first 15 bytes of `name` are what tools show.
    NamedThread(const std::string& name, Fn body);
    NamedThread(NamedThread&&) noexcept = default;
    /// Waits for the function that ran before.
    NamedThread& operator=(NamedThread&&) noexcept = default;
    /// Waits until the function has returned.
    ~NamedThread() = default;

  private:
    std::jthread thread_;
};

}  // namespace leat::rt
