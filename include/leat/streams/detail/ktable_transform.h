// SPDX-License-Identifier: Apache-2.0
//
// KTable's transform_values(). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableImpl.doTransformValues, KTableTransformValues.
// Threading: one thread declares a topology; nodes as detail/node.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/context.h"
#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/ktable_stateless.h"
#include "leat/streams/detail/processor_nodes.h"
#include "leat/streams/ktable.h"

namespace leat::streams {

namespace detail {

template <class K, class V, class V2>
class TableTransformNode final : public TableNode<K, V2> {
  public:
    TableTransformNode(std::string name, std::unique_ptr<ValueTransformer<K, V, V2>> user,
                       const TableOut<K, V2>& out)
        : TableNode<K, V2>(std::move(name), out),
          state_(*this),
          context_(state_),
          user_(std::move(user)) {}

    Result<void> open(Task& task) override {
        LEAT_TRY_VOID((TableNode<K, V2>::open(task)));
        if (user_ == nullptr)
            return Error{Errc::kInvalidRequest, this->name() + ": its supplier made nothing"};
        ContextAccess::give(*user_, context_);
        LEAT_TRY_VOID(this->guarded([&] { return user_->init(context_); }));
        state_.is_open = open_ = true;
        return {};
    }
    void close() override {
        if (!std::exchange(open_, false)) return;
        this->note_close(this->guarded([&]() -> Result<void> {
            user_->close();
            return {};
        }));
    }

  private:
    Result<void> process(const Flow& flow) override {
        const auto& change = *flow.value_as<Change>();
        const K& key = *flow.key_as<K>();
        const PresentScope present{state_.present, flow};
        auto now = user_->transform(key, static_cast<const V*>(change.now));
        if (!now) return std::move(now).error();
        std::optional<V2> before;
        if (this->old_values()) {
            if (this->has_store()) {
                LEAT_TRY(Found<V2> held, this->stored(key));
                if (held) before = std::move(held->value);
            } else {
                LEAT_TRY(before, user_->transform(key, static_cast<const V*>(change.before)));
            }
        }
        return this->publish(
            flow, {.now = address(*now), .before = address(before), .latest = change.latest});
    }
    ContextState state_;
    Context context_;
    std::unique_ptr<ValueTransformer<K, V, V2>> user_;
    bool open_ = false;
};

}  // namespace detail

template <class K, class V>
template <class F>
auto KTable<K, V>::transform_values(F transformer,
                                    const Materialized<K, detail::TransformedTo<F, K, V>>& as,
                                    const std::vector<std::string>& stores) const {
    using V2 = detail::TransformedTo<F, K, V>;
    constexpr std::string_view kPrefix = "KTABLE-TRANSFORMVALUES-";
    if constexpr (detail::kMakesTransformer<F>) {
        return transformed<V2>(at_.graph->name(kPrefix, as.name), std::move(transformer), as,
                               stores);
    } else {
        at_.graph->require(as.name.empty() ? kPrefix : as.name, stores.empty(),
                           "a function has no stores: make a ValueTransformer");
        return mapped<V2>(
            kPrefix,
            [transformer](const K& key, const V* value) mutable -> std::optional<V2> {
                auto result = detail::call(transformer, &key, value);
                return detail::moved_out<V2>(result);
            },
            as);
    }
}

template <class K, class V>
template <class V2, class Supplier>
KTable<K, V2> KTable<K, V>::transformed(const std::string& name, Supplier supplier,
                                        const Materialized<K, V2>& as,
                                        const std::vector<std::string>& stores) const {
    using T = detail::SuppliedBy<Supplier>;
    static_assert(std::is_same_v<typename T::KeyIn, K> && std::is_same_v<typename T::ValueIn, V>,
                  "the transformer takes updates of another type than the table's");
    auto& graph = *at_.graph;
    std::optional<detail::Kept<K, V2>> store;
    detail::check_materialized(graph, name, as, {.windows = false, .history = !as.store.empty()});
    if (!as.store.empty()) store = detail::kept(graph, name, as.store, as, at_.key);
    const auto brought = detail::stores_of(supplier);
    auto& node = detail::add_table_node<K, V2>(
        graph, {at_.node}, name, store,
        [supplier = std::make_shared<Supplier>(supplier)](const std::string& n,
                                                          const detail::TableOut<K, V2>& out) {
            return std::make_unique<detail::TableTransformNode<K, V, V2>>(n, (*supplier)(), out);
        });
    node.write = [=, write = std::move(node.write)](detail::Parts& parts) {
        write(parts);
        for (const auto& spec : brought) parts.add_store(spec, {name}, detail::Parts::kProcessors);
        for (const auto& one : stores) parts.connect(name, one);
    };
    const detail::Handle<K, V2> at{at_.graph, &node, as.key ? as.key : at_.key, as.value, false};
    // Without a store of its own it cannot be read by key: each reader would have a transformer
    // more, with stores that it is not connected to.
    std::shared_ptr<detail::Table<K, V2>> table;
    if (store) table = std::make_shared<detail::StoredTable<K, V2>>(store->use, store->versioned());
    return KTable<K, V2>{at, std::move(table), as.store};
}

}  // namespace leat::streams
