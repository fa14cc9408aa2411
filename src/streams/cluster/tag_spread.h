// SPDX-License-Identifier: Apache-2.0
//
// Who may get one more copy of a state, so that its copies are apart by tags: a zone or a cluster
// that goes takes one of them only. Layer: streams (L6). Pure.
// Spec:  KIP-708 by Kafka Streams' ClientTagAwareStandbyTaskAssignor; KIP-925: without tags, and if
//        all members tell where they stand, the rack is the tag.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "streams/cluster/task_assignor.h"

namespace leat::streams {

/// Threading: immutable.
class TagSpread {
  public:
    /// Keys and values of tags.
    using Taken = std::set<std::pair<std::string, std::string>>;

    /// `keys`: rack.aware.assignment.tags.
    TagSpread(const std::map<std::string, MemberState>& members,
              const std::vector<std::string>& keys);

    /// Whether there is anything to tell members apart by.
    [[nodiscard]] bool has_keys() const noexcept { return !values_.empty(); }
    /// Tags that the next copy must not have. `holders`: members that have a copy, in the order in
    /// which they got it. A key that has no value left counts no more: with two clusters and three
    /// zones the third copy is in the third zone, of either cluster.
    [[nodiscard]] Taken taken_by(std::span<const std::string> holders) const;
    [[nodiscard]] bool is_free(const std::string& member, const Taken& taken) const;
    /// How many different tags the holders have.
    [[nodiscard]] std::size_t variety(std::span<const std::string> holders) const;

  private:
    /// By member; of the keys that count.
    std::map<std::string, std::map<std::string, std::string>> tags_;
    std::map<std::string, std::set<std::string>> values_;  ///< By key, of all members.
};

}  // namespace leat::streams
