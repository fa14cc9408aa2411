// SPDX-License-Identifier: Apache-2.0
//
// ElectLeaders, Alter- and ListPartitionReassignments, AlterReplicaLogDirs, DescribeLogDirs: what
// one node with one data directory owes. Layer: broker (L6). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "base/errc.h"
#include "broker/admin/cluster.h"
#include "metadata/image.h"
#include "wire/messages/alter_partition_reassignments_request.h"
#include "wire/messages/alter_partition_reassignments_response.h"
#include "wire/messages/alter_replica_log_dirs_request.h"
#include "wire/messages/alter_replica_log_dirs_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/list_partition_reassignments_response.h"

namespace leat::broker::admin {

// All run on any shard, with its image. Views in an answer live as long as request, arena and the
// arguments given. Those with `arena_bytes_max` end early where the arena has more: what they give
// is to be refused then.

/// Nothing is ever elected: the one replica leads already, or is quarantined and cannot.
wire::ElectLeadersResponse elect_leaders(const wire::ElectLeadersRequest& request,
                                         const metadata::Image& image, Arena& arena,
                                         const PartitionTest& is_quarantined = {},
                                         std::size_t arena_bytes_max = SIZE_MAX);

/// The current replica list is accepted, any other refused.
wire::AlterPartitionReassignmentsResponse alter_partition_reassignments(
    const wire::AlterPartitionReassignmentsRequest& request, const metadata::Image& image,
    Arena& arena, std::size_t arena_bytes_max = SIZE_MAX);

/// None is ever in progress.
wire::ListPartitionReassignmentsResponse list_partition_reassignments();

/// Only the one directory can be named.
wire::AlterReplicaLogDirsResponse alter_replica_log_dirs(
    const wire::AlterReplicaLogDirsRequest& request, std::string_view data_directory,
    const metadata::Image& image, Arena& arena);

/// One partition on disk.
struct PartitionSize {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t bytes = 0;
};
struct LogDirState {
    std::string_view path;
    Errc error = Errc::kNone;  ///< kKafkaStorageError when the directory is offline.
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;
};

/// The partitions that `request` asks about (null topics: all), each found at once: a request may
/// name a million topics, and a broker have as many partitions. What does not exist takes no room.
///
/// Threading: immutable. Memory: views into the request.
class AskedPartitions {
  public:
    AskedPartitions(const wire::DescribeLogDirsRequest& request, const metadata::Image& image);
    [[nodiscard]] bool has(std::string_view topic, std::int32_t partition) const;

  private:
    bool are_all_ = false;
    std::unordered_map<std::string_view, std::vector<bool>> by_topic_;
};

/// `sizes`: of partitions that were asked about, grouped by topic.
wire::DescribeLogDirsResponse describe_log_dirs(const LogDirState& directory,
                                                std::span<const PartitionSize> sizes, Arena& arena);

}  // namespace leat::broker::admin
