// SPDX-License-Identifier: Apache-2.0
#include "streams/settings_reference.h"

#include <string_view>

#include "config/setting.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

std::string allowed_in(const config::Setting& row) {
    std::string out;
    for (const std::string& choice : config::split_list(row.choices))
        out.append(out.empty() ? "`" : ", `").append(choice).append("`");
    if (!out.empty() || row.min == config::kNoMin) return out;
    return "from " + std::to_string(static_cast<long long>(row.min));
}

void append_table(std::string& out, bool effective) {
    out.append("| name | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
    for (const SettingRow& each : setting_rows()) {
        const config::Setting& row = each.setting;
        if (row.effective != effective) continue;
        const std::string_view fallback = row.fallback.value_or("");
        out.append("| `").append(row.name).append("` | ").append(name_of(row.type)).append(" | ");
        if (row.fallback)
            out.append(fallback.empty() ? "(empty)" : "`" + std::string{fallback} + "`");
        else
            out.append("must be set");
        out.append(" | ").append(allowed_in(row)).append(" | ").append(row.doc).append(" |\n");
    }
}

}  // namespace

std::string settings_reference() {
    std::string out =
        "<!-- Printed by `streams_live_app settings`; do not edit. -->\n"
        "# Settings of applications\n\n"
        "They go into `Application::Options::properties`, names and meanings as Kafka Streams has "
        "them. Names\n"
        "that are not listed here go to all clients; with `consumer.` or `main.consumer.` in front "
        "to all consumers,\n"
        "with `restore.consumer.`, `global.consumer.`, `producer.` or `admin.` to one client, with "
        "`topic.` to\n"
        "internal topics, where the retention of windows, the compaction lag of versions and "
        "`delete` for what a join of streams keeps\n"
        "stay the store's own. Clients know Kafka's names and librdkafka's. The last of a name "
        "counts.\n\n";
    append_table(out, true);
    out.append(
        "\n## Without effect\n\nKnown and checked, so that a file of Kafka Streams can be "
        "taken over.\n\n");
    append_table(out, false);
    return out;
}

}  // namespace leat::streams
