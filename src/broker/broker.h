// SPDX-License-Identifier: Apache-2.0
//
// The whole broker without its sockets: shards, metadata authority, data directory.
// Layer: broker (L6).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/acl_table.h"
#include "broker/admin/cluster.h"
#include "broker/audit.h"
#include "broker/descriptor_shares.h"
#include "broker/quotas.h"
#include "broker/shard.h"
#include "config/listener.h"
#include "groups/group_memory.h"
#include "metadata/authority.h"
#include "metadata/store.h"
#include "obs/metrics.h"
#include "rt/disk.h"
#include "rt/task.h"
#include "storage/data_directory.h"

namespace leat::broker {

class BrokerMetrics;  // Defined in metrics.h.
class Telemetry;      // Defined in telemetry.h.

/// What a broker is made of; all of it outlives the broker.
struct BrokerParts {
    rt::Disk* disk = nullptr;
    rt::BlockingPool* pool = nullptr;
    std::vector<rt::Executor*> executors;  ///< One a shard; the first is the metadata's home.
    storage::DataDirectory* directory = nullptr;
    metadata::MetadataStore* store = nullptr;
    obs::Registry* registry = nullptr;
    config::Layers layers;  ///< Command line and file.
    storage::Faults faults = {};
    /// Makes the host of the group coordinators for each shard; empty: none.
    std::function<std::unique_ptr<ShardService>(Shard&)> make_groups;
    /// The same for the transaction coordinators.
    std::function<std::unique_ptr<ShardService>(Shard&)> make_transactions = {};
    /// Threads that look at the folders of a start, most of the time waiting for the disk. 1: the
    /// caller's own, for a disk that only one thread may use.
    std::size_t start_threads = 16;
};

/// Threading: made and destroyed with no executor running or on the first one; the rest as each
///            member says.
class Broker {
  public:
    /// Loads the metadata, counts an unclean start, reconciles the directory with it.
    /// Runs on: a thread that may block, before the executors run.
    /// Errors: those of the store and the data directory, kInvalidSetting.
    static Result<std::unique_ptr<Broker>> open(BrokerParts parts);
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    /// Opens every partition, on all shards at once. Begins and ends on the first executor.
    rt::Task<void> start();
    /// After the last request: shuts everything down and marks the directory clean when nothing
    /// failed. Begins and ends on the first executor.
    rt::Task<Result<void>> stop();

    // On any shard, at any time.
    [[nodiscard]] std::size_t shard_count() const noexcept { return shards_.size(); }
    [[nodiscard]] Shard& shard(std::size_t index) const { return *shards_[index]; }
    /// The shard that has, or would have, this partition.
    [[nodiscard]] Shard& shard_of(const storage::PartitionId& id) const noexcept;
    /// Where metadata changes are made; awaited from any shard.
    [[nodiscard]] metadata::Authority& authority() noexcept { return *authority_; }
    [[nodiscard]] std::int32_t node_id() const noexcept { return node_id_; }
    [[nodiscard]] const std::string& data_directory() const noexcept {
        return parts_.directory->path();
    }
    [[nodiscard]] rt::Disk& disk() const noexcept { return *parts_.disk; }
    [[nodiscard]] rt::BlockingPool& pool() const noexcept { return *parts_.pool; }
    [[nodiscard]] obs::Registry& registry() const noexcept { return *parts_.registry; }
    [[nodiscard]] BrokerMetrics& metrics() noexcept { return *metrics_; }
    /// What holds beside the access rules and the super users that the image has; nullptr when
    /// nobody needs rights.
    [[nodiscard]] const auth::Policy* policy() const noexcept { return policy_.get(); }
    [[nodiscard]] Telemetry& telemetry() noexcept { return *telemetry_; }
    [[nodiscard]] AuditLog& audit() noexcept { return *audit_; }
    [[nodiscard]] QuotaLimits& quota_limits() noexcept { return quota_limits_; }
    /// What the groups of all shards hold.
    [[nodiscard]] groups::GroupMemory& group_memory() noexcept { return group_memory_; }
    /// Why the data directory takes no more writes; "" while all is well.
    [[nodiscard]] std::string failure() const;
    /// Features of this program; what an administrator finalized is in the image.
    [[nodiscard]] std::span<const admin::Feature> features() const noexcept;
    /// Grows when features() changes between versions of the program.
    [[nodiscard]] std::int64_t features_epoch() const noexcept;

    /// Who may hold how many descriptors; as at the start.
    [[nodiscard]] const DescriptorShares& descriptors() const noexcept { return descriptors_; }

    // Set once before the first connection, then immutable.
    void set_endpoints(std::vector<config::Listener> advertised) {
        endpoints_ = std::move(advertised);
    }
    /// The advertised endpoint of the listener `name`; views live as long as the broker.
    [[nodiscard]] admin::Endpoint endpoint(std::string_view name) const;

    /// Auto-creation as set, or on when nobody but this machine can reach us.
    [[nodiscard]] bool auto_creates_topics(const config::BrokerConfig& config) const;

    // On the first shard.
    /// Runs after each change that may be one of limits of connections.
    void set_on_limits(rt::Fn fn) { on_limits_ = std::move(fn); }
    void limits_changed() {
        if (on_limits_) on_limits_();
    }

    [[nodiscard]] bool is_stopping() const noexcept { return is_stopping_.load(); }
    void set_stopping() noexcept { is_stopping_.store(true); }

  private:
    explicit Broker(BrokerParts parts);
    Result<metadata::Controller> load();
    rt::Task<void> open_on(Shard* shard, rt::Countdown* left);
    rt::Task<void> tell_started(Shard* shard, rt::Countdown* left);
    rt::Task<void> shut_down_on(Shard* shard, rt::Countdown* left, Result<void>* result);
    void make_shards(const metadata::Image& image);
    [[nodiscard]] Result<void> reconcile(const metadata::Image& image);

    BrokerParts parts_;
    std::int32_t node_id_ = 0;
    std::unique_ptr<const auth::Policy> policy_;
    std::unique_ptr<AuditLog> audit_;
    std::unique_ptr<Telemetry> telemetry_;
    QuotaLimits quota_limits_;
    groups::GroupMemory group_memory_;
    DescriptorShares descriptors_;
    std::unique_ptr<BrokerMetrics> metrics_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::unique_ptr<metadata::Authority> authority_;
    std::vector<config::Listener> endpoints_;
    rt::Fn on_limits_;
    std::atomic<bool> is_stopping_{false};
};

}  // namespace leat::broker
