// SPDX-License-Identifier: Apache-2.0
//
// Hands each record to one of its children. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/node.h"
#include "leat/streams/detail/stream_nodes.h"

namespace leat::streams::detail {

template <class K, class V>
class SplitNode final : public Node {
  public:
    using Test = std::function<bool(const K*, const V*)>;
    struct Case {
        Test test;
        std::string child;
    };
    using Cases = std::vector<Case>;
    SplitNode(std::string name, Cases cases) : Node(std::move(name)), cases_(std::move(cases)) {}

  private:
    Result<void> process(const Flow& flow) override {
        // Children are in the order of the cases: both are added by one call.
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            if (cases_[i].test(flow.key_as<K>(), flow.value_as<V>()))
                return children()[i]->run(flow);
        }
        return {};
    }
    Cases cases_;
};

}  // namespace leat::streams::detail
