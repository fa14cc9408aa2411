// SPDX-License-Identifier: Apache-2.0
#include "broker/metrics.h"

#include "base/check.h"
#include "base/errc.h"
#include "broker/apis.h"
#include "broker/telemetry.h"

namespace leat::broker {
namespace {

using obs::Kind;
using obs::Metric;

constexpr auto kTable = std::to_array<Metric>({
    {.name = "leat_requests_total", .help = "Requests answered.", .labels = {"api"}},
    {.name = "leat_request_bytes_total", .help = "Bytes of requests.", .labels = {"api"}},
    {.name = "leat_response_bytes_total", .help = "Bytes of answers.", .labels = {"api"}},
    {.name = "leat_request_seconds",
     .kind = Kind::kHistogram,
     .help = "From the last byte of a request to its answer being handed to the socket, waits for "
             "syncs, other shards, earlier answers and those that the client asked for included.",
     .labels = {"api"},
     .bounds = obs::kLatencyBounds,
     .scale = obs::kNanoseconds},
    {.name = "leat_refused_answers_total",
     .help = "Answers too large for leat.response.max.bytes, or for the memory there was: the "
             "connection was closed instead.",
     .labels = {"api"}},
    {.name = "leat_errors_total", .help = "Error codes in answers.", .labels = {"code"}},
    {.name = "leat_connections_closed_total",
     .help = "Connections that ended, by cause.",
     .labels = {"reason"}},
    {.name = "leat_connections_refused_total",
     .help = "Connections closed right after they came in, by the limit they met: per_ip and its "
             "rates, total, listener, descriptors, http.",
     .labels = {"reason"}},
    {.name = "leat_authentications_total",
     .help = "Attempts of clients to prove who they are, by mechanism and outcome.",
     .labels = {"mechanism", "outcome"}},
    {.name = "leat_connections_accepted_total", .help = "Connections that came in."},
    {.name = "leat_connections_moved_total",
     .help = "Connections that went over to the shard whose partitions alone they write to."},
    {.name = "leat_connections", .kind = Kind::kGauge, .help = "Open connections."},
    {.name = "leat_requests_executing", .kind = Kind::kGauge, .help = "Requests in execution."},
    {.name = "leat_queued_answers",
     .kind = Kind::kGauge,
     .help = "Answers ready and not yet taken by the peer, as of the last second."},
    {.name = "leat_queued_answer_bytes",
     .kind = Kind::kGauge,
     .help = "Bytes of the answers ready and not yet taken by the peer, as of the last second."},
    {.name = "leat_request_memory_bytes",
     .kind = Kind::kGauge,
     .help = "Memory of requests that are read, wait or execute."},
    {.name = "leat_response_memory_bytes",
     .kind = Kind::kGauge,
     .help = "Memory that requests were decoded into and answered with, of those that take much, "
             "until clients have the answers (leat.response.memory.max.bytes)."},
    {.name = "leat_throttled_answers_total",
     .help = "Answers after which a quota made the client wait."},
    {.name = "leat_slow_requests_total", .help = "Requests slower than leat.slow.request.ms."},
    {.name = "leat_produced_bytes_total", .help = "Bytes of record batches appended."},
    {.name = "leat_produced_batches_total", .help = "Record batches appended."},
    {.name = "leat_fetched_bytes_total", .help = "Bytes of record batches in Fetch answers."},
    {.name = "leat_waiting_fetches",
     .kind = Kind::kGauge,
     .help = "Fetches that wait for records."},
    {.name = "leat_fetch_sessions", .kind = Kind::kGauge, .help = "Incremental fetch sessions."},
    {.name = "leat_partitions", .kind = Kind::kGauge, .help = "Open partitions."},
    {.name = "leat_partitions_failed",
     .kind = Kind::kGauge,
     .help = "Partitions that could not be opened."},
    {.name = "leat_hanging_transactions",
     .kind = Kind::kGauge,
     .help = "Transactions open in a partition for too long that no coordinator knows."},
    {.name = "leat_partition_size_bytes",
     .kind = Kind::kGauge,
     .help = "Bytes of a partition's log.",
     .labels = {"topic", "partition"}},
    {.name = "leat_partition_log_start_offset",
     .kind = Kind::kGauge,
     .help = "First offset that can be read.",
     .labels = {"topic", "partition"}},
    {.name = "leat_partition_high_watermark",
     .kind = Kind::kGauge,
     .help = "Readers get up to here.",
     .labels = {"topic", "partition"}},
    {.name = "leat_client_metric",
     .kind = Kind::kGauge,
     .help = "Metrics that clients pushed (KIP-714), as they told them last; gone after "
             "three of a client's intervals without a word of it, a minute at least.",
     .labels = {"client_instance_id", "metric", "attributes"}},
    {.name = "leat_group_committed_offset",
     .kind = Kind::kGauge,
     .help = "Offset that a group has committed.",
     .labels = {"group", "topic", "partition"}},
    {.name = "leat_group_lag",
     .kind = Kind::kGauge,
     .help =
         "How far a group is behind in a partition: where readers get to less the offset it has "
         "committed, never below 0.",
     .labels = {"group", "topic", "partition"}},
    {.name = "leat_group_memory_bytes",
     .kind = Kind::kGauge,
     .help = "Memory of all groups, about: members, assignments, offsets (leat.groups.max.bytes)."},
    {.name = "leat_groups",
     .kind = Kind::kGauge,
     .help = "Groups of a partition of __consumer_offsets, by protocol and state.",
     .labels = {"partition", "type", "state"}},
});

consteval const Metric& metric(std::string_view name) {
    for (const Metric& row : kTable)
        if (row.name == name) return row;
    throw "no such metric";  // tidy: right here, it stops the compiler and never runs.
}

}  // namespace

std::span<const Metric> metrics_table() {
    return kTable;
}

const Metric& partition_size_metric() {
    return metric("leat_partition_size_bytes");
}

const Metric& partition_start_metric() {
    return metric("leat_partition_log_start_offset");
}

const Metric& partition_end_metric() {
    return metric("leat_partition_high_watermark");
}

const Metric& client_metric() {
    return metric("leat_client_metric");
}

const Metric& group_offset_metric() {
    return metric("leat_group_committed_offset");
}

const Metric& group_lag_metric() {
    return metric("leat_group_lag");
}

const Metric& group_memory_metric() {
    return metric("leat_group_memory_bytes");
}

const Metric& groups_metric() {
    return metric("leat_groups");
}

BrokerMetrics::BrokerMetrics(obs::Registry& registry)
    : accepted(registry.counter(metric("leat_connections_accepted_total"))),
      moved(registry.counter(metric("leat_connections_moved_total"))),
      connections(registry.gauge(metric("leat_connections"))),
      executing(registry.gauge(metric("leat_requests_executing"))),
      queued_answers(registry.gauge(metric("leat_queued_answers"))),
      queued_answer_bytes(registry.gauge(metric("leat_queued_answer_bytes"))),
      request_memory(registry.gauge(metric("leat_request_memory_bytes"))),
      response_memory(registry.gauge(metric("leat_response_memory_bytes"))),
      slow_requests(registry.counter(metric("leat_slow_requests_total"))),
      throttled(registry.counter(metric("leat_throttled_answers_total"))),
      produced_bytes(registry.counter(metric("leat_produced_bytes_total"))),
      produced_batches(registry.counter(metric("leat_produced_batches_total"))),
      fetched_bytes(registry.counter(metric("leat_fetched_bytes_total"))),
      waiting_fetches(registry.gauge(metric("leat_waiting_fetches"))),
      fetch_sessions(registry.gauge(metric("leat_fetch_sessions"))),
      partitions(registry.gauge(metric("leat_partitions"))),
      partitions_failed(registry.gauge(metric("leat_partitions_failed"))),
      hanging_transactions(registry.gauge(metric("leat_hanging_transactions"))),
      registry_(registry) {
    for (const Api& api : apis()) {
        const auto key = static_cast<std::size_t>(api.key);
        const std::string_view name = wire::api_info(api.key).name;
        if (by_key_.size() <= key) by_key_.resize(key + 1);
        by_key_[key] = std::make_unique<ApiMetrics>(ApiMetrics{
            .requests = registry.counter(metric("leat_requests_total"), {name}),
            .request_bytes = registry.counter(metric("leat_request_bytes_total"), {name}),
            .response_bytes = registry.counter(metric("leat_response_bytes_total"), {name}),
            .seconds = registry.histogram(metric("leat_request_seconds"), {name}),
            .refused_answers = registry.counter(metric("leat_refused_answers_total"), {name})});
    }
}

BrokerMetrics::~BrokerMetrics() = default;

const ApiMetrics& BrokerMetrics::of(wire::ApiKey key) const {
    const auto index = static_cast<std::size_t>(key);
    LEAT_CHECK(index < by_key_.size() && by_key_[index] != nullptr);
    return *by_key_[index];
}

void BrokerMetrics::count_error(std::int16_t wire_code) {
    if (wire_code == 0) return;
    const auto index = static_cast<std::size_t>(wire_code + 1);
    if (index >= kCodes) return;
    const obs::Counter* counter = errors_[index].load(std::memory_order_acquire);
    if (counter == nullptr) {
        const std::lock_guard lock{errors_mutex_};
        const std::string_view name = info(errc_from_wire(wire_code)).name;
        made_.push_back(std::make_unique<const obs::Counter>(
            registry_.counter(metric("leat_errors_total"), {name})));
        counter = made_.back().get();
        errors_[index].store(counter, std::memory_order_release);
    }
    counter->add();
}

void BrokerMetrics::count_closed(std::string_view reason) {
    registry_.counter(metric("leat_connections_closed_total"), {reason}).add();
}

void BrokerMetrics::count_refused(std::string_view reason) {
    registry_.counter(metric("leat_connections_refused_total"), {reason}).add();
}

void BrokerMetrics::count_authentication(std::string_view mechanism, std::string_view outcome) {
    registry_.counter(metric("leat_authentications_total"), {mechanism, outcome}).add();
}

}  // namespace leat::broker
