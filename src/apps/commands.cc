// SPDX-License-Identifier: Apache-2.0
// tidy: long because it is one table of texts, an entry a command.
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

std::vector<Command> serve_commands() {
    return {
        {.path = "serve",
         .summary = "run the backbone",
         .details =
             "Everything in one process, until SIGTERM, SIGINT or SIGHUP: then requests that have "
             "begun are finished, everything is synced, and it exits with 0. A second "
             "SIGINT, or a SIGTERM a second later, ends it at once, and the next start "
             "recovers. When it is ready it prints one line that names every listener and "
             "the data directory. 'leat reference --print settings' lists what --set and "
             "the file take. An unknown name ends it with 2; one in the file that does not "
             "begin with 'leat.' is another program's and only warned of.",
         .example = "leat serve --data /var/lib/leat --set num.partitions=6",
         .kind = CommandKind::kPlain,
         .options = serve_options(),
         .run = run_serve},
    };
}

std::vector<Command> topic_commands() {
    return {
        {.path = "topic create",
         .summary = "create topics",
         .example = "leat topic create flights --partitions 6 --set retention.ms=86400000",
         .options = topic_create_options(),
         .run = run_topic_create},
        {.path = "topic list",
         .summary = "list the topics",
         .example = "leat topic list --output json",
         .options = topic_list_options(),
         .run = run_topic_list},
        {.path = "topic describe",
         .summary = "show partitions, offsets and settings of topics",
         .example = "leat topic describe flights",
         .options = topic_describe_options(),
         .run = run_topic_describe},
        {.path = "topic alter",
         .summary = "add partitions, change settings, delete old records",
         .example = "leat topic alter flights --partitions 12 --set cleanup.policy=compact",
         .options = topic_alter_options(),
         .run = run_topic_alter},
        {.path = "topic delete",
         .summary = "delete topics and all their records",
         .details =
             "The cluster's own topics, such as __consumer_offsets with the positions of all "
             "groups, are refused without --internal.",
         .example = "leat topic delete flights --yes",
         .options = topic_delete_options(),
         .run = run_topic_delete},
        {.path = "config list",
         .summary = "list what has settings of a kind, as subscriptions of client metrics",
         .example = "leat config list client-metrics",
         .options = config_list_options(),
         .run = run_config_list},
        {.path = "config describe",
         .summary = "show the settings of a topic, a broker, a group or another kind",
         .details = "The settings of a broker-logger are its loggers, their values the levels; "
                    "those of client-metrics say what clients push to the broker.",
         .example = "leat config describe topic flights --all",
         .options = config_describe_options(),
         .run = run_config_describe},
        {.path = "config alter",
         .summary = "change the settings of a topic, a broker, a group or another kind",
         .details = "A subscription of client-metrics comes with its first setting and goes with "
                    "its last.",
         .example =
             "leat config alter topic flights --set retention.ms=3600000 --unset max.message.bytes",
         .options = config_alter_options(),
         .run = run_config_alter},
    };
}

std::vector<Command> record_commands() {
    return {
        {.path = "produce",
         .summary = "send records to a topic, one a line",
         .details = "Reads standard input or --file and waits until every record is acknowledged, "
                    "with --acks 0 until it is sent. A line that is no record, or whose record is "
                    "not acknowledged, is named on standard error; the others are sent, and the "
                    "command ends with 1. "
                    "SIGINT or SIGTERM ends the reading; what was sent is still waited for, after "
                    "SIGTERM for 5 s, and a second signal gives it up. Unless the lines are typed, "
                    "the command then ends with 1.",
         .example =
             "printf 'ber;landed\\nsfo;taxiing\\n' | leat produce flights --key-separator ';'",
         .options = produce_options(),
         .run = run_produce},
        {.path = "consume",
         .summary = "print the records of a topic",
         .details = "Without --group it reads the partitions it is told to and commits nothing. "
                    "--output json prints one object a line, which 'leat produce --json' reads "
                    "back. --from -5 counts offsets before the end, those of aborted records and "
                    "of the markers of transactions too; a time without a zone is UTC, a date "
                    "alone its midnight; an offset that is not in the log is an error. Where a "
                    "partition has no leader for 10 s, --until-end reads the others, names it and "
                    "ends with 1.",
         .example = "leat consume flights --from beginning --until-end --format '%k: %v\\n'",
         .options = consume_options(),
         .run = run_consume},
    };
}

std::vector<Command> group_commands() {
    return {
        {.path = "group list",
         .summary = "list the groups",
         .example = "leat group list --state Stable --type consumer",
         .options = group_list_options(),
         .run = run_group_list},
        {.path = "group describe",
         .summary = "show members, committed offsets and lag of a group",
         .example = "leat group describe billing",
         .options = group_describe_options(),
         .run = run_group_describe},
        {.path = "group reset",
         .summary = "move the committed offsets of a group that has no members",
         .example = "leat group reset billing --to 2026-01-31T12:00:00Z --topic flights --dry-run",
         .options = group_reset_options(),
         .run = run_group_reset},
        {.path = "group delete",
         .summary = "delete groups and their committed offsets",
         .example = "leat group delete billing --yes",
         .options = group_delete_options(),
         .run = run_group_delete},
        {.path = "group delete-offsets",
         .summary = "delete offsets that a group has committed",
         .details = "Its members may run, but not subscribe to the topic.",
         .example = "leat group delete-offsets billing --topic flights --yes",
         .options = group_delete_offsets_options(),
         .run = run_group_delete_offsets},
        {.path = "group remove-members",
         .summary = "take members out of a classic group",
         .details = "As if they had left: the others share their partitions at once. A member that "
                    "still runs joins again.",
         .example = "leat group remove-members billing --instance billing-1 --yes",
         .options = group_remove_members_options(),
         .run = run_group_remove_members},
    };
}

std::vector<Command> txn_commands() {
    return {
        {.path = "txn list",
         .summary = "list the transactional ids and their states",
         .example = "leat txn list --state Ongoing --older-than 60",
         .options = txn_list_options(),
         .run = run_txn_list},
        {.path = "txn describe",
         .summary = "show what one transactional id has open",
         .example = "leat txn describe billing-1",
         .options = txn_describe_options(),
         .run = run_txn_describe},
        {.path = "txn find-hanging",
         .summary = "show transactions that are open and that nobody will end",
         .details = "Such a transaction keeps readers of committed records from going on. Its "
                    "owner is the transactional id that has the producer now, if one is left.",
         .example = "leat txn find-hanging --older-than 60",
         .options = txn_find_options(),
         .run = run_txn_find_hanging},
        {.path = "txn abort",
         .summary = "end a hanging transaction",
         .example = "leat txn abort orders 3 --start-offset 4711 --yes",
         .options = txn_abort_options(),
         .run = run_txn_abort},
        {.path = "txn force-terminate",
         .summary = "abort what a transactional id has open, and fence its producer",
         .details = "For a transaction whose coordinator knows it, such as one of a producer that "
                    "is gone and has a long timeout, or a prepared one that nobody completes.",
         .example = "leat txn force-terminate billing-1 --yes",
         .options = txn_describe_options(),
         .run = run_txn_force_terminate},
    };
}

std::vector<Command> cluster_commands() {
    return {
        {.path = "cluster status",
         .summary = "show whether the cluster is well",
         .example = "leat cluster status --output json",
         .options = {},
         .run = run_cluster_status},
        {.path = "cluster brokers",
         .summary = "list the brokers and what they store",
         .example = "leat cluster brokers",
         .options = {},
         .run = run_cluster_brokers},
        {.path = "cluster features",
         .summary = "list features: the levels supported and the one finalized",
         .example = "leat cluster features",
         .options = {},
         .run = run_cluster_features},
        {.path = "cluster upgrade",
         .summary = "finalize higher levels of features",
         .details = "All of them or, when one is refused, none.",
         .example = "leat cluster upgrade --release-version 4.1",
         .options = cluster_upgrade_options(),
         .run = run_cluster_upgrade},
        {.path = "cluster downgrade",
         .summary = "finalize lower levels of features; level 0 takes one out of use",
         .details = "All of them or, when one is refused, none.",
         .example = "leat cluster downgrade --feature group.version=0 --dry-run",
         .options = cluster_downgrade_options(),
         .run = run_cluster_downgrade},
    };
}

std::vector<Command> stream_commands() {
    return {
        {.path = "stream describe",
         .summary = "show a stream application: members, tasks, topology",
         .details = "What its members told their group. The topology of an application that does "
                    "not tell it, as one in Java, can be given as the text that its "
                    "Topology.describe() prints.",
         .example = "leat stream describe word-count --output mermaid > word-count.mmd",
         .kind = CommandKind::kDrawn,
         .options = stream_describe_options(),
         .run = run_stream_describe},
        {.path = "stream lag",
         .summary = "show how far a stream application is behind, by sub-topology",
         .details = "Positions of source and repartition topics, and the ends of its changelogs.",
         .example = "leat stream lag word-count",
         .options = stream_lag_options(),
         .run = run_stream_lag},
        {.path = "stream reset",
         .summary = "let a stopped stream application start over",
         .details = "Moves its positions in input topics to the beginning or where --to says, "
                    "those in intermediate topics to the end, and deletes its internal topics, "
                    "with all state they hold. Instances keep state in state.dir too: remove it "
                    "before they start again.",
         .example = "leat stream reset word-count --input lines --dry-run",
         .options = stream_reset_options(),
         .run = run_stream_reset},
    };
}

std::vector<Command> rights_commands() {
    return {
        {.path = "acl list",
         .summary = "list access rules, all or those that match",
         .details = "A name finds the rules of that very name; with --match also those of prefixes "
                    "and of *, which apply to it.",
         .example = "leat acl list --topic orders",
         .options = acl_filter_options(),
         .run = run_acl_list},
        {.path = "acl add",
         .summary = "allow or forbid something",
         .details = "A rule for each combination of principal, operation, resource and host. A "
                    "host is an IP address: rules know no names and no networks.",
         .example = "leat acl add --principal User:alice --operation read --topic orders --group "
                    "billing",
         .options = acl_add_options(),
         .run = run_acl_add},
        {.path = "acl delete",
         .summary = "delete the access rules that match",
         .example = "leat acl delete --principal User:alice --topic orders --yes",
         .options = acl_delete_options(),
         .run = run_acl_delete},
        {.path = "quota list",
         .summary = "list quotas, all or those that match",
         .example = "leat quota list --user alice",
         .options = quota_list_options(),
         .run = run_quota_list},
        {.path = "quota set",
         .summary = "limit what clients use",
         .details = "The most specific limit holds: of a user and client id together, of the user, "
                    "of the client id, then the defaults.",
         .example = "leat quota set --user alice --set producer_byte_rate=1048576",
         .options = quota_set_options(),
         .run = run_quota_set},
    };
}

std::vector<Command> user_commands() {
    return {
        {.path = "user list",
         .summary = "list users and their SCRAM credentials",
         .example = "leat user list",
         .options = user_list_options(),
         .run = run_user_list},
        {.path = "user add",
         .summary = "add a user, or give one another password",
         .details = "The password is read from standard input, a file or the terminal, never from "
                    "the command line. --data writes into the directory of a server that does not "
                    "run: that is how the first administrator is made.",
         .example = "leat user add admin --data /var/lib/leat --super --password-file admin.txt",
         .options = user_add_options(),
         .run = run_user_add},
        {.path = "user remove",
         .summary = "remove a user's credentials",
         .details = "Who has none left is gone, and so is his right to do everything, if --super "
                    "gave it.",
         .example = "leat user remove alice --mechanism SCRAM-SHA-256 --yes",
         .options = user_remove_options(),
         .run = run_user_remove},
        {.path = "token create",
         .summary = "make a token that stands for you",
         .details = "The hmac is its secret: clients log in by SCRAM with the id as name and the "
                    "hmac as password, and say tokenauth=true. Of leat's own commands produce, "
                    "consume and bench do not: their client library knows no tokens.",
         .example = "leat token create --renewer operator --max-lifetime-ms 86400000",
         .options = token_create_options(),
         .run = run_token_create},
        {.path = "token list",
         .summary = "list your tokens and those you may renew",
         .example = "leat token list --output json",
         .options = {},
         .run = run_token_list},
        {.path = "token renew",
         .summary = "let a token hold for longer",
         .example = "leat token renew 3q2+7w== --period-ms 3600000",
         .options = token_renew_options(),
         .run = run_token_renew},
        {.path = "token expire",
         .summary = "end a token",
         .example = "leat token expire 3q2+7w== --yes",
         .options = token_expire_options(),
         .run = run_token_expire},
    };
}

std::vector<Command> bench_commands() {
    return {
        {.path = "bench produce",
         .summary = "measure how fast records are acknowledged",
         .details = "Prints the same fields for any broker; --output json can be checked by 'leat "
                    "bench consume --expect'.",
         .example =
             "leat bench produce --records 1000000 --record-size 1024 --output json > sent.json",
         .options = bench_produce_options(),
         .run = run_bench_produce},
        {.path = "bench consume",
         .summary = "measure how fast a topic is read and check its content",
         .details = "Checks offsets, every byte of the records 'leat bench produce' sent and, with "
                    "--expect, that each "
                    "of a run came back once.",
         .example = "leat bench consume --expect sent.json",
         .options = bench_consume_options(),
         .run = run_bench_consume},
        {.path = "bench latency",
         .summary = "measure the way of a record from producer to consumer at a fixed rate",
         .details = "Times count from the moment a record should have been sent, so a stall is "
                    "charged to all it delays.",
         .example = "leat bench latency --rate 1000 --seconds 30 --output json",
         .options = bench_latency_options(),
         .run = run_bench_latency},
    };
}

std::vector<Command> log_commands() {
    return {
        {.path = "log check",
         .summary = "verify a stopped broker's files; changes nothing",
         .details = "Reads every batch, index, snapshot and mark, and says of each thing that is "
                    "wrong where it is, what it means and what to do. 'leat reference --print "
                    "log-findings' lists all there can be. Ends with 1 when there are errors or "
                    "warnings. A directory that a broker uses is refused.",
         .example = "leat log check /var/lib/leat",
         .kind = CommandKind::kOffline,
         .options = log_check_options(),
         .run = run_log_check},
        {.path = "log dump",
         .summary = "print a stopped broker's files; changes nothing",
         .details = "With --output json one object a line, with yaml one list. Records of "
                    "__consumer_offsets and __transaction_state are printed decoded.",
         .example = "leat log dump /var/lib/leat --partition flights-0 --records --from 100",
         .kind = CommandKind::kOffline,
         .options = log_dump_options(),
         .run = run_log_dump},
    };
}

std::vector<Command> plain_commands() {
    return {
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

/// In the order of help.
std::vector<Command> make_commands() {
    std::vector<Command> out;
    for (const std::vector<Command>& some :
         {serve_commands(), topic_commands(), record_commands(), group_commands(), txn_commands(),
          cluster_commands(), stream_commands(), user_commands(), rights_commands(), log_commands(),
          bench_commands(), plain_commands()})
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
