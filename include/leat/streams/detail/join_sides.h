// SPDX-License-Identifier: Apache-2.0
//
// What both sides of a join of two streams keep and know. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStreamJoinWindow.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

/// The joined value; nothing is null. `other` null: there is no match.
template <class K, class V, class V2, class Out>
using JoinFn = std::function<std::optional<Out>(const K*, const V* self, const V2* other)>;

/// Hands a record on, then keeps it for the other side. In this order, so that a record does not
/// meet itself.
template <class K, class V>
class JoinWindowNode final : public Node {
  public:
    JoinWindowNode(std::string name, StoreUse<K, V> store)
        : Node(std::move(name)), codec_(std::move(store)) {}

    Result<void> open(Task& task) override {
        store_ = &dynamic_cast<WindowStore&>(task.store(codec_.store()));
        return Node::open(task);
    }

  private:
    Result<void> process(const Flow& flow) override {
        LEAT_TRY_VOID(forward(flow));
        if (flow.key == nullptr) return {};
        LEAT_TRY(const auto key, codec_.key(*flow.key_as<K>()));
        const V* value = flow.value_as<V>();
        LEAT_TRY(const auto bytes, value != nullptr ? codec_.encoded(*value) : codec_.nothing());
        LEAT_TRY(const bool kept, store_->put(key, flow.timestamp, bytes, flow.timestamp));
        if (!kept) task().drop(*this, "expired join window");
        return {};
    }

    StoreCodec<K, V> codec_;
    WindowStore* store_ = nullptr;
};

/// What both sides of a join know of time.
struct JoinClock {
    std::int64_t stream_time = -1;
    std::int64_t first_waiting = std::numeric_limits<std::int64_t>::max();
    std::int64_t next_look_ms = 0;
};

/// One side of a join, seen from it.
struct JoinSide {
    bool left = true;
    bool outer = false;  ///< It tells of its records that have no match.
    std::int64_t before = 0;
    std::int64_t after = 0;
    std::int64_t grace = 0;
    std::string waiting{};  ///< Store of what has no match so far; empty in inner joins.
    std::string clock{};    ///< Name of the clock that both sides share.
};

/// A kept record of the other side.
template <class V>
using Match = std::pair<std::int64_t, V>;

/// What the store holds of this key with from <= time <= to, oldest first.
template <class K, class V>
Result<std::vector<Match<V>>> fetch_matches(StoreCodec<K, V>& codec, const WindowStore& store,
                                            const K& key, std::int64_t from, std::int64_t to) {
    std::vector<Match<V>> out;
    LEAT_TRY(const auto bytes, codec.key(key));
    Result<void> decoded;
    LEAT_TRY_VOID(store.fetch(bytes, std::max<std::int64_t>(0, from), std::max<std::int64_t>(0, to),
                              [&](std::int64_t at, const Entry& entry) {
                                  auto value = codec.decode(entry.value);
                                  if (value)
                                      out.emplace_back(at, *std::move(value));
                                  else
                                      decoded = std::move(value).error();
                                  return decoded.has_value();
                              }));
    if (!decoded) return std::move(decoded).error();
    return out;
}

}  // namespace leat::streams::detail
