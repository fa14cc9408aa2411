// SPDX-License-Identifier: Apache-2.0
//
// Looks up who leads the partitions of a board, and sees to it that each of these brokers is
// spoken to. Layer: client (L3). Internal to client.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "client/broker_link.h"
#include "client/cluster.h"
#include "client/leader_board.h"
#include "rt/named_thread.h"

namespace leat::client {

/// Threading: run() has a thread of its own; nothing else is called.
class LeaderFinder {
  public:
    struct Options {
        ClusterOptions cluster;
        ReconnectPauses pauses;
        bool creates_topics = false;  ///< Where the cluster makes them when they are asked for.
        std::string purpose;          ///< Begins the names of threads.
    };
    /// Speaks to one broker until the board is stopped.
    using Serve = std::function<void(std::int32_t node)>;
    LeaderFinder(LeaderBoard& board, Options options, Serve serve)
        : board_(board), options_(std::move(options)), serve_(std::move(serve)) {}

    /// Until the board is stopped and all who serve have ended.
    void run();

  private:
    Result<void> look(const std::set<std::string>& topics);
    void note_failure(const Error& why);
    void start_serving();

    LeaderBoard& board_;
    const Options options_;
    const Serve serve_;
    std::unique_ptr<Cluster> cluster_;
    int failures_ = 0;                                 ///< Since the last answer.
    std::map<std::int32_t, rt::NamedThread> serving_;  ///< By broker.
};

}  // namespace leat::client
