// SPDX-License-Identifier: Apache-2.0
//
// leat bench produce: how fast records are acknowledged.
#include <boost/json.hpp>

#include <array>
#include <vector>

#include "apps/bench_payload.h"
#include "apps/bench_support.h"
#include "apps/commands.h"
#include "apps/drain.h"
#include "apps/interrupt.h"
#include "apps/output.h"
#include "apps/producer_settings.h"
#include "apps/progress.h"
#include "client/producer.h"

namespace leat::apps {
namespace {

using std::chrono::milliseconds;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "--topic",
     .value = "TOPIC",
     .help = "topic to send to; created when missing",
     .fallback = "leat-bench"},
    {.names = "--partitions",
     .value = "N",
     .help = "partitions of a topic that is created",
     .fallback = "1"},
    {.names = "--records", .value = "N", .help = "records to send", .fallback = "1000000"},
    {.names = "--seconds", .value = "N", .help = "send for that long, instead of --records"},
    {.names = "--record-size",
     .value = "BYTES",
     .help = "size of a record's value",
     .fallback = "1024"},
    {.names = "--rate", .value = "N", .help = "records a second; as fast as it goes unless given"},
    {.names = "--acks",
     .value = "0|1|all",
     .help = "acknowledgements waited for",
     .fallback = "all",
     .choices = "0|1|all|-1"},
    {.names = "--linger-ms",
     .value = "MS",
     .help = "how long a batch waits for more records",
     .fallback = "5"},
    {.names = "--batch-bytes", .value = "BYTES", .help = "size of a batch", .fallback = "1000000"},
    {.names = "--compression",
     .value = "NAME",
     .help = "codec of the batches",
     .choices = "none|gzip|snappy|lz4|zstd"},
    {.names = "--idempotent",
     .value = {},
     .help = "no duplicates and no reordering when requests are repeated"},
});

/// Send times of the records in flight: more than the send queue can hold.
constexpr std::size_t kInFlightMax = std::size_t{1} << 18U;

struct Run {
    BenchLoad load;
    bool has_answers = true;      ///< Not with acks=0: what was sent counts as acknowledged.
    bool is_interrupted = false;  ///< By a signal, before all was sent.
    std::uint64_t number = new_run_number();
    std::vector<std::int64_t> sent_at = std::vector<std::int64_t>(kInFlightMax);
    LatencyHistogram latency;
    std::int64_t sent = 0;
    std::int64_t acknowledged = 0;
    std::int64_t failed = 0;
    std::uint64_t checksum = 0;  ///< Of what was acknowledged.
    std::string first_failure;

    void on_delivery(const client::Delivery& done) {
        if (done.code != Errc::kNone) {
            if (++failed == 1) first_failure = std::string{done.reason};
            return;
        }
        ++acknowledged;
        checksum += BenchPayload::digest({.run = number, .sequence = done.tag, .sent_ns = 0});
        latency.record(bench_now_ns() - sent_at[done.tag % kInFlightMax]);
    }
    [[nodiscard]] std::string_view done() const { return has_answers ? "acknowledged" : "sent"; }
    [[nodiscard]] bool is_sent(std::int64_t now_ns, std::int64_t started_ns) const {
        if (load.seconds > 0) return now_ns - started_ns >= load.seconds * 1'000'000'000;
        return sent >= load.records;
    }
};

Result<void> send_all(Run& run, client::Producer& producer) {
    BenchPayload payload{static_cast<std::size_t>(run.load.record_bytes)};
    Progress progress{run.done(), run.load.seconds > 0 ? 0 : run.load.records};
    const std::int64_t started = bench_now_ns();
    for (std::int64_t now = started; run.failed == 0 && !run.is_sent(now, started);
         now = bench_now_ns()) {
        run.is_interrupted = is_interrupted();
        if (run.is_interrupted) break;
        if (run.load.rate > 0) {
            const std::int64_t due =
                started + static_cast<std::int64_t>(static_cast<double>(run.sent) * 1e9 /
                                                    static_cast<double>(run.load.rate));
            if (due > now) {
                producer.poll(
                    milliseconds{std::min<std::int64_t>((due - now + 999'999) / 1'000'000, 100)});
                continue;
            }
        }
        const auto sequence = static_cast<std::uint64_t>(run.sent);
        run.sent_at[sequence % kInFlightMax] = now;
        const std::string_view value =
            payload.make({.run = run.number, .sequence = sequence, .sent_ns = now});
        LEAT_TRY(const bool taken,
                 producer.send({.key = std::nullopt, .value = value, .tag = sequence}));
        if (taken) ++run.sent;
        if (!taken || run.sent % 512 == 0) {
            producer.poll(milliseconds{taken ? 0 : 10});
            progress.update(run.acknowledged, run.acknowledged * run.load.record_bytes);
        }
    }
    Drain{producer}.wait(
        [&] { progress.update(run.acknowledged, run.acknowledged * run.load.record_bytes); });
    return {};
}

boost::json::object report(const Run& run, const std::vector<client::Property>& properties,
                           double seconds, double cpu) {
    const double records = static_cast<double>(run.acknowledged);
    boost::json::object out;
    out["benchmark"] = "produce";
    out["topic"] = run.load.topic;
    out["run"] = hex_text(run.number);
    out["record_bytes"] = run.load.record_bytes;
    put_producer_settings(out, properties);
    out["rate"] = run.load.rate > 0 ? boost::json::value(run.load.rate) : boost::json::value();
    out["sent"] = run.sent;
    out["acknowledged"] = nullptr;
    if (run.has_answers) out["acknowledged"] = run.acknowledged;
    out["interrupted"] = run.is_interrupted;
    out["failed"] = run.failed;
    out["seconds"] = seconds;
    out["records_per_second"] = seconds > 0 ? records / seconds : 0;
    out["bytes_per_second"] =
        seconds > 0 ? records * static_cast<double>(run.load.record_bytes) / seconds : 0;
    out["client_cpu_seconds"] = cpu;
    out["checksum"] = hex_text(run.checksum);
    out["acknowledged_after_ms"] = nullptr;
    if (run.has_answers) out["acknowledged_after_ms"] = percentiles_json(run.latency);
    return out;
}

std::string text_of(const Run& run, double seconds) {
    const double records = static_cast<double>(run.acknowledged);
    const double bytes = records * static_cast<double>(run.load.record_bytes);
    return human_count(run.acknowledged) + " records " + std::string{run.done()} + " in " +
           human_seconds(seconds) + ": " +
           human_count(static_cast<std::int64_t>(records / seconds)) + " records/s, " +
           human_bytes(bytes / seconds) + "/s\n" +
           (run.has_answers ? percentiles_text("acknowledged after", run.latency) : "");
}

Result<int> run_bench_produce(const Invocation& line) {
    LEAT_TRY(const ClusterAccess access, cluster_access(line));
    Run run;
    LEAT_TRY(run.load, bench_load(line));
    LEAT_TRY_VOID(ensure_topic(line, run.load));
    watch_interrupts(SecondSignal::kIsTold);
    const std::vector<client::Property> properties = bench_producer_properties(line, access);
    run.has_answers = is_acknowledged(properties);
    LEAT_TRY(
        const std::unique_ptr<client::Producer> producer,
        client::Producer::open(properties, run.load.topic,
                               [&run](const client::Delivery& done) { run.on_delivery(done); }));
    const std::string what = "produce to topic '" + run.load.topic + "' on " + access.where;
    if (const auto ready = producer->partition_count(milliseconds{15'000}); !ready)
        return failed_to(what, ready.error());
    const double cpu_before = own_cpu_seconds();
    const std::int64_t started = bench_now_ns();
    if (const Result<void> sent = send_all(run, *producer); !sent)
        return failed_to(what, sent.error());
    const double seconds = static_cast<double>(bench_now_ns() - started) / 1e9;
    const boost::json::object document =
        report(run, properties, seconds, own_cpu_seconds() - cpu_before);
    LEAT_TRY_VOID(write_last(format_of(line) == Format::kTable
                                 ? text_of(run, seconds)
                                 : render(format_of(line), document, {})));
    if (run.failed > 0)
        return Error{Errc::kTimedOut, human_count(run.failed) + " records were not " +
                                          std::string{run.done()} + ": " + run.first_failure};
    if (run.is_interrupted)
        return Error{Errc::kCancelled,
                     "interrupted after " + human_count(run.sent) + " records were sent"};
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "bench produce",
            .summary = "measure how fast records are acknowledged",
            .details =
                "Prints the same fields for any broker; --output json can be checked by 'leat "
                "bench consume --expect'.",
            .example =
                "leat bench produce --records 1000000 --record-size 1024 --output json > sent.json",
            .options = kOptions,
            .run = run_bench_produce},
};

}  // namespace

std::span<const Command> bench_produce_commands() {
    return kCommands;
}

}  // namespace leat::apps
