// SPDX-License-Identifier: Apache-2.0
#include "groups/cluster_view.h"

namespace leat::groups {
namespace {

class NoTopics final : public ClusterView {
  public:
    [[nodiscard]] std::optional<TopicInfo> find(std::string_view /*topic*/) const override {
        return std::nullopt;
    }
    [[nodiscard]] std::optional<TopicInfo> find(const Uuid& /*id*/) const override {
        return std::nullopt;
    }
    void for_each_topic(const std::function<void(std::string_view)>& /*visit*/) const override {}
    [[nodiscard]] std::int64_t version() const override { return 0; }
    [[nodiscard]] GroupOverrides overrides(std::string_view /*group_id*/) const override {
        return {};
    }
};

}  // namespace

const ClusterView& no_topics() {
    static const NoTopics none;
    return none;
}

}  // namespace leat::groups
