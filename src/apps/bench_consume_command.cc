// SPDX-License-Identifier: Apache-2.0
//
// leat bench consume: how fast a topic is read, and whether all of a run came back as sent.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "apps/bench_payload.h"
#include "apps/bench_support.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/output.h"
#include "apps/progress.h"
#include "client/consumer.h"

namespace leat::apps {
namespace {

using client::TopicPartition;
using std::chrono::milliseconds;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "--topic",
     .value = "TOPIC",
     .help = "topic to read, from its beginning to its end",
     .fallback = "leat-bench"},
    {.names = "--record-size",
     .value = "BYTES",
     .help = "size the records were sent with; others are counted, not checked. That of --expect's "
             "run, or else 1024, unless given"},
    {.names = "--expect",
     .value = "FILE",
     .help = "the JSON that 'leat bench produce' printed: every record of it must be there once"},
    {.names = "--fetch-bytes",
     .value = "BYTES",
     .help = "most bytes of one fetch",
     .fallback = "52428800"},
});

constexpr milliseconds kLookUp{15'000};

/// What a producing run said of itself.
struct Expected {
    std::uint64_t run = 0;
    std::int64_t records = 0;
    std::uint64_t checksum = 0;
    std::int64_t record_bytes = 0;
};

/// A whole number of 0 or more.
bool number_of(const boost::json::value& report, std::string_view name, std::int64_t& to) {
    const boost::json::value* field = report.get_object().if_contains(name);
    if (field == nullptr || !field->is_int64() || field->get_int64() < 0) return false;
    to = field->get_int64();
    return true;
}

/// How many records of the run are in the topic. With acks=0 nobody acknowledged any.
bool records_of(const boost::json::value& report, std::int64_t& to) {
    const boost::json::value* acknowledged = report.get_object().if_contains("acknowledged");
    if (acknowledged == nullptr || !acknowledged->is_null())
        return number_of(report, "acknowledged", to);
    std::int64_t failed = 0;
    if (!number_of(report, "sent", to) || !number_of(report, "failed", failed)) return false;
    to -= failed;
    return true;
}

Result<std::optional<Expected>> expected_of(const Invocation& line) {
    std::optional<Expected> out;
    if (!line.has("expect")) return out;
    const std::string path{line.text("expect")};
    LEAT_TRY(const std::string text, read_text_file(path));
    boost::system::error_code failure;
    const boost::json::value parsed = boost::json::parse(text, failure);
    const auto hex = [&](std::string_view name, std::uint64_t& to) {
        const boost::json::value* field = parsed.get_object().if_contains(name);
        if (field == nullptr || !field->is_string()) return false;
        const std::string_view digits{field->get_string()};
        return std::from_chars(digits.data(), digits.data() + digits.size(), to, 16).ec ==
               std::errc{};
    };
    out.emplace();
    const bool is_report = !failure && parsed.is_object() && hex("run", out->run) &&
                           hex("checksum", out->checksum) && records_of(parsed, out->records) &&
                           number_of(parsed, "record_bytes", out->record_bytes);
    if (!is_report)
        return usage_error("--expect: '" + path +
                           "' is no report of 'leat bench produce --output json'");
    return out;
}

/// The records' size: of the line, or else of the run. Errors: kUsage, also when they differ.
Result<std::int64_t> record_bytes_of(const Invocation& line,
                                     const std::optional<Expected>& expected) {
    constexpr std::int64_t kLeast = BenchPayload::kSizeMin;
    constexpr std::int64_t kMost = 1 << 30;
    if (!line.has("record-size")) {
        const std::int64_t bytes = expected ? expected->record_bytes : 1024;
        if (bytes >= kLeast && bytes <= kMost) return bytes;
        return usage_error("--expect: no run has records of " + std::to_string(bytes) + " bytes");
    }
    LEAT_TRY(const std::int64_t bytes, line.integer("record-size", kLeast, kMost));
    if (expected && bytes != expected->record_bytes)
        return usage_error("--record-size: the run of --expect sent records of " +
                           std::to_string(expected->record_bytes) + " bytes");
    return bytes;
}

/// Counts, offsets and content of all records.
struct Check {
    BenchPayload payload;
    std::optional<Expected> expected;
    std::map<std::int32_t, std::int64_t> next_offset;
    std::vector<bool> seen;  ///< By sequence, of the expected run.
    std::int64_t records = 0;
    std::int64_t bytes = 0;
    std::int64_t recognised = 0;
    std::int64_t offset_gaps = 0;
    std::int64_t offsets_back = 0;
    std::int64_t of_run = 0;
    std::int64_t duplicates = 0;
    std::uint64_t checksum = 0;
    bool is_interrupted = false;  ///< By a signal, before all was read.

    void note(const client::ReceivedRecord& record) {
        ++records;
        const std::string_view value = record.value.value_or(std::string_view{});
        bytes += static_cast<std::int64_t>(value.size());
        const auto [next, is_first] =
            next_offset.try_emplace(record.partition, record.offset.value);
        if (record.offset.value > next->second) ++offset_gaps;
        if (record.offset.value < next->second) ++offsets_back;
        next->second = record.offset.value + 1;
        const std::optional<BenchStamp> stamp = payload.check(value);
        if (!stamp) return;
        ++recognised;
        if (!expected || stamp->run != expected->run) return;
        if (stamp->sequence >= seen.size())
            seen.resize(std::max<std::size_t>(seen.size() * 2, stamp->sequence + 1));
        if (seen[stamp->sequence]) {
            ++duplicates;
            return;
        }
        seen[stamp->sequence] = true;
        ++of_run;
        checksum += BenchPayload::digest(*stamp);
    }
    /// True also when nothing was expected and the offsets are in order.
    [[nodiscard]] bool is_good() const {
        if (offsets_back > 0 || is_interrupted) return false;
        return !expected ||
               (of_run == expected->records && duplicates == 0 && checksum == expected->checksum);
    }
};

/// Reads every partition to the end it has when reading starts there.
Result<void> read_all(client::Consumer& consumer, const std::string& topic, Check& check) {
    LEAT_TRY(const std::vector<std::int32_t> ids, consumer.partitions(topic, kLookUp));
    std::vector<client::StartAt> starts;
    std::set<TopicPartition> open;
    std::int64_t total = 0;
    for (const std::int32_t id : ids) {
        LEAT_TRY(const client::Watermarks marks, consumer.watermarks({topic, id}, kLookUp));
        starts.push_back({{topic, id}, marks.begin});
        open.insert({topic, id});
        total += marks.end.value - marks.begin.value;
    }
    LEAT_TRY_VOID(consumer.add(starts));
    Progress progress{"read", total};
    while (!open.empty() && !is_interrupted()) {
        LEAT_TRY(const client::ConsumerEvent event, consumer.poll(milliseconds{100}));
        if (const auto* record = std::get_if<client::ReceivedRecord>(&event)) {
            check.note(*record);
            if (check.records % 1024 == 0) progress.update(check.records, check.bytes);
        } else if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            open.erase(end->where);
        }
    }
    check.is_interrupted = !open.empty();
    return {};
}

boost::json::object report(const Check& check, const std::string& topic, double seconds,
                           double cpu) {
    boost::json::object out;
    out["benchmark"] = "consume";
    out["topic"] = topic;
    out["interrupted"] = check.is_interrupted;
    out["records"] = check.records;
    out["bytes"] = check.bytes;
    out["seconds"] = seconds;
    out["records_per_second"] = seconds > 0 ? static_cast<double>(check.records) / seconds : 0;
    out["bytes_per_second"] = seconds > 0 ? static_cast<double>(check.bytes) / seconds : 0;
    out["client_cpu_seconds"] = cpu;
    out["recognised"] = check.recognised;
    out["offset_gaps"] = check.offset_gaps;
    out["offsets_back"] = check.offsets_back;
    if (check.expected) {
        out["expected"] = check.expected->records;
        out["found"] = check.of_run;
        out["lost"] = std::max<std::int64_t>(0, check.expected->records - check.of_run);
        out["duplicated"] = check.duplicates;
        out["checksum"] = hex_text(check.checksum);
        out["checksum_matches"] = check.checksum == check.expected->checksum;
    }
    out["verified"] = check.expected && check.is_good();
    return out;
}

Result<int> run_bench_consume(const Invocation& line) {
    LEAT_TRY(const ClusterAccess access, cluster_access(line));
    LEAT_TRY(std::optional<Expected> expected, expected_of(line));
    LEAT_TRY(const std::int64_t size, record_bytes_of(line, expected));
    LEAT_TRY(const std::int64_t fetch_bytes, line.integer("fetch-bytes", 1024, INT32_MAX));
    const std::string topic{line.text("topic")};
    std::vector<client::Property> properties = access.properties;
    client::set_property(properties, "group.id", "");
    client::set_property(properties, "enable.auto.commit", "false");
    client::set_property(properties, "fetch.max.bytes", std::to_string(fetch_bytes));
    client::set_property(properties, "max.partition.fetch.bytes", std::to_string(fetch_bytes));
    client::set_property(properties, "queued.min.messages", "1000000");
    client::set_property(properties, "check.crcs", "true");
    watch_interrupts();
    LEAT_TRY(const std::unique_ptr<client::Consumer> consumer, client::Consumer::open(properties));
    consumer->stop_when(is_interrupted);
    Check check{.payload = BenchPayload{static_cast<std::size_t>(size)},
                .expected = expected,
                .next_offset = {},
                .seen = {}};
    const double cpu_before = own_cpu_seconds();
    const std::int64_t started = bench_now_ns();
    if (const Result<void> done = read_all(*consumer, topic, check); !done)
        return failed_to("consume topic '" + topic + "' on " + access.where, done.error());
    const double seconds = static_cast<double>(bench_now_ns() - started) / 1e9;
    const boost::json::object document =
        report(check, topic, seconds, own_cpu_seconds() - cpu_before);
    if (format_of(line) == Format::kTable) {
        LEAT_TRY_VOID(write_last(
            human_count(check.records) + " records read in " + human_seconds(seconds) + ": " +
            human_count(static_cast<std::int64_t>(static_cast<double>(check.records) / seconds)) +
            " records/s, " + human_bytes(static_cast<double>(check.bytes) / seconds) + "/s\n" +
            human_count(check.recognised) + " recognised byte for byte, " +
            human_count(check.offset_gaps) + " offset gaps\n"));
    } else {
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    if (check.is_good()) return kExitDone;
    if (check.is_interrupted)
        return Error{Errc::kCancelled,
                     "interrupted after " + human_count(check.records) + " records were read"};
    return Error{Errc::kCorruptMessage,
                 "topic '" + topic + "' on " + access.where +
                     " does not hold what was sent: " + human_count(check.of_run) + " of " +
                     human_count(expected ? expected->records : 0) + " records found, " +
                     human_count(check.duplicates) + " of them twice, " +
                     human_count(check.offsets_back) + " offsets going back"};
}

constexpr std::array kCommands{
    Command{.path = "bench consume",
            .summary = "measure how fast a topic is read and check its content",
            .details =
                "Checks offsets, every byte of the records 'leat bench produce' sent and, with "
                "--expect, that each "
                "of a run came back once.",
            .example = "leat bench consume --expect sent.json",
            .options = kOptions,
            .run = run_bench_consume},
};

}  // namespace

std::span<const Command> bench_consume_commands() {
    return kCommands;
}

}  // namespace leat::apps
