// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/foreign_table_nodes.h"

namespace leat::streams::detail {

Result<void> WireSinkNode::process(const Flow& flow) {
    const auto& record = *flow.value_as<WireOut>();
    Outgoing out{.topic = topic_,
                 .partition = record.partition,
                 .value = record.value,
                 .timestamp = flow.timestamp,
                 .headers = flow.headers,
                 .sender = this};
    if (record.key) out.key = *record.key;
    if (partitioner_) {
        LEAT_TRY(const std::int32_t count, task().partitions_of(topic_));
        LEAT_TRY(out.partition, partitioner_(topic_, record.key, count));
    }
    if (!record.unencodable) return deliver(task(), out, flow);
    out.value.reset();
    out.unencodable = RecordPart::kValue;
    const Error& why = *record.unencodable;
    return task().survive_unsent(flow, out, {why.code(), why.detail()});
}

Result<void> WireSourceNode::take(const Bytes& bytes) {
    const WireIn in{.key = bytes.key, .value = bytes.value};
    return forward({.value = &in, .timestamp = bytes.timestamp, .headers = bytes.headers});
}

Result<void> SubscriptionReceiveNode::open(Task& task) {
    store_ = &dynamic_cast<KeyValueStore&>(task.store(store_name_));
    return Node::open(task);
}

Result<void> SubscriptionReceiveNode::process(const Flow& flow) {
    const auto& in = *flow.value_as<WireIn>();
    if (!in.value) return Error{Errc::kInvalidRecord, name() + ": a subscription without a value"};
    LEAT_TRY(const Subscription subscription, parse_subscription(*in.value));
    const Received received{.foreign_key = in.key, .subscription = subscription};
    if (in.key) {
        std::string at;
        append_foreign_prefix(at, *in.key);
        at += subscription.primary_key;
        const bool ends = subscription.instruction == Instruction::kDeleteQuietly ||
                          subscription.instruction == Instruction::kDeleteAndAnswer;
        LEAT_TRY_VOID(store_->put(at, ends ? std::nullopt : in.value, flow.timestamp));
    } else if (subscription.instruction != Instruction::kAnswerAlways) {
        task().drop(*this, "null foreign key");
        return {};
    }
    Flow on = flow;
    on.value = &received;
    return forward(on);
}

}  // namespace leat::streams::detail
