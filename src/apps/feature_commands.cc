// SPDX-License-Identifier: Apache-2.0
//
// leat cluster features, upgrade, downgrade: the levels of what a cluster can do.
// Spec:  KIP-584, KIP-1022; levels of releases as kafka-features 4.3.1 maps them.
#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"
#include "client/admin_features.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::FeatureChange;
using client::FeatureLevel;

constexpr OptionSpec kLevels{.names = "--feature",
                             .value = "NAME=LEVEL",
                             .help = "a feature and the level it is to have",
                             .repeated = true};
constexpr OptionSpec kRelease{
    .names = "--release-version",
    .value = "RELEASE",
    .help = "the levels of this release of Apache Kafka, for all features",
    .choices = "3.3|3.4|3.5|3.6|3.7|3.8|3.9|4.0|4.1|4.2|4.3"};
constexpr OptionSpec kDryRun{
    .names = "--dry-run", .value = {}, .help = "only ask the broker whether it would work"};

constexpr auto kUpgrade = std::to_array<OptionSpec>({kLevels, kRelease, kDryRun});
constexpr auto kDowngrade = std::to_array<OptionSpec>(
    {kLevels,
     kRelease,
     {.names = "--unsafe", .value = {}, .help = "even if metadata of the cluster gets lost by it"},
     kDryRun});

/// Level of each feature in a release.
struct Release {
    std::string_view name;
    std::int16_t metadata, kraft, transaction, group, eligible_leaders, share, streams;
};
constexpr Release kReleases[] = {
    {"3.3", 7, 0, 0, 0, 0, 0, 0},  {"3.4", 8, 0, 0, 0, 0, 0, 0},  {"3.5", 11, 0, 0, 0, 0, 0, 0},
    {"3.6", 14, 0, 0, 0, 0, 0, 0}, {"3.7", 19, 0, 0, 0, 0, 0, 0}, {"3.8", 20, 0, 0, 0, 0, 0, 0},
    {"3.9", 21, 1, 0, 0, 0, 0, 0}, {"4.0", 25, 1, 2, 1, 0, 0, 0}, {"4.1", 27, 1, 2, 1, 1, 0, 0},
    {"4.2", 29, 1, 2, 1, 1, 1, 1}, {"4.3", 30, 1, 2, 1, 1, 1, 1},
};

std::vector<FeatureLevel> levels_of(const Release& release, bool is_upgrade) {
    std::vector<FeatureLevel> out{{"metadata.version", release.metadata},
                                  {"kraft.version", release.kraft},
                                  {"transaction.version", release.transaction},
                                  {"group.version", release.group},
                                  {"eligible.leader.replicas.version", release.eligible_leaders},
                                  {"share.version", release.share},
                                  {"streams.version", release.streams}};
    // 0 takes a feature away: never an upgrade, and older brokers do not know the newest names.
    if (is_upgrade) std::erase_if(out, [](const FeatureLevel& one) { return one.level == 0; });
    return out;
}

Result<std::vector<FeatureLevel>> wanted_levels(const Invocation& line, bool is_upgrade) {
    const std::span<const std::string> pairs = line.all("feature");
    if (pairs.empty() != line.has("release-version"))
        return usage_error("which levels? give --feature NAME=LEVEL, or else --release-version");
    if (pairs.empty()) {
        const auto* const release =
            std::ranges::find(kReleases, line.text("release-version"), &Release::name);
        return levels_of(*release, is_upgrade);
    }
    std::vector<FeatureLevel> out;
    for (const std::string& pair : pairs) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return usage_error("--feature: '" + pair + "' is no NAME=LEVEL");
        Invocation one{line.command()};
        one.add("feature", pair.substr(equals + 1), false);
        LEAT_TRY(const std::int64_t level, one.integer("feature", 0, INT16_MAX));
        out.push_back({pair.substr(0, equals), static_cast<std::int16_t>(level)});
    }
    return out;
}

Result<int> change_features(const Invocation& line, FeatureChange change) {
    const bool is_upgrade = change == FeatureChange::kUpgrade;
    const std::string verb = is_upgrade ? "upgrade" : "downgrade";
    const bool is_dry = line.has("dry-run");
    LEAT_TRY(const std::vector<FeatureLevel> levels, wanted_levels(line, is_upgrade));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    if (change == FeatureChange::kUnsafeDowngrade && !is_dry)
        LEAT_TRY_VOID(confirm(
            line, "Downgrade features of " + access.where + " even if metadata gets lost by it?"));
    const auto done = client::update_features(*access.admin, levels, change, is_dry);
    if (!done) return failed_to(verb + " features on " + access.where, done.error());
    Outcomes outcomes{verb, "feature", access.where};
    json::array updated;
    for (std::size_t i = 0; i < levels.size(); ++i)
        if (outcomes.note((*done)[i]))
            updated.push_back({{"feature", levels[i].name}, {"level", levels[i].level}});
    if (format_of(line) != Format::kTable) {
        const json::value document{
            {"dry_run", is_dry}, {"updated", updated}, {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    for (const json::value& one : updated)
        say(std::string{one.at("feature").get_string()} +
            (is_dry ? " could get level " : " has level ") +
            std::to_string(one.at("level").to_number<std::int16_t>()));
    return outcomes.exit_code();
}

Result<int> run_cluster_features(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto found = client::describe_features(*access.admin);
    if (!found) return failed_to("describe the features of " + access.where, found.error());
    json::array rows;
    for (const client::FeatureInfo& one : found->entries)
        rows.push_back({{"feature", one.name},
                        {"level_min", one.level_min},
                        {"level_max", one.level_max},
                        {"finalized", one.finalized}});
    static constexpr Column kColumns[] = {{"feature", "FEATURE"},
                                          {"level_min", "MIN"},
                                          {"level_max", "MAX"},
                                          {"finalized", "FINALIZED"}};
    const Section sections[] = {{.pointer = "/features", .columns = kColumns}};
    const json::value document{{"epoch", found->epoch}, {"features", rows}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_cluster_upgrade(const Invocation& line) {
    return change_features(line, FeatureChange::kUpgrade);
}

Result<int> run_cluster_downgrade(const Invocation& line) {
    return change_features(
        line, line.has("unsafe") ? FeatureChange::kUnsafeDowngrade : FeatureChange::kSafeDowngrade);
}

constexpr std::array kCommands{
    Command{.path = "cluster features",
            .summary = "list features: the levels supported and the one finalized",
            .example = "leat cluster features",
            .options = {},
            .run = run_cluster_features},
    Command{.path = "cluster upgrade",
            .summary = "finalize higher levels of features",
            .details = "All of them or, when one is refused, none.",
            .example = "leat cluster upgrade --release-version 4.1",
            .options = kUpgrade,
            .run = run_cluster_upgrade},
    Command{.path = "cluster downgrade",
            .summary = "finalize lower levels of features; level 0 takes one out of use",
            .details = "All of them or, when one is refused, none.",
            .example = "leat cluster downgrade --feature group.version=0 --dry-run",
            .options = kDowngrade,
            .run = run_cluster_downgrade},
};

}  // namespace

std::span<const Command> feature_commands() {
    return kCommands;
}

}  // namespace leat::apps
