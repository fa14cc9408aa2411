// SPDX-License-Identifier: Apache-2.0
#include "broker/group_partition.h"

#include <map>
#include <utility>

#include "base/bounded_time.h"
#include "broker/broker.h"
#include "broker/metrics.h"
#include "config/resource_config.h"

namespace leat::broker {
namespace {

groups::MigrationPolicy migration_policy(std::string_view name) {
    if (name == "bidirectional") return groups::MigrationPolicy::kBidirectional;
    if (name == "upgrade") return groups::MigrationPolicy::kUpgrade;
    if (name == "downgrade") return groups::MigrationPolicy::kDowngrade;
    return groups::MigrationPolicy::kDisabled;
}

}  // namespace

std::optional<groups::TopicInfo> ShardClusterView::find(std::string_view topic) const {
    return info_of(shard_.image().find(topic));
}

std::optional<groups::TopicInfo> ShardClusterView::find(const Uuid& id) const {
    return info_of(shard_.image().find(id));
}

std::optional<groups::TopicInfo> ShardClusterView::info_of(const metadata::Topic* topic) {
    if (topic == nullptr) return std::nullopt;
    return groups::TopicInfo{
        .id = topic->id, .name = topic->name, .partition_count = topic->partition_count};
}

void ShardClusterView::for_each_topic(const std::function<void(std::string_view)>& visit) const {
    for (const auto& [name, topic] : shard_.image().topics()) visit(name);
}

groups::GroupOverrides ShardClusterView::overrides(std::string_view group_id) const {
    const auto& all = shard_.image().group_configs();
    if (all.empty()) return {};
    const auto found = all.find(std::string{group_id});
    if (found == all.end()) return {};
    const auto own = [&](std::string_view name) -> std::optional<std::chrono::milliseconds> {
        const auto number = config::group_number(found->second, name);
        return number ? std::optional{bounded_ms(*number)} : std::nullopt;
    };
    return {.session_timeout = own("consumer.session.timeout.ms"),
            .heartbeat_interval = own("consumer.heartbeat.interval.ms"),
            .assignment_interval = own("consumer.assignment.interval.ms")};
}

std::int64_t ShardClusterView::version() const {
    return static_cast<std::int64_t>(shard_.image().version());
}

groups::Settings group_settings(const config::BrokerConfig& config) {
    groups::Settings out;
    out.session_timeout_min = bounded_ms(config.group_min_session_timeout_ms);
    out.session_timeout_max = bounded_ms(config.group_max_session_timeout_ms);
    out.initial_rebalance_delay = bounded_ms(config.group_initial_rebalance_delay_ms);
    out.members_max = static_cast<std::size_t>(config.group_max_size);
    out.offset_metadata_bytes_max = static_cast<std::size_t>(config.offset_metadata_max_bytes);
    out.offsets_retention = std::chrono::minutes{config.offsets_retention_minutes};
    out.retention_check_interval = bounded_ms(config.offsets_retention_check_ms);
    out.groups_max = static_cast<std::size_t>(config.groups_max);
    out.pending_members_max = static_cast<std::size_t>(config.group_pending_members_max);
    out.protocols_max = static_cast<std::size_t>(config.group_member_protocols_max);
    out.member_bytes_max = static_cast<std::size_t>(config.group_member_bytes_max);
    out.group_bytes_max = static_cast<std::size_t>(config.group_bytes_max);
    out.offsets_max = static_cast<std::size_t>(config.group_offsets_max);
    out.all_groups_bytes_max = static_cast<std::size_t>(config.groups_bytes_max);
    out.consumer_session_timeout = bounded_ms(config.consumer_session_timeout_ms);
    out.consumer_heartbeat_interval = bounded_ms(config.consumer_heartbeat_interval_ms);
    out.consumer_assignment_interval = bounded_ms(config.consumer_assignment_interval_ms);
    out.consumer_members_max = static_cast<std::size_t>(config.consumer_group_max_size);
    out.regex_refresh_interval = bounded_ms(config.consumer_regex_refresh_interval_ms);
    out.patterns_at_once_max = static_cast<std::size_t>(config.consumer_patterns_at_once_max);
    out.unsettled_heartbeat_interval = bounded_ms(config.consumer_unsettled_heartbeat_ms);
    out.migration = migration_policy(config.consumer_migration_policy);
    out.consumer_assignors.clear();
    for (const std::string& name : config.consumer_assignors)
        if (const auto kind = groups::assignor_named(name)) out.consumer_assignors.push_back(*kind);
    return out;
}

GroupPartition::GroupPartition(Shard& shard, PartitionPtr partition, const groups::Faults& faults)
    : LogBackedCoordinator(shard, std::move(partition)), faults_(faults), cluster_(shard) {
    groups::Settings settings = group_settings(shard.config());
    settings.faults = faults_;
    coordinator_ = std::make_unique<groups::Coordinator>(
        settings, [&shard] { return shard.executor().random(); }, &cluster_,
        &shard.broker().group_memory());
}

GroupPartition::~GroupPartition() {
    // It refers to cluster_.
    coordinator_.reset();
}

void GroupPartition::add_samples(std::vector<obs::Sample>& out) const {
    if (status() != Errc::kNone) return;
    std::map<std::pair<std::string_view, std::string_view>, int> counts;
    for (const groups::ListedGroup& group : coordinator_->list()) {
        ++counts[{group.type, group.state}];
        for (const groups::FetchedPartition& at : coordinator_->fetch_all_offsets(group.group_id))
            out.push_back({&group_offset_metric(),
                           {group.group_id, at.topic, std::to_string(at.partition)},
                           static_cast<double>(at.committed.offset)});
    }
    for (const auto& [kind, count] : counts)
        out.push_back({&groups_metric(),
                       {std::to_string(partition_->spec().id.index), std::string{kind.first},
                        std::string{kind.second}},
                       static_cast<double>(count)});
}

Replay GroupPartition::replay() {
    return {.on_record =
                [this](const wire::RecordView& record, const ReplayedFrom& origin) {
                    if (record.key)
                        coordinator_->load_record(*record.key, record.value, origin.read_at,
                                                  origin.producer_id);
                },
            .on_marker =
                [this](bool committed, const ReplayedFrom& origin) {
                    coordinator_->end_transaction(origin.producer_id, committed, origin.read_at);
                },
            .is_cancelled = {}};
}

void GroupPartition::on_loaded() {
    // A crash may have come between a topic's end and that of its offsets: they must not be taken
    // for those of a later topic of the same name.
    std::vector<std::string> gone = std::exchange(stale_topics_, {});
    for (std::string& topic : coordinator_->topics_with_offsets())
        if (shard_.image().find(topic) == nullptr) gone.push_back(std::move(topic));
    for (const std::string& topic : gone) coordinator_->on_topic_deleted(topic, now());
}

void GroupPartition::on_topic_deleted(const std::string& topic) {
    if (state_ == State::kLoading) stale_topics_.push_back(topic);
    if (status() != Errc::kNone) return;
    run([&topic](groups::Coordinator& coordinator, groups::Now now) {
        coordinator.on_topic_deleted(topic, now);
    });
}

void GroupPartition::on_marker(std::int64_t producer_id, bool committed) {
    // While it loads, the marker is read with all else.
    if (status() != Errc::kNone) return;
    run([=](groups::Coordinator& coordinator, groups::Now now) {
        coordinator.end_transaction(producer_id, committed, now);
    });
}

void GroupPartition::on_topic_changed(const std::string& topic, bool is_new) {
    // Nobody could commit to it yet: what the log has by its name is an earlier topic's.
    if (is_new && state_ == State::kLoading) stale_topics_.push_back(topic);
    if (coordinator_ != nullptr) coordinator_->on_topic_changed(topic, is_new);
}

void GroupPartition::set_settings(const groups::Settings& settings) {
    if (coordinator_ == nullptr) return;
    groups::Settings with = settings;
    with.faults = faults_;
    coordinator_->set_settings(with);
}

}  // namespace leat::broker
