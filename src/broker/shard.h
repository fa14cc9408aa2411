// SPDX-License-Identifier: Apache-2.0
//
// One shard: its copy of the metadata, its partitions, and what requests share there.
// Layer: broker (L6).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "broker/buffer_pool.h"
#include "broker/shard_service.h"
#include "metadata/authority.h"
#include "metadata/image.h"
#include "rt/executor.h"
#include "storage/partition.h"
#include "storage/shard_context.h"

namespace leat::broker {

class Broker;
class FetchSessions;  // Defined in fetch_sessions.h.

struct PartitionIdHash {
    std::size_t operator()(const storage::PartitionId& id) const noexcept;
};

using PartitionPtr = std::shared_ptr<storage::Partition>;

/// Threading: shard-local, but executor(), index() and broker(), which never change.
/// Memory:    owned by the Broker; outlives all requests.
class Shard final : public metadata::ChangeListener {
  public:
    struct Parts {
        Broker* broker = nullptr;
        std::size_t index = 0;
        std::size_t shard_count = 1;
        rt::Executor* executor = nullptr;
        std::unique_ptr<storage::ShardContext> storage;
        std::shared_ptr<void> keeps;  ///< What `storage` refers to.
    };
    Shard(Parts parts, metadata::Image image);
    ~Shard() override;

    [[nodiscard]] rt::Executor& executor() const noexcept { return *executor_; }
    [[nodiscard]] std::size_t index() const noexcept { return index_; }
    [[nodiscard]] Broker& broker() const noexcept { return *broker_; }

    [[nodiscard]] const metadata::Image& image() const noexcept { return image_; }
    [[nodiscard]] metadata::Image& mutable_image() noexcept { return image_; }
    [[nodiscard]] const config::BrokerConfig& config() const noexcept { return image_.broker(); }

    /// A partition of this shard; null when it is not (or not any more) here. Hold the pointer
    /// across suspensions.
    [[nodiscard]] PartitionPtr find_partition(const storage::PartitionId& id) const;
    using Partitions = std::unordered_map<storage::PartitionId, PartitionPtr, PartitionIdHash>;
    [[nodiscard]] const Partitions& partitions() const noexcept { return partitions_; }

    [[nodiscard]] storage::ShardContext& storage() noexcept { return *storage_; }
    [[nodiscard]] BufferPool& buffers() noexcept { return buffers_; }
    [[nodiscard]] FetchSessions& fetch_sessions() noexcept { return *fetch_sessions_; }

    /// The host of group coordinators; null until set.
    [[nodiscard]] ShardService* groups() const noexcept { return groups_.get(); }
    /// Before open_all().
    void set_groups(std::unique_ptr<ShardService> groups) { groups_ = std::move(groups); }

    /// The host of transaction coordinators; null until set.
    [[nodiscard]] ShardService* transactions() const noexcept { return transactions_.get(); }
    /// Before open_all().
    void set_transactions(std::unique_ptr<ShardService> transactions) {
        transactions_ = std::move(transactions);
    }
    /// Every partition of every shard is open.
    void started();

    /// Opens all partitions of the image that are this shard's, some at a time. One that cannot be
    /// opened, here or when it is made, is logged, counted and missing: requests get
    /// kKafkaStorageError until one of the attempts that follow opens it.
    rt::Task<void> open_all();
    /// After the last request: ends the service, closes and syncs the partitions.
    /// Errors: of the first partition that could not be shut down.
    rt::Task<Result<void>> shut_down();
    /// True when the metadata has this partition here and it could not be opened.
    [[nodiscard]] bool failed_to_open(const storage::PartitionId& id) const {
        return failed_.contains(id);
    }

    rt::Task<void> prepare(const metadata::Delta* delta) override;
    rt::Task<void> applied(const metadata::Delta* delta) override;

  private:
    struct Opening;
    struct Shutting {
        rt::Countdown left;
        Result<void> result;
    };
    rt::Task<void> open_partitions(std::vector<storage::PartitionSpec> specs,
                                   storage::SyncOfNew syncs);
    rt::Task<void> sync_new(std::vector<PartitionPtr> opened);
    void note_failed(const storage::PartitionSpec& spec, const Error& error);
    void schedule_reopening();
    rt::Task<void> reopen_failed();
    rt::Task<void> reopen(storage::PartitionSpec spec);
    rt::Task<void> discard(storage::PartitionSpec spec);
    [[nodiscard]] storage::PartitionSpec spec_of(const metadata::Topic& topic,
                                                 std::int32_t index) const;
    [[nodiscard]] std::vector<storage::PartitionSpec> specs_of(const metadata::Topic& topic,
                                                               std::int32_t first) const;
    void add(const PartitionPtr& partition);
    rt::Task<void> open_some(Opening* opening, rt::Countdown* left);
    rt::Task<void> delete_partitions(const metadata::Topic* topic);
    rt::Task<void> delete_one(PartitionPtr partition, rt::Countdown* left);
    rt::Task<void> shut_one(PartitionPtr partition, Shutting* shutting);
    void tune(const metadata::Topic& topic);

    Broker* broker_;
    std::size_t index_;
    rt::Executor* executor_;
    std::shared_ptr<void> keeps_;
    std::unique_ptr<storage::ShardContext> storage_;
    metadata::Image image_;
    BufferPool buffers_;
    std::unique_ptr<FetchSessions> fetch_sessions_;
    std::unique_ptr<ShardService> groups_;
    std::unique_ptr<ShardService> transactions_;
    Partitions partitions_;
    /// What could not be opened, and why.
    std::unordered_map<storage::PartitionId, Errc, PartitionIdHash> failed_;
    std::chrono::milliseconds reopening_pause_{};
    rt::TimerId reopening_timer_;
    bool is_reopening_ = false;
    storage::PartitionId reopened_;                            ///< While it is on the pool.
    std::shared_ptr<const config::BrokerConfig> next_config_;  ///< For after that.
    bool is_stopped_ = false;
};

}  // namespace leat::broker
