// SPDX-License-Identifier: Apache-2.0
//
// Hands each record to one of its children. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/node.h"
#include "leat/streams/detail/stream_nodes.h"

namespace leat::streams::detail {

template <class K, class V>
class SplitNode final : public Node {
  public:
    /// Nothing: the predicate takes the value by reference, and there is none.
    using Test = std::function<std::optional<bool>(const K*, const V*)>;
    struct Case {
        Test test;
        std::string child;
    };
    using Cases = std::vector<Case>;
    SplitNode(std::string name, Cases cases) : Node(std::move(name)), cases_(std::move(cases)) {}

  private:
    Result<void> process(const Flow& flow) override {
        // Children are in the order of the cases: both are added by one call.
        bool unseen = false;
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            const auto takes = cases_[i].test(flow.key_as<K>(), flow.value_as<V>());
            if (takes.value_or(false)) return children()[i]->run(flow);
            unseen = unseen || !takes;
        }
        if (unseen) task().drop(*this, kUnseenNull);
        return {};
    }
    Cases cases_;
};

}  // namespace leat::streams::detail
