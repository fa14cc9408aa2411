// SPDX-License-Identifier: Apache-2.0
//
// KTable joined with a KTable by a foreign key. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KTableImpl.doJoinOnForeignKey: names, topics and stores (KIP-213).
// Threading: one thread declares a topology.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/foreign_key_nodes.h"
#include "leat/streams/detail/foreign_table_nodes.h"
#include "leat/streams/ktable.h"

namespace leat::streams {

namespace detail {

/// Names of all that a foreign-key join adds, in the order in which Kafka Streams numbers them.
struct ForeignJoinNames {
    ForeignJoinNames(Graph& graph, const std::string& given)
        : subscriptions(pick(graph, kRegistration, given, "-subscription-registration") + "-topic"),
          send(pick(graph, kRegistration, given, "-subscription-registration-processor")),
          send_sink(pick(graph, kSink, given, "-subscription-registration-sink")),
          receive_source(pick(graph, kSource, given, "-subscription-registration-source")),
          store(pick(graph, "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-", given,
                     "-subscription-store")),
          receive(pick(graph, kProcessor, given, "-subscription-receive")),
          join(pick(graph, kProcessor, given, "-subscription-join-foreign")),
          foreign(pick(graph, kProcessor, given, "-foreign-join-subscription")),
          answers(pick(graph, "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-", given,
                       "-subscription-response") +
                  "-topic"),
          answer_sink(pick(graph, kSink, given, "-subscription-response-sink")),
          answer_source(pick(graph, kSource, given, "-subscription-response-source")),
          resolve(pick(graph, "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-", given,
                       "-subscription-response-resolver")),
          result(pick(graph, "KTABLE-FK-JOIN-OUTPUT-", given, "-result")) {}

    std::string subscriptions;
    std::string send;
    std::string send_sink;
    std::string receive_source;
    std::string store;
    std::string receive;
    std::string join;
    std::string foreign;
    std::string answers;
    std::string answer_sink;
    std::string answer_source;
    std::string resolve;
    std::string result;

  private:
    static constexpr std::string_view kRegistration = "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-";
    static constexpr std::string_view kProcessor = "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-";
    static constexpr std::string_view kSink = "KTABLE-SINK-";
    static constexpr std::string_view kSource = "KTABLE-SOURCE-";
    static std::string pick(Graph& graph, std::string_view prefix, const std::string& given,
                            std::string_view suffix) {
        return graph.name(prefix, given.empty() ? "" : given + std::string{suffix});
    }
};

/// A topic of bytes between two nodes.
inline void add_wire(Parts& parts, const std::string& topic, const std::string& sink,
                     const std::vector<std::string>& above, const std::string& source) {
    parts.add_repartition_topic({.name = topic});
    parts.add(
        {.name = sink, .kind = Part::Kind::kSink, .parents = above, .topics = {topic}, .make = [=] {
             return std::make_unique<WireSinkNode>(sink, topic);
         }});
    parts.add({.name = source, .kind = Part::Kind::kSource, .topics = {topic}, .make = [=] {
                   return std::make_unique<WireSourceNode>(source);
               }});
}

/// All that the nodes of a foreign-key join need.
template <class K, class V, class KO, class VO, class R>
struct ForeignJoin {
    typename SubscriptionSendNode<K, V, KO>::Parts send;
    typename ForeignTableJoinNode<KO, VO>::Parts foreign;
    typename AnswerJoinNode<K, V, VO, R>::Parts answer;
    std::shared_ptr<Table<KO, VO>> other;

    void write(Parts& parts, const ForeignJoinNames& names, const std::string& left,
               const std::string& right) const {
        parts.add({.name = names.send, .parents = {left}, .make = [=, with = send] {
                       return std::make_unique<SubscriptionSendNode<K, V, KO>>(names.send, with);
                   }});
        add_wire(parts, names.subscriptions, names.send_sink, {names.send}, names.receive_source);
        parts.add({.name = names.receive, .parents = {names.receive_source}, .make = [=] {
                       return std::make_unique<SubscriptionReceiveNode>(names.receive, names.store);
                   }});
        parts.add({.name = names.join,
                   .parents = {names.receive},
                   .make = [=, table = other, with = foreign] {
                       return std::make_unique<SubscriptionJoinNode<KO, VO>>(names.join, table,
                                                                             with.key, with.value);
                   }});
        connect_all(parts, other->stores(), names.join);
        parts.add({.name = names.foreign, .parents = {right}, .make = [=, with = foreign] {
                       return std::make_unique<ForeignTableJoinNode<KO, VO>>(names.foreign, with);
                   }});
        parts.add_store(StoreSpec{.name = names.store}, {names.receive, names.foreign});
        add_wire(parts, names.answers, names.answer_sink, {names.join, names.foreign},
                 names.answer_source);
        parts.add(
            {.name = names.resolve, .parents = {names.answer_source}, .make = [=, with = answer] {
                 return std::make_unique<AnswerJoinNode<K, V, VO, R>>(names.resolve, with);
             }});
        connect_all(parts, answer.table->stores(), names.resolve);
    }
};

}  // namespace detail

template <class K, class V>
template <class KO, class VO, class X, class F>
auto KTable<K, V>::join_on(
    const KTable<KO, VO>& other, X extractor, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kNone, F, K, V, VO>>& as) const {
    return joined_on<detail::Absent::kNone>(other, std::move(extractor), std::move(joiner), as);
}

template <class K, class V>
template <class KO, class VO, class X, class F>
auto KTable<K, V>::left_join_on(
    const KTable<KO, VO>& other, X extractor, F joiner,
    const Materialized<K, detail::JoinedTo<detail::Absent::kRight, F, K, V, VO>>& as) const {
    return joined_on<detail::Absent::kRight>(other, std::move(extractor), std::move(joiner), as);
}

template <class K, class V>
template <detail::Absent kAbsent, class KO, class VO, class X, class F, class R>
KTable<K, R> KTable<K, V>::joined_on(const KTable<KO, VO>& other, X extractor, F joiner,
                                     const Materialized<K, R>& as) const {
    static_assert(std::is_same_v<detail::MappedTo<X, K, V>, KO>,
                  "the extractor yields a key of the other table, or std::optional of one");
    constexpr bool kLeft = kAbsent == detail::Absent::kRight;
    auto& graph = *at_.graph;
    const auto& right = other.handle();
    detail::Graph::ask_old_values(*right.node);
    detail::Graph::ask_old_values(*at_.node);
    const detail::ForeignJoinNames names{graph, as.name};
    graph.require(names.result, right.graph == at_.graph, "both tables must come from one Builder");
    const auto left_table = read_by(names.resolve);
    const auto right_table = other.read_by(names.join);
    if (!left_table || !right_table) return KTable<K, R>{{at_.graph, at_.node}, nullptr, ""};

    const auto key = detail::choose(at_.key, Serde<K>{});
    const auto value = detail::choose(at_.value, Serde<V>{});
    const auto other_key = detail::choose(right.key, Serde<KO>{});
    const auto other_value = detail::choose(right.value, Serde<VO>{});
    graph.require(names.result, key && value && other_key && other_value,
                  "no serde for a key or value of one of the tables");
    const detail::ForeignJoin<K, V, KO, VO, R> join{
        .send = {.extract =
                     [extractor](const K& k, const V& v) mutable {
                         auto extracted = detail::call(extractor, &k, &v);
                         return detail::moved_out<KO>(extracted);
                     },
                 .key = key,
                 .value = value,
                 .foreign_key = other_key,
                 .left = kLeft,
                 .skips_overtaken = left_table->versioned()},
        .foreign = {.store = names.store,
                    .key = other_key,
                    .value = other_value,
                    .skips_overtaken = right_table->versioned()},
        .answer = {.table = left_table,
                   .joiner = detail::joiner_of<kAbsent, K, V, VO>(std::move(joiner)),
                   .key = key,
                   .value = value,
                   .foreign_value = other_value,
                   .left = kLeft},
        .other = right_table};
    const detail::LazyTable<K, R> lazy{
        .kept = detail::kept(
            graph, names.result,
            as.store.empty() ? graph.store_name("KTABLE-FK-JOIN-OUTPUT-") : as.store, as, key)};
    if (!as.store.empty()) *lazy.needed = true;
    detail::GraphNode node{.name = names.result, .kept = lazy.needed};
    node.write = [=, left = at_.node->name, foreign = right.node->name,
                  old = node.old_values](detail::Parts& parts) {
        join.write(parts, names, left, foreign);
        lazy.write(parts, names.result, names.resolve, *old);
    };
    auto& added = graph.add({at_.node, right.node}, std::move(node));
    return KTable<K, R>{{at_.graph, &added, key, as.value, false}, lazy.table(), as.store};
}

}  // namespace leat::streams
