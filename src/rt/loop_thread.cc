// SPDX-License-Identifier: Apache-2.0
#include "rt/loop_thread.h"

#include <sched.h>

#include <algorithm>
#include <utility>

namespace leat::rt {

LoopThread::LoopThread(EventLoop& loop, Fn at_start)
    : thread_([&loop, start = std::move(at_start)]() mutable {
          start();
          loop.run();
      }) {}

std::size_t core_count() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&cores)));
}

}  // namespace leat::rt
