// SPDX-License-Identifier: Apache-2.0
//
// What the leader of an application's group does: it lays the topology out over the topics that
// are there, makes those that are missing, and gives each member its tasks. Layer: streams (L6).
// Spec:  Kafka Streams' StreamsPartitionAssignor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_member.h"
#include "rt/clock.h"
#include "streams/cluster/group_data.h"
#include "streams/cluster/layout.h"
#include "streams/settings.h"

namespace leat::streams {

/// Threading: not synchronised. Calls that take an Admin block.
class GroupLeader {
  public:
    struct Environment {
        const Settings* settings = nullptr;
        const detail::Parts* parts = nullptr;
        const Layout* layout = nullptr;
        const rt::Clock* clock = nullptr;
        std::vector<std::byte> topology{};  ///< Packed, for tools; may be empty.
    };
    explicit GroupLeader(Environment environment);

    /// Each member's orders; `own_id` is the leader's, whose orders hold the packed topology too.
    /// What keeps the group from running is an order of all of them.
    std::vector<client::MemberShare> lead(client::Admin& admin,
                                          const std::vector<client::JoinedMember>& members,
                                          const std::string& own_id);
    /// Looks after the source topics, metadata.max.age.ms after the last time: true when they are
    /// not what was laid out. False: who does not lead.
    [[nodiscard]] bool sources_changed(client::Admin& admin);
    /// Leads no more, until it does again.
    void forget_sources() { sources_.reset(); }

  private:
    Result<std::vector<client::MemberShare>> plan(
        client::Admin& admin, const std::map<std::string, DecodedMember>& members,
        const std::string& own_id);
    [[nodiscard]] static std::vector<client::MemberShare> all_get(
        const std::vector<client::JoinedMember>& members, GroupOrder order, const Error& why);
    /// The layout with the topics that its patterns match now, and what these have.
    Result<std::pair<Layout, Layout::Counts>> look_at_sources(client::Admin& admin) const;
    void look_later();

    Environment environment_;
    const Settings& settings_;
    std::int64_t shape_;
    std::optional<Layout::Counts> sources_;  ///< As they were laid out.
    Instant look_at_{};
};

}  // namespace leat::streams
