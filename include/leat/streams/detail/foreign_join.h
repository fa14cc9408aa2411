// SPDX-License-Identifier: Apache-2.0
//
// What a join by a foreign key adds to a topology. Layer: streams SDK, not for users.
// Spec:  KIP-213; names as Kafka Streams gives them.
// Threading: one thread declares a topology.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/detail/declare_table.h"
#include "leat/streams/detail/foreign_key_nodes.h"
#include "leat/streams/detail/foreign_table_nodes.h"
#include "leat/streams/detail/graph.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/table.h"
#include "leat/streams/detail/wire_nodes.h"
#include "leat/streams/options.h"
#include "leat/streams/partitioner.h"

namespace leat::streams::detail {

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

/// Empty when `partitioner` is.
template <class K>
WirePartitioner wire_partitioner(const Serde<K>& serde, const Partitioner<K, Void>& partitioner) {
    if (!partitioner) return {};
    return [=](std::string_view topic, const std::optional<std::string>& bytes,
               std::int32_t partitions) -> Result<std::optional<std::int32_t>> {
        Departing<K, Void> record{.topic = topic, .partitions = partitions};
        std::optional<K> key;
        if (bytes) {
            LEAT_TRY(key, serde->decode(topic, *bytes));
            record.key = &*key;
        }
        const Partitions chosen = partitioner(record);
        if (!chosen) return std::optional<std::int32_t>{};
        if (chosen->size() != 1)
            return Error{Errc::kInvalidRequest,
                         "a partitioner of a join by a foreign key must choose one partition"};
        LEAT_TRY(const std::int32_t one, checked_partition(chosen->front(), partitions));
        return std::optional{one};
    };
}

/// A topic of bytes between two nodes.
struct Wire {
    std::string topic;
    std::string sink;
    std::string source;
    WirePartitioner partitioner{};
    void add(Parts& parts, const std::vector<std::string>& above) const {
        parts.add_repartition_topic({.name = topic});
        parts.add({.name = sink,
                   .kind = Part::Kind::kSink,
                   .parents = above,
                   .topics = {topic},
                   .make = [at = *this] {
                       return std::make_unique<WireSinkNode>(at.sink, at.topic, at.partitioner);
                   }});
        add_source(parts);
    }

  private:
    void add_source(Parts& parts) const {
        parts.add({.name = source,
                   .kind = Part::Kind::kSource,
                   .topics = {topic},
                   .make = [name = source] { return std::make_unique<WireSourceNode>(name); }});
    }
};

/// All that the nodes of a foreign-key join need.
template <class K, class V, class KO, class VO, class R>
struct ForeignJoin {
    typename SubscriptionSendNode<K, V, KO>::Parts send;
    typename ForeignTableJoinNode<KO, VO>::Parts foreign;
    typename AnswerJoinNode<K, V, VO, R>::Parts answer;
    std::shared_ptr<Table<KO, VO>> other;
    TableJoined<K, KO> partitioners;

    void write(Parts& parts, const ForeignJoinNames& names, const std::string& left,
               const std::string& right) const {
        parts.add({.name = names.send, .parents = {left}, .make = [=, with = send] {
                       return std::make_unique<SubscriptionSendNode<K, V, KO>>(names.send, with);
                   }});
        Wire{names.subscriptions, names.send_sink, names.receive_source,
             wire_partitioner(foreign.key, partitioners.other_partitioner)}
            .add(parts, {names.send});
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
        parts.add_store(StoreSpec{.name = names.store, .by_setting = true},
                        {names.receive, names.foreign});
        Wire{names.answers, names.answer_sink, names.answer_source,
             wire_partitioner(answer.key, partitioners.partitioner)}
            .add(parts, {names.join, names.foreign});
        parts.add(
            {.name = names.resolve, .parents = {names.answer_source}, .make = [=, with = answer] {
                 return std::make_unique<AnswerJoinNode<K, V, VO, R>>(names.resolve, with);
             }});
        connect_all(parts, answer.table->stores(), names.resolve);
    }
};

}  // namespace leat::streams::detail
