// SPDX-License-Identifier: Apache-2.0
#include "apps/stream_access.h"

#include <utility>

#include "apps/cluster_access.h"

namespace leat::apps {

streams::TaskShare StreamView::share_of(const StreamMember& member,
                                        std::string_view application) const {
    if (member.told) return member.told->share;
    streams::TaskShare out;
    if (!topology) return out;
    const std::string prefix = std::string{application} + "-";
    for (const auto& one : topology->subtopologies)
        for (const auto& node : one.nodes)
            if (node.kind == streams::TopologyDescription::NodeKind::kSource && !one.is_global)
                for (const auto& topic : node.topics)
                    for (const auto& where : member.info.assigned)
                        if (where.topic == topic || where.topic == prefix + topic)
                            out.active.insert({one.number, where.partition});
    return out;
}

Result<StreamView> view_application(const Invocation& line, AdminAccess& access) {
    StreamView out;
    const std::string what = "describe stream application '" +
                             std::string{line.text("APPLICATION")} + "' on " + access.where;
    Result<client::GroupDetails> group = access.admin->describe_group(line.text("APPLICATION"));
    if (!group) return failed_to(what, group.error());
    if (group->outcome.code != Errc::kNone)
        return failed_to(what, Error{group->outcome.code, group->outcome.message});
    for (client::MemberInfo& info : group->members) {
        StreamMember member{.info = std::move(info)};
        if (auto said = streams::decode_member(member.info.metadata)) {
            member.said = *std::move(said);
            auto told = streams::decode_orders(member.info.assignment);
            if (told) member.told = *std::move(told);
        }
        if (member.told && !member.told->topology.empty())
            if (auto text = streams::unpack_topology(member.told->topology))
                out.text = *std::move(text);
        out.members.push_back(std::move(member));
    }
    out.group = *std::move(group);
    if (line.has("topology")) {
        LEAT_TRY(out.text, read_text_file(std::string{line.text("topology")}));
    }
    if (out.text) {
        auto topology = streams::parse_topology(*out.text);
        if (topology)
            out.topology = *std::move(topology);
        else if (line.has("topology"))
            return usage_error(std::string{line.text("topology")} + ": " +
                               std::string{topology.error().detail()});
    }
    return out;
}

Result<std::map<client::TopicPartition, std::int64_t>> positions_of(client::Admin& admin,
                                                                    std::string_view application) {
    LEAT_TRY(const std::vector<client::PartitionOffset> known,
             admin.committed_offsets(application));
    std::map<client::TopicPartition, std::int64_t> out;
    for (const client::PartitionOffset& one : known)
        if (one.offset >= 0) out[one.where] = one.offset;
    return out;
}

Result<std::map<std::string, std::int32_t>> all_topics(client::Admin& admin) {
    LEAT_TRY(const client::ClusterInfo cluster, admin.describe_cluster(std::nullopt));
    std::map<std::string, std::int32_t> out;
    for (const client::TopicInfo& topic : cluster.topics)
        if (topic.code == Errc::kNone)
            out[topic.name] = static_cast<std::int32_t>(topic.partitions.size());
    return out;
}

}  // namespace leat::apps
