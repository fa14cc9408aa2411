// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/group_data.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/arena.h"
#include "codec/compression.h"
#include "wire/reader.h"
#include "wire/records/consumer_protocol_assignment.h"
#include "wire/records/consumer_protocol_subscription.h"
#include "wire/versioned.h"

namespace leat::streams {
namespace {

/// Fields that came later stand behind the others, where older readers do not look: only what these
/// must not read gets another version.
constexpr std::int8_t kVersion = 1;
/// Java's Kafka Streams writes its own versions from 1 on: 'L' in front tells ours.
constexpr std::int8_t kMark = 'L';
constexpr std::int16_t kSubscriptionVersion = 1;
constexpr std::int16_t kAssignmentVersion = 1;

template <class Out>
void put_task(Out& out, const TaskId& task) {
    out.i32(task.subtopology);
    out.i32(task.partition);
}
template <class Out>
void put_tasks(Out& out, const std::set<TaskId>& tasks) {
    out.array(false, tasks.size());
    for (const TaskId& task : tasks) put_task(out, task);
}
template <class Out>
void put_share(Out& out, const TaskShare& share) {
    put_tasks(out, share.active);
    put_tasks(out, share.standby);
}
template <class Out>
void put(Out& out, const MemberData& data, bool wants_shutdown) {
    out.i8(kMark);
    out.i8(kVersion);
    out.string(data.process, false);
    out.string(data.endpoint, false);
    out.i32(data.generation);
    out.i32(data.state.threads);
    out.boolean(wants_shutdown);
    put_tasks(out, data.state.active);
    put_tasks(out, data.state.standby);
    out.array(false, data.state.lags.size());
    for (const auto& [task, lag] : data.state.lags) {
        put_task(out, task);
        out.i64(lag);
    }
    if (!data.shape) return;
    out.i64(*data.shape);
    out.array(false, data.state.tags.size());
    for (const auto& [key, value] : data.state.tags) {
        out.string(key, false);
        out.string(value, false);
    }
    out.string(data.state.rack, false);
}
template <class Out>
void put(Out& out, const MemberOrders& orders, bool /*unused*/) {
    out.i8(kMark);
    out.i8(kVersion);
    out.i8(static_cast<std::int8_t>(orders.order));
    out.string(orders.reason, false);
    if (orders.order == GroupOrder::kFail) out.i16(wire_code(orders.code));
    out.boolean(orders.ask_again);
    put_share(out, orders.share);
    out.array(false, orders.others.size());
    for (const auto& [endpoint, share] : orders.others) {
        out.string(endpoint, false);
        put_share(out, share);
    }
    out.array(false, orders.task_counts.size());
    for (const std::int32_t count : orders.task_counts) out.i32(count);
    out.bytes(orders.topology, false);
    if (orders.shape) out.i64(*orders.shape);
}

template <class Data>
std::vector<std::byte> user_data(const Data& data, bool flag) {
    wire::Sizer size;
    put(size, data, flag);
    std::vector<std::byte> bytes(size.size().total());
    wire::Writer out{bytes};
    put(out, data, flag);
    return bytes;
}

TaskId task_in(wire::Reader& in) {
    const std::int32_t subtopology = in.i32();
    return {subtopology, in.i32()};
}
/// Counts are bounded by the bytes that are left: a failed reader ends each loop.
std::set<TaskId> tasks_in(wire::Reader& in) {
    std::set<TaskId> out;
    const std::int32_t count = in.i32();
    for (std::int32_t i = 0; i < count && !in.failed(); ++i) {
        const TaskId task = task_in(in);
        if (!in.failed()) out.insert(task);
    }
    return out;
}
TaskShare share_in(wire::Reader& in) {
    TaskShare out;
    out.active = tasks_in(in);
    out.standby = tasks_in(in);
    return out;
}
Result<void> check_mark(wire::Reader& in, std::string_view what) {
    const std::int8_t mark = in.i8();
    const std::int8_t version = in.i8();
    if (in.failed()) return Error{Errc::kTruncated, what};
    if (mark != kMark)
        return Error{Errc::kMalformed, std::string{what} + " was not written by this library"};
    if (version != kVersion)
        return Error{Errc::kUnsupportedVersion,
                     std::string{what} + " of version " + std::to_string(version)};
    return {};
}
/// Of the fields that were not always there the first.
std::optional<std::int64_t> shape_in(wire::Reader& in) {
    if (in.failed() || in.remaining() == 0) return std::nullopt;
    return in.i64();
}
/// Those after it; older versions of this library end before them.
void read_rack(wire::Reader& in, MemberState& out) {
    if (in.failed() || in.remaining() == 0) return;
    const std::int32_t tags = in.i32();
    for (std::int32_t i = 0; i < tags && !in.failed(); ++i) {
        const std::string key{in.string(false)};
        const std::string_view value = in.string(false);
        if (!in.failed()) out.tags.insert_or_assign(key, std::string{value});
    }
    out.rack = in.string(false);
}

constexpr std::size_t kTopologyTextMax = 16U << 20;

}  // namespace

std::vector<std::byte> pack_topology(std::string_view text, std::size_t bytes_max) {
    auto packed = codec::compress(codec::Codec::kZstd, std::as_bytes(std::span{text}));
    if (!packed || packed->size() > bytes_max) return {};
    return *std::move(packed);
}

Result<std::string> unpack_topology(Bytes packed) {
    LEAT_TRY(const std::vector<std::byte> text,
             codec::decompress(codec::Codec::kZstd, packed, kTopologyTextMax));
    return std::string{reinterpret_cast<const char*>(text.data()), text.size()};
}

std::vector<std::byte> encode_member(const MemberData& data, const std::vector<std::string>& topics,
                                     bool wants_shutdown) {
    std::vector<std::string_view> names{topics.begin(), topics.end()};
    const std::vector<std::byte> mine = user_data(data, wants_shutdown);
    const wire::ConsumerProtocolSubscription message{.topics = names, .user_data = mine};
    return wire::encode_versioned(message, kSubscriptionVersion);
}

Result<DecodedMember> decode_member(Bytes bytes) {
    constexpr std::string_view kWhat = "a member's subscription";
    Arena arena;
    wire::Reader in{bytes, arena};
    wire::ConsumerProtocolSubscription message;
    LEAT_TRY_VOID(wire::decode_versioned(in, wire::NewerVersion::kReadAsNewest, message));
    Arena inner;
    wire::Reader mine{message.user_data.value_or(Bytes{}), inner};
    LEAT_TRY_VOID(check_mark(mine, kWhat));
    DecodedMember out;
    out.data.process = mine.string(false);
    out.data.endpoint = mine.string(false);
    out.data.generation = mine.i32();
    out.data.state.threads = mine.i32();
    out.wants_shutdown = mine.boolean();
    out.data.state.active = tasks_in(mine);
    out.data.state.standby = tasks_in(mine);
    const std::int32_t lags = mine.i32();
    for (std::int32_t i = 0; i < lags && !mine.failed(); ++i) {
        const TaskId task = task_in(mine);
        const std::int64_t lag = mine.i64();
        if (!mine.failed()) out.data.state.lags[task] = lag;
    }
    out.data.shape = shape_in(mine);
    read_rack(mine, out.data.state);
    LEAT_TRY_VOID(mine.finish());
    return out;
}

std::vector<std::string> take_out_foreign(std::map<std::string, DecodedMember>& members,
                                          std::int64_t shape) {
    std::vector<std::string> out;
    for (const auto& [id, member] : members)
        if (member.data.shape.value_or(shape) != shape) out.push_back(id);
    for (const std::string& id : out) members.erase(id);
    return out;
}

bool is_foreign(const MemberOrders& orders, std::int64_t shape, std::size_t subtopologies) {
    const auto is_unknown = [&](const TaskId& task) {
        return task.subtopology < 0 || static_cast<std::size_t>(task.subtopology) >= subtopologies;
    };
    return orders.shape.value_or(shape) != shape ||
           std::ranges::any_of(orders.share.active, is_unknown) ||
           std::ranges::any_of(orders.share.standby, is_unknown);
}

void settle_claims(std::map<std::string, DecodedMember>& members) {
    std::map<TaskId, std::pair<std::int32_t, std::string>> owners;
    for (const auto& [id, member] : members)
        for (const TaskId& task : member.data.state.active) {
            auto& best = owners[task];
            if (best.second.empty() || member.data.generation > best.first)
                best = {member.data.generation, id};
        }
    for (auto& [id, member] : members)
        std::erase_if(member.data.state.active,
                      [&](const TaskId& task) { return owners.at(task).second != id; });
}

std::vector<std::byte> encode_orders(const MemberOrders& orders,
                                     const std::vector<client::TopicPartition>& partitions) {
    std::map<std::string, std::vector<std::int32_t>> by_topic;
    for (const auto& one : partitions) by_topic[one.topic].push_back(one.partition);
    std::vector<wire::ConsumerProtocolAssignment::TopicPartition> topics;
    topics.reserve(by_topic.size());
    for (auto& [topic, ids] : by_topic) topics.push_back({.topic = topic, .partitions = ids});
    const std::vector<std::byte> mine = user_data(orders, false);
    const wire::ConsumerProtocolAssignment message{.assigned_partitions = topics,
                                                   .user_data = mine};
    return wire::encode_versioned(message, kAssignmentVersion);
}

Result<MemberOrders> decode_orders(Bytes bytes) {
    constexpr std::string_view kWhat = "the leader's assignment";
    if (bytes.empty()) return MemberOrders{};
    Arena arena;
    wire::Reader in{bytes, arena};
    wire::ConsumerProtocolAssignment message;
    LEAT_TRY_VOID(wire::decode_versioned(in, wire::NewerVersion::kReadAsNewest, message));
    Arena inner;
    wire::Reader mine{message.user_data.value_or(Bytes{}), inner};
    LEAT_TRY_VOID(check_mark(mine, kWhat));
    MemberOrders out;
    const std::int8_t order = mine.i8();
    if (order < 0 || order > static_cast<std::int8_t>(GroupOrder::kFail))
        return Error{Errc::kMalformed, kWhat};
    out.order = static_cast<GroupOrder>(order);
    out.reason = mine.string(false);
    if (out.order == GroupOrder::kFail) out.code = errc_from_wire(mine.i16());
    out.ask_again = mine.boolean();
    out.share = share_in(mine);
    const std::int32_t others = mine.i32();
    for (std::int32_t i = 0; i < others && !mine.failed(); ++i) {
        const std::string endpoint{mine.string(false)};
        out.others[endpoint] = share_in(mine);
    }
    const std::int32_t counts = mine.i32();
    for (std::int32_t i = 0; i < counts && !mine.failed(); ++i)
        if (const std::int32_t count = mine.i32(); !mine.failed()) out.task_counts.push_back(count);
    const Bytes topology = mine.bytes(false);
    out.topology.assign(topology.begin(), topology.end());
    out.shape = shape_in(mine);
    LEAT_TRY_VOID(mine.finish());
    return out;
}

}  // namespace leat::streams
