// SPDX-License-Identifier: Apache-2.0
//
// The clients by which a StateUpdater asks a cluster and reads changelogs. Layer: streams (L6).
// Spec:  Kafka Streams' restore consumer.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_offsets.h"
#include "streams/cluster/changelog_reader.h"
#include "streams/settings.h"

namespace leat::streams {

/// Threading: not synchronised, but for wake().
class RestoreClients {
  public:
    RestoreClients() = default;
    RestoreClients(const RestoreClients&) = delete;
    RestoreClients& operator=(const RestoreClients&) = delete;
    virtual ~RestoreClients() = default;

    /// Before the calls below; again after an error. Errors: those of the clients.
    virtual Result<void> connect() = 0;
    /// As GroupOffsets::committed(), of the application's group; does not wait for long.
    virtual Result<std::vector<client::CommittedOffset>> committed(
        std::span<const client::TopicPartition> where) = 0;
    /// All that the application's group has committed; does not wait for open transactions.
    virtual Result<std::vector<client::PartitionOffset>> all_committed() = 0;
    /// What tasks read with; as long as this lives.
    virtual ChangelogReader::Cluster changelogs() = 0;
    /// Until something came in, wake() was called since the last wait, or `at_most` is over.
    /// Errors: what no client recovers from.
    virtual Result<void> wait(std::chrono::milliseconds at_most) = 0;
    virtual void wake() = 0;
};

/// `name`: of the thread. `reads`: some task has a changelog; else no consumer is opened.
/// Errors: kInvalidSetting.
Result<std::unique_ptr<RestoreClients>> open_restore_clients(const Settings& settings,
                                                             const std::string& name, bool reads);

}  // namespace leat::streams
