// SPDX-License-Identifier: Apache-2.0
//
// A stream joined with itself on one store. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamKStreamSelfJoin.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/detail/join_sides.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// Tells what JoinNode's two sides would, in the same order.
template <class K, class V, class Out>
class SelfJoinNode final : public Node {
  public:
    SelfJoinNode(std::string name, JoinSide side, JoinFn<K, V, V, Out> join, StoreUse<K, V> store)
        : Node(std::move(name)),
          side_(std::move(side)),
          join_(std::move(join)),
          codec_(std::move(store)) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<WindowStore&>(task.store(codec_.store()));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        if (flow.key == nullptr || flow.value == nullptr) {
            task().drop(*this, flow.key == nullptr ? "null key" : "null value");
            return {};
        }
        const K& key = *flow.key_as<K>();
        const V& self = *flow.value_as<V>();
        const std::int64_t now = flow.timestamp;
        stream_time_ = std::max(stream_time_, now);
        // Made before the others, and told in its place, if at all: it shows where joiners fail.
        const auto itself = join_(&key, &self, &self);
        const auto tell_itself = [&] { return tell(flow, address(itself), now); };
        // Two stores would not have kept what is as late as this.
        const std::int64_t retention = side_.before + side_.after + side_.grace;
        bool met_itself = now <= stream_time_ - retention + 1;
        LEAT_TRY(const auto as_left,
                 fetch_matches(codec_, *store_, key, wrapped_sum(now, -side_.before),
                               wrapped_sum(now, side_.after)));
        for (const auto& [at, value] : as_left)
            LEAT_TRY_VOID(join(flow, self, value, std::max(now, at)));
        LEAT_TRY(const auto as_right,
                 fetch_matches(codec_, *store_, key, wrapped_sum(now, -side_.after),
                               wrapped_sum(now, side_.before)));
        for (const auto& [at, value] : as_right) {
            if (at > now && !std::exchange(met_itself, true)) LEAT_TRY_VOID(tell_itself());
            LEAT_TRY_VOID(join(flow, value, self, std::max(now, at)));
        }
        return met_itself ? Result<void>{} : tell_itself();
    }

    Result<void> join(const Flow& flow, const V& left, const V& right, std::int64_t timestamp) {
        const auto joined = join_(flow.key_as<K>(), &left, &right);
        return tell(flow, address(joined), timestamp);
    }
    Result<void> tell(const Flow& flow, const void* joined, std::int64_t timestamp) {
        return forward(
            {.key = flow.key, .value = joined, .timestamp = timestamp, .headers = flow.headers});
    }

    JoinSide side_;
    JoinFn<K, V, V, Out> join_;
    StoreCodec<K, V> codec_;
    WindowStore* store_ = nullptr;
    std::int64_t stream_time_ = -1;
};

}  // namespace leat::streams::detail
