// SPDX-License-Identifier: Apache-2.0
#include "broker/shard_storage.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bounded_time.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/file_cache.h"
#include "storage/flusher.h"
#include "storage/metrics.h"
#include "storage/upkeep_share.h"

namespace leat::broker {

/// What all shards share.
struct ShardStorage::OfProcess {
    OfProcess(const BrokerParts& parts, std::size_t open_max)
        : files(*parts.disk, open_max), metrics(*parts.registry) {}
    storage::FileCache files;
    storage::Metrics metrics;
    std::shared_ptr<storage::UpkeepShare> cleaners = std::make_shared<storage::UpkeepShare>();
    std::shared_ptr<storage::UpkeepShare> scrubs = std::make_shared<storage::UpkeepShare>();
    std::shared_ptr<storage::QuarantinedPartitions> quarantined =
        std::make_shared<storage::QuarantinedPartitions>();
};

struct ShardStorage::OfShard {
    OfShard(std::shared_ptr<OfProcess> of_process, storage::Flusher::Parts parts,
            const storage::Flusher::Options& options)
        : process(std::move(of_process)), flusher(std::move(parts), options) {}
    std::shared_ptr<OfProcess> process;
    storage::Flusher flusher;
};

ShardStorage::ShardStorage(const BrokerParts& parts,
                           std::shared_ptr<const config::BrokerConfig> config,
                           std::size_t log_files_max)
    : parts_(parts),
      config_(std::move(config)),
      process_(std::make_shared<OfProcess>(parts, log_files_max)) {
    parts_.directory->marks().start(*parts_.executors.front(), *parts_.pool,
                                    bounded_ms(config_->flush_mark_interval_ms));
}

ShardStorage::~ShardStorage() = default;

std::unique_ptr<storage::ShardContext> ShardStorage::make_context(rt::Executor& executor,
                                                                  std::shared_ptr<void>& keeps) {
    storage::Flusher::Parts parts{.disk = parts_.disk,
                                  .executor = &executor,
                                  .pool = parts_.pool,
                                  .marks = &parts_.directory->marks(),
                                  .health = &parts_.directory->health(),
                                  .metrics = &process_->metrics,
                                  .data_directory = parts_.directory->path()};
    storage::Flusher::Options options;
    options.syncfs_threshold =
        static_cast<std::size_t>(std::max(1, config_->flush_syncfs_threshold));
    options.faults = parts_.faults;
    const auto shard = std::make_shared<OfShard>(process_, std::move(parts), options);
    keeps = shard;
    storage::ShardContext context{.disk = *parts_.disk,
                                  .executor = executor,
                                  .pool = *parts_.pool,
                                  .files = process_->files,
                                  .flusher = shard->flusher,
                                  .marks = parts_.directory->marks(),
                                  .metrics = process_->metrics,
                                  .data_directory = parts_.directory->path(),
                                  .broker = config_,
                                  .was_clean = parts_.directory->was_clean(),
                                  .faults = parts_.faults,
                                  .cleaners = process_->cleaners,
                                  .scrubs = process_->scrubs,
                                  .quarantined = process_->quarantined};
    return std::make_unique<storage::ShardContext>(std::move(context));
}

std::string data_failure(const storage::ShardContext& context) {
    return context.flusher.health().reason();
}

}  // namespace leat::broker
