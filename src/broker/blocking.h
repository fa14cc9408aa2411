// SPDX-License-Identifier: Apache-2.0
//
// Work that may block, awaited. Layer: broker (L6).
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "rt/executor.h"
#include "rt/task.h"

namespace leat::broker {

/// Runs `work()` on the pool and resumes on `home`, the caller's executor, with what it returned.
/// `work` is a plain function object; what it refers to outlives the await.
template <class Work>
rt::Task<std::invoke_result_t<Work&>> on_pool(rt::BlockingPool* pool, rt::Executor* home,
                                              Work work) {
    std::optional<std::invoke_result_t<Work&>> out;
    rt::Completion<bool> done;
    pool->submit(*home, [&out, &work] { out.emplace(work()); }, [&done] { done.set(true); });
    co_await done;
    co_return *std::move(out);
}

}  // namespace leat::broker
