// SPDX-License-Identifier: Apache-2.0
//
// leat topic alter: several changes at once, of which some cannot be taken back. The broker is
// asked about all of them before the first is made.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::PartitionOffset;

constexpr std::int64_t kToTheEnd = -1;

constexpr auto kAlter = std::to_array<OptionSpec>({
    {.names = "TOPIC", .value = {}, .help = "name of the topic", .required = true},
    {.names = "--partitions", .value = "N", .help = "raise the number of partitions to N"},
    {.names = "--set", .value = "NAME=VALUE", .help = "change a setting", .repeated = true},
    {.names = "--unset",
     .value = "NAME",
     .help = "put a setting back to its default",
     .repeated = true},
    {.names = "--delete-before",
     .value = "OFFSET",
     .help = "delete records before OFFSET in every partition of --partition (end: all)"},
    {.names = "--partition",
     .value = "N",
     .help = "partition for --delete-before; all unless given",
     .repeated = true},
    {.names = "--dry-run", .value = {}, .help = "only ask the broker whether it would work"},
});
/// What the line asks for.
struct Wanted {
    std::string topic;
    std::vector<client::ConfigChange> settings;
    std::optional<std::int32_t> partitions;
    std::optional<std::int64_t> delete_before;
    std::vector<std::int32_t> delete_in;  ///< Empty: every partition.
};

Result<Wanted> wanted_of(const Invocation& line) {
    Wanted out;
    out.topic = line.text("TOPIC");
    LEAT_TRY(out.settings, config_changes(line));
    if (line.has("partitions")) {
        LEAT_TRY(const std::int64_t total, line.integer("partitions", 1, INT32_MAX));
        out.partitions = static_cast<std::int32_t>(total);
    }
    if (line.has("partition") && !line.has("delete-before"))
        return usage_error(
            "--partition says where --delete-before deletes: give that as well; settings and the "
            "number of partitions are those of the topic");
    LEAT_TRY(out.delete_in, numbers_of(line, "partition"));
    if (line.has("delete-before")) {
        out.delete_before = kToTheEnd;
        if (line.text("delete-before") != "end") {
            LEAT_TRY(out.delete_before, line.integer("delete-before", 0, INT64_MAX));
        }
    }
    if (out.settings.empty() && !out.partitions && !out.delete_before)
        return usage_error(
            "nothing to alter: give --partitions, --set, --unset or --delete-before");
    return out;
}

std::string list_of(const json::array& names) {
    std::string out;
    for (const json::value& name : names)
        out += (out.empty() ? "" : ", ") + std::string{name.get_string()};
    return out;
}

/// Threading: not synchronised.
class Alteration {
  public:
    Alteration(Wanted wanted, const AdminAccess& access)
        : wanted_(std::move(wanted)),
          admin_(*access.admin),
          topic_{"alter", "topic", access.where},
          records_{"delete records of", "partition", access.where} {}

    /// True when all of it could be done; every reason against is told.
    Result<bool> check() {
        bool is_good = true;
        if (!wanted_.settings.empty()) {
            std::vector<std::string> unset;
            for (const client::ConfigChange& change : wanted_.settings)
                if (change.kind == client::ConfigChange::Kind::kDelete)
                    unset.push_back(change.name);
            const Result<void> known = check_unset(admin_, {.name = wanted_.topic}, unset);
            if (!known)
                topic_.note({.name = wanted_.topic,
                             .code = known.error().code(),
                             .message = std::string{known.error().detail()}});
            LEAT_TRY(const bool could, alter_settings(true));
            is_good = could && known.has_value();
        }
        if (wanted_.partitions) {
            LEAT_TRY(const bool could, add_partitions(true));
            is_good = could && is_good;
        }
        if (wanted_.delete_before) {
            LEAT_TRY(const bool could, find_records());
            is_good = could && is_good;
        }
        return is_good;
    }

    /// Step by step up to the first failure; what cannot be taken back comes last.
    Result<bool> carry_out() {
        if (!wanted_.settings.empty()) {
            LEAT_TRY(const bool is_done, alter_settings(false));
            if (!is_done) return false;
            done_.emplace_back("settings");
        }
        if (wanted_.partitions) {
            LEAT_TRY(const bool is_done, add_partitions(false));
            if (!is_done) return false;
            done_.emplace_back("partitions");
        }
        if (!wanted_.delete_before) return true;
        LEAT_TRY(const bool is_done, delete_records());
        if (is_done) done_.emplace_back("records");
        return is_done;
    }

    /// On stderr, after a failure.
    void tell_what_was_done() const {
        std::string text = done_.empty() ? "nothing was altered"
                                         : "altered before that, and left so: " + list_of(done_);
        if (!deleted_.empty())
            text += (done_.empty() ? ", but records were deleted in " : "; records deleted in ") +
                    std::to_string(deleted_.size()) + " partitions";
        say(text);
    }

    void write_to(json::object& document) const {
        document["done"] = done_;
        if (wanted_.delete_before && is_begun_) document["deleted_before"] = deleted_;
        json::array failed = topic_.failures();
        for (const json::value& one : records_.failures()) failed.push_back(one);
        document["failed"] = std::move(failed);
    }

  private:
    Result<bool> alter_settings(bool dry_run) {
        LEAT_TRY(const client::Outcome done,
                 admin_.alter_configs({.name = wanted_.topic}, wanted_.settings, dry_run));
        return topic_.note(done);
    }
    Result<bool> add_partitions(bool dry_run) {
        LEAT_TRY(const client::Outcome done,
                 admin_.create_partitions(wanted_.topic, *wanted_.partitions, dry_run));
        return topic_.note(done);
    }

    /// The partitions to delete in, whether they are there and whether their logs reach so far.
    Result<bool> find_records() {
        const std::vector<std::string> names{wanted_.topic};
        LEAT_TRY(const client::ClusterInfo found,
                 admin_.describe_cluster(std::span<const std::string>{names}));
        const Errc code =
            found.topics.empty() ? Errc::kUnknownTopicOrPartition : found.topics[0].code;
        if (code != Errc::kNone)
            return topic_.note({.name = wanted_.topic, .code = code, .message = {}});
        std::vector<std::int32_t> there;
        for (const client::PartitionInfo& partition : found.topics[0].partitions)
            there.push_back(partition.id);
        bool is_good = true;
        for (const std::int32_t id : wanted_.delete_in)
            if (std::ranges::find(there, id) == there.end())
                is_good = refuse(id, Errc::kUnknownTopicOrPartition,
                                 "the topic has " + std::to_string(there.size()) + " partitions");
        std::vector<client::TopicPartition> where;
        for (const std::int32_t id : there)
            if (wanted_.delete_in.empty() ||
                std::ranges::find(wanted_.delete_in, id) != wanted_.delete_in.end())
                where.push_back({wanted_.topic, id});
        LEAT_TRY(const auto ends, admin_.list_offsets(where, client::kLatest));
        for (const PartitionOffset& end : ends) {
            if (end.code == Errc::kNone && *wanted_.delete_before > end.offset)
                is_good = refuse(end.where.partition, Errc::kOffsetOutOfRange,
                                 "the log ends at offset " + std::to_string(end.offset));
            targets_.push_back({.where = end.where, .offset = *wanted_.delete_before});
        }
        return is_good;
    }
    bool refuse(std::int32_t partition, Errc code, std::string why) {
        return records_.note({.name = wanted_.topic + "-" + std::to_string(partition),
                              .code = code,
                              .message = std::move(why)});
    }

    Result<bool> delete_records() {
        is_begun_ = true;
        LEAT_TRY(const auto done, admin_.delete_records(targets_));
        bool is_done = true;
        for (const PartitionOffset& one : done) {
            if (refuse(one.where.partition, one.code, {}))
                deleted_.push_back(
                    {{"partition", one.where.partition}, {"start_offset", one.offset}});
            else
                is_done = false;
        }
        return is_done;
    }

    Wanted wanted_;
    client::Admin& admin_;
    Outcomes topic_;
    Outcomes records_;
    std::vector<PartitionOffset> targets_;
    json::array done_;
    json::array deleted_;
    bool is_begun_ = false;
};

Result<int> run_topic_alter(const Invocation& line) {
    LEAT_TRY(Wanted wanted, wanted_of(line));
    const std::string topic = wanted.topic;
    const bool deletes = wanted.delete_before.has_value();
    const bool dry_run = line.has("dry-run");
    LEAT_TRY(AdminAccess access, connect_admin(line));
    Alteration alteration{std::move(wanted), access};
    LEAT_TRY(bool is_good, alteration.check());
    if (is_good && !dry_run) {
        if (deletes)
            LEAT_TRY_VOID(confirm(line, "Delete records of topic '" + topic + "' for good?"));
        Result<bool> done = alteration.carry_out();
        if (!done) {
            alteration.tell_what_was_done();
            return failed_to("alter topic '" + topic + "' on " + access.where, done.error());
        }
        is_good = *done;
    }
    if (!is_good && !dry_run) alteration.tell_what_was_done();
    json::object document{{"name", topic}, {"dry_run", dry_run}};
    alteration.write_to(document);
    if (format_of(line) != Format::kTable)
        LEAT_TRY_VOID(write_last(render(format_of(line), json::value(document), {})));
    if (!is_good) return kExitFailed;
    say("topic '" + topic + (dry_run ? "' could be altered so" : "' altered"));
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "topic alter",
            .summary = "add partitions, change settings, delete old records",
            .example = "leat topic alter flights --partitions 12 --set cleanup.policy=compact",
            .options = kAlter,
            .run = run_topic_alter},
};

}  // namespace

std::span<const Command> topic_alter_commands() {
    return kCommands;
}

}  // namespace leat::apps
