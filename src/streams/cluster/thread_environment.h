// SPDX-License-Identifier: Apache-2.0
//
// What the threads of an application share. Layer: streams (L6).
// Threading: what it points to is thread-safe or constant.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"
#include "leat/streams/handlers.h"
#include "leat/streams/restore_listener.h"
#include "rt/clock.h"
#include "streams/cluster/global_state.h"
#include "streams/cluster/group_gate.h"
#include "streams/cluster/layout.h"
#include "streams/cluster/task_board.h"
#include "streams/cluster/thread_watch.h"
#include "streams/metrics.h"
#include "streams/settings.h"
#include "streams/state/state_home.h"
#include "streams/store_query.h"

namespace leat::streams {

/// What all threads of a process share.
struct ThreadEnvironment {
    const Settings* settings = nullptr;
    const detail::Parts* parts = nullptr;
    const Layout* layout = nullptr;
    detail::StateHome* states = nullptr;
    const ErrorHandlers* handlers = nullptr;
    const GlobalState* globals = nullptr;
    TaskBoard* board = nullptr;
    GroupGate* gate = nullptr;
    ThreadWatch* watch = nullptr;
    const rt::Clock* clock = nullptr;
    const std::atomic<bool>* paused = nullptr;
    /// A thread's part of statestore.cache.max.bytes.
    const std::atomic<std::size_t>* cache_bytes = nullptr;
    RestoreListener* restore_listener = nullptr;
    MetricRoom* metrics = nullptr;
    detail::QueryDesk* desk = nullptr;
    std::string process;                ///< UUID.
    std::function<void()> on_progress;  ///< A task was released, or runs now.
    /// The thread has ended; with an error when it did not end because it was told to.
    std::function<void(int index, const Error* why)> on_end;
};

}  // namespace leat::streams
