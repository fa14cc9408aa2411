// SPDX-License-Identifier: Apache-2.0
//
// Looks up who leads the partitions of a board, and sees to it that each of these brokers is
// fetched from. Layer: client (L3). Internal to client.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "client/cluster.h"
#include "client/fetch_board.h"
#include "client/fetcher.h"
#include "rt/named_thread.h"

namespace leat::client {

/// Threading: run() has a thread of its own; nothing else is called.
class LeaderFinder {
  public:
    LeaderFinder(FetchBoard& board, const FetchSettings& settings)
        : board_(board), settings_(settings) {}

    /// Until the board is stopped and all who fetch have ended.
    void run();

  private:
    Result<void> look(const std::set<std::string>& topics);
    void note_failure(const Error& why);
    void start_fetchers();

    FetchBoard& board_;
    const FetchSettings& settings_;
    std::unique_ptr<Cluster> cluster_;
    int failures_ = 0;                                  ///< Since the last answer.
    std::map<std::int32_t, rt::NamedThread> fetchers_;  ///< By broker.
};

}  // namespace leat::client
