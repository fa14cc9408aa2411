// SPDX-License-Identifier: Apache-2.0
#include "broker/admin_http.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/metrics.h"
#include "broker/telemetry.h"

namespace leat::broker {
namespace {

void add_partitions(const Shard& shard, std::vector<obs::Sample>& out) {
    for (const auto& [id, partition] : shard.partitions()) {
        // Where its log begins and ends nobody knows: a lag computed from 0 would be a lie.
        if (partition->is_quarantined()) continue;
        const std::string& topic = partition->spec().topic;
        const std::string index = std::to_string(id.index);
        const auto add = [&](const obs::Metric& metric, std::int64_t value) {
            out.push_back({&metric, {topic, index}, static_cast<double>(value)});
        };
        add(partition_size_metric(), partition->size_bytes());
        add(partition_start_metric(), partition->log_start().value);
        add(partition_end_metric(), partition->high_watermark().value);
    }
}

/// How far each group is behind, of what was gathered: only here the ends of partitions are beside
/// the offsets of groups, which other shards have. As Kafka's tools count it; a partition whose end
/// is not known has none, and one whose end was read before the commit is not ahead of itself.
std::vector<obs::Sample> group_lags(std::span<const obs::Sample> gathered) {
    const auto is_offset = [](const obs::Sample& sample) {
        return sample.metric == &group_offset_metric() && sample.value >= 0;
    };
    std::vector<obs::Sample> out;
    if (std::ranges::none_of(gathered, is_offset)) return out;
    using Place = std::pair<std::string_view, std::string_view>;
    std::map<Place, double> ends;
    for (const obs::Sample& sample : gathered)
        if (sample.metric == &partition_end_metric())
            ends.emplace(Place{sample.labels[0], sample.labels[1]}, sample.value);
    for (const obs::Sample& sample : gathered) {
        if (!is_offset(sample)) continue;
        const auto end = ends.find(Place{sample.labels[1], sample.labels[2]});
        if (end == ends.end()) continue;
        out.push_back(
            {&group_lag_metric(), sample.labels, std::max(0.0, end->second - sample.value)});
    }
    return out;
}

rt::Task<void> gather_from(Shard* shard, rt::Executor* home, std::vector<obs::Sample>* out,
                           rt::Countdown* left) {
    co_await rt::hop(shard->executor());
    add_partitions(*shard, *out);
    if (shard->groups() != nullptr) shard->groups()->add_samples(*out);
    co_await rt::hop(*home);
    left->arrive();
}

rt::Task<void> answer_metrics(Broker* broker, http::Respond respond) {
    std::string text = co_await scrape(broker);
    respond({.status = 200,
             .content_type = "text/plain; version=0.0.4; charset=utf-8",
             .body = std::move(text)});
}

}  // namespace

rt::Task<std::string> scrape(Broker* broker) {
    rt::Executor& home = broker->shard(0).executor();
    std::vector<std::vector<obs::Sample>> by_shard(broker->shard_count());
    rt::Countdown left{broker->shard_count()};
    for (std::size_t i = 0; i < broker->shard_count(); ++i)
        rt::start(gather_from(&broker->shard(i), &home, &by_shard[i], &left));
    co_await left;
    std::vector<obs::Sample> all;
    for (std::vector<obs::Sample>& some : by_shard)
        for (obs::Sample& sample : some) all.push_back(std::move(sample));
    std::ranges::move(group_lags(all), std::back_inserter(all));
    all.push_back(
        {&group_memory_metric(), {}, static_cast<double>(broker->group_memory().used_bytes())});
    broker->telemetry().add_samples(all, home.now());
    co_return broker->registry().exposition(all);
}

http::Handler AdminHttp::handler() {
    return [this](const http::Request& request, http::Respond respond) {
        route(request, std::move(respond));
    };
}

void AdminHttp::route(const http::Request& request, http::Respond respond) {
    const bool is_known =
        request.path == "/metrics" || request.path == "/healthz" || request.path == "/readyz";
    if (!is_known) return respond({.status = 404, .body = "try /metrics, /healthz or /readyz\n"});
    if (request.method != "GET" && request.method != "HEAD")
        return respond({.status = 405, .body = "GET only\n", .headers = {{"Allow", "GET, HEAD"}}});
    if (request.path == "/healthz") return respond(health());
    if (request.path == "/readyz") return respond(readiness());
    rt::start(answer_metrics(&broker_, std::move(respond)));
}

http::Response AdminHttp::health() const {
    const std::string reason = broker_.failure();
    if (reason.empty()) return {.body = "ok\n"};
    return {.status = 503, .body = "the data directory has failed: " + reason + "\n"};
}

http::Response AdminHttp::readiness() const {
    if (is_ready_ && !broker_.is_stopping()) return health();
    return {.status = 503, .body = broker_.is_stopping() ? "stopping\n" : "starting\n"};
}

}  // namespace leat::broker
