// SPDX-License-Identifier: Apache-2.0
#include "apps/commands.h"

#include <algorithm>
#include <array>
#include <vector>

#include "apps/reference.h"

namespace leat::apps {
namespace {

constexpr OptionSpec kOutput{.names = "--output",
                             .value = "FORMAT",
                             .help = "how the answer is printed",
                             .fallback = "table",
                             .choices = "table|json|yaml"};

constexpr std::array kClientOptions{
    OptionSpec{.names = "-b,--bootstrap",
               .value = "HOST:PORT[,...]",
               .help = "brokers of the cluster",
               .fallback = "127.0.0.1:9092",
               .environment = "LEAT_BOOTSTRAP"},
    OptionSpec{.names = "--config",
               .value = "FILE",
               .help = "client properties, as Kafka's tools take them"},
    kOutput,
    OptionSpec{.names = "--yes", .value = {}, .help = "do not ask before something is destroyed"},
};
constexpr std::array kOfflineOptions{kOutput};

constexpr std::array kCompletionOptions{
    OptionSpec{.names = "SHELL",
               .value = {},
               .help = "which shell",
               .choices = "bash|zsh|fish",
               .required = true},
};
constexpr std::array kReferenceOptions{
    OptionSpec{.names = "--print",
               .value = "PAGE",
               .help = "which page",
               .choices = kReferencePages,
               .required = true},
};

constexpr auto kGroups = std::to_array<CommandGroup>({
    {"topic", "create, list, describe, alter and delete topics"},
    {"config", "show and change settings of topics and brokers"},
    {"group", "consumer groups: members, lag, offsets"},
    {"cluster", "the cluster and its brokers"},
    {"log", "check and print a stopped broker's files"},
    {"bench", "measure a broker: throughput and latency"},
});

std::vector<Command> make_commands() {
    return {
        {.path = "produce",
         .summary = "send records to a topic, one a line",
         .details = "Reads standard input or --file and waits until every record is acknowledged. "
                    "A record "
                    "that is not is named on standard error, and the command ends with 1.",
         .example =
             "printf 'ber;landed\\nsfo;taxiing\\n' | leat produce flights --key-separator ';'",
         .options = kProduceOptions,
         .run = run_produce},
        {.path = "consume",
         .summary = "print the records of a topic",
         .details = "Without --group it reads the partitions it is told to and commits nothing. "
                    "--output json "
                    "prints one object a line, which 'leat produce --json' reads back.",
         .example = "leat consume flights --from beginning --until-end --format '%k: %v\\n'",
         .options = kConsumeOptions,
         .run = run_consume},
        {.path = "completion",
         .summary = "print a script that completes leat's commands in a shell",
         .example = "source <(leat completion bash)",
         .kind = CommandKind::kPlain,
         .options = kCompletionOptions,
         .run = run_completion},
        {.path = "reference",
         .summary = "print a reference page from the tables in the program",
         .example = "leat reference --print errors",
         .kind = CommandKind::kPlain,
         .options = kReferenceOptions,
         .run = run_reference},
        {.path = "version",
         .summary = "print the program's version",
         .example = "leat version --output json",
         .kind = CommandKind::kOffline,
         .options = {},
         .run = run_version},
    };
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
    static const std::vector<Command> kAll = make_commands();
    return kAll;
}

std::span<const CommandGroup> all_groups() {
    static const std::vector<CommandGroup> kUsed = used_groups();
    return kUsed;
}

std::span<const OptionSpec> common_options(CommandKind kind) {
    switch (kind) {
        case CommandKind::kClient:
            return kClientOptions;
        case CommandKind::kOffline:
            return kOfflineOptions;
        case CommandKind::kPlain:
            return {};
    }
    return {};
}

}  // namespace leat::apps
