// SPDX-License-Identifier: Apache-2.0
//
// What an application tells of itself and of the other instances. Layer: streams SDK.
// Spec:  Kafka Streams' ThreadMetadata, TaskMetadata, StreamsMetadata, KeyQueryMetadata, LagInfo.
// Threading: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leat::streams {

using TopicAndPartition = std::pair<std::string, std::int32_t>;

struct TaskMetadata {
    std::string task_id;  ///< "0_3".
    std::set<TopicAndPartition> inputs{};
    /// Next offsets by input: as last committed, and where the input ended when it was last read to
    /// its end. What is not known is missing.
    std::map<TopicAndPartition, std::int64_t> committed{};
    std::map<TopicAndPartition, std::int64_t> ends{};
    bool is_running = false;  ///< False: its state is being restored, or it is a standby.
    friend bool operator==(const TaskMetadata&, const TaskMetadata&) = default;
};

struct ThreadMetadata {
    std::string name;  ///< As in logs and clients' names.
    bool is_stopping = false;
    std::vector<TaskMetadata> active{};
    std::vector<TaskMetadata> standby{};
};

/// An instance, as all know it by application.server. Instances without one are not known.
struct StreamsMetadata {
    std::string endpoint;                    ///< HOST:PORT.
    std::set<std::string> stores{};          ///< That its active tasks have.
    std::set<std::string> standby_stores{};  ///< That it follows.
    std::set<std::string> tasks{};           ///< Ids of what it runs.
    std::set<std::string> standby_tasks{};
};

/// Where a key of a store is. Endpoints are empty where application.server is not set.
struct KeyQueryMetadata {
    std::int32_t partition = -1;  ///< -1: a global store, which is whole on each instance.
    std::string active{};
    std::vector<std::string> standby{};
};

/// How far a store of this instance is behind its changelog.
struct LagInfo {
    std::int64_t position = 0;  ///< Next offset that it has not taken in.
    std::int64_t end = 0;
    std::int64_t lag = 0;
};

}  // namespace leat::streams
