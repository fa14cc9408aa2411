// SPDX-License-Identifier: Apache-2.0
//
// What the stream commands know of an application: its group, what its members told, its topology.
// Layer: apps (L7).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/admin_access.h"
#include "apps/command.h"
#include "base/result.h"
#include "client/admin.h"
#include "leat/streams/topology_description.h"
#include "streams/cluster/group_data.h"

namespace leat::apps {

inline constexpr OptionSpec kApplication{
    .names = "APPLICATION", .value = {}, .help = "its application.id", .required = true};
inline constexpr OptionSpec kTopologyOption{
    .names = "--topology",
    .value = "FILE",
    .help = "what Topology.describe() prints, instead of what the group was told"};

/// A member and, when it is one of this library, what it said and was told.
struct StreamMember {
    client::MemberInfo info;
    std::optional<streams::DecodedMember> said{};
    std::optional<streams::MemberOrders> told{};
};

struct StreamView {
    client::GroupDetails group;
    std::vector<StreamMember> members;
    std::optional<std::string> text{};  ///< Of the topology.
    std::optional<streams::TopologyDescription> topology{};

    /// Tasks that a member has now, in order; of members in Java by what they read.
    [[nodiscard]] streams::TaskShare share_of(const StreamMember& member,
                                              std::string_view application) const;
};

/// Errors: kNotFound and kMalformed of --topology; what the cluster says, told as "describe stream
/// application ...".
[[nodiscard]] Result<StreamView> view_application(const Invocation& line, AdminAccess& access);

/// Committed positions by partition.
[[nodiscard]] Result<std::map<client::TopicPartition, std::int64_t>> positions_of(
    client::Admin& admin, std::string_view application);

/// All topics with their numbers of partitions.
[[nodiscard]] Result<std::map<std::string, std::int32_t>> all_topics(client::Admin& admin);

}  // namespace leat::apps
