// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_support.h"

#include <boost/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "apps/admin_access.h"
#include "apps/bench_payload.h"
#include "apps/producer_settings.h"

namespace leat::apps {
namespace {

double to_ms(double nanoseconds) {
    return std::round(nanoseconds / 100) / 10'000;
}

/// A property's text; a number as one.
boost::json::value number_in(std::string_view text) {
    boost::system::error_code failed;
    boost::json::value number = boost::json::parse(text, failed);
    return !failed && number.is_number() ? number : boost::json::value(text);
}

}  // namespace

std::int64_t bench_now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               BenchClock::now().time_since_epoch())
        .count();
}

Result<BenchLoad> bench_load(const Invocation& line) {
    if (line.is_given("records") && line.is_given("seconds"))
        return usage_error("--records and --seconds exclude each other");
    BenchLoad out;
    out.topic = std::string{line.text("topic")};
    LEAT_TRY(const std::int64_t partitions, line.integer("partitions", 1, 100'000));
    out.partitions = static_cast<std::int32_t>(partitions);
    LEAT_TRY(out.record_bytes, line.integer("record-size", BenchPayload::kSizeMin, 1 << 30));
    if (line.has("rate")) {
        LEAT_TRY(out.rate, line.integer("rate", 1, 100'000'000));
    }
    if (line.has("seconds")) {
        LEAT_TRY(out.seconds, line.integer("seconds", 1, 86'400));
    }
    if (line.has("records")) {
        LEAT_TRY(out.records, line.integer("records", 1, INT64_MAX / 2));
    }
    return out;
}

Result<void> ensure_topic(const Invocation& line, const BenchLoad& load) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const client::NewTopic wanted{
        .name = load.topic, .partitions = load.partitions, .replication_factor = -1, .configs = {}};
    LEAT_TRY(const auto created, access.admin->create_topics({&wanted, 1}, false));
    const client::Outcome& outcome = created.at(0).outcome;
    if (outcome.code == Errc::kNone || outcome.code == Errc::kTopicAlreadyExists) return {};
    return failed_to("create topic '" + load.topic + "' on " + access.where,
                     Error{outcome.code, outcome.message});
}

std::vector<client::Property> bench_producer_properties(const Invocation& line,
                                                        const ClusterAccess& access) {
    std::vector<client::Property> out = access.properties;
    set_unless_in_file(line, "acks", "acks", out);
    set_unless_in_file(line, "linger-ms", "linger.ms", out);
    set_unless_in_file(line, "batch-bytes", "batch.size", out);
    if (line.has("compression")) set_unless_in_file(line, "compression", "compression.type", out);
    if (line.has("idempotent")) client::set_property(out, "enable.idempotence", "true");
    // Batches are cut by bytes, not by librdkafka's default of 10,000 records.
    client::set_property(out, "batch.num.messages", "1000000");
    client::set_property(out, "queue.buffering.max.messages", "200000");
    client::set_property(out, "queue.buffering.max.kbytes", "262144");
    client::set_property(out, "socket.nagle.disable", "true");
    return out;
}

void put_producer_settings(boost::json::object& report,
                           const std::vector<client::Property>& properties) {
    const std::string_view codec = producer_value(properties, "compression.type");
    const std::string_view idempotence = producer_value(properties, "enable.idempotence");
    report["acks"] = producer_value(properties, "acks");
    report["linger_ms"] = number_in(producer_value(properties, "linger.ms"));
    report["batch_bytes"] = number_in(producer_value(properties, "batch.size"));
    report["compression"] = codec.empty() ? "none" : codec;
    report["idempotent"] = idempotence == "true" || idempotence == "1";
}

boost::json::object percentiles_json(const LatencyHistogram& histogram) {
    const auto at = [&](double percent) {
        return to_ms(static_cast<double>(histogram.percentile(percent)));
    };
    boost::json::object out;
    out["count"] = histogram.count();
    out["mean"] = to_ms(histogram.mean());
    out["min"] = to_ms(static_cast<double>(histogram.min()));
    out["p50"] = at(50);
    out["p90"] = at(90);
    out["p99"] = at(99);
    out["p99_9"] = at(99.9);
    out["p99_99"] = at(99.99);
    out["max"] = to_ms(static_cast<double>(histogram.max()));
    return out;
}

std::string percentiles_text(std::string_view what, const LatencyHistogram& histogram) {
    const auto at = [&](double percent) {
        return static_cast<double>(histogram.percentile(percent)) / 1e6;
    };
    char out[256];
    std::snprintf(out, sizeof out, "%.*s: p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.3f ms\n",
                  static_cast<int>(what.size()), what.data(), at(50), at(99), at(99.9),
                  static_cast<double>(histogram.max()) / 1e6);
    return out;
}

double own_cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t new_run_number() {
    return (static_cast<std::uint64_t>(wall_clock_now().value) << 20U) |
           (static_cast<std::uint64_t>(getpid()) & 0xFFFFFU);
}

std::string hex_text(std::uint64_t number) {
    char out[20];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(number));
    return out;
}

}  // namespace leat::apps
