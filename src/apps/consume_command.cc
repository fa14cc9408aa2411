// SPDX-License-Identifier: Apache-2.0
//
// leat consume: records of a topic on standard output, alone or as a member of a group.
#include <boost/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/leader_watch.h"
#include "apps/open_partitions.h"
#include "apps/output.h"
#include "apps/progress.h"
#include "apps/record_text.h"
#include "apps/start_point.h"
#include "client/consumer.h"

namespace leat::apps {
namespace {

using client::StartAt;
using client::TopicPartition;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "TOPIC", .value = {}, .help = "topic to read", .required = true},
    {.names = "--group",
     .value = "GROUP",
     .help = "read as a member of GROUP and commit what was read"},
    {.names = "--from",
     .value = "PLACE",
     .help = "beginning, end, an offset (42), that many before the end (-5), a time "
             "(2026-01-31T12:00:00Z, @1769860800000) or a time ago (-10m)",
     .fallback = "end"},
    {.names = "--partition", .value = "N", .help = "read partition N only", .repeated = true},
    {.names = "--count", .value = "N", .help = "stop after N records"},
    {.names = "--until-end",
     .value = {},
     .help = "stop at the end of every partition instead of waiting for more"},
    {.names = "--isolation",
     .value = "LEVEL",
     .help = "which records of transactions are shown; read_committed unless given, or set in the "
             "--config file",
     .choices = "read_committed|read_uncommitted"},
    {.names = "--format",
     .value = "TEXT",
     .help = "how a record is printed: %t topic %p partition %o offset %T time in ms %D as a date "
             "%k key %v value %h headers %% percent \\n \\t; the default is '%v\\n'",
     .may_be_empty = true},
});

constexpr milliseconds kLookUp{15'000};
constexpr std::chrono::seconds kCommitEvery{5};
/// A look at the leaders costs a round trip: rarely while records come, and when nobody waits for
/// an end.
constexpr milliseconds kLeaderLook{1000};
constexpr std::chrono::seconds kLookWhenIdle{2};
constexpr std::chrono::seconds kLookWhenBusy{10};
constexpr std::chrono::seconds kLookWithoutEnd{30};

struct Plan {
    std::string topic;
    std::string group;
    std::vector<std::int32_t> partitions;
    StartPoint from;
    std::int64_t count = -1;
    bool until_end = false;
    std::string reset;  ///< auto.offset.reset of the --config file, where --from is not given.
    milliseconds look_for_added{30'000};
};

/// What the --config file says of a group and of places counts unless the line says it.
Result<void> take_from_file(const Invocation& line, const std::vector<client::Property>& file,
                            Plan& out) {
    if (!line.has("group") && out.partitions.empty())
        out.group = std::string{client::find_property(file, "group.id")};
    if (!line.is_given("from"))
        out.reset = std::string{client::find_property(file, "auto.offset.reset")};
    const std::string_view age = client::find_property(file, "metadata.max.age.ms");
    if (age.empty()) return {};
    Invocation one{line.command()};
    one.add("metadata.max.age.ms", age, false);
    LEAT_TRY(const std::int64_t ms, one.integer("metadata.max.age.ms", 1, INT64_MAX / 1'000'000));
    out.look_for_added = milliseconds{ms};
    return {};
}

std::string_view place_of(const Invocation& line, const Plan& plan) {
    constexpr std::array<std::string_view, 3> kBegins{"earliest", "smallest", "beginning"};
    if (std::ranges::find(kBegins, plan.reset) != kBegins.end()) return "beginning";
    return line.text("from");
}

Result<Plan> plan_of(const Invocation& line, const std::vector<client::Property>& file) {
    Plan out;
    out.topic = std::string{line.text("TOPIC")};
    out.group = std::string{line.text("group")};
    out.until_end = line.has("until-end");
    for (const std::string& text : line.all("partition")) {
        Invocation one{line.command()};
        one.add("partition", text, false);
        LEAT_TRY(const std::int64_t partition, one.integer("partition", 0, INT32_MAX));
        const auto id = static_cast<std::int32_t>(partition);
        if (std::ranges::find(out.partitions, id) == out.partitions.end())
            out.partitions.push_back(id);
    }
    if (line.has("count")) {
        LEAT_TRY(out.count, line.integer("count", 0, INT64_MAX));
    }
    LEAT_TRY_VOID(take_from_file(line, file, out));
    LEAT_TRY(out.from, parse_start_point(place_of(line, out), wall_clock_now()));
    if (out.group.empty()) return out;
    if (!out.partitions.empty())
        return usage_error(
            "--group and --partition exclude each other: the group assigns partitions");
    if (out.from.kind != StartPoint::Kind::kBeginning && out.from.kind != StartPoint::Kind::kEnd)
        return usage_error(
            "with a group, --from takes beginning or end (used where the group has no "
            "committed offset); 'leat group reset' moves a group to an offset or time");
    return out;
}

/// Chooses where each partition starts and reads on; a group's members are told by the coordinator.
class Reading {
  public:
    Reading(const Plan& plan, client::Consumer& consumer)
        : plan_(plan), consumer_(consumer), left_(!plan.group.empty()) {}

    Result<void> start() {
        if (!plan_.group.empty()) {
            // Who waits for the end must hear that there is none; others wait for the cluster.
            if (plan_.until_end)
                if (const auto found = consumer_.partitions(plan_.topic, kLookUp);
                    !found && found.error().code() != Errc::kUnknownTopicOrPartition)
                    return Error{found.error().code(), found.error().detail()};
            const std::array<std::string, 1> topics{plan_.topic};
            return consumer_.subscribe(topics);
        }
        LEAT_TRY(const std::vector<std::int32_t> existing,
                 consumer_.partitions(plan_.topic, kLookUp));
        std::vector<TopicPartition> wanted;
        for (const std::int32_t id : plan_.partitions.empty() ? existing : plan_.partitions) {
            if (std::ranges::find(existing, id) == existing.end())
                return Error{Errc::kUnknownTopicOrPartition,
                             "it has partitions 0 to " + std::to_string(existing.size() - 1) +
                                 ", no " + std::to_string(id)};
            wanted.push_back({plan_.topic, id});
        }
        for (const TopicPartition& one : wanted) left_.add(one);
        look_at_leaders();
        if (plan_.until_end && needs_leaders()) {
            await_leaders();
            // Nobody could say where they begin.
            std::erase_if(wanted,
                          [&](const TopicPartition& one) { return unread().contains(one); });
            unread_for_good_ = !unread().empty();
        }
        LEAT_TRY(const std::vector<StartAt> starts, starts_of(wanted));
        return consumer_.add(starts);
    }

    /// Now and then: a partition without a leader is named, and given up when the end is waited
    /// for.
    void watch_leaders(bool is_idle) {
        const auto pause = !plan_.until_end ? kLookWithoutEnd
                           : is_idle        ? kLookWhenIdle
                                            : kLookWhenBusy;
        if (Clock::now() - looked_at_ >= pause) look_at_leaders();
    }

    /// Errors: kUnknownTopicOrPartition (a topic that was deleted: nothing more can come).
    Result<void> check_topic() {
        const auto existing = consumer_.partitions(plan_.topic, kLookUp);
        if (!existing && existing.error().code() == Errc::kUnknownTopicOrPartition)
            return Error{existing.error().code(), "the topic is gone: it was deleted meanwhile"};
        return {};
    }
    /// Now and then: partitions that the topic has got meanwhile are read as well.
    Result<void> follow_added() {
        if (plan_.until_end || !plan_.group.empty() || !plan_.partitions.empty()) return {};
        if (Clock::now() - counted_at_ < plan_.look_for_added) return {};
        counted_at_ = Clock::now();
        // A cluster that does not answer is poll()'s to tell of.
        const auto existing = consumer_.partitions(plan_.topic, kLeaderLook);
        if (!existing) return {};
        std::vector<StartAt> added;
        for (const std::int32_t id : *existing)
            if (left_.add({plan_.topic, id})) added.push_back({{plan_.topic, id}, Offset{-2}});
        return consumer_.add(added);
    }

    void note(const client::Consumer::Rebalance& change) { left_.note(change); }
    void note_end(const TopicPartition& where) {
        if (plan_.until_end) left_.note_end(where);
    }
    /// Every partition was read to its end, or given up.
    [[nodiscard]] bool is_at_end() const { return left_.is_at_end(); }
    /// Without a leader for too long.
    [[nodiscard]] const std::set<TopicPartition>& unread() const { return left_.unread(); }

  private:
    void look_at_leaders() {
        looked_at_ = Clock::now();
        // A cluster that does not answer is poll()'s to tell of.
        const auto found = consumer_.leaderless(plan_.topic, kLeaderLook);
        if (!found) return;
        const LeaderWatch::News news = watch_.look(*found, Clock::now());
        untold_.insert(news.missing.begin(), news.missing.end());
        for (const std::int32_t id : news.back) untold_.erase(id);
        for (const TopicPartition& one : left_.open())
            if (untold_.erase(one.partition) > 0)
                say("leat: partition " + std::to_string(one.partition) + " of topic '" +
                    plan_.topic + "' has no leader: waiting for one" +
                    (plan_.until_end
                         ? ", for " + std::to_string(LeaderWatch::kPatience.count()) + " s at most"
                         : ""));
        if (!plan_.until_end) return;
        if (!unread_for_good_)
            for (const std::int32_t id : news.back) left_.take_back({plan_.topic, id});
        // Those too that a group has assigned again meanwhile.
        const std::set<TopicPartition> open = left_.open();
        for (const TopicPartition& one : open)
            if (watch_.is_given_up(one.partition)) left_.give_up(one);
    }
    /// Looking up a place asks each partition's leader.
    [[nodiscard]] bool needs_leaders() const {
        return plan_.from.kind == StartPoint::Kind::kTime ||
               plan_.from.kind == StartPoint::Kind::kBeforeEnd;
    }
    void await_leaders() {
        const Clock::time_point end = Clock::now() + 2 * LeaderWatch::kPatience;
        const auto is_missing = [&](const TopicPartition& one) {
            return watch_.is_missing(one.partition);
        };
        while (std::ranges::any_of(left_.open(), is_missing) && !is_interrupted() &&
               Clock::now() < end) {
            ignore(consumer_.poll(kLeaderLook), "nothing is assigned yet");
            look_at_leaders();
        }
    }
    Result<std::vector<StartAt>> starts_of(std::span<const TopicPartition> wanted) {
        using Kind = StartPoint::Kind;
        std::vector<StartAt> out;
        if (wanted.empty()) return out;
        switch (plan_.from.kind) {
            case Kind::kTime:
                return consumer_.offsets_at(wanted, WallMs{plan_.from.value}, kLookUp);
            case Kind::kBeforeEnd:
                for (const TopicPartition& one : wanted) {
                    LEAT_TRY(const client::Watermarks marks, consumer_.watermarks(one, kLookUp));
                    out.push_back({one, Offset{std::max(marks.begin.value,
                                                        marks.end.value - plan_.from.value)}});
                }
                return out;
            case Kind::kBeginning:
            case Kind::kEnd:
            case Kind::kOffset:
                break;
        }
        const std::int64_t offset = plan_.from.kind == Kind::kBeginning ? -2
                                    : plan_.from.kind == Kind::kEnd     ? -1
                                                                        : plan_.from.value;
        for (const TopicPartition& one : wanted) out.push_back({one, Offset{offset}});
        return out;
    }

    const Plan& plan_;
    client::Consumer& consumer_;
    OpenPartitions left_;
    bool unread_for_good_ = false;  ///< What was given up is not among what is read.
    LeaderWatch watch_;
    std::set<std::int32_t> untold_;  ///< Are missing; a group may yet assign them.
    Clock::time_point looked_at_;
    Clock::time_point counted_at_ = Clock::now();  ///< Of the partitions.
};

/// Prints records in the chosen form.
class Printer {
  public:
    static Result<Printer> create(const Invocation& line) {
        const bool is_json = format_of(line) == Format::kJson;
        if (line.has("format") && format_of(line) != Format::kTable)
            return usage_error("--format and --output exclude each other");
        LEAT_TRY(RecordFormat text,
                 RecordFormat::parse(line.has("format") ? line.text("format")
                                                        : std::string_view{"%v\\n"}));
        return Printer{format_of(line), is_json, std::move(text)};
    }

    Result<void> print(const client::ReceivedRecord& record) {
        out_.clear();
        if (is_json_) {
            // One object a line, not indented: made for `jq` and for `leat produce --json`.
            out_ = to_json_line(record_to_json(record));
        } else if (format_ == Format::kYaml) {
            out_ = "---\n" + to_yaml(record_to_json(record));
        } else {
            text_.append(record, out_);
        }
        return write_out(out_);
    }

  private:
    Printer(Format format, bool is_json, RecordFormat text)
        : format_(format), is_json_(is_json), text_(std::move(text)) {}
    Format format_;
    bool is_json_;
    RecordFormat text_;
    std::string out_;
};

std::vector<client::Property> consumer_properties(const Invocation& line,
                                                  const ClusterAccess& access, const Plan& plan) {
    std::vector<client::Property> out = access.properties;
    if (line.has("isolation")) client::set_property(out, "isolation.level", line.text("isolation"));
    const bool in_group = !plan.group.empty();
    client::set_property(out, "group.id", plan.group);
    // Loop commits by itself, and only what has left for standard output.
    client::set_property(out, "enable.auto.commit", "false");
    // librdkafka pauses a second whenever that many records wait; its byte limit (64 MiB) still
    // holds.
    if (client::find_property(out, "queued.min.messages").empty())
        client::set_property(out, "queued.min.messages", "1000000");
    // Who names a place without a group is not given another one.
    const bool is_fixed = plan.reset == "none" || (line.is_given("from") && !in_group);
    if (in_group && plan.reset.empty())
        client::set_property(
            out, "auto.offset.reset",
            plan.from.kind == StartPoint::Kind::kBeginning ? "earliest" : "latest");
    else if (is_fixed || client::find_property(out, "auto.offset.reset").empty())
        client::set_property(out, "auto.offset.reset", "error");
    return out;
}

class Loop {
  public:
    Loop(const Plan& plan, client::Consumer& consumer, Reading& reading, Printer& printer)
        : plan_(plan), consumer_(consumer), reading_(reading), printer_(printer) {}

    /// Until the count, the end, Ctrl-C or an error.
    Result<void> run() {
        Progress progress{"read", plan_.count > 0 ? plan_.count : 0};
        while (!is_interrupted() && printed_ != plan_.count) {
            LEAT_TRY(const client::ConsumerEvent event, consumer_.poll(milliseconds{100}));
            LEAT_TRY_VOID(handle(event));
            LEAT_TRY_VOID(reading_.follow_added());
            reading_.watch_leaders(std::holds_alternative<client::Nothing>(event));
            if (plan_.until_end && reading_.is_at_end()) break;
            if (!plan_.group.empty() && Clock::now() >= next_commit_) {
                LEAT_TRY_VOID(commit_in_between());
            }
            // Records on the same screen are progress enough.
            if (isatty_out_ == 0) progress.update(printed_, bytes_);
        }
        return flush_out();
    }

    /// Nothing is committed that is not printed: what a crash repeats, it does not lose.
    Result<void> commit_printed() {
        LEAT_TRY_VOID(flush_out());
        next_commit_ = Clock::now() + kCommitEvery;
        return consumer_.commit();
    }

    /// In the midst of a rebalance nothing can be committed; what is printed is, the next time.
    Result<void> commit_in_between() {
        auto done = commit_printed();
        const Errc code = done ? Errc::kNone : done.error().code();
        if (code == Errc::kRebalanceInProgress || code == Errc::kIllegalGeneration) return {};
        return done;
    }

    [[nodiscard]] std::int64_t printed() const { return printed_; }

  private:
    Result<void> handle(const client::ConsumerEvent& event) {
        if (const auto* record = std::get_if<client::ReceivedRecord>(&event)) {
            LEAT_TRY_VOID(printer_.print(*record));
            ++printed_;
            bytes_ += static_cast<std::int64_t>(record->value.value_or(std::string_view{}).size());
        } else if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            reading_.note_end(end->where);
            LEAT_TRY_VOID(flush_out());
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kUnknownTopicOrPartition && plan_.group.empty()) {
                LEAT_TRY_VOID(reading_.check_topic());
            }
            if (trouble->text != last_trouble_) say("leat: " + trouble->text + "; trying on");
            last_trouble_ = trouble->text;
        } else {
            LEAT_TRY_VOID(flush_out());
        }
        return {};
    }

    const Plan& plan_;
    client::Consumer& consumer_;
    Reading& reading_;
    Printer& printer_;
    std::int64_t printed_ = 0;
    std::int64_t bytes_ = 0;
    int isatty_out_ = isatty(STDOUT_FILENO);
    std::string last_trouble_;
    Clock::time_point next_commit_ = Clock::now() + kCommitEvery;
};

/// The consumer's destructor may still report a rebalance, when those it would be reported to are
/// gone.
class Detach {
  public:
    Detach(Reading*& reading, Loop*& loop) : reading_(reading), loop_(loop) {}
    Detach(const Detach&) = delete;
    Detach& operator=(const Detach&) = delete;
    ~Detach() {
        reading_ = nullptr;
        loop_ = nullptr;
    }

  private:
    Reading*& reading_;
    Loop*& loop_;
};

Result<int> run_consume(const Invocation& line) {
    LEAT_TRY(const ClusterAccess access, cluster_access(line));
    LEAT_TRY(const Plan plan, plan_of(line, access.properties));
    LEAT_TRY(Printer printer, Printer::create(line));
    watch_interrupts();
    Reading* current = nullptr;
    Loop* committing = nullptr;
    const auto on_rebalance = [&](const client::Consumer::Rebalance& change) {
        if (current != nullptr) current->note(change);
        if (change.assigned || committing == nullptr) return;
        if (const Result<void> kept = committing->commit_printed(); !kept)
            say("leat: the offsets of partitions that were taken away are not committed: " +
                error_text(kept.error()));
    };
    LEAT_TRY(const std::unique_ptr<client::Consumer> consumer,
             client::Consumer::open(consumer_properties(line, access, plan), on_rebalance));
    consumer->stop_when(is_interrupted);
    Reading reading{plan, *consumer};
    current = &reading;
    const Detach detach{current, committing};
    const std::string what = "consume topic '" + plan.topic + "' on " + access.where;
    if (const Result<void> started = reading.start(); !started)
        return failed_to(what, started.error());
    Loop loop{plan, *consumer, reading, printer};
    if (!plan.group.empty()) committing = &loop;
    const Result<void> done = loop.run();
    if (!done && is_reader_gone(done.error())) return Error{Errc::kClosed};
    if (!done) return failed_to(what, done.error());
    if (!plan.group.empty()) {
        if (const Result<void> committed = loop.commit_printed(); !committed)
            return failed_to("commit what group '" + plan.group + "' read", committed.error());
    }
    // A group takes all partitions away from who leaves.
    const std::set<TopicPartition> unread = reading.unread();
    if (const Result<void> closed = consumer->close(); !closed)
        return failed_to(what, closed.error());
    say(human_count(loop.printed()) + " records read");
    if (unread.empty()) return kExitDone;
    std::string names;
    for (const TopicPartition& one : unread)
        names += (names.empty() ? "" : ", ") + std::to_string(one.partition);
    return failed_to(what, Error{Errc::kLeaderNotAvailable,
                                 "not all was read: partitions without a leader: " + names});
}

constexpr std::array kCommands{
    Command{.path = "consume",
            .summary = "print the records of a topic",
            .details =
                "Without --group it reads the partitions it is told to and commits nothing. "
                "--output json prints one object a line, which 'leat produce --json' reads "
                "back. --from -5 counts offsets before the end, those of aborted records and "
                "of the markers of transactions too; a time without a zone is UTC, a date "
                "alone its midnight; an offset that is not in the log is an error. Where a "
                "partition has no leader for 10 s, --until-end reads the others, names it and "
                "ends with 1.",
            .example = "leat consume flights --from beginning --until-end --format '%k: %v\\n'",
            .options = kOptions,
            .run = run_consume},
};

}  // namespace

std::span<const Command> consume_commands() {
    return kCommands;
}

}  // namespace leat::apps
