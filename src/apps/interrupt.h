// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C, SIGTERM and SIGHUP as a flag that long commands look at, and what a second one means.
// Layer: apps (L7).
#pragma once

#include <chrono>
#include <cstdint>

namespace leat::apps {

/// What a second signal, of the one kind or the other, does to a command.
enum class SecondSignal : std::uint8_t {
    kEnds,    ///< The process dies of it, as if nobody had watched.
    kIsTold,  ///< is_given_up() becomes true: there is something to say first. A third one ends.
};

/// From now on SIGINT, SIGTERM and SIGHUP (unless it is ignored) raise a flag instead of ending the
/// process.
/// Threading: call once, from the main thread.
void watch_interrupts(SecondSignal second = SecondSignal::kEnds);
[[nodiscard]] bool is_interrupted();
/// Somebody does not want to wait for what is_interrupted() began: a second signal came, or the
/// first was no SIGINT and kTermGrace has passed. Who sent that sends SIGKILL next.
[[nodiscard]] bool is_given_up();
inline constexpr std::chrono::seconds kTermGrace{5};

/// Whether the signal `number`, that much after the first, ends a stop that is under way.
/// timeout(1) sends its signal to the process and then to the whole group: twice to the process.
[[nodiscard]] bool ends_at_once(int number, std::chrono::nanoseconds since_first);

}  // namespace leat::apps
