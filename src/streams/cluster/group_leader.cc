// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/group_leader.h"

#include <utility>

#include "obs/log.h"
#include "streams/cluster/internal_topics.h"
#include "streams/cluster/rack_view.h"
#include "streams/cluster/trouble.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};

GroupOrder order_after(Errc code) {
    if (code == Errc::kUnknownTopicOrPartition) return GroupOrder::kMissingSource;
    if (code == Errc::kStreamsInvalidTopology) return GroupOrder::kBadTopology;
    return is_permanent(code) ? GroupOrder::kFail : GroupOrder::kKeep;
}

}  // namespace

GroupLeader::GroupLeader(Environment environment)
    : environment_(std::move(environment)),
      settings_(*environment_.settings),
      shape_(environment_.layout->shape()) {}

std::vector<client::MemberShare> GroupLeader::lead(client::Admin& admin,
                                                   const std::vector<client::JoinedMember>& members,
                                                   const std::string& own_id) {
    std::map<std::string, DecodedMember> known;
    for (const auto& member : members) {
        Result<DecodedMember> decoded = decode_member(member.metadata);
        if (!decoded)
            return all_get(
                members, GroupOrder::kBadTopology,
                Error{decoded.error().code(),
                      "member " + member.id + ": " + std::string{decoded.error().detail()}});
        if (decoded->wants_shutdown)
            return all_get(members, GroupOrder::kShutDown, Error{Errc::kNone});
        known.emplace(member.id, *std::move(decoded));
    }
    const std::vector<std::string> foreign = take_out_foreign(known, shape_);
    settle_claims(known);
    Result<std::vector<client::MemberShare>> shares = plan(admin, known, own_id);
    for (const std::string& id : foreign) {
        kLog.warn("a member runs a topology of another shape", {{"member", id}});
        if (shares)
            shares->push_back({id, encode_orders({.order = GroupOrder::kBadTopology,
                                                  .reason = std::string{kForeignShape},
                                                  .share = {},
                                                  .others = {},
                                                  .shape = shape_},
                                                 {})});
    }
    if (shares) return *std::move(shares);
    const Errc code = shares.error().code();
    kLog.error("no assignment", {{"code", code}, {"why", shares.error().detail()}});
    return all_get(members, order_after(code), shares.error());
}

std::vector<client::MemberShare> GroupLeader::all_get(
    const std::vector<client::JoinedMember>& members, GroupOrder order, const Error& why) {
    std::vector<client::MemberShare> out;
    const auto bytes = encode_orders({.order = order,
                                      .reason = std::string{why.detail()},
                                      .code = why.code(),
                                      .share = {},
                                      .others = {}},
                                     {});
    out.reserve(members.size());
    for (const auto& member : members) out.push_back({member.id, bytes});
    return out;
}

Result<std::vector<client::MemberShare>> GroupLeader::plan(
    client::Admin& admin, const std::map<std::string, DecodedMember>& members,
    const std::string& own_id) {
    LEAT_TRY(const auto looked, look_at_sources(admin));
    const Layout& layout = looked.first;
    Layout::Counts counts = looked.second;
    sources_ = counts;
    look_later();
    LEAT_TRY(counts, layout.with_repartition(std::move(counts)));
    LEAT_TRY_VOID(ensure_topics(
        admin, layout.internal_topics(counts, settings_.window_extra_retention_ms), settings_));
    const auto inputs = layout.tasks(counts);
    std::map<TaskId, bool> tasks;
    for (const auto& [task, partitions] : inputs)
        tasks[task] =
            layout.subtopologies()[static_cast<std::size_t>(task.subtopology)].is_stateful();
    std::map<std::string, MemberState> states;
    for (const auto& [id, member] : members) states[id] = member.data.state;
    const RackView seen = look_at_racks(admin, layout, inputs, states, settings_);
    const Plan made = assign_tasks(tasks, states,
                                   {.standbys = settings_.standbys,
                                    .warmups_max = settings_.warmups_max,
                                    .acceptable_lag = settings_.acceptable_lag,
                                    .racks = settings_.racks,
                                    .known_racks = seen.racks ? &*seen.racks : nullptr});
    tell_close_copies(made, settings_.racks);
    MemberOrders orders;
    orders.ask_again = made.warms_up || seen.is_early;
    orders.task_counts = layout.task_counts(counts);
    orders.shape = shape_;
    for (const auto& [id, share] : made.shares)
        if (const std::string& endpoint = members.at(id).data.endpoint; !endpoint.empty())
            orders.others[endpoint] = share;
    std::vector<client::MemberShare> out;
    for (const auto& [id, share] : made.shares) {
        orders.share = share;
        // One copy a group: what it keeps of its members is one record.
        orders.topology.clear();
        if (id == own_id) orders.topology = environment_.topology;
        std::vector<client::TopicPartition> partitions;
        for (const TaskId& task : share.active)
            partitions.insert(partitions.end(), inputs.at(task).begin(), inputs.at(task).end());
        out.push_back({id, encode_orders(orders, partitions)});
    }
    return out;
}

Result<std::pair<Layout, Layout::Counts>> GroupLeader::look_at_sources(client::Admin& admin) const {
    const Layout& plain = *environment_.layout;
    std::vector<std::string> names;
    if (plain.has_patterns()) {
        LEAT_TRY(const client::ClusterInfo all, admin.describe_cluster(std::nullopt));
        for (const auto& topic : all.topics)
            if (!topic.is_internal && topic.code == Errc::kNone) names.push_back(topic.name);
    }
    Layout layout{*environment_.parts, settings_.application_id, names};
    LEAT_TRY(Layout::Counts counts, count_partitions(admin, layout.external_sources()));
    return std::pair{std::move(layout), std::move(counts)};
}

void GroupLeader::look_later() {
    look_at_ = environment_.clock->now() + settings_.metadata_age;
}

bool GroupLeader::sources_changed(client::Admin& admin) {
    if (!sources_ || environment_.clock->now() < look_at_) return false;
    look_later();
    const auto found = look_at_sources(admin);
    if (!found) {
        kLog.warn("source topics not looked at",
                  {{"code", found.error().code()}, {"why", found.error().detail()}});
        return false;
    }
    if (found->second == *sources_) return false;
    kLog.info("source topics changed: the group is laid out anew",
              {{"group", settings_.application_id}});
    return true;
}

}  // namespace leat::streams
