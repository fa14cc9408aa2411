// SPDX-License-Identifier: Apache-2.0
//
// leat produce: lines in, acknowledged records out, or a loud failure.
#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/drain.h"
#include "apps/interrupt.h"
#include "apps/line_reader.h"
#include "apps/output.h"
#include "apps/producer_settings.h"
#include "apps/progress.h"
#include "apps/record_text.h"
#include "client/producer.h"

namespace leat::apps {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "TOPIC", .value = {}, .help = "topic to send to", .required = true},
    {.names = "--file",
     .value = "FILE",
     .help = "read records from FILE instead of standard input"},
    {.names = "--key-separator",
     .value = "TEXT",
     .help = "what stands before it in a line is the key, and a line without it is an error; "
             "\\n \\t \\r \\0 \\\\ are escapes"},
    {.names = "--key-optional",
     .value = {},
     .help = "a line without the separator is a value without a key"},
    {.names = "--null",
     .value = "TEXT",
     .help = "a key or value equal to TEXT is sent as null (a tombstone)",
     .may_be_empty = true},
    {.names = "--json",
     .value = {},
     .help = "each line is a JSON object with value (null for a tombstone), key, headers, "
             "partition, timestamp"},
    {.names = "--headers",
     .value = "A=1,B=2",
     .help = "headers of every record",
     .repeated = true,
     .may_be_empty = true},
    {.names = "--partition", .value = "N", .help = "send everything to partition N"},
    {.names = "--acks",
     .value = "0|1|all",
     .help = "acknowledgements waited for; with 0 nobody tells what was refused",
     .fallback = "all",
     .choices = "0|1|all|-1"},
    {.names = "--compression",
     .value = "NAME",
     .help = "codec of the batches",
     .choices = "none|gzip|snappy|lz4|zstd"},
    {.names = "--idempotent",
     .value = {},
     .help = "no duplicates and no reordering when requests are repeated"},
    {.names = "--rate", .value = "N", .help = "send at most N records a second"},
    {.names = "--timeout",
     .value = "SECONDS",
     .help = "give a record up after that long without acknowledgement",
     .fallback = "120"},
});

constexpr std::size_t kFailuresShown = 10;
constexpr std::chrono::seconds kForTopic{15};
constexpr std::chrono::seconds kForCreation{3};

/// Standard input or a file; closes only what it opened.
class Input {
  public:
    static Result<Input> open(const std::string& path) {
        if (path.empty() || path == "-") return Input{STDIN_FILENO};
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return usage_error("--file: cannot open '" + path + "': " + std::strerror(errno));
        return Input{descriptor};
    }
    Input(Input&& other) noexcept : descriptor_(std::exchange(other.descriptor_, STDIN_FILENO)) {}
    Input& operator=(Input&&) = delete;
    ~Input() {
        if (descriptor_ != STDIN_FILENO) close(descriptor_);
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool is_typed() const { return isatty(descriptor_) == 1; }

  private:
    explicit Input(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// What became of the records so far.
struct Tally {
    bool has_answers = true;      ///< Not with acks=0: what was sent counts as acknowledged.
    bool is_interrupted = false;  ///< By a signal, before the end of the input.
    std::int64_t sent = 0;
    std::int64_t acknowledged = 0;
    std::int64_t failed = 0;
    std::int64_t maybe_stored = 0;  ///< Of those that failed: sent, and not answered.
    std::int64_t bytes = 0;
    boost::json::array failures;  ///< The first kFailuresShown.
    Errc first_code = Errc::kNone;

    [[nodiscard]] std::string_view done() const { return has_answers ? "acknowledged" : "sent"; }
    void fail(std::uint64_t line, Errc code, std::string_view reason, bool may_be_stored = false) {
        ++failed;
        maybe_stored += may_be_stored ? 1 : 0;
        if (first_code == Errc::kNone) first_code = code;
        if (failures.size() == kFailuresShown) return;
        failures.push_back({{"line", line},
                            {"error", info(code).name},
                            {"message", reason},
                            {"may_be_stored", may_be_stored}});
        say("leat: line " + std::to_string(line) + " was not " + std::string{done()} +
            (may_be_stored ? " and may be stored all the same: " : ": ") +
            std::string{info(code).name} + ": " + std::string{reason});
    }
    /// Of what nobody has told until now nobody will.
    void close() {
        if (acknowledged + failed == sent) return;
        maybe_stored += sent - acknowledged - failed;
        failed = sent - acknowledged;
        if (first_code == Errc::kNone) first_code = Errc::kCancelled;
    }
};

struct Settings {
    std::string topic;
    LineRules rules;
    bool is_json = false;
    std::vector<client::Header> headers;
    std::int32_t partition = -1;
    std::int64_t rate = 0;
};

Result<Settings> settings_of(const Invocation& line) {
    Settings out;
    out.topic = std::string{line.text("TOPIC")};
    out.is_json = line.has("json");
    if (line.has("key-separator")) {
        LEAT_TRY(out.rules.key_separator, unescaped("--key-separator", line.text("key-separator")));
    }
    out.rules.is_key_optional = line.has("key-optional");
    if (out.rules.is_key_optional && !out.rules.key_separator)
        return usage_error("--key-optional goes with --key-separator");
    if (line.has("null")) out.rules.null_marker = std::string{line.text("null")};
    if (out.is_json && out.rules.key_separator)
        return usage_error("--json and --key-separator exclude each other");
    if (out.is_json && out.rules.null_marker)
        return usage_error("--json and --null exclude each other: JSON has a null of its own");
    if (out.rules.key_separator && out.rules.key_separator->empty())
        return usage_error("--key-separator cannot be empty");
    for (const std::string& text : line.all("headers")) {
        LEAT_TRY(std::vector<client::Header> some, parse_headers(text));
        out.headers.insert(out.headers.end(), some.begin(), some.end());
    }
    if (line.has("partition")) {
        LEAT_TRY(const std::int64_t partition, line.integer("partition", 0, INT32_MAX));
        out.partition = static_cast<std::int32_t>(partition);
    }
    if (line.has("rate")) {
        LEAT_TRY(out.rate, line.integer("rate", 1, 100'000'000));
    }
    return out;
}

/// librdkafka's look-up ends for nobody: an interrupted command waits for one slice at most.
Result<std::int32_t> partition_count(client::Producer& producer, Clock::time_point give_up) {
    constexpr milliseconds kSlice{500};
    constexpr int kSlices = 20;
    for (int slice = 1;; ++slice) {
        Result<std::int32_t> count = producer.partition_count(kSlice);
        const bool ran_out = !count && (count.error().code() == Errc::kTimedOut ||
                                        count.error().code() == Errc::kNetworkException);
        if (!ran_out || slice == kSlices || is_interrupted() || Clock::now() >= give_up)
            return count;
    }
}

/// Waits until the topic can be sent to; one that is created on demand takes a moment. A record
/// would not be waited for beyond `patience` either.
Result<std::int32_t> wait_for_topic(client::Producer& producer, milliseconds patience) {
    const Clock::time_point begun = Clock::now();
    const Clock::time_point give_up = begun + std::min<milliseconds>(patience, kForTopic);
    while (true) {
        Result<std::int32_t> count = partition_count(producer, give_up);
        if (count && *count > 0) return *count;
        const bool may_come = count || count.error().code() == Errc::kLeaderNotAvailable ||
                              count.error().code() == Errc::kUnknownTopicOrPartition;
        if (!may_come || Clock::now() > give_up || is_interrupted()) {
            if (!count) return std::move(count).error();
            return Error{Errc::kLeaderNotAvailable, "the topic has no partitions yet"};
        }
        // An unknown topic is asked for again only as long as creation on demand takes.
        if (!count && count.error().code() == Errc::kUnknownTopicOrPartition &&
            Clock::now() > begun + kForCreation)
            return std::move(count).error();
        producer.poll(milliseconds{200});
    }
}

class Sender {
  public:
    Sender(const Settings& settings, client::Producer& producer, Drain& drain, Tally& tally)
        : settings_(settings), producer_(producer), drain_(drain), tally_(tally) {}

    /// A record that cannot be sent is counted as failed; the rest goes on.
    void send_line(std::string_view text, std::uint64_t number) {
        Result<client::Record> parsed =
            settings_.is_json ? record_from_json(text) : record_from_line(text, settings_.rules);
        ++tally_.sent;
        if (!parsed) {
            tally_.fail(number, parsed.error().code(), parsed.error().detail());
            return;
        }
        client::Record record = *std::move(parsed);
        record.headers.insert(record.headers.end(), settings_.headers.begin(),
                              settings_.headers.end());
        const client::OutgoingRecord out{
            .key = record.key,
            .value = record.value,
            .headers = record.headers.empty() ? nullptr : &record.headers,
            .partition =
                settings_.partition >= 0 ? settings_.partition : record.partition.value_or(-1),
            .timestamp_ms = record.timestamp.value_or(WallMs{-1}).value,
            .tag = number};
        while (true) {
            const Result<bool> taken = producer_.send(out);
            if (!taken) {
                tally_.fail(number, taken.error().code(), taken.error().detail());
                return;
            }
            if (*taken) return;
            if (drain_.is_given_up()) {
                tally_.fail(number, Errc::kCancelled, "given up before it was sent");
                return;
            }
            producer_.poll(milliseconds{100});
        }
    }

    /// Waits until record `count` (from 0) is due.
    void pace(std::int64_t count) {
        if (settings_.rate == 0) {
            if (count % 256 == 0) producer_.poll(milliseconds{0});
            return;
        }
        const Clock::time_point due =
            started_ + std::chrono::nanoseconds{static_cast<std::int64_t>(
                           static_cast<double>(count) * 1e9 / static_cast<double>(settings_.rate))};
        while (!is_interrupted()) {
            const auto left = std::chrono::ceil<milliseconds>(due - Clock::now());
            producer_.poll(std::clamp(left, milliseconds{0}, milliseconds{200}));
            if (Clock::now() >= due) return;
        }
    }

  private:
    const Settings& settings_;
    client::Producer& producer_;
    Drain& drain_;
    Tally& tally_;
    Clock::time_point started_ = Clock::now();
};

/// Sends all of `input` and waits for the last acknowledgement. Errors: kIoError (input not
/// readable).
Result<void> send_all(const Input& input, Sender& sender, client::Producer& producer, Drain& drain,
                      Tally& tally) {
    // A bar would be drawn through what a user types.
    const bool is_typed = input.is_typed();
    Progress progress{tally.done(), 0};
    LineReader lines{input.descriptor(), [&] {
                         producer.poll(milliseconds{0});
                         return !is_interrupted();
                     }};
    std::string_view text;
    std::uint64_t number = 0;
    Result<bool> got = true;
    while (!is_interrupted() && !producer.is_fatal()) {
        got = lines.next(text);
        if (!got || !*got) break;
        sender.pace(tally.sent);
        sender.send_line(text, ++number);
        if (!is_typed) progress.update(tally.acknowledged, tally.bytes);
    }
    tally.is_interrupted = got && is_interrupted() && !lines.finds_end();
    // Who types has seen where it ended.
    if (tally.is_interrupted && !is_typed)
        say("leat: interrupted: read up to line " + std::to_string(number));
    if (producer.is_fatal())
        say("leat: no more records can be sent: read up to line " + std::to_string(number));
    drain.wait([&] {
        if (!is_typed) progress.update(tally.acknowledged, tally.bytes);
    });
    tally.close();
    if (!got) return std::move(got).error();
    return {};
}

boost::json::object summary_of(const Settings& settings, const Tally& tally, double seconds) {
    boost::json::object out;
    out["topic"] = settings.topic;
    out["sent"] = tally.sent;
    out["acknowledged"] = nullptr;
    if (tally.has_answers) out["acknowledged"] = tally.acknowledged;
    out["interrupted"] = tally.is_interrupted;
    out["failed"] = tally.failed;
    out["maybe_stored"] = tally.maybe_stored;
    out["bytes"] = tally.bytes;
    out["seconds"] = seconds;
    out["failures"] = tally.failures;
    return out;
}

std::string summary_text(const Tally& tally, double seconds) {
    return human_count(tally.acknowledged) + " of " + human_count(tally.sent) + " records " +
           std::string{tally.done()} + " (" + human_bytes(static_cast<double>(tally.bytes)) +
           " in " + human_seconds(seconds) + ")" +
           (tally.has_answers ? "" : "; with --acks 0 nobody tells whether they were stored");
}

Result<int> run_produce(const Invocation& line) {
    LEAT_TRY(const ClusterAccess access, cluster_access(line));
    LEAT_TRY(const Settings settings, settings_of(line));
    LEAT_TRY(const std::vector<client::Property> properties, produce_properties(line, access));
    const std::string path{line.text("file")};
    LEAT_TRY(const Input input, Input::open(path));
    watch_interrupts(SecondSignal::kIsTold);
    Tally tally;
    tally.has_answers = is_acknowledged(properties);
    LEAT_TRY(
        const std::unique_ptr<client::Producer> producer,
        client::Producer::open(properties, settings.topic, [&tally](const client::Delivery& done) {
            if (done.code != Errc::kNone) {
                tally.fail(done.tag, done.code, done.reason, done.may_be_stored);
                return;
            }
            ++tally.acknowledged;
            tally.bytes += static_cast<std::int64_t>(done.value_bytes);
        }));
    LEAT_TRY(const std::int64_t patience, line.integer("timeout", 1, kProduceTimeoutMax));
    const Result<std::int32_t> ready = wait_for_topic(*producer, std::chrono::seconds{patience});
    if (!ready)
        return failed_to("produce to topic '" + settings.topic + "' on " + access.where,
                         ready.error());
    const Clock::time_point started = Clock::now();
    Drain drain{*producer};
    Sender sender{settings, *producer, drain, tally};
    const Result<void> read_all = send_all(input, sender, *producer, drain, tally);
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    if (const Format format = format_of(line); format != Format::kTable)
        LEAT_TRY_VOID(write_last(render(format, summary_of(settings, tally, seconds), {})));
    say(summary_text(tally, seconds));
    if (!read_all) return Error{read_all.error().code(), read_all.error().detail()};
    // A signal ends what is typed as the end of the input does; anything else was cut short by it.
    if (tally.failed == 0)
        return tally.is_interrupted && !input.is_typed() ? kExitFailed : kExitDone;
    const std::string trouble = producer->last_trouble();
    return Error{
        tally.first_code,
        human_count(tally.failed) + " of " + human_count(tally.sent) + " records for topic '" +
            settings.topic + "' on " + access.where + " were not " + std::string{tally.done()} +
            (tally.maybe_stored == 0
                 ? ""
                 : " (" + human_count(tally.maybe_stored) + " may be stored all the same)") +
            (trouble.empty() ? "" : "; last trouble: " + trouble)};
}

constexpr std::array kCommands{
    Command{.path = "produce",
            .summary = "send records to a topic, one a line",
            .details =
                "Reads standard input or --file and waits until every record is acknowledged, "
                "with --acks 0 until it is sent. A line that is no record, or whose record is "
                "not acknowledged, is named on standard error; the others are sent, and the "
                "command ends with 1. "
                "SIGINT or SIGTERM ends the reading; what was sent is still waited for, after "
                "SIGTERM for 5 s, and a second signal gives it up. Unless the lines are typed, "
                "the command then ends with 1.",
            .example =
                "printf 'ber;landed\\nsfo;taxiing\\n' | leat produce flights --key-separator ';'",
            .options = kOptions,
            .run = run_produce},
};

}  // namespace

std::span<const Command> produce_commands() {
    return kCommands;
}

}  // namespace leat::apps
