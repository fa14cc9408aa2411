// SPDX-License-Identifier: Apache-2.0
//
// CreateTopics, DeleteTopics, CreatePartitions: messages to and from the controller.
// Layer: broker (L6). Pure.
#pragma once

#include <cstdint>
#include <set>

#include "base/arena.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"

namespace leat::broker::admin {

// All run on the controller's shard. Views in an answer live as long as request and arena.

Change<wire::CreateTopicsResponse> create_topics(const wire::CreateTopicsRequest& request,
                                                 metadata::Controller& controller, Arena& arena);

/// Ids of topics that the sender may delete.
using Deletable = std::set<Uuid>;
/// Others than `deletable` are answered as not there: the controller may know of one whose making
/// is still under way, about which nobody's rights were asked.
Change<wire::DeleteTopicsResponse> delete_topics(const wire::DeleteTopicsRequest& request,
                                                 std::int16_t version, const Deletable& deletable,
                                                 metadata::Controller& controller, Arena& arena);

Change<wire::CreatePartitionsResponse> create_partitions(
    const wire::CreatePartitionsRequest& request, metadata::Controller& controller, Arena& arena);

}  // namespace leat::broker::admin
