// SPDX-License-Identifier: Apache-2.0
//
// A topology put together node by node. Layer: streams SDK.
// Spec:  Kafka Streams' Topology while it is being built. What a node takes and yields is compared
// at build().
// Threading: one thread declares a topology.
//
//     TopologyBuilder t;
//     t.add_source<std::string, std::string>("lines", {"text"});
//     t.add_processor("upper", [] { return std::make_unique<Upper>(); }, {"lines"});
//     t.add_sink<std::string, std::string>("out", "upper-text", {"upper"});
//     auto topology = t.build();
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/global_store.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/detail/sources.h"
#include "leat/streams/options.h"
#include "leat/streams/processor.h"
#include "leat/streams/stores.h"
#include "leat/streams/topology.h"

namespace leat::streams {

/// Names of nodes and stores are unique, and parents are added before their children; build() tells
/// what is wrong.
class TopologyBuilder {
  public:
    using Names = std::vector<std::string>;

    TopologyBuilder() : parts_(std::make_shared<detail::Parts>()) {}
    /// Goes on with a copy of a topology, one of Builder's too.
    explicit TopologyBuilder(const Topology& from)
        : parts_(std::make_shared<detail::Parts>(from.parts())) {}

    template <class K, class V>
    TopologyBuilder& add_source(const std::string& name, const Names& topics,
                                const Consumed<K, V>& consumed = {}) {
        parts_->require(name, !topics.empty(), "a source needs a topic");
        return read<K, V>(name, {.topics = topics}, consumed);
    }
    template <class K, class V, std::same_as<TopicPattern> Pattern>
    TopologyBuilder& add_source(const std::string& name, const Pattern& pattern,
                                const Consumed<K, V>& consumed = {}) {
        parts_->require(name, detail::is_pattern(pattern.regex),
                        "its topics' pattern is no POSIX extended regular expression");
        return read<K, V>(name, {.pattern = pattern.regex}, consumed);
    }
    /// `supplier` makes a std::unique_ptr of a Processor for each task; stores that it brings along
    /// are added and connected.
    template <class Supplier>
    TopologyBuilder& add_processor(const std::string& name, Supplier supplier,
                                   const Names& parents) {
        const auto brought = detail::stores_of(supplier);
        auto part = detail::processor_part(name, std::move(supplier));
        part.parents = parents;
        parts_->require(name, !parents.empty(), "a processor needs a parent");
        parts_->add(std::move(part));
        for (const auto& spec : brought)
            parts_->add_store(spec, {name}, detail::Parts::kProcessors);
        return *this;
    }
    template <class K, class V>
    TopologyBuilder& add_sink(const std::string& name, const std::string& topic,
                              const Names& parents, const Produced<K, V>& produced = {}) {
        return write<K, V>(name, {topic}, {}, parents, produced);
    }
    /// `topic_of`: a function, as in topic_name_extractor.h.
    template <class K, class V>
    TopologyBuilder& add_sink(const std::string& name,
                              std::type_identity_t<TopicNameExtractor<K, V>> topic_of,
                              const Names& parents, const Produced<K, V>& produced = {}) {
        return write<K, V>(name, {}, std::move(topic_of), parents, produced);
    }
    template <class S>
    TopologyBuilder& add_state_store(const StoreRef<S>& store, const Names& processors = {}) {
        declare(store);
        parts_->add_store(store.spec, {}, detail::Parts::kProcessors);
        for (const auto& processor : processors) parts_->connect(processor, store.spec.name);
        return *this;
    }
    /// Lets a processor use stores that were added.
    TopologyBuilder& connect(const std::string& processor, const Names& stores) {
        for (const auto& store : stores) {
            parts_->require(store, !parts_->is_global_store(store),
                            "all processors may use a global store; it is not connected");
            parts_->connect(processor, store);
        }
        return *this;
    }
    /// What feeds a store that is not a task's own changelogged one.
    struct Feed {
        std::string source;
        std::string topic;
        std::string processor;
    };
    /// A store that each instance holds whole, fed from a topic by a processor.
    template <class K, class V, class S, class Supplier>
    TopologyBuilder& add_global_store(const StoreRef<S>& store, const Feed& feed, Supplier supplier,
                                      const Consumed<K, V>& consumed = {}) {
        declare(store);
        auto processor = detail::processor_part(feed.processor, std::move(supplier));
        processor.parents = {feed.source};
        parts_->add_global_store(store.spec, source<K, V>(feed, consumed), std::move(processor));
        return *this;
    }
    /// A store of the tasks whose topic is its changelog: the processor puts what it reads, and
    /// nothing is written (KIP-813).
    template <class K, class V, class S, class Supplier>
    TopologyBuilder& add_read_only_store(const StoreRef<S>& store, const Feed& feed,
                                         Supplier supplier, const Consumed<K, V>& consumed = {}) {
        declare(store);
        auto spec = store.spec;
        spec.logging = false;
        spec.source_topic = feed.topic;
        parts_->add(source<K, V>(feed, consumed));
        add_processor(feed.processor, std::move(supplier), {feed.source});
        parts_->add_store(std::move(spec), {feed.processor});
        return *this;
    }

    /// Errors: kStreamsInvalidTopology with the node's name and what is wrong with it.
    Result<Topology> build() const {
        LEAT_TRY_VOID(parts_->check());
        return Topology{std::make_shared<const detail::Parts>(*parts_)};
    }

  private:
    template <class S>
    void declare(const StoreRef<S>& store) {
        const std::string& name = store.spec.name;
        parts_->require(name, parts_->find_store(name) == nullptr, "two stores have this name");
        detail::require_serdes(*parts_, store);
    }
    template <class K, class V>
    Consumed<K, V> with_serdes(const std::string& name, Consumed<K, V> consumed) {
        consumed.key = detail::choose(consumed.key, Serde<K>{});
        consumed.value = detail::choose(consumed.value, Serde<V>{});
        parts_->require(name, consumed.name.empty(), "Consumed::name: the node has a name already");
        detail::require_serdes(*parts_, name,
                               {detail::need("its key", "Consumed::key", consumed.key),
                                detail::need("its value", "Consumed::value", consumed.value)});
        return consumed;
    }
    template <class K, class V>
    detail::Part source(const Feed& feed, const Consumed<K, V>& consumed) {
        return detail::source_part(feed.source, {.topics = {feed.topic}},
                                   with_serdes(feed.source, consumed));
    }
    template <class K, class V>
    TopologyBuilder& read(const std::string& name, const detail::Input& input,
                          const Consumed<K, V>& consumed) {
        parts_->add(detail::source_part(name, input, with_serdes(name, consumed)));
        return *this;
    }
    template <class K, class V>
    TopologyBuilder& write(const std::string& name, const Names& topics,
                           TopicNameExtractor<K, V> topic_of, const Names& parents,
                           const Produced<K, V>& produced) {
        const auto key = detail::choose(produced.key, Serde<K>{});
        const auto value = detail::choose(produced.value, Serde<V>{});
        parts_->require(name, !parents.empty(), "a sink needs a parent");
        parts_->require(name, produced.name.empty(), "Produced::name: the node has a name already");
        detail::require_serdes(*parts_, name,
                               {detail::need("its key", "Produced::key", key),
                                detail::need("its value", "Produced::value", value)});
        const detail::SinkUse<K, V> use{.topic = topics.empty() ? "" : topics.front(),
                                        .topic_of = std::move(topic_of),
                                        .key = key,
                                        .value = value,
                                        .partitioner = produced.partitioner};
        parts_->add({.name = name,
                     .kind = detail::Part::Kind::kSink,
                     .parents = parents,
                     .topics = topics,
                     .make = [=] { return std::make_unique<detail::SinkNode<K, V>>(name, use); },
                     .in = typeid(Record<K, V>)});
        return *this;
    }

    std::shared_ptr<detail::Parts> parts_;
};

}  // namespace leat::streams
