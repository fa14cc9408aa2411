// SPDX-License-Identifier: Apache-2.0
//
// leat log check: verifies a stopped broker's files, and changes nothing.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "apps/commands.h"
#include "apps/log_source.h"
#include "apps/output.h"
#include "apps/progress.h"
#include "storage/check/directory_check.h"
#include "storage/check/partition_check.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using storage::Finding;
using storage::FindingKind;
using storage::Findings;
using storage::PartitionReport;
using storage::Severity;

constexpr auto kOptions = std::to_array<OptionSpec>({
    {.names = "DIR",
     .value = {},
     .help = "a data directory, or the folder of one partition",
     .required = true},
    {.names = "--partition",
     .value = "TOPIC-N",
     .help = "look at this partition only",
     .repeated = true},
    {.names = "--headers-only",
     .value = {},
     .help = "check batches and checksums, and do not inflate the records"},
    {.names = "--findings",
     .value = "N",
     .help = "print at most N findings; all are counted",
     .fallback = "1000"},
});

/// One run of the command.
struct Check {
    explicit Check(std::size_t findings_max) : findings(findings_max) {}

    Findings findings;
    storage::DirectoryFacts facts;
    std::vector<PartitionReport> partitions;
    bool is_directory = false;
};

std::string detail_of(const Error& error) {
    return std::string{error.detail().empty() ? info(error.code()).name : error.detail()};
}

/// What the metadata knows; nullopt, and a finding, when it cannot be read.
std::optional<std::vector<storage::KnownTopic>> topics_of(LogSource& source, Check& check) {
    if (!check.facts.is_ours) return std::nullopt;
    auto stored = stored_topics(source);
    const std::string file = source.directory + "/metadata.db";
    const auto add = [&](FindingKind kind, std::string what) {
        check.findings.add({.kind = kind,
                            .file = file,
                            .at = std::nullopt,
                            .offset = std::nullopt,
                            .what = std::move(what)});
    };
    if (!stored) {
        // Who may not read it learns nothing about what is in it.
        const auto opened = source.disk.open(file, rt::OpenMode::kRead);
        const bool is_unreadable = !opened && opened.error().code() != Errc::kNotFound;
        add(is_unreadable ? FindingKind::kUnreadable : FindingKind::kMetadataDamaged,
            detail_of(is_unreadable ? opened.error() : stored.error()));
        return std::nullopt;
    }
    if (!check.facts.cluster_id.empty() && stored->cluster_id != check.facts.cluster_id)
        add(FindingKind::kDirectoryFormat, "it is of cluster " + stored->cluster_id +
                                               ", meta.properties of " + check.facts.cluster_id);
    return std::move(stored->topics);
}

/// The partitions that are looked at alone; none: all.
std::vector<std::string> only_of(const Invocation& line, const LogSource& source) {
    if (!source.folder.empty()) return {source.folder.substr(source.folder.rfind('/') + 1)};
    const std::span<const std::string> named = line.all("partition");
    return {named.begin(), named.end()};
}

/// The folders to look at. Errors: kUsage (--partition names none).
Result<std::vector<std::string>> chosen(const Invocation& line, const LogSource& source,
                                        const Check& check) {
    if (!source.folder.empty()) return only_of(line, source);
    if (!line.has("partition")) return check.facts.folders;
    std::vector<std::string> out;
    for (const std::string& name : line.all("partition")) {
        if (std::ranges::find(check.facts.folders, name) == check.facts.folders.end())
            return usage_error("--partition: '" + source.directory + "' has no folder '" + name +
                               "'");
        out.push_back(name);
    }
    return out;
}

Result<void> run_check(const Invocation& line, LogSource& source, Check& check) {
    const std::vector<std::string> only = only_of(line, source);
    const bool has_directory = !source.directory.empty();
    std::optional<std::vector<storage::KnownTopic>> known;
    if (!only.empty())
        check.findings.keep_only(
            [&only](const Finding& finding) { return storage::concerns(finding, only); });
    if (has_directory) {
        LEAT_TRY(check.facts,
                 storage::read_directory(source.disk, source.directory, check.findings));
        known = topics_of(source, check);
        check.is_directory = source.folder.empty();
        if (known && check.is_directory)
            storage::check_folders(source.directory, check.facts, *known, check.findings);
    }
    check.findings.keep_only({});
    LEAT_TRY(const std::vector<std::string> names, chosen(line, source, check));
    const std::string parent = source.folder.empty()
                                   ? source.directory
                                   : source.folder.substr(0, source.folder.rfind('/'));
    const bool is_bare = !source.folder.empty() && source.folder.find('/') == std::string::npos;
    Progress bar{"check", storage::log_bytes(source.disk, is_bare ? "." : parent, names),
                 Progress::Unit::kBytes};
    storage::CheckOptions options{.records = !line.has("headers-only")};
    options.progress = [&bar](std::int64_t records, std::int64_t bytes) {
        bar.update(records, bytes);
    };
    storage::CheckProgress progress;
    for (const std::string& name : names) {
        std::string folder = is_bare ? name : parent;
        if (!is_bare) folder.append("/").append(name);
        const auto facts = storage::facts_of(check.facts, name, known ? &*known : nullptr);
        check.partitions.push_back(storage::check_partition(source.disk, folder, facts, options,
                                                            progress, check.findings));
    }
    return {};
}

json::object finding_json(const Finding& finding) {
    const storage::FindingInfo& row = storage::info(finding.kind);
    return {{"severity", storage::to_string(row.severity)},
            {"kind", row.name},
            {"file", finding.file},
            {"position", finding.at ? json::value(finding.at->value) : json::value{}},
            {"offset", finding.offset ? json::value(finding.offset->value) : json::value{}},
            {"what", finding.what},
            {"meaning", row.meaning},
            {"next", row.next}};
}

/// The worst first; otherwise as found.
std::vector<const Finding*> in_order(const Findings& findings) {
    std::vector<const Finding*> out;
    for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote})
        for (const Finding& finding : findings.kept())
            if (storage::info(finding.kind).severity == severity) out.push_back(&finding);
    return out;
}

json::object document_of(const std::string& path, const Check& check) {
    json::object out{
        {"path", path}, {"clean", check.findings.is_clean()}, {"stopped_cleanly", json::value{}}};
    if (check.facts.is_ours) out["stopped_cleanly"] = check.facts.clean;
    PartitionReport sum;
    json::array partitions;
    for (const PartitionReport& one : check.partitions) {
        sum.segments += one.segments;
        sum.batches += one.batches;
        sum.records += one.records;
        sum.bytes += one.bytes;
        partitions.push_back(
            {{"partition", one.folder},
             {"log_start", one.log_start.value},
             {"log_end", one.log_end.value},
             {"durable_mark", one.mark ? json::value(one.mark->value) : json::value{}},
             {"segments", one.segments},
             {"batches", one.batches},
             {"records", one.records},
             {"bytes", one.bytes}});
    }
    out["segments"] = sum.segments;
    out["batches"] = sum.batches;
    out["records"] = sum.records;
    out["bytes"] = sum.bytes;
    out["errors"] = check.findings.count(Severity::kError);
    out["warnings"] = check.findings.count(Severity::kWarning);
    out["notes"] = check.findings.count(Severity::kNote);
    out["partitions"] = std::move(partitions);
    json::array findings;
    for (const Finding* finding : in_order(check.findings))
        findings.push_back(finding_json(*finding));
    out["findings"] = std::move(findings);
    return out;
}

std::string text_of(const Check& check) {
    std::string out;
    std::set<FindingKind> kinds;
    for (const Finding* finding : in_order(check.findings)) {
        const storage::FindingInfo& row = storage::info(finding->kind);
        out += std::string{storage::to_string(row.severity)} + "  " + std::string{row.name} + "  " +
               finding->file;
        if (finding->at) out += ", byte " + std::to_string(finding->at->value);
        if (finding->offset) out += ", offset " + std::to_string(finding->offset->value);
        out += "\n    " + finding->what + "\n";
        kinds.insert(finding->kind);
    }
    const auto shown = static_cast<std::int64_t>(check.findings.kept().size());
    std::int64_t found = 0;
    for (const Severity severity : {Severity::kNote, Severity::kWarning, Severity::kError})
        found += check.findings.count(severity);
    if (found > shown) out += "and " + human_count(found - shown) + " more (--findings)\n";
    for (const FindingKind kind : kinds) {
        const storage::FindingInfo& row = storage::info(kind);
        out += "\n" + std::string{row.name} + ": " + std::string{row.meaning} +
               "\n  next: " + std::string{row.next} + "\n";
    }
    return out.empty() ? out : out + "\n";
}

std::string summary_of(const json::object& document, const Check& check) {
    const auto number = [&](std::string_view name) {
        return human_count(document.at(name).to_number<std::int64_t>());
    };
    return human_count(static_cast<std::int64_t>(check.partitions.size())) + " partitions, " +
           number("segments") + " segments, " + number("batches") + " batches, " +
           number("records") + " records, " +
           human_bytes(document.at("bytes").to_number<double>()) + ": " + number("errors") +
           " errors, " + number("warnings") + " warnings, " + number("notes") + " notes\n";
}

Result<int> run_log_check(const Invocation& line) {
    LEAT_TRY(const std::int64_t findings_max, line.integer("findings", 0, 10'000'000));
    LEAT_TRY(const auto source, open_log_source(line.text("DIR")));
    if (!source->file.empty())
        return usage_error("'" + source->file + "' is a file; give its folder");
    if (!source->folder.empty() && line.has("partition"))
        return usage_error("--partition: '" + source->folder + "' is one partition already");
    Check check{static_cast<std::size_t>(findings_max)};
    LEAT_TRY_VOID(run_check(line, *source, check));
    const json::object document = document_of(std::string{line.text("DIR")}, check);
    if (format_of(line) == Format::kTable) {
        LEAT_TRY_VOID(write_last(text_of(check) + summary_of(document, check)));
    } else {
        LEAT_TRY_VOID(write_last(render(format_of(line), json::value(document), {})));
    }
    return check.findings.is_clean() ? kExitDone : kExitFailed;
}

constexpr std::array kCommands{
    Command{.path = "log check",
            .summary = "verify a stopped broker's files; changes nothing",
            .details =
                "Reads every batch, index, snapshot and mark, and says of each thing that is "
                "wrong where it is, what it means and what to do. 'leat reference --print "
                "log-findings' lists all there can be. Ends with 1 when there are errors or "
                "warnings. A directory that a broker uses is refused.",
            .example = "leat log check /var/lib/leat",
            .kind = CommandKind::kOffline,
            .options = kOptions,
            .run = run_log_check},
};

}  // namespace

std::span<const Command> log_check_commands() {
    return kCommands;
}

}  // namespace leat::apps
