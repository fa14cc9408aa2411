// SPDX-License-Identifier: Apache-2.0
//
// Puts together what the partitions of each shard share. Layer: broker (L6).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "broker/broker.h"
#include "storage/shard_context.h"

namespace leat::broker {

/// Threading: not synchronised; used while the broker is made.
class ShardStorage {
  public:
    /// `log_files_max`: segment and index files open at once.
    ShardStorage(const BrokerParts& parts, std::shared_ptr<const config::BrokerConfig> config,
                 std::size_t log_files_max);
    ~ShardStorage();

    /// The context of one shard; `keeps` holds what it refers to and goes after it.
    [[nodiscard]] std::unique_ptr<storage::ShardContext> make_context(rt::Executor& executor,
                                                                      std::shared_ptr<void>& keeps);

  private:
    struct OfProcess;
    struct OfShard;
    const BrokerParts& parts_;
    std::shared_ptr<const config::BrokerConfig> config_;
    std::shared_ptr<OfProcess> process_;
};

/// What made the data directory of `context` go offline; "" while it is not.
[[nodiscard]] std::string data_failure(const storage::ShardContext& context);

}  // namespace leat::broker
