// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <string>

#include "config/broker_config.h"
#include "config/describe.h"
#include "config/topic_config.h"

namespace leat::config {
namespace {

std::string bounds_of(const Setting& row) {
    if (!row.choices.empty()) {
        std::string out;
        for (const std::string& choice : split_list(row.choices))
            out.append(out.empty() ? "`" : ", `").append(choice).append("`");
        return out;
    }
    const auto text = [](double bound) { return std::to_string(static_cast<long long>(bound)); };
    if (row.min != kNoMin && row.max != kNoMax) return text(row.min) + " to " + text(row.max);
    if (row.min != kNoMin) return "from " + text(row.min);
    return "";
}

std::string_view text_of(Update update) {
    switch (update) {
        case Update::kReadOnly:
            return "at start";
        case Update::kPerBroker:
            return "while running, one broker";
        case Update::kClusterWide:
            return "while running";
    }
    return "";
}

void append_row(std::string& out, const Setting& row, std::string_view last_column) {
    out.append("| `").append(row.name).append("` | ").append(name_of(row.type)).append(" | ");
    if (row.fallback) {
        out.append(row.fallback->empty() ? "(empty)" : "`" + std::string{*row.fallback} + "`");
    }
    out.append(" | ").append(bounds_of(row)).append(" | ").append(last_column).append(" | ");
    out.append(row.doc).append(" |\n");
}

void append_table(std::string& out, std::span<const Setting> rows, bool effective, bool is_topic) {
    out.append("| name | type | default | allowed | ");
    out.append(is_topic ? "default of all topics" : "can change").append(" | meaning |\n");
    out.append("|---|---|---|---|---|---|\n");
    for (const Setting& row : rows) {
        // Of topics it is what tests use; of brokers what DescribeConfigs of Kafka leaves out.
        if (row.effective != effective || (row.hidden && is_topic)) continue;
        const std::string synonym = row.synonym.empty() ? "" : "`" + std::string{row.synonym} + "`";
        append_row(out, row, is_topic ? std::string_view{synonym} : text_of(row.update));
    }
}

}  // namespace

std::string settings_reference() {
    std::string out =
        "<!-- Printed by `leat reference --print settings`; do not edit. -->\n"
        "# Settings\n\n"
        "Names and meanings are Kafka's where Kafka has the setting; names that begin with `leat.` "
        "are\n"
        "ours. What wins, from strongest: a broker's own dynamic setting, the dynamic default of "
        "all\n"
        "brokers, `--set`, the file, the default. The file is a Java properties file. An unknown "
        "name in\n"
        "the file is reported and ignored; an unknown topic setting is refused.\n\n"
        "## Topics\n\nSet when a topic is created or altered; the broker setting in the fifth "
        "column\n"
        "gives topics that do not set their own value theirs.\n\n";
    append_table(out, topic_settings(), true, true);
    out.append(
        "\n### Without effect\n\nKnown and validated, so that tools work; nothing changes by "
        "them.\n\n");
    append_table(out, topic_settings(), false, true);
    out.append("\n## Broker\n\n");
    append_table(out, broker_settings(), true, false);
    out.append(
        "\n### Without effect\n\nTaken from a Kafka file without a warning; nothing changes by "
        "them.\n\n");
    append_table(out, broker_settings(), false, false);
    return out;
}

}  // namespace leat::config
