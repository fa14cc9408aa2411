// SPDX-License-Identifier: Apache-2.0
//
// leat log dump: prints a stopped broker's files.
#include <boost/json.hpp>

#include <array>
#include <string>

#include "apps/base64.h"
#include "apps/commands.h"
#include "apps/log_dump.h"
#include "apps/log_source.h"
#include "apps/output.h"
#include "storage/check/directory_check.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "PATH",
     .value = {},
     .help = "a data directory, the folder of one partition, or one file in it",
     .required = true},
    {.names = "--partition",
     .value = "TOPIC-N",
     .help = "which partition of the data directory; without it the partitions are listed"},
    {.names = "--show",
     .value = "WHAT",
     .help = "what of a partition",
     .fallback = "batches",
     .choices = "batches|records|segments|index|timeindex|txnindex|producers|epochs"},
    {.names = "--records", .value = {}, .help = "the same as --show records"},
    {.names = "--from", .value = "OFFSET", .help = "leave out what ends before", .fallback = "0"},
    {.names = "--to", .value = "OFFSET", .help = "leave out what begins behind"},
    {.names = "--count", .value = "N", .help = "stop after N entries"},
});

DumpKind kind_of(const Invocation& line) {
    const std::string_view name = line.has("records") ? "records" : line.text("show");
    if (name == "records") return DumpKind::kRecords;
    if (name == "segments") return DumpKind::kSegments;
    if (name == "index") return DumpKind::kIndex;
    if (name == "timeindex") return DumpKind::kTimeIndex;
    if (name == "txnindex") return DumpKind::kTxnIndex;
    if (name == "producers") return DumpKind::kProducers;
    return name == "epochs" ? DumpKind::kEpochs : DumpKind::kBatches;
}

Result<DumpRange> range_of(const Invocation& line) {
    DumpRange out;
    LEAT_TRY(out.from.value, line.integer("from", 0, INT64_MAX));
    if (line.has("to")) {
        LEAT_TRY(out.to.value, line.integer("to", 0, INT64_MAX));
    }
    if (line.has("count")) {
        LEAT_TRY(out.count_max, line.integer("count", 0, INT64_MAX));
    }
    return out;
}

/// "name: value" of each field that says something; bytes and texts as they are.
std::string text_line(const json::object& entry) {
    std::string out;
    for (const auto& field : entry) {
        const json::value& value = field.value();
        const bool says_nothing =
            value.is_null() || (value.is_bool() && !value.get_bool() && field.key() != "crc_ok") ||
            (value.is_array() && value.get_array().empty());
        if (field.key() == "type") {
            out += std::string{value.get_string()};
        } else if (!says_nothing || field.key() == "key" || field.key() == "value") {
            out += " " + std::string{field.key()} + ": " + as_utf8(json::serialize(value));
        }
    }
    return out + "\n";
}

DumpSink sink_for(Format format) {
    return [format](json::object entry) -> Result<void> {
        switch (format) {
            case Format::kTable:
                return write_out(text_line(entry));
            case Format::kJson:
                return write_out(to_json_line(entry));
            case Format::kYaml:
                return write_out(to_yaml(json::array{std::move(entry)}));
        }
        return {};
    };
}

/// The partitions of a data directory, with their durable marks.
Result<int> list_partitions(const Invocation& line, LogSource& source) {
    storage::Findings findings{0};
    LEAT_TRY(const auto facts, storage::read_directory(source.disk, source.directory, findings));
    auto stored = stored_topics(source);
    if (!stored) say("leat: without topic ids: " + std::string{stored.error().detail()});
    json::array rows;
    for (const std::string& name : facts.folders) {
        const auto known = storage::facts_of(facts, name, stored ? &stored->topics : nullptr);
        rows.push_back(
            {{"partition", name},
             {"topic_id", known.topic_id ? json::value(known.topic_id->text()) : json::value{}},
             {"durable_mark", known.mark ? json::value(known.mark->value) : json::value{}},
             {"log_bytes", storage::log_bytes(source.disk, source.directory, {name})}});
    }
    static constexpr Column kColumns[] = {{"partition", "PARTITION"},
                                          {"durable_mark", "DURABLE UP TO"},
                                          {"log_bytes", "LOG BYTES"},
                                          {"topic_id", "TOPIC ID"}};
    const Section sections[] = {{.pointer = "/partitions", .columns = kColumns}};
    const json::value document{{"path", source.directory}, {"partitions", std::move(rows)}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

/// The folder that --partition or the path means. Errors: kUsage.
Result<std::string> folder_of(const Invocation& line, LogSource& source) {
    if (!source.folder.empty()) return source.folder;
    const std::string name{line.text("partition")};
    LEAT_TRY(const bool exists, source.disk.exists(source.directory + "/" + name));
    if (!exists || name.empty() || name.find('/') != std::string::npos)
        return usage_error("--partition: '" + source.directory + "' has no folder '" + name + "'");
    return source.directory + "/" + name;
}

Result<int> run_log_dump(const Invocation& line) {
    if (line.has("records") && line.is_given("show") && line.text("show") != "records")
        return usage_error("--records and --show " + std::string{line.text("show")} +
                           " exclude each other");
    LEAT_TRY(const DumpRange range, range_of(line));
    LEAT_TRY(const auto source, open_log_source(line.text("PATH")));
    if (!source->folder.empty() && line.has("partition"))
        return usage_error("--partition: '" + source->folder + "' is one partition already");
    if (source->folder.empty() && source->file.empty() && !line.has("partition"))
        return list_partitions(line, *source);
    std::string folder = source->directory;
    if (source->file.empty() || !source->folder.empty()) {
        LEAT_TRY(folder, folder_of(line, *source));
    }
    LogDump dump{source->disk, folder, range, sink_for(format_of(line))};
    Result<void> done =
        source->file.empty()
            ? dump.folder(kind_of(line))
            : dump.file(source->file.substr(source->file.rfind('/') + 1), kind_of(line));
    // Nobody reads the rest; what was found before it still counts.
    if (!done && !is_reader_gone(done.error())) return std::move(done).error();
    if (dump.problems() == 0) return kExitDone;
    say("leat: " + std::to_string(dump.problems()) +
        " places are damaged or could not be understood; 'leat log check' says more");
    return kExitFailed;
}

constexpr std::array kCommands{
    Command{.path = "log dump",
            .summary = "print a stopped broker's files; changes nothing",
            .details = "With --output json one object a line, with yaml one list. Records of "
                       "__consumer_offsets and __transaction_state are printed decoded.",
            .example = "leat log dump /var/lib/leat --partition flights-0 --records --from 100",
            .kind = CommandKind::kOffline,
            .options = kOptions,
            .run = run_log_dump},
};

}  // namespace

std::span<const Command> log_dump_commands() {
    return kCommands;
}

}  // namespace leat::apps
