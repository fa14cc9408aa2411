// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/offset_fetch.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"

namespace leat::broker {
namespace {

using groups::Coordinator;
using groups::Now;
using GroupRequest = wire::OffsetFetchRequest::OffsetFetchRequestGroup;
using GroupTopic = wire::OffsetFetchRequest::OffsetFetchRequestTopics;
using GroupResponse = wire::OffsetFetchResponse::OffsetFetchResponseGroup;
using TopicRow = wire::OffsetFetchResponse::OffsetFetchResponseTopics;
using PartitionRow = wire::OffsetFetchResponse::OffsetFetchResponsePartitions;

constexpr std::int16_t kSeveralGroups = 8;
constexpr std::int16_t kHasTopicIds = 10;

/// What one group answers; `all` when no topics were named, else `asked`.
struct Fetched {
    Errc error = Errc::kNone;
    std::vector<groups::FetchedOffset> asked;
    std::vector<groups::FetchedPartition> all;
};

PartitionRow row_of(std::int32_t partition, const groups::FetchedOffset& offset, Arena& arena) {
    return {.partition_index = partition,
            .committed_offset = offset.offset,
            .committed_leader_epoch = offset.leader_epoch,
            .metadata = arena.copy(std::string_view{offset.metadata}),
            .error_code = wire_code(offset.error)};
}

/// Rows of all topics of a group, which come sorted by topic.
std::span<TopicRow> rows_of_all(Request& request, const std::vector<groups::FetchedPartition>& all,
                                Arena& arena) {
    const metadata::Image& image = request.shard->image();
    std::vector<TopicRow> topics;
    for (std::size_t first = 0; first < all.size();) {
        std::size_t end = first + 1;
        while (end < all.size() && all[end].topic == all[first].topic) ++end;
        const metadata::Topic* topic = image.find(all[first].topic);
        // Without an id there is no way to name it.
        const bool has_name = request.version() < kHasTopicIds || topic != nullptr;
        if (has_name && may_see(request, auth::Operation::kDescribe, auth::ResourceType::kTopic,
                                all[first].topic)) {
            TopicRow& row = topics.emplace_back();
            row.name = arena.copy(std::string_view{all[first].topic});
            if (topic != nullptr) row.topic_id = topic->id;
            row.partitions = arena.array<PartitionRow>(end - first);
            for (std::size_t i = first; i < end; ++i)
                row.partitions[i - first] = row_of(all[i].partition, all[i].committed, arena);
        }
        first = end;
    }
    const auto out = arena.array<TopicRow>(topics.size());
    std::ranges::copy(topics, out.begin());
    return out;
}

/// The partitions that a request names. Kafka tells each as often as it is named; it is asked for,
/// and its metadata kept, once: four bytes may name 4 KiB.
class Asked {
  public:
    void add(std::string_view topic, std::int32_t partition, PartitionRow& row) {
        const auto [at, is_new] = known_.try_emplace({topic, partition}, wanted_.size());
        if (is_new) wanted_.push_back({.topic = topic, .partition = partition});
        places_.push_back({&row, at->second});
    }
    [[nodiscard]] std::span<const groups::TopicPartition> wanted() const { return wanted_; }

    /// `found` are the offsets of wanted().
    void tell(Request& request, std::span<const groups::FetchedOffset> found) {
        std::vector<PartitionRow> rows;
        rows.reserve(found.size());
        for (std::size_t i = 0; i < found.size(); ++i)
            rows.push_back(row_of(wanted_[i].partition, found[i], request.arena));
        for (const Place& place : places_) {
            *place.row = rows[place.wanted];
            count_error(request, place.row->error_code);
        }
    }

  private:
    struct Place {
        PartitionRow* row;
        std::size_t wanted;
    };
    std::map<std::pair<std::string_view, std::int32_t>, std::size_t> known_;
    std::vector<groups::TopicPartition> wanted_;
    std::vector<Place> places_;
};

/// Rows for the topics that were named, and the partitions to ask for in `asked`.
std::span<TopicRow> rows_of(Request& request, std::span<const GroupTopic> topics, Asked& asked,
                            Arena& arena) {
    const bool has_ids = request.version() >= kHasTopicIds;
    const auto rows = arena.array<TopicRow>(topics.size());
    for (std::size_t t = 0; t < topics.size(); ++t) {
        std::string_view name = topics[t].name;
        const metadata::Topic* topic =
            has_ids ? request.shard->image().find(topics[t].topic_id) : nullptr;
        if (topic != nullptr) name = arena.copy(std::string_view{topic->name});
        rows[t].name = name;
        rows[t].topic_id = topics[t].topic_id;
        rows[t].partitions = arena.array<PartitionRow>(topics[t].partition_indexes.size());
        const bool is_allowed =
            (has_ids && topic == nullptr) || may_topic(request, auth::Operation::kDescribe, name);
        for (std::size_t p = 0; p < rows[t].partitions.size(); ++p) {
            PartitionRow& row = rows[t].partitions[p];
            row.partition_index = topics[t].partition_indexes[p];
            row.committed_offset = -1;
            row.metadata = "";
            if (!is_allowed || (has_ids && topic == nullptr)) {
                row.error_code =
                    wire_code(is_allowed ? Errc::kUnknownTopicId : Errc::kTopicAuthorizationFailed);
                count_error(request, row.error_code);
                continue;
            }
            asked.add(name, row.partition_index, row);
        }
    }
    return rows;
}

rt::Task<GroupResponse> fetch(Request* request, const GroupRequest* group, bool stable_only) {
    GroupResponse out;
    out.group_id = group->group_id;
    if (!may_group(*request, auth::Operation::kDescribe, group->group_id)) {
        out.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        count_error(*request, out.error_code);
        co_return out;
    }
    Asked asked;
    if (group->topics) out.topics = rows_of(*request, *group->topics, asked, request->arena);
    const auto call = [&](Coordinator& coordinator, Now, Ticket<Fetched> answer) {
        Fetched fetched;
        fetched.error =
            coordinator.admit_fetch(group->group_id, group->member_id, group->member_epoch);
        if (fetched.error != Errc::kNone) return answer(std::move(fetched));
        if (group->topics)
            fetched.asked = coordinator.fetch_offsets(group->group_id, asked.wanted(), stable_only);
        else
            fetched.all = coordinator.fetch_all_offsets(group->group_id, stable_only);
        answer(std::move(fetched));
    };
    const Fetched fetched = co_await ask_group<Fetched>(request, group->group_id, call);
    out.error_code = wire_code(fetched.error);
    if (fetched.error != Errc::kNone) {
        count_error(*request, out.error_code);
        out.topics = {};
        co_return out;
    }
    if (!group->topics) out.topics = rows_of_all(*request, fetched.all, request->arena);
    asked.tell(*request, fetched.asked);
    co_return out;
}

/// The one group of older versions, as newer ones ask for it.
GroupRequest single(const wire::OffsetFetchRequest& message, Arena& arena) {
    GroupRequest group;
    group.group_id = message.group_id;
    group.topics.reset();
    if (!message.topics) return group;
    group.topics = arena.array<GroupTopic>(message.topics->size());
    for (std::size_t i = 0; i < message.topics->size(); ++i) {
        (*group.topics)[i].name = (*message.topics)[i].name;
        (*group.topics)[i].partition_indexes = (*message.topics)[i].partition_indexes;
    }
    return group;
}

using OldTopic = wire::OffsetFetchResponse::OffsetFetchResponseTopic;
using OldPartition = wire::OffsetFetchResponse::OffsetFetchResponsePartition;

std::span<OldTopic> old_rows(std::span<const TopicRow> rows, Arena& arena) {
    const auto out = arena.array<OldTopic>(rows.size());
    for (std::size_t t = 0; t < rows.size(); ++t) {
        out[t].name = rows[t].name;
        out[t].partitions = arena.array<OldPartition>(rows[t].partitions.size());
        for (std::size_t p = 0; p < out[t].partitions.size(); ++p) {
            const PartitionRow& from = rows[t].partitions[p];
            out[t].partitions[p] = {.partition_index = from.partition_index,
                                    .committed_offset = from.committed_offset,
                                    .committed_leader_epoch = from.committed_leader_epoch,
                                    .metadata = from.metadata,
                                    .error_code = from.error_code};
        }
    }
    return out;
}

/// Version 1 has no error of the whole: each partition carries it.
std::span<OldTopic> failed_rows(const wire::OffsetFetchRequest& message, std::int16_t error,
                                Arena& arena) {
    if (!message.topics) return {};
    const auto out = arena.array<OldTopic>(message.topics->size());
    for (std::size_t t = 0; t < out.size(); ++t) {
        const auto& asked = (*message.topics)[t];
        out[t].name = asked.name;
        out[t].partitions = arena.array<OldPartition>(asked.partition_indexes.size());
        for (std::size_t p = 0; p < out[t].partitions.size(); ++p)
            out[t].partitions[p] = {.partition_index = asked.partition_indexes[p],
                                    .committed_offset = -1,
                                    .committed_leader_epoch = -1,
                                    .metadata = "",
                                    .error_code = error};
    }
    return out;
}

}  // namespace

rt::Task<wire::OffsetFetchResponse> handle_offset_fetch(Request* request,
                                                        const wire::OffsetFetchRequest* message) {
    Arena& arena = request->arena;
    wire::OffsetFetchResponse out;
    if (request->version() >= kSeveralGroups) {
        out.groups = arena.array<GroupResponse>(message->groups.size());
        // As in Kafka a group is told as often as it is named; much of that is refused.
        for (std::size_t i = 0; i < out.groups.size() && !request->is_full(); ++i)
            out.groups[i] = co_await fetch(request, &message->groups[i], message->require_stable);
        co_return out;
    }
    const GroupRequest group = single(*message, arena);
    const GroupResponse answer = co_await fetch(request, &group, message->require_stable);
    const bool has_error = answer.error_code != 0;
    if (request->version() >= 2) out.error_code = answer.error_code;
    out.topics = has_error && request->version() < 2
                     ? failed_rows(*message, answer.error_code, arena)
                     : old_rows(answer.topics, arena);
    co_return out;
}

}  // namespace leat::broker
