// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/restore_clients.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "client/admin.h"
#include "client/client_properties.h"
#include "streams/cluster/internal_topics.h"

namespace leat::streams {
namespace {

/// Threading: as RestoreClients.
class ClusterClients final : public RestoreClients {
  public:
    ClusterClients(const Settings& settings, std::string name,
                   std::unique_ptr<client::PartitionReader> reader)
        : settings_(settings), name_(std::move(name)), reader_(std::move(reader)) {}

    Result<void> connect() override;
    Result<std::vector<client::CommittedOffset>> committed(
        std::span<const client::TopicPartition> where) override {
        return offsets_->committed(settings_.application_id, where);
    }
    Result<std::vector<client::PartitionOffset>> all_committed() override {
        return admin_->committed_offsets(settings_.application_id);
    }
    ChangelogReader::Cluster changelogs() override;
    Result<void> wait(std::chrono::milliseconds at_most) override;
    void wake() override;

  private:
    Result<std::vector<std::int64_t>> offsets_of(std::span<const client::TopicPartition> where,
                                                 std::int64_t timestamp);
    Result<std::vector<std::string>> ids_of(std::span<const std::string> topics);

    const Settings& settings_;
    std::string name_;
    std::unique_ptr<client::PartitionReader> reader_;  ///< Absent: nothing is to be read.
    std::unique_ptr<client::Admin> admin_;
    std::unique_ptr<client::GroupOffsets> offsets_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

Result<void> ClusterClients::connect() {
    if (admin_ != nullptr && offsets_ != nullptr) return {};
    std::vector<config::Property> properties = settings_.admin;
    client::set_property(properties, "client.id", name_ + "-restore-admin");
    if (admin_ == nullptr) {
        LEAT_TRY(admin_, client::Admin::connect(properties));
    }
    if (offsets_ == nullptr) {
        // While a transaction holds a task's positions, the other tasks are looked after; with one
        // retry a coordinator that has moved is found.
        LEAT_TRY(offsets_, client::GroupOffsets::connect(properties, 1));
    }
    return {};
}

Result<std::vector<std::int64_t>> ClusterClients::offsets_of(
    std::span<const client::TopicPartition> where, std::int64_t timestamp) {
    LEAT_TRY(const auto found, admin_->list_offsets(where, timestamp));
    std::vector<std::int64_t> out;
    for (const auto& one : found) {
        if (one.code != Errc::kNone) return Error{one.code, one.where.topic};
        out.push_back(one.offset);
    }
    return out;
}

Result<std::vector<std::string>> ClusterClients::ids_of(std::span<const std::string> topics) {
    LEAT_TRY(const auto known, admin_->describe_cluster(topics));
    std::vector<std::string> out;
    for (const std::string& name : topics) {
        const auto at = std::ranges::find(known.topics, name, &client::TopicInfo::name);
        if (at == known.topics.end() || at->code != Errc::kNone)
            return Error{at == known.topics.end() ? Errc::kUnknownTopicOrPartition : at->code,
                         name};
        out.push_back(at->id.is_zero() ? std::string{} : at->id.text());
    }
    return out;
}

ChangelogReader::Cluster ClusterClients::changelogs() {
    return {.offsets_of = [this](std::span<const client::TopicPartition> where,
                                 std::int64_t timestamp) { return offsets_of(where, timestamp); },
            .ids_of = [this](std::span<const std::string> topics) { return ids_of(topics); },
            .kept_ms_of =
                [this](const std::string& topic, const detail::StoreSpec& store) {
                    return kept_ms(
                        *admin_, changelog_of(store, topic, 1, settings_.window_extra_retention_ms),
                        settings_);
                },
            .add = [this](std::span<const client::StartAt> starts) { return reader_->add(starts); },
            .remove =
                [this](std::span<const client::TopicPartition> where) {
                    return reader_->remove(where);
                },
            .next = [this](const client::TopicPartition& where) { return reader_->next(where); }};
}

Result<void> ClusterClients::wait(std::chrono::milliseconds at_most) {
    if (reader_ != nullptr) return reader_->wait(at_most);
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, at_most, [&] { return woken_; });
    woken_ = false;
    return {};
}

void ClusterClients::wake() {
    if (reader_ != nullptr) return reader_->wake();
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
}

}  // namespace

Result<std::unique_ptr<RestoreClients>> open_restore_clients(const Settings& settings,
                                                             const std::string& name, bool reads) {
    std::unique_ptr<client::PartitionReader> reader;
    if (reads) {
        std::vector<config::Property> properties = settings.consumer;
        for (const auto& own : settings.restore_consumer)
            client::set_property(properties, own.name, own.value);
        client::set_property(properties, "client.id", name + "-restore-consumer");
        LEAT_TRY(reader, client::PartitionReader::open(properties));
    }
    return std::unique_ptr<RestoreClients>{
        std::make_unique<ClusterClients>(settings, name, std::move(reader))};
}

}  // namespace leat::streams
