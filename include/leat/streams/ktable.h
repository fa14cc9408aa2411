// SPDX-License-Identifier: Apache-2.0
//
// A table: the latest value of each key, and the stream of its updates. Layer: streams SDK.
// Spec:  Kafka Streams' KTable.
// Threading: one thread declares a topology. A KTable is a cheap value on a shared graph.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "leat/streams/detail/aggregate_nodes.h"
#include "leat/streams/detail/handle.h"
#include "leat/streams/kstream.h"
#include "leat/streams/options.h"
#include "leat/streams/suppress.h"

namespace leat::streams {

namespace detail {
struct Suppression;
}  // namespace detail

template <class K, class V>
class KTable {
  public:
    KTable(detail::Handle<K, V> at, std::string store)
        : at_(std::move(at)), store_(std::move(store)) {}

    /// Each update as a record; a deletion has a null value.
    [[nodiscard]] KStream<K, V> to_stream(const Named& named = {}) const {
        const std::string name = at_.graph->name("KTABLE-TOSTREAM-", named.name);
        auto& node = detail::add_processor(*at_.graph, *at_.node, name, [name] {
            return std::make_unique<detail::ToStreamNode>(name);
        });
        return KStream<K, V>{{at_.graph, &node, at_.key, at_.value, false}};
    }
    /// to_stream() with a new key: selector(key, value).
    template <class F>
    auto to_stream(F selector, const Named& named = {}) const {
        return to_stream(named).select_key(std::move(selector));
    }

    /// Holds updates back: detail/ktable_suppress.h
    [[nodiscard]] KTable suppress(const UntilWindowCloses& until) const;
    [[nodiscard]] KTable suppress(const UntilTimeLimit& until) const;

    /// Name of the store that holds it; empty when there is none.
    [[nodiscard]] const std::string& store() const noexcept { return store_; }

  private:
    [[nodiscard]] KTable suppress(detail::Suppression how, const Named& named) const;

    detail::Handle<K, V> at_;
    std::string store_;
};

}  // namespace leat::streams

#include "leat/streams/detail/ktable_suppress.h"
