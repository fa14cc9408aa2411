// SPDX-License-Identifier: Apache-2.0
#include "apps/commands.h"

#include <algorithm>
#include <array>
#include <vector>

namespace leat::apps {
namespace {

constexpr OptionSpec kOutput{.names = "--output",
                             .value = "FORMAT",
                             .help = "how the answer is printed",
                             .fallback = "table",
                             .choices = "table|json|yaml"};

constexpr OptionSpec kDrawnOutput{.names = "--output",
                                  .value = "FORMAT",
                                  .help =
                                      "how the answer is printed; text and mermaid: the "
                                      "topology alone, as Kafka Streams prints it or as a "
                                      "flowchart",
                                  .fallback = "table",
                                  .choices = "table|json|yaml|text|mermaid"};
constexpr OptionSpec kBootstrap{.names = "-b,--bootstrap",
                                .value = "HOST:PORT[,...]",
                                .help = "brokers of the cluster",
                                .fallback = "127.0.0.1:9092",
                                .environment = "LEAT_BOOTSTRAP"};
constexpr OptionSpec kConfig{
    .names = "--config", .value = "FILE", .help = "client properties, as Kafka's tools take them"};
constexpr OptionSpec kYes{
    .names = "--yes", .value = {}, .help = "do not ask before something is destroyed"};

constexpr std::array kClientOptions{kBootstrap, kConfig, kOutput, kYes};
constexpr std::array kDrawnOptions{kBootstrap, kConfig, kDrawnOutput, kYes};
constexpr std::array kOfflineOptions{kOutput};

constexpr auto kGroups = std::to_array<CommandGroup>({
    {"topic", "create, list, describe, alter and delete topics"},
    {"config", "show and change settings of topics and brokers"},
    {"group", "consumer groups: members, lag, offsets"},
    {"stream", "stream applications: what they run, lag, start over"},
    {"txn", "transactions: what is open, what hangs, and how it ends"},
    {"acl", "access rules: who may do what"},
    {"quota", "limits of clients: bytes, time, changes, connections"},
    {"cluster", "the cluster and its brokers"},
    {"user", "users with SCRAM credentials"},
    {"token", "delegation tokens"},
    {"log", "check and print a stopped broker's files"},
    {"bench", "measure a broker: throughput and latency"},
});

/// In the order of help.
std::vector<Command> make_commands() {
    std::vector<Command> out;
    for (const std::span<const Command> some :
         {serve_commands(),         topic_commands(),         topic_alter_commands(),
          config_commands(),        produce_commands(),       consume_commands(),
          group_commands(),         txn_commands(),           cluster_commands(),
          feature_commands(),       stream_commands(),        stream_reset_commands(),
          user_commands(),          acl_commands(),           quota_commands(),
          log_check_commands(),     log_dump_commands(),      bench_produce_commands(),
          bench_consume_commands(), bench_latency_commands(), plain_commands()})
        out.insert(out.end(), some.begin(), some.end());
    return out;
}

/// Groups that have a command already.
std::vector<CommandGroup> used_groups() {
    std::vector<CommandGroup> out;
    for (const CommandGroup& group : kGroups)
        if (std::ranges::any_of(all_commands(), [&](const Command& command) {
                return command.path.starts_with(std::string{group.name} + " ");
            }))
            out.push_back(group);
    return out;
}

}  // namespace

std::span<const Command> all_commands() {
    static const std::vector<Command> all = make_commands();
    return all;
}

std::span<const CommandGroup> all_groups() {
    static const std::vector<CommandGroup> used = used_groups();
    return used;
}

std::span<const OptionSpec> common_options(CommandKind kind) {
    switch (kind) {
        case CommandKind::kClient:
            return kClientOptions;
        case CommandKind::kDrawn:
            return kDrawnOptions;
        case CommandKind::kOffline:
            return kOfflineOptions;
        case CommandKind::kPlain:
            return {};
    }
    return {};
}

}  // namespace leat::apps
