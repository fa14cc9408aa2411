// SPDX-License-Identifier: Apache-2.0
//
// What one Fetch request reads: the partitions of the request and of its session.
// Layer: broker (L6).
#pragma once

#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "broker/fetch_sessions.h"
#include "broker/request.h"
#include "wire/messages/fetch_request.h"

namespace leat::broker {

/// One partition to be read, and what came of it.
struct FetchItem {
    std::string_view topic;  ///< As the client named it; "" by id.
    storage::PartitionId id;
    Offset from;
    std::size_t bytes_max = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t last_fetched_epoch = -1;
    SessionPartition* remembered = nullptr;  ///< In the pinned session.
    /// Found before any partition was asked: unknown topics and the like.
    Errc error = Errc::kNone;
    storage::Partition::EpochEnd diverging;
    storage::ReadResult result;
};

/// Threading: shard-local to the request's shard; items are lent to their partitions' shards.
struct FetchPlan {
    Errc error = Errc::kNone;  ///< Of the whole answer: nothing is read.
    std::vector<FetchItem> items;
    /// Pinned until finish(); null without one.
    FetchSession* session = nullptr;
    bool is_incremental = false;  ///< Only what changed is answered.
    bool is_replica = false;      ///< Of who asks: no partition's, so nothing is read.
    std::int32_t answered_session_id = 0;
};

/// Finds or makes the session and collects what is to be read. Views live as long as the request
/// and the pinned session.
[[nodiscard]] FetchPlan plan_fetch(Request& request, const wire::FetchRequest& message);

/// After the answer was made: unpins the session.
void finish_fetch(Request& request, FetchPlan& plan);

}  // namespace leat::broker
