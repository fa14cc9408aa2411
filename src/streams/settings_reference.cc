// SPDX-License-Identifier: Apache-2.0
#include "streams/settings_reference.h"

#include <string_view>

#include "config/setting.h"
#include "streams/settings.h"
#include "streams/settings_without_effect.h"

namespace leat::streams {
namespace {

std::string allowed_in(const config::Setting& row) {
    std::string out;
    for (const std::string& choice : config::split_list(row.choices))
        out.append(out.empty() ? "`" : ", `").append(choice).append("`");
    if (!out.empty() || row.min == config::kNoMin) return out;
    return "from " + std::to_string(static_cast<long long>(row.min));
}

constexpr std::string_view kHead =
    "| name | type | default | allowed | meaning |\n|---|---|---|---|---|\n";

void append_row(std::string& out, const config::Setting& row) {
    const std::string_view fallback = row.fallback.value_or("");
    out.append("| `").append(row.name).append(row.name.ends_with('.') ? "KEY` | " : "` | ");
    out.append(name_of(row.type)).append(" | ");
    if (row.fallback)
        out.append(fallback.empty() ? "(empty)" : "`" + std::string{fallback} + "`");
    else
        out.append("must be set");
    out.append(" | ").append(allowed_in(row)).append(" | ").append(row.doc).append(" |\n");
}

}  // namespace

std::string settings_reference() {
    std::string out =
        "<!-- Printed by `streams_live_app settings`; do not edit. -->\n"
        "# Settings of applications\n\n"
        "They go into `Application::Options::properties`. Names and meanings are those of Kafka "
        "Streams. Of a name that is given twice the last counts.\n"
        "\n"
        "A name that is in none of the tables below is a setting of the clients, by Kafka's name "
        "or by librdkafka's. What stands in front of it says who gets it:\n"
        "\n"
        "| in front | who gets it |\n"
        "|---|---|\n"
        "| nothing | all clients |\n"
        "| `consumer.` or `main.consumer.` | all consumers |\n"
        "| `restore.consumer.` | the consumers that restore state |\n"
        "| `global.consumer.` | the consumers of global tables |\n"
        "| `producer.` | the producers |\n"
        "| `admin.` | the admin client |\n"
        "| `topic.` | internal topics |\n"
        "\n"
        "`topic.` does not change what a store needs of its topic: the retention of windows, the "
        "compaction lag of versioned tables, and `delete` for\n"
        "what a join of two streams keeps. A name that nobody knows has no effect, and the log "
        "says so, as in Java.\n"
        "\n"
        "Older names are taken too: `cache.max.bytes.buffering` for `statestore.cache.max.bytes`, "
        "and the handlers' with `default.` in front.\n"
        "Where both are given, the newer one counts.\n"
        "\n"
        "Producers come with `linger.ms=100` and `enable.idempotence=true`, as in Kafka Streams; "
        "with "
        "`acks` other than all or\n`retries=0`, at least once, without idempotence unless it is "
        "set.\n\n";
    out.append(kHead);
    for (const SettingRow& each : setting_rows()) append_row(out, each.setting);
    out.append(
        "\n## Without effect\n\nKnown and checked, so that a file of Kafka Streams can be "
        "taken over. `open()` warns when one says\nanother thing than its default.\n\n");
    out.append(kHead);
    for (const config::Setting& each : settings_without_effect()) append_row(out, each);
    return out;
}

}  // namespace leat::streams
