// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/transactions_admin.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/handlers/partition_work.h"
#include "broker/markers.h"
#include "broker/transaction_host.h"

namespace leat::broker {
namespace {

using transactions::Coordinator;
using transactions::Now;
using State = wire::DescribeTransactionsResponse::TransactionState;
using Row = wire::ListTransactionsResponse::TransactionState;

bool may_describe(Request& request, std::string_view transactional_id) {
    return may_see(request, auth::Operation::kDescribe, auth::ResourceType::kTransactionalId,
                   transactional_id);
}

// DescribeTransactions.

void tell_partitions(Request& request, const transactions::Partitions& partitions, State& out) {
    std::vector<std::pair<std::string_view, std::vector<std::int32_t>>> by_topic;
    for (const transactions::TopicPartition& each : partitions) {
        if (!may_see(request, auth::Operation::kDescribe, auth::ResourceType::kTopic, each.topic))
            continue;
        if (by_topic.empty() || by_topic.back().first != each.topic)
            by_topic.emplace_back(each.topic, std::vector<std::int32_t>{});
        by_topic.back().second.push_back(each.partition);
    }
    out.topics =
        request.arena.array<wire::DescribeTransactionsResponse::TopicData>(by_topic.size());
    for (std::size_t i = 0; i < by_topic.size(); ++i) {
        out.topics[i].topic = request.arena.copy(by_topic[i].first);
        out.topics[i].partitions = request.arena.array<std::int32_t>(by_topic[i].second.size());
        std::ranges::copy(by_topic[i].second, out.topics[i].partitions.begin());
    }
}

rt::Task<void> describe(Request* request, State* out) {
    const std::string_view id = out->transactional_id;
    transactions::Described found;
    if (id.empty()) {
        found.error = Errc::kInvalidRequest;
    } else if (!may(*request, auth::Operation::kDescribe, auth::ResourceType::kTransactionalId,
                    id)) {
        found.error = Errc::kTransactionalIdAuthorizationFailed;
    } else {
        const auto call = [id](Coordinator& coordinator, Now,
                               Ticket<transactions::Described> answer) {
            answer(coordinator.describe(id));
        };
        found = co_await ask_transaction<transactions::Described>(request, id, call);
    }
    out->error_code = wire_code(found.error);
    count_error(*request, out->error_code);
    if (found.error != Errc::kNone) co_return;
    out->transaction_state = name_of(found.state);
    out->transaction_timeout_ms = found.timeout_ms;
    out->transaction_start_time_ms = found.started_at.value;
    out->producer_id = found.producer.id;
    out->producer_epoch = found.producer.epoch;
    tell_partitions(*request, found.partitions, *out);
}

// ListTransactions.

struct Listing {
    Errc error = Errc::kNone;
    std::vector<transactions::Listed> rows;
};

void list_on(const Shard& shard, Listing& out) {
    const auto* host = static_cast<const TransactionHost*>(shard.transactions());
    if (host == nullptr) return;
    for (const auto& [id, hosted] : host->hosted()) {
        const Errc status = hosted->status();
        if (status == Errc::kNone)
            std::ranges::move(hosted->coordinator().list(), std::back_inserter(out.rows));
        else if (status != Errc::kNotCoordinator)
            out.error = status;
    }
}

/// What a request asks to see.
struct Filter {
    std::vector<transactions::State> states;
    std::span<const std::int64_t> producers;
    std::int64_t duration_ms = -1;
    std::optional<re2::RE2> pattern;
    bool by_state = false;

    [[nodiscard]] bool passes(const transactions::Listed& row, WallMs now) const {
        if (row.state == transactions::State::kDead) return false;
        if (by_state && std::ranges::find(states, row.state) == states.end()) return false;
        if (!producers.empty() && std::ranges::find(producers, row.producer_id) == producers.end())
            return false;
        // One that has not begun has lasted since the beginning of time, as in Kafka.
        if (duration_ms >= 0 && now.value - row.started_at.value <= duration_ms) return false;
        return !pattern || re2::RE2::FullMatch(row.transactional_id, *pattern);
    }
};

/// False when the pattern is none.
bool make_filter(Request& request, const wire::ListTransactionsRequest& message, Filter& filter,
                 wire::ListTransactionsResponse& out) {
    const auto unknown = request.arena.array<std::string_view>(message.state_filters.size());
    std::size_t unknown_count = 0;
    for (const std::string_view name : message.state_filters) {
        if (const auto state = transactions::state_named(name))
            filter.states.push_back(*state);
        else
            unknown[unknown_count++] = name;
    }
    out.unknown_state_filters = unknown.first(unknown_count);
    filter.by_state = !message.state_filters.empty();
    filter.producers = message.producer_id_filters;
    filter.duration_ms = message.duration_filter;
    if (!message.transactional_id_pattern || message.transactional_id_pattern->empty()) return true;
    re2::RE2::Options options;
    options.set_log_errors(false);
    filter.pattern.emplace(re2::StringPiece{message.transactional_id_pattern->data(),
                                            message.transactional_id_pattern->size()},
                           options);
    return filter.pattern->ok();
}

// WriteTxnMarkers.

using Marked = wire::WriteTxnMarkersResponse::WritableTxnMarkerResult;
using MarkedTopic = wire::WriteTxnMarkersResponse::WritableTxnMarkerTopicResult;
using MarkedPartition = wire::WriteTxnMarkersResponse::WritableTxnMarkerPartitionResult;

rt::Task<void> write_marker(Request* request,
                            const wire::WriteTxnMarkersRequest::WritableTxnMarker* from,
                            bool is_allowed, Marked* to) {
    Arena& arena = request->arena;
    std::vector<ToMark> marks;
    std::vector<MarkedPartition*> places;
    to->producer_id = from->producer_id;
    to->topics = arena.array<MarkedTopic>(from->topics.size());
    for (std::size_t t = 0; t < from->topics.size(); ++t) {
        to->topics[t].name = from->topics[t].name;
        to->topics[t].partitions =
            arena.array<MarkedPartition>(from->topics[t].partition_indexes.size());
        for (std::size_t p = 0; p < to->topics[t].partitions.size(); ++p) {
            MarkedPartition& place = to->topics[t].partitions[p];
            place.partition_index = from->topics[t].partition_indexes[p];
            const auto id = partition_named(request->shard->image(), from->topics[t].name,
                                            place.partition_index);
            place.error_code = wire_code(!is_allowed ? Errc::kClusterAuthorizationFailed
                                         : id        ? Errc::kNone
                                                     : Errc::kUnknownTopicOrPartition);
            if (!id || !is_allowed) continue;
            marks.push_back({.id = *id, .topic = std::string{from->topics[t].name}});
            places.push_back(&place);
        }
    }
    const storage::EndTransaction marker{.producer_id = from->producer_id,
                                         .epoch = from->producer_epoch,
                                         .committed = from->transaction_result,
                                         .coordinator_epoch = from->coordinator_epoch,
                                         .is_of_this_node = false,
                                         .transaction_version = 0};
    co_await append_markers(request->shard, marks, marker);
    for (std::size_t i = 0; i < marks.size(); ++i)
        places[i]->error_code = wire_code(marks[i].outcome);
    for (const MarkedTopic& topic : to->topics)
        for (const MarkedPartition& each : topic.partitions) count_error(*request, each.error_code);
}

}  // namespace

rt::Task<wire::DescribeTransactionsResponse> handle_describe_transactions(
    Request* request, const wire::DescribeTransactionsRequest* message) {
    wire::DescribeTransactionsResponse out;
    out.transaction_states = request->arena.array<State>(message->transactional_ids.size());
    for (std::size_t i = 0; i < out.transaction_states.size() && !request->is_full(); ++i) {
        State& state = out.transaction_states[i];
        state.transactional_id = message->transactional_ids[i];
        co_await describe(request, &state);
    }
    co_return out;
}

rt::Task<wire::ListTransactionsResponse> handle_list_transactions(
    Request* request, const wire::ListTransactionsRequest* message) {
    wire::ListTransactionsResponse out;
    Filter filter;
    if (!make_filter(*request, *message, filter, out)) {
        out.error_code = wire_code(Errc::kInvalidRegularExpression);
        co_return out;
    }
    Listing all;
    const Broker& broker = request->shard->broker();
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        list_on(broker.shard(i), all);
    }
    co_await rt::hop(request->shard->executor());
    out.error_code = wire_code(all.error);
    if (all.error != Errc::kNone) co_return out;
    const WallMs now = request->shard->executor().wall_now();
    std::erase_if(all.rows, [&](const transactions::Listed& row) {
        return !filter.passes(row, now) || !may_describe(*request, row.transactional_id);
    });
    out.transaction_states = request->arena.array<Row>(all.rows.size());
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        out.transaction_states[i].transactional_id =
            request->arena.copy(std::string_view{all.rows[i].transactional_id});
        out.transaction_states[i].producer_id = all.rows[i].producer_id;
        out.transaction_states[i].transaction_state = name_of(all.rows[i].state);
    }
    co_return out;
}

rt::Task<wire::WriteTxnMarkersResponse> handle_write_txn_markers(
    Request* request, const wire::WriteTxnMarkersRequest* message) {
    wire::WriteTxnMarkersResponse out;
    // One without a partition is not answered, as in Kafka.
    std::vector<const wire::WriteTxnMarkersRequest::WritableTxnMarker*> wanted;
    for (const auto& marker : message->markers)
        if (std::ranges::any_of(marker.topics,
                                [](const auto& topic) { return !topic.partition_indexes.empty(); }))
            wanted.push_back(&marker);
    out.markers = request->arena.array<Marked>(wanted.size());
    const bool is_allowed = may_cluster(*request, auth::Operation::kClusterAction) ||
                            may_cluster(*request, auth::Operation::kAlter);
    for (std::size_t i = 0; i < out.markers.size(); ++i)
        co_await write_marker(request, wanted[i], is_allowed, &out.markers[i]);
    co_return out;
}

}  // namespace leat::broker
