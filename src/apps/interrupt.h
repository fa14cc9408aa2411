// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C and SIGTERM as a flag that long commands look at. Layer: apps (L7).
#pragma once

namespace leat::apps {

/// From now on SIGINT and SIGTERM only raise the flag; a second one ends the process as usual.
/// Threading: call once, from the main thread.
void watch_interrupts();
[[nodiscard]] bool is_interrupted();

}  // namespace leat::apps
