// SPDX-License-Identifier: Apache-2.0
//
// Which topics belong to a stream application, and to which of its sub-topologies. Layer: apps
// (L7). Pure.
// Spec:  Kafka Streams' names of internal topics, as its application reset tool knows them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/topology_description.h"

namespace leat::apps {

enum class TopicRole : std::uint8_t { kSource, kRepartition, kChangelog };
/// "source", "repartition", "changelog".
[[nodiscard]] std::string_view name_of(TopicRole role);

struct StreamTopic {
    std::string name;
    TopicRole role = TopicRole::kSource;
    std::optional<std::int32_t> subtopology{};  ///< Not known without a topology.
    friend bool operator==(const StreamTopic&, const StreamTopic&) = default;
};

/// Whether Kafka Streams would have made a topic of this name for the application.
[[nodiscard]] bool is_internal_topic(std::string_view application, std::string_view topic);

/// Those of `existing` that a reset deletes: the internal ones, but none that the user has named as
/// `kept`, whatever it is called.
[[nodiscard]] std::vector<std::string> deleted_by_reset(std::string_view application,
                                                        const std::set<std::string>& existing,
                                                        const std::set<std::string>& kept);

/// `existing`: topics of the cluster; `committed`: those the group has positions in. By
/// sub-topology, role and name. A topic that several sub-topologies read is there for each.
[[nodiscard]] std::vector<StreamTopic> stream_topics(std::string_view application,
                                                     const std::set<std::string>& existing,
                                                     const std::set<std::string>& committed,
                                                     const streams::TopologyDescription* topology);

}  // namespace leat::apps
