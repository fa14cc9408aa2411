// SPDX-License-Identifier: Apache-2.0
//
// Waiting for enough records and reading them, on every shard involved. Layer: broker (L6).
#pragma once

#include <chrono>
#include <cstddef>

#include "broker/handlers/fetch_plan.h"
#include "rt/task.h"

namespace leat::broker {

struct FetchLimits {
    std::size_t bytes_min = 0;
    std::size_t bytes_max = 0;  ///< Of all partitions; the first batch comes even if it is larger.
    std::chrono::milliseconds wait_max{0};
    storage::Isolation isolation = storage::Isolation::kReadUncommitted;
};

/// Reads once `bytes_min` are there, an item has an error, the time is over, or the request is
/// hurried; fills the items' results. Resumes on the request's shard.
///
/// The way: each shard looks at its partitions and watches them in the same turn, so nothing is
/// missed in between; what it sees there it tells the request's shard, which decides once for all.
rt::Task<void> read_items(Request* request, std::vector<FetchItem>* items, FetchLimits limits);

}  // namespace leat::broker
