// SPDX-License-Identifier: Apache-2.0
//
// What groups need to know of topics and of settings that are theirs alone. Layer: groups (L5).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/uuid.h"

namespace leat::groups {

struct TopicInfo {
    Uuid id = {};
    std::string_view name = {};  ///< Valid until the next change of the metadata.
    std::int32_t partition_count = 0;
};

/// Settings of one group by the consumer protocol; what is unset is the broker's.
struct GroupOverrides {
    std::optional<std::chrono::milliseconds> session_timeout = {};
    std::optional<std::chrono::milliseconds> heartbeat_interval = {};
    std::optional<std::chrono::milliseconds> assignment_interval = {};
};

/// Threading: shard-local.
class ClusterView {
  public:
    ClusterView() = default;
    ClusterView(const ClusterView&) = delete;
    ClusterView& operator=(const ClusterView&) = delete;
    virtual ~ClusterView() = default;

    [[nodiscard]] virtual std::optional<TopicInfo> find(std::string_view topic) const = 0;
    [[nodiscard]] virtual std::optional<TopicInfo> find(const Uuid& id) const = 0;
    virtual void for_each_topic(const std::function<void(std::string_view)>& visit) const = 0;
    /// Grows with each change of the metadata.
    [[nodiscard]] virtual std::int64_t version() const = 0;
    [[nodiscard]] virtual GroupOverrides overrides(std::string_view group_id) const = 0;
};

/// A cluster without topics.
[[nodiscard]] const ClusterView& no_topics();

}  // namespace leat::groups
