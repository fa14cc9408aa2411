// SPDX-License-Identifier: Apache-2.0
//
// leat bench latency: from the moment a record should be sent to the moment a consumer has it, at a
// fixed rate. Times count from the intended moment, so that a stall is charged to every record it
// delays.
#include <boost/json.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "apps/bench_payload.h"
#include "apps/bench_support.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/output.h"
#include "apps/producer_settings.h"
#include "apps/progress.h"
#include "client/consumer.h"
#include "client/producer.h"

namespace leat::apps {
namespace {

using std::chrono::milliseconds;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "--topic",
     .value = "TOPIC",
     .help = "topic to use; created when missing",
     .fallback = "leat-bench-latency"},
    {.names = "--partitions",
     .value = "N",
     .help = "partitions of a topic that is created",
     .fallback = "1"},
    {.names = "--rate", .value = "N", .help = "records a second", .fallback = "1000"},
    {.names = "--seconds", .value = "N", .help = "how long to measure", .fallback = "10"},
    {.names = "--warm-up",
     .value = "SECONDS",
     .help = "send that long before measuring",
     .fallback = "2"},
    {.names = "--record-size",
     .value = "BYTES",
     .help = "size of a record's value",
     .fallback = "1024"},
    {.names = "--acks",
     .value = "0|1|all",
     .help = "acknowledgements waited for",
     .fallback = "all",
     .choices = "0|1|all|-1"},
    {.names = "--linger-ms",
     .value = "MS",
     .help = "how long a batch waits for more records",
     .fallback = "0"},
    {.names = "--batch-bytes", .value = "BYTES", .help = "size of a batch", .fallback = "1000000"},
    {.names = "--compression",
     .value = "NAME",
     .help = "codec of the batches",
     .choices = "none|gzip|snappy|lz4|zstd"},
    {.names = "--idempotent",
     .value = {},
     .help = "no duplicates and no reordering when requests are repeated"},
});

constexpr milliseconds kLookUp{15'000};
constexpr std::int64_t kSecond = 1'000'000'000;
/// After the last record was sent, the rest has that long to come back.
constexpr std::int64_t kPatienceNs = 30 * kSecond;

/// Readable when librdkafka has something for us.
class Signal {
  public:
    Signal() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    ~Signal() { close(descriptor_); }
    [[nodiscard]] int descriptor() const { return descriptor_; }

    /// Waits for the signal, at most `nanoseconds`, and takes it back.
    void wait(std::int64_t nanoseconds) const {
        pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
        const timespec limit{.tv_sec = nanoseconds / kSecond, .tv_nsec = nanoseconds % kSecond};
        if (ppoll(&waiting, 1, &limit, nullptr) <= 0) return;
        std::uint64_t count = 0;
        static_cast<void>(!read(descriptor_, &count, sizeof count));
    }

  private:
    int descriptor_;
};

class LatencyRun {
  public:
    LatencyRun(const BenchLoad& load, std::int64_t warm_up_seconds)
        : load_(load),
          payload_(static_cast<std::size_t>(load.record_bytes)),
          interval_ns_(static_cast<double>(kSecond) / static_cast<double>(load.rate)),
          warm_up_(warm_up_seconds * load.rate),
          total_(warm_up_ + load.seconds * load.rate) {}

    void on_delivery(const client::Delivery& done) {
        if (done.code != Errc::kNone) {
            if (++failed_ == 1) first_failure_ = std::string{done.reason};
            return;
        }
        if (const auto sequence = static_cast<std::int64_t>(done.tag); sequence >= warm_up_)
            acknowledged_.record(bench_now_ns() - intended(sequence));
    }

    Result<void> run(client::Producer& producer, client::Consumer& consumer) {
        const Signal signal;
        producer.signal_on(signal.descriptor());
        consumer.signal_on(signal.descriptor());
        prctl(PR_SET_TIMERSLACK, 1UL);  // Else a wait ends up to 50 us late.
        Progress progress{"measuring", total_};
        started_ns_ = bench_now_ns() + kSecond / 10;
        std::int64_t give_up = INT64_MAX;
        while (!is_interrupted() && failed_ == 0 && received_ < total_) {
            LEAT_TRY_VOID(send_due(producer));
            producer.poll(milliseconds{0});
            LEAT_TRY_VOID(receive(consumer));
            progress.update(received_, received_ * load_.record_bytes);
            const std::int64_t now = bench_now_ns();
            if (sent_ == total_ && give_up == INT64_MAX) give_up = now + kPatienceNs;
            if (now > give_up) break;
            const std::int64_t next = sent_ < total_ ? intended(sent_) : now + kSecond / 10;
            if (next > now) signal.wait(std::min(next - now, kSecond / 10));
        }
        return {};
    }

    [[nodiscard]] const LatencyHistogram& end_to_end() const { return end_to_end_; }
    [[nodiscard]] const LatencyHistogram& acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::int64_t sent() const { return sent_; }
    [[nodiscard]] std::int64_t received() const { return received_; }
    [[nodiscard]] std::int64_t duplicates() const { return duplicates_; }
    [[nodiscard]] std::int64_t late_sends() const { return late_; }
    [[nodiscard]] const std::string& first_failure() const { return first_failure_; }
    [[nodiscard]] bool is_complete() const { return failed_ == 0 && received_ == total_; }

  private:
    [[nodiscard]] std::int64_t intended(std::int64_t sequence) const {
        return started_ns_ +
               static_cast<std::int64_t>(static_cast<double>(sequence) * interval_ns_);
    }

    Result<void> send_due(client::Producer& producer) {
        for (std::int64_t now = bench_now_ns(); sent_ < total_ && intended(sent_) <= now;
             now = bench_now_ns()) {
            // More than a millisecond behind: the machine running this cannot keep the rate.
            if (now - intended(sent_) > 1'000'000 && sent_ >= warm_up_) ++late_;
            const std::string_view value =
                payload_.make({.run = number_,
                               .sequence = static_cast<std::uint64_t>(sent_),
                               .sent_ns = intended(sent_)});
            LEAT_TRY(const bool taken, producer.send({.key = std::nullopt,
                                                      .value = value,
                                                      .tag = static_cast<std::uint64_t>(sent_)}));
            if (!taken) return {};
            ++sent_;
        }
        return {};
    }

    Result<void> receive(client::Consumer& consumer) {
        while (true) {
            LEAT_TRY(const client::ConsumerEvent event, consumer.poll(milliseconds{0}));
            if (std::holds_alternative<client::Nothing>(event)) return {};
            const auto* record = std::get_if<client::ReceivedRecord>(&event);
            if (record == nullptr) continue;
            const std::int64_t now = bench_now_ns();
            const auto stamp = payload_.check(record->value.value_or(std::string_view{}));
            if (!stamp || stamp->run != number_) continue;
            const auto sequence = static_cast<std::size_t>(stamp->sequence);
            if (seen_.size() <= sequence) seen_.resize(static_cast<std::size_t>(total_));
            if (seen_[sequence]) {
                ++duplicates_;
                continue;
            }
            seen_[sequence] = true;
            ++received_;
            if (static_cast<std::int64_t>(sequence) >= warm_up_)
                end_to_end_.record(now - stamp->sent_ns);
        }
    }

    const BenchLoad& load_;
    BenchPayload payload_;
    double interval_ns_;
    std::int64_t warm_up_;
    std::int64_t total_;
    std::uint64_t number_ = new_run_number();
    std::int64_t started_ns_ = 0;
    std::int64_t sent_ = 0;
    std::int64_t received_ = 0;
    std::int64_t duplicates_ = 0;
    std::int64_t failed_ = 0;
    std::int64_t late_ = 0;
    std::string first_failure_;
    std::vector<bool> seen_;
    LatencyHistogram end_to_end_;
    LatencyHistogram acknowledged_;
};

/// A consumer at the end of every partition, ready before the first record is sent.
Result<std::unique_ptr<client::Consumer>> ready_consumer(const ClusterAccess& access,
                                                         const std::string& topic) {
    std::vector<client::Property> properties = access.properties;
    client::set_property(properties, "group.id", "");
    client::set_property(properties, "enable.auto.commit", "false");
    client::set_property(properties, "fetch.min.bytes", "1");
    client::set_property(properties, "fetch.max.wait.ms", "500");
    client::set_property(properties, "socket.nagle.disable", "true");
    LEAT_TRY(std::unique_ptr<client::Consumer> consumer, client::Consumer::open(properties));
    consumer->stop_when(is_interrupted);
    LEAT_TRY(const std::vector<std::int32_t> ids, consumer->partitions(topic, kLookUp));
    std::vector<client::StartAt> starts;
    for (const std::int32_t id : ids) {
        LEAT_TRY(const client::Watermarks marks, consumer->watermarks({topic, id}, kLookUp));
        starts.push_back({{topic, id}, marks.end});
    }
    LEAT_TRY_VOID(consumer->add(starts));
    // Every partition has told its end: the fetches are running.
    for (std::size_t ends = 0; ends < starts.size() && !is_interrupted();) {
        LEAT_TRY(const client::ConsumerEvent event, consumer->poll(milliseconds{100}));
        if (std::holds_alternative<client::ReachedEnd>(event)) ++ends;
    }
    return consumer;
}

boost::json::object report(const LatencyRun& run, const BenchLoad& load,
                           const std::vector<client::Property>& properties, double cpu) {
    boost::json::object out;
    out["benchmark"] = "latency";
    out["topic"] = load.topic;
    out["rate"] = load.rate;
    out["seconds"] = load.seconds;
    out["record_bytes"] = load.record_bytes;
    put_producer_settings(out, properties);
    out["interrupted"] = is_interrupted() && !run.is_complete();
    out["sent"] = run.sent();
    out["received"] = run.received();
    out["lost"] = run.sent() - run.received();
    out["duplicated"] = run.duplicates();
    out["late_sends"] = run.late_sends();
    out["client_cpu_seconds"] = cpu;
    out["end_to_end_ms"] = percentiles_json(run.end_to_end());
    out["acknowledged_after_ms"] = nullptr;
    if (is_acknowledged(properties))
        out["acknowledged_after_ms"] = percentiles_json(run.acknowledged());
    return out;
}

Result<int> run_bench_latency(const Invocation& line) {
    LEAT_TRY(const ClusterAccess access, cluster_access(line));
    LEAT_TRY(const BenchLoad load, bench_load(line));
    LEAT_TRY(const std::int64_t warm_up, line.integer("warm-up", 0, 3600));
    LEAT_TRY_VOID(ensure_topic(line, load));
    watch_interrupts();
    const std::string what = "measure topic '" + load.topic + "' on " + access.where;
    LatencyRun run{load, warm_up};
    const std::vector<client::Property> properties = bench_producer_properties(line, access);
    LEAT_TRY(const std::unique_ptr<client::Producer> producer,
             client::Producer::open(properties, load.topic, [&run](const client::Delivery& done) {
                 run.on_delivery(done);
             }));
    if (const auto ready = producer->partition_count(kLookUp); !ready)
        return failed_to(what, ready.error());
    Result<std::unique_ptr<client::Consumer>> consumer = ready_consumer(access, load.topic);
    if (!consumer) return failed_to(what, consumer.error());
    const double cpu_before = own_cpu_seconds();
    if (const Result<void> done = run.run(*producer, **consumer); !done)
        return failed_to(what, done.error());
    const boost::json::object document =
        report(run, load, properties, own_cpu_seconds() - cpu_before);
    if (format_of(line) == Format::kTable) {
        LEAT_TRY_VOID(write_last(percentiles_text("end to end", run.end_to_end()) +
                                 (is_acknowledged(properties)
                                      ? percentiles_text("acknowledged after", run.acknowledged())
                                      : "")));
    } else {
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    if (run.late_sends() > 0)
        say("leat: " + human_count(run.late_sends()) +
            " records were sent more than 1 ms late: this machine did not keep the rate, the "
            "figures include it");
    if (run.is_complete()) return kExitDone;
    if (is_interrupted())
        return Error{Errc::kCancelled,
                     "interrupted after " + human_count(run.sent()) + " records were sent"};
    return Error{Errc::kTimedOut,
                 "cannot " + what + ": " + human_count(run.sent() - run.received()) +
                     " records did not come back" +
                     (run.first_failure().empty() ? "" : ": " + run.first_failure())};
}

constexpr std::array kCommands{
    Command{.path = "bench latency",
            .summary = "measure the way of a record from producer to consumer at a fixed rate",
            .details = "Times count from the moment a record should have been sent, so a stall is "
                       "charged to all it delays.",
            .example = "leat bench latency --rate 1000 --seconds 30 --output json",
            .options = kOptions,
            .run = run_bench_latency},
};

}  // namespace

std::span<const Command> bench_latency_commands() {
    return kCommands;
}

}  // namespace leat::apps
