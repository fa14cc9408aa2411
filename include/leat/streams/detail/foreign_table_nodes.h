// SPDX-License-Identifier: Apache-2.0
//
// The right side's nodes of a foreign-key join. Layer: streams SDK, not for users.
// Spec:  Kafka Streams 4.2's SubscriptionReceive-, SubscriptionJoin- and
// ForeignTableJoinProcessorSupplier.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/foreign_key.h"
#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/detail/table.h"
#include "leat/streams/detail/wire_nodes.h"

namespace leat::streams::detail {

/// A subscription on its way from where it was kept to where it is answered.
struct Received {
    std::optional<std::string_view> foreign_key{};
    Subscription subscription{};
};

/// Right side: keeps subscriptions.
class SubscriptionReceiveNode final : public Node {
  public:
    SubscriptionReceiveNode(std::string name, std::string store)
        : Node(std::move(name)), store_name_(std::move(store)) {}
    Result<void> open(Task& task) override;

  private:
    Result<void> process(const Flow& flow) override;
    std::string store_name_;
    KeyValueStore* store_ = nullptr;
};

/// Answers one subscription, to the partition that it came from.
inline WireOut answer_to(const Subscription& subscription, std::optional<std::string_view> value) {
    WireOut out{.key = std::string{subscription.primary_key}, .partition = subscription.partition};
    append_answer(out.value, {.hash = subscription.hash, .value = value});
    return out;
}

/// Right side: answers a subscription with what is there now.
template <class KO, class VO>
class SubscriptionJoinNode final : public Node {
  public:
    SubscriptionJoinNode(std::string name, const std::shared_ptr<Table<KO, VO>>& table,
                         Serde<KO> key, Serde<VO> value)
        : Node(std::move(name)),
          table_(table->view()),
          key_(std::move(key)),
          value_(std::move(value)) {}
    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        return table_->open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto& received = *flow.value_as<Received>();
        const auto instruction = received.subscription.instruction;
        if (instruction == Instruction::kDeleteQuietly) return {};
        Flow on = flow;
        std::optional<std::string> bytes;
        if (received.foreign_key) {
            LEAT_TRY(const KO key, key_->decode(name(), *received.foreign_key));
            LEAT_TRY(const Found<VO> found, table_->get(key));
            if (!found && instruction == Instruction::kAnswerIfFound) return {};
            if (found) on.timestamp = std::max(flow.timestamp, found->timestamp);
            if (found && instruction != Instruction::kDeleteAndAnswer)
                LEAT_TRY_VOID(value_->encode(name(), found->value, bytes.emplace()));
        }
        const WireOut out = answer_to(received.subscription, bytes);
        on.value = &out;
        return forward(on);
    }
    std::unique_ptr<View<KO, VO>> table_;
    Serde<KO> key_;
    Serde<VO> value_;
};

/// Right side: tells an update to all who subscribed to its key, in the order of their keys.
template <class KO, class VO>
class ForeignTableJoinNode final : public Node {
  public:
    struct Parts {
        std::string store;
        Serde<KO> key;
        Serde<VO> value;
        bool skips_overtaken = false;
    };
    ForeignTableJoinNode(std::string name, Parts parts)
        : Node(std::move(name)), parts_(std::move(parts)) {}
    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<KeyValueStore&>(task.store(parts_.store));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        if (flow.key == nullptr || (parts_.skips_overtaken && !change.latest)) {
            task().drop(*this, flow.key == nullptr ? "null key" : "out-of-order update");
            return {};
        }
        std::string key;
        LEAT_TRY_VOID(parts_.key->encode(name(), *flow.key_as<KO>(), key));
        std::optional<std::string> bytes;
        if (change.now != nullptr)
            LEAT_TRY_VOID(
                parts_.value->encode(name(), *static_cast<const VO*>(change.now), bytes.emplace()));
        std::string prefix;
        append_foreign_prefix(prefix, key);
        // Answers leave after the walk: the store must not change meanwhile.
        std::vector<WireOut> answers;
        Result<void> readable;
        LEAT_TRY_VOID(store_->prefix(prefix, [&](std::string_view at, const Entry& entry) {
            auto subscription = parse_subscription(entry.value);
            if (!subscription) {
                readable = std::move(subscription).error();
                return false;
            }
            subscription->primary_key = primary_key_of(at, key.size());
            answers.push_back(answer_to(*subscription, bytes));
            return true;
        }));
        LEAT_TRY_VOID(readable);
        for (const WireOut& answer : answers) {
            Flow on = flow;
            on.value = &answer;
            LEAT_TRY_VOID(forward(on));
        }
        return {};
    }
    Parts parts_;
    KeyValueStore* store_ = nullptr;
};

}  // namespace leat::streams::detail
