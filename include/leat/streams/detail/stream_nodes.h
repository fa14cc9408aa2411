// SPDX-License-Identifier: Apache-2.0
//
// The nodes of stateless operators. Layer: streams SDK, not for users.
// Spec:  null keys and values go where Kafka Streams lets them go; see detail/invoke.h for what
// functions see of them. What a function that takes its value by reference cannot be shown, and
// what therefore would be missing, is an error where the record should go on with its answer, and
// a dropped record where it would end. Threading: as detail/node.h.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "leat/streams/detail/mapped.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

/// Hands on what it gets: merge, and the branches of a split.
class PassNode final : public Node {
  public:
    using Node::Node;

  private:
    Result<void> process(const Flow& flow) override { return forward(flow); }
};

template <class K, class V, class F>
class FilterNode final : public Node {
  public:
    FilterNode(std::string name, F predicate, bool negate)
        : Node(std::move(name)), predicate_(std::move(predicate)), negate_(negate) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto passes = verdict(predicate_, flow.key_as<K>(), flow.value_as<V>());
        if (!passes) task().drop(*this, kUnseenNull);
        if (!passes || *passes == negate_) return {};
        return forward(flow);
    }
    F predicate_;
    bool negate_;
};

template <class K, class V, class F>
class MapValuesNode final : public Node {
  public:
    MapValuesNode(std::string name, F mapper) : Node(std::move(name)), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        const auto mapped = call(mapper_, flow.key_as<K>(), flow.value_as<V>());
        Flow out = flow;
        out.value = address(mapped);
        return forward(out);
    }
    F mapper_;
};

template <class K, class V, class F>
class MapNode final : public Node {
  public:
    MapNode(std::string name, F mapper) : Node(std::move(name)), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        auto answered = call(mapper_, flow.key_as<K>(), flow.value_as<V>());
        if (!answered) return unseen_null();
        const auto mapped = moved_out<MappedTo<F, K, V>>(answered);
        if (!mapped) return {};
        Flow out = flow;
        out.key = new_key<F, K, V>(flow.key_as<K>(), mapped->key);
        out.value = mapped->value ? &*mapped->value : nullptr;
        return forward(out);
    }
    F mapper_;
};

template <class K, class V, class F>
class FlatMapNode final : public Node {
  public:
    FlatMapNode(std::string name, F mapper) : Node(std::move(name)), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        auto answered = call(mapper_, flow.key_as<K>(), flow.value_as<V>());
        if (!answered) return unseen_null();
        auto mapped = moved_out<MappedTo<F, K, V>>(answered);
        if (!mapped) return {};
        for (const ElementOf<MappedTo<F, K, V>>& one : *mapped) {
            Flow out = flow;
            out.key = new_key<F, K, V>(flow.key_as<K>(), one.key);
            out.value = one.value ? &*one.value : nullptr;
            if (auto done = forward(out); !done) return done;
        }
        return {};
    }
    F mapper_;
};

template <class K, class V, class F>
class FlatMapValuesNode final : public Node {
  public:
    FlatMapValuesNode(std::string name, F mapper)
        : Node(std::move(name)), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        auto answered = call(mapper_, flow.key_as<K>(), flow.value_as<V>());
        if (!answered) return unseen_null();
        auto mapped = moved_out<MappedTo<F, K, V>>(answered);
        if (!mapped) return {};
        using Each = ElementOf<MappedTo<F, K, V>>;
        for (const Each& one : *mapped) {
            Flow out = flow;
            if constexpr (std::is_same_v<PlainOf<Each>, Each>)
                out.value = &one;
            else
                out.value = address(one);
            if (auto done = forward(out); !done) return done;
        }
        return {};
    }
    F mapper_;
};

template <class K, class V, class F>
class SelectKeyNode final : public Node {
  public:
    SelectKeyNode(std::string name, F mapper) : Node(std::move(name)), mapper_(std::move(mapper)) {}

  private:
    Result<void> process(const Flow& flow) override {
        auto yielded = call(mapper_, flow.key_as<K>(), flow.value_as<V>());
        if (!yielded) return unseen_null();
        const std::optional<MappedTo<F, K, V>> key = moved_out<MappedTo<F, K, V>>(yielded);
        Flow out = flow;
        out.key = new_key<F, K, V>(flow.key_as<K>(), key);
        return forward(out);
    }
    F mapper_;
};

/// peek and print.
template <class K, class V, class F>
class PeekNode final : public Node {
  public:
    PeekNode(std::string name, F action) : Node(std::move(name)), action_(std::move(action)) {}

  private:
    Result<void> process(const Flow& flow) override {
        static_cast<void>(call(action_, flow.key_as<K>(), flow.value_as<V>()));
        return forward(flow);
    }
    F action_;
};

template <class K, class V, class F>
class ForeachNode final : public Node {
  public:
    ForeachNode(std::string name, F action) : Node(std::move(name)), action_(std::move(action)) {}

  private:
    Result<void> process(const Flow& flow) override {
        if (!call(action_, flow.key_as<K>(), flow.value_as<V>())) task().drop(*this, kUnseenNull);
        return {};
    }
    F action_;
};

}  // namespace leat::streams::detail
