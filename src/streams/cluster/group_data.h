// SPDX-License-Identifier: Apache-2.0
//
// What members tell the leader of the group, and what it tells them. Layer: streams (L6). Pure.
// Spec:  Kafka's ConsumerProtocolSubscription and -Assignment, so that tools see topics and
//        partitions; their user data is ours: a version byte, then big-endian fields. What is
//        added to them stands behind, where older versions of this library do not look.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "client/consumer.h"
#include "streams/cluster/task_assignor.h"

namespace leat::streams {

/// One member about itself.
struct MemberData {
    std::string process;           ///< UUID; a process that comes back is recognised by it.
    std::string endpoint;          ///< application.server, may be empty.
    std::int32_t generation = -1;  ///< In which it got `state.active`.
    MemberState state;
    /// Layout::shape() of what it runs. Absent: written by a version that did not tell; tags and
    /// rack in `state` are not told then either.
    std::optional<std::int64_t> shape{};
};

enum class GroupOrder : std::uint8_t {
    kRun = 0,
    kMissingSource = 1,  ///< A source topic does not exist.
    kBadTopology = 2,    ///< Internal topics do not fit.
    kShutDown = 3,       ///< A member asked the whole application to end.
    kKeep = 4,           ///< The leader could not find out what there is: all as before, try again.
    kFail = 5,           ///< The leader was refused what the application needs.
};

/// The leader to one member.
struct MemberOrders {
    GroupOrder order = GroupOrder::kRun;
    std::string reason;
    Errc code = Errc::kNone;  ///< Of kFail.
    TaskShare share;
    bool ask_again = false;  ///< Join again after probing.rebalance.interval.ms.
    /// Who has what, for queries: by endpoint.
    std::map<std::string, TaskShare> others;
    std::vector<std::int32_t> task_counts{};  ///< By sub-topology.
    /// Of the leader's own orders: what it runs, for tools that ask the group. Packed; may be
    /// empty.
    std::vector<std::byte> topology{};
    /// Of what the leader runs. Absent: as above.
    std::optional<std::int64_t> shape{};
};

/// The text of a topology as it travels; empty when it would take more than `bytes_max`.
[[nodiscard]] std::vector<std::byte> pack_topology(std::string_view text, std::size_t bytes_max);
/// Errors: kLimitExceeded (more than 16 MiB of text), kCorruptMessage.
[[nodiscard]] Result<std::string> unpack_topology(Bytes packed);

/// `wants_shutdown`: the whole application is to end.
[[nodiscard]] std::vector<std::byte> encode_member(const MemberData& data,
                                                   const std::vector<std::string>& topics,
                                                   bool wants_shutdown);
struct DecodedMember {
    MemberData data;
    bool wants_shutdown = false;
};
/// Two may claim a task after one of them was away: the later generation is right, the other one's
/// claim goes.
void settle_claims(std::map<std::string, DecodedMember>& members);
/// What both sides hear then.
inline constexpr std::string_view kForeignShape =
    "the group runs a topology of another shape (topics, stores, sub-topologies) under this "
    "application.id: instances with the one have to end before those with the other start";
/// Takes out members that tell another shape than `shape`, and gives their names.
[[nodiscard]] std::vector<std::string> take_out_foreign(
    std::map<std::string, DecodedMember>& members, std::int64_t shape);
/// Whether the orders are about another topology than one of that shape with so many
/// sub-topologies.
[[nodiscard]] bool is_foreign(const MemberOrders& orders, std::int64_t shape,
                              std::size_t subtopologies);
/// Errors: kTruncated, kMalformed, kUnsupportedVersion.
[[nodiscard]] Result<DecodedMember> decode_member(Bytes bytes);

[[nodiscard]] std::vector<std::byte> encode_orders(
    const MemberOrders& orders, const std::vector<client::TopicPartition>& partitions);
/// Empty bytes are no tasks. Errors: kTruncated, kMalformed, kUnsupportedVersion.
[[nodiscard]] Result<MemberOrders> decode_orders(Bytes bytes);

}  // namespace leat::streams
