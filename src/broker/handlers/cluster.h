// SPDX-License-Identifier: Apache-2.0
//
// DescribeCluster, DescribeTopicPartitions, DescribeQuorum, UpdateFeatures. Layer: broker (L6).
// Spec:  admin/cluster.h.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace leat::broker {

wire::DescribeClusterResponse handle_describe_cluster(Request& request,
                                                      const wire::DescribeClusterRequest& message);
wire::DescribeTopicPartitionsResponse handle_describe_topic_partitions(
    Request& request, const wire::DescribeTopicPartitionsRequest& message);
wire::DescribeQuorumResponse handle_describe_quorum(Request& request,
                                                    const wire::DescribeQuorumRequest& message);
rt::Task<wire::UpdateFeaturesResponse> handle_update_features(
    Request* request, const wire::UpdateFeaturesRequest* message);

}  // namespace leat::broker
