// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C and SIGTERM as a flag that long commands look at, and what a second one means to a server.
// Layer: apps (L7).
#pragma once

#include <chrono>

namespace leat::apps {

/// From now on SIGINT and SIGTERM only raise the flag; a second one ends the process as usual.
/// Threading: call once, from the main thread.
void watch_interrupts();
[[nodiscard]] bool is_interrupted();

/// Whether the signal `number`, that much after the first, ends a stop that is under way.
/// timeout(1) sends its signal to the process and then to the whole group: twice to the process.
[[nodiscard]] bool ends_at_once(int number, std::chrono::nanoseconds since_first);

}  // namespace leat::apps
