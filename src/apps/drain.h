// SPDX-License-Identifier: Apache-2.0
//
// The end of a command that sends: every record is waited for, unless the user has waited enough.
// Layer: apps (L7).
#pragma once

#include <functional>

#include "client/producer.h"

namespace leat::apps {

/// Usage: watch_interrupts(SecondSignal::kIsTold) before.
/// Threading: not synchronised; deliveries are reported inside wait().
class Drain {
  public:
    explicit Drain(client::Producer& producer) : producer_(producer) {}

    /// Whether the records on their way are not to be waited for any longer. Says once, after the
    /// first signal, what is waited for.
    bool is_given_up();
    /// Until every record is acknowledged or failed; what is given up, or cannot be sent any more,
    /// is reported as kCancelled. `on_turn` is called now and then.
    void wait(const std::function<void()>& on_turn);

  private:
    client::Producer& producer_;
    bool is_told_ = false;
};

}  // namespace leat::apps
