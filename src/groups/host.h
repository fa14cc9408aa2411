// SPDX-License-Identifier: Apache-2.0
//
// What a group needs from the coordinator that it lives in. Layer: groups (L5).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "groups/cluster_view.h"
#include "groups/consumer_types.h"
#include "groups/group_memory.h"
#include "groups/settings.h"
#include "groups/timer_queue.h"
#include "groups/types.h"

namespace leat::groups {

class Group;

/// Threading: shard-local.
class GroupHost {
  public:
    using Done = std::move_only_function<void(Errc)>;

    [[nodiscard]] virtual const Settings& settings() const = 0;
    [[nodiscard]] virtual TimerQueue& timers() = 0;
    /// The time of the call that is being served.
    [[nodiscard]] virtual Now now() const = 0;
    [[nodiscard]] virtual std::string random_id() = 0;
    /// Writes `records`; `done` hears kNone when they are durable, in the order of the calls.
    virtual void append(Group& group, std::vector<RecordToWrite> records, Done done) = 0;
    /// As append(), of records that the state counts on already: when they are not written, they go
    /// into the log with the next of the group, and what comes in between is told that it failed.
    virtual void append_kept(Group& group, std::vector<RecordToWrite> records, Done done) = 0;
    /// `done` hears kNone once what append_kept() was given so far is durable.
    virtual void when_written(Group& group, Done done) = 0;
    [[nodiscard]] virtual const ClusterView& cluster() const = 0;
    /// What the groups of all coordinators of the node hold.
    [[nodiscard]] virtual GroupMemory& memory() = 0;
    /// Whether they may hold `more` bytes, of a newcomer: nobody who is here is asked.
    [[nodiscard]] bool has_memory_for(std::size_t more) {
        return memory().used_bytes() + more <= settings().all_groups_bytes_max;
    }
    /// Runs `answer` once the state is consistent again.
    virtual void later(std::move_only_function<void()> answer) = 0;

  protected:
    ~GroupHost() = default;
};

}  // namespace leat::groups
