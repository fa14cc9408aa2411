// SPDX-License-Identifier: Apache-2.0
//
// A stream cut into branches by predicates. Layer: streams SDK.
// Spec:  Kafka Streams' BranchedKStream: the first predicate that is true takes the record.
// Threading: one thread declares a topology.
//
//     auto parts = orders.split({.name = "by-size-"})
//                      .branch(is_large, {.name = "large"})
//                      .default_branch({.name = "rest"});
//     parts.at("by-size-large").to("large-orders");
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/split_nodes.h"
#include "leat/streams/kstream.h"

namespace leat::streams {

/// What becomes of a branch. It is in the answered map unless it has a consumer, or a function that
/// answers nothing. Both together are refused at build().
template <class K, class V>
struct Branched {
    std::string name{};  ///< Behind split()'s name; empty: the number of the branch, 0 the default.
    std::function<std::optional<KStream<K, V>>(KStream<K, V>)> function{};
    std::function<void(KStream<K, V>)> consumer{};
};

template <class K, class V>
class BranchedKStream {
  public:
    using Branches = std::map<std::string, KStream<K, V>>;

    BranchedKStream(detail::Handle<K, V> from, const Named& named)
        : at_(std::move(from)),
          name_(at_.graph->name("KSTREAM-BRANCH-", named.name)),
          cases_(std::make_shared<Cases>()) {
        at_.node = &detail::add_processor(
            *at_.graph, *at_.node, name_,
            [name = name_, cases = cases_] { return std::make_unique<Node>(name, *cases); });
    }

    /// Records for which `predicate` is true, of those that no branch before has taken.
    template <class F>
    BranchedKStream& branch(F predicate, const Branched<K, V>& as = {}) {
        static_assert(detail::Copyable<F>::value);
        add([predicate](const K* key,
                        const V* value) mutable { return detail::verdict(predicate, key, value); },
            std::to_string(cases_->size() + 1), as);
        return *this;
    }
    /// The rest is a branch too. Ends the split.
    Branches default_branch(const Branched<K, V>& as = {}) {
        add([](const K*, const V*) { return std::optional{true}; }, "0", as);
        return branches_;
    }
    /// The rest goes nowhere.
    Branches no_default_branch() { return branches_; }

  private:
    using Node = detail::SplitNode<K, V>;
    using Cases = typename Node::Cases;

    void add(typename Node::Test test, const std::string& number, const Branched<K, V>& as) {
        at_.graph->name("");
        const std::string name = name_ + (as.name.empty() ? number : as.name);
        at_.graph->require(name, !as.function || !as.consumer,
                           "a branch has a function or a consumer, not both");
        cases_->push_back({std::move(test), name});
        auto& node = detail::add_processor(*at_.graph, *at_.node, name, [name] {
            return std::make_unique<detail::PassNode>(name);
        });
        KStream<K, V> stream{{at_.graph, &node, at_.key, at_.value, at_.repartition}};
        if (as.function) {
            if (auto next = as.function(stream)) branches_.emplace(name, *std::move(next));
        } else if (as.consumer) {
            as.consumer(stream);
        } else {
            branches_.emplace(name, stream);
        }
    }

    detail::Handle<K, V> at_;
    std::string name_;
    std::shared_ptr<Cases> cases_;
    Branches branches_;
};

template <class K, class V>
BranchedKStream<K, V> KStream<K, V>::split(const Named& named) const {
    return {at_, named};
}

template <class K, class V>
template <class... F>
std::vector<KStream<K, V>> KStream<K, V>::branch(F... predicates) const {
    auto parts = split();
    std::vector<KStream<K, V>> out;
    const auto keep = [&out](KStream<K, V> stream) { out.push_back(std::move(stream)); };
    (parts.branch(std::move(predicates), {.name = {}, .function = {}, .consumer = keep}), ...);
    return out;
}

}  // namespace leat::streams
