// SPDX-License-Identifier: Apache-2.0
//
// What the simulation of groups must hold, told by what was asked and answered. Test-only.
// It knows nothing of the coordinator's inside; the log it reads by itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/coordinator.h"

namespace leat::groups::sim {

/// Rules:
///   durable   what was acknowledged is never lost; what was read once is never taken back;
///   settled   once it is quiet, all are in one generation and every partition has an owner;
///   replayed  after a restart offsets and members are those of the log;
///   fenced    nobody of an earlier generation commits once a later one was given out;
///   unique    a generation has one set of members, and a partition one owner in it;
///   alive     a member that was heard within its session is not removed.
///
/// Threading: not synchronised.
class Model {
  public:
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    void violated(std::string what);

    // Offsets. Each commit's number is its offset; numbers grow.
    std::int64_t next_number() { return ++number_; }
    void commit_sent(std::int32_t partition, std::int64_t number) {
        sent_[partition].insert(number);
    }
    void commit_acknowledged(std::int32_t partition, std::int64_t number);
    [[nodiscard]] std::int64_t commits() const { return commits_; }  ///< Acknowledged ones.
    void delete_sent(std::int32_t partition);
    void delete_answered(std::int32_t partition, bool is_done);
    void read(std::int32_t partition, std::int64_t offset);

    // Members.
    void joined(const JoinAnswer& answer);
    void assigned(const std::string& member, std::int32_t generation,
                  const std::vector<std::int32_t>& partitions);
    void commit_admitted(std::int32_t generation, std::int32_t newest_when_called);
    [[nodiscard]] std::int32_t newest_generation() const { return newest_; }
    void beat(const std::string& member, bool is_active, Errc error, Instant now,
              std::chrono::milliseconds session);
    void forget_member(const std::string& member) { heard_.erase(member); }

    /// The coordinator has read `log`.
    void restarted(const std::vector<RecordToWrite>& log, const Coordinator& coordinator,
                   std::string_view group, std::string_view topic);

  private:
    struct Partition {
        std::int64_t acknowledged = -1;
        std::int64_t seen = -1;  ///< Largest that was read.
        bool may_be_gone = true;
        int deleting = 0;  ///< Deletions that were asked for and not answered.
    };
    std::map<std::int32_t, Partition> partitions_;
    std::map<std::int32_t, std::set<std::int64_t>> sent_;
    std::int64_t number_ = 0;
    std::int64_t commits_ = 0;
    std::int32_t newest_ = -1;  ///< Of this life.
    std::map<std::int32_t, std::set<std::string>> members_of_;
    std::map<std::int32_t, std::map<std::int32_t, std::string>> owners_;
    std::map<std::string, Instant> heard_;
    std::vector<std::string> violations_;
};

}  // namespace leat::groups::sim
