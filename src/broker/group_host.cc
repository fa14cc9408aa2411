// SPDX-License-Identifier: Apache-2.0
#include "broker/group_host.h"

#include "broker/broker.h"
#include "groups/partition_of_group.h"

namespace leat::broker {

GroupHost::~GroupHost() {
    for (const auto& [id, hosted] : hosted_) hosted->stop();
}

void GroupHost::opened(const PartitionPtr& partition) {
    if (partition->spec().topic != kOffsetsTopic) return;
    auto hosted = std::make_shared<GroupPartition>(shard_, partition, faults_);
    hosted_[partition->spec().id] = hosted;
    hosted->start();
}

void GroupHost::closing(const PartitionPtr& partition) {
    const auto at = hosted_.find(partition->spec().id);
    if (at == hosted_.end()) return;
    const std::shared_ptr<GroupPartition> hosted = std::move(at->second);
    hosted_.erase(at);
    hosted->stop();
}

void GroupHost::applied(const metadata::Delta& delta) {
    if (const auto* deleted = std::get_if<metadata::TopicDeleted>(&delta)) {
        // Answers may change what is hosted.
        const Hosted all = hosted_;
        for (const auto& [id, hosted] : all) hosted->on_topic_deleted(deleted->topic->name);
    } else if (const auto* created = std::get_if<metadata::TopicCreated>(&delta)) {
        for (const auto& [id, hosted] : hosted_)
            hosted->on_topic_changed(created->topic->name, true);
    } else if (const auto* grown = std::get_if<metadata::PartitionsAdded>(&delta)) {
        for (const auto& [id, hosted] : hosted_)
            hosted->on_topic_changed(grown->topic->name, false);
    } else if (const auto* broker = std::get_if<metadata::BrokerConfigChanged>(&delta)) {
        const groups::Settings settings = group_settings(*broker->config);
        for (const auto& [id, hosted] : hosted_) hosted->set_settings(settings);
    }
}

void GroupHost::add_samples(std::vector<obs::Sample>& out) const {
    for (const auto& [id, hosted] : hosted_) hosted->add_samples(out);
}

rt::Task<void> GroupHost::stop() {
    const Hosted all = std::exchange(hosted_, {});
    for (const auto& [id, hosted] : all) hosted->stop();
    co_return;
}

std::shared_ptr<GroupPartition> GroupHost::find(const storage::PartitionId& id) const {
    const auto at = hosted_.find(id);
    return at == hosted_.end() ? nullptr : at->second;
}

std::shared_ptr<GroupPartition> GroupPlace::host(Errc& error) const {
    const auto* groups = static_cast<const GroupHost*>(shard->groups());
    std::shared_ptr<GroupPartition> found = groups != nullptr ? groups->find(partition) : nullptr;
    error = found != nullptr                   ? found->status()
            : shard->failed_to_open(partition) ? Errc::kCoordinatorNotAvailable
                                               : Errc::kNotCoordinator;
    return error == Errc::kNone ? found : nullptr;
}

void group_marker_written(const Shard& shard, const storage::PartitionId& partition,
                          const storage::EndTransaction& end) {
    const auto* groups = static_cast<const GroupHost*>(shard.groups());
    if (groups == nullptr) return;
    if (const std::shared_ptr<GroupPartition> host = groups->find(partition))
        host->on_marker(end.producer_id, end.committed);
}

std::optional<GroupPlace> place_of_group(const Shard& shard, std::string_view group_id) {
    const metadata::Topic* topic = shard.image().find(kOffsetsTopic);
    if (topic == nullptr) return std::nullopt;
    const storage::PartitionId id{topic->id,
                                  groups::partition_of_group(group_id, topic->partition_count)};
    return GroupPlace{.shard = &shard.broker().shard_of(id), .partition = id};
}

}  // namespace leat::broker
