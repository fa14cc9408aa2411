// SPDX-License-Identifier: Apache-2.0
//
// Joins of two tables by key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableKTable{Inner,Left,Right,Outer}Join. An update of one side meets what
// the other holds; the result is as new as the newer of the two. Deletions are told again although
// nothing was there, as Kafka Streams does.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/join_call.h"
#include "leat/streams/detail/table_node.h"

namespace leat::streams::detail {

/// What one side of a join needs to yield something.
struct JoinRule {
    bool needs_own = true;
    bool needs_other = true;
    bool skips_overtaken = false;  ///< It is a versioned table: only its latest updates count.
};

template <class K, class V, class Other, class R>
class TableJoinNode final : public Node {
  public:
    struct Parts {
        std::shared_ptr<Table<K, Other>> other;
        Joiner<K, V, Other, R> joiner;  ///< Its own side first.
        JoinRule rule;
        bool old_values = false;
    };
    TableJoinNode(std::string name, const Parts& parts)
        : Node(std::move(name)), parts_(parts), other_(parts.other->view()) {}

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID(Node::open(task));
        return other_->open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        if (flow.key == nullptr || (parts_.rule.skips_overtaken && !change.latest)) {
            task().drop(*this, flow.key == nullptr ? "null key" : "out-of-order update");
            return {};
        }
        const K& key = *flow.key_as<K>();
        LEAT_TRY(const Found<Other> other, other_->get(key));
        const auto* now = static_cast<const V*>(change.now);
        const auto* before = static_cast<const V*>(change.before);
        if (!other && (parts_.rule.needs_other || (now == nullptr && before == nullptr))) return {};
        const std::optional<R> joined = join(key, now, other);
        std::optional<R> joined_before;
        if (parts_.old_values) joined_before = join(key, before, other);
        const Change out{
            .now = address(joined), .before = address(joined_before), .latest = change.latest};
        Flow on = flow;
        on.value = &out;
        if (other) on.timestamp = std::max(flow.timestamp, other->timestamp);
        return forward(on);
    }
    std::optional<R> join(const K& key, const V* value, const Found<Other>& other) {
        if (value == nullptr && (parts_.rule.needs_own || !other)) return std::nullopt;
        return parts_.joiner(&key, value, value_of(other));
    }

    Parts parts_;
    std::unique_ptr<View<K, Other>> other_;
};

/// A join that is in no store: computed from both sides.
template <class K, class A, class B, class R>
class JoinedTable final : public Table<K, R> {
  public:
    struct Sides {
        std::shared_ptr<Table<K, A>> left;
        std::shared_ptr<Table<K, B>> right;
        Joiner<K, A, B, R> joiner;
        Absent absent = Absent::kNone;
    };
    explicit JoinedTable(Sides sides) : sides_(std::move(sides)) {}

    void need() override {
        sides_.left->need();
        sides_.right->need();
    }
    [[nodiscard]] std::vector<std::string> stores() const override {
        auto all = sides_.left->stores();
        for (auto& name : sides_.right->stores()) all.push_back(std::move(name));
        return all;
    }
    [[nodiscard]] bool versioned() const override { return false; }
    [[nodiscard]] std::unique_ptr<View<K, R>> view() const override {
        return std::make_unique<Joined>(sides_);
    }

  private:
    class Joined final : public View<K, R> {
      public:
        explicit Joined(const Sides& sides)
            : sides_(sides), left_(sides.left->view()), right_(sides.right->view()) {}
        Result<void> open(Task& task) override {
            LEAT_TRY_VOID(left_->open(task));
            return right_->open(task);
        }
        Result<Found<R>> get(const K& key) override {
            LEAT_TRY(const Found<A> left, left_->get(key));
            if (!left && sides_.absent != Absent::kBoth) return Found<R>{};
            LEAT_TRY(const Found<B> right, right_->get(key));
            if (!right && (sides_.absent == Absent::kNone || !left)) return Found<R>{};
            std::optional<R> value = sides_.joiner(&key, value_of(left), value_of(right));
            if (!value) return Found<R>{};
            return Found<R>{{*std::move(value),
                             std::max(left ? left->timestamp : -1, right ? right->timestamp : -1)}};
        }

      private:
        Sides sides_;
        std::unique_ptr<View<K, A>> left_;
        std::unique_ptr<View<K, B>> right_;
    };

    Sides sides_;
};

}  // namespace leat::streams::detail
