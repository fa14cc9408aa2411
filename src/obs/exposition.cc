// SPDX-License-Identifier: Apache-2.0
#include "obs/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"

namespace leat::obs {
namespace {

/// Bytes that are not UTF-8 become "\xFF": for one of them a scraper drops all that it reads, and
/// names of groups and clients come from anybody.
void append_escaped(std::string& out, std::string_view text, bool is_label) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const char c = text.front();
        const auto byte = static_cast<unsigned char>(c);
        if (length == 0) {
            out.append("\\\\x").append({kDigits[byte >> 4U], kDigits[byte & 0xFU]});
        } else if (length > 1) {
            out.append(text.substr(0, length));
        } else if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && is_label) {
            out += "\\\"";
        } else {
            out += c;
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

void append_label(std::string& out, bool& is_first, std::string_view name, std::string_view value) {
    out.append(is_first ? "{" : ",").append(name).append("=\"");
    append_escaped(out, value, true);
    out += '"';
    is_first = false;
}

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::kCounter:
            return "counter";
        case Kind::kGauge:
            return "gauge";
        case Kind::kHistogram:
            return "histogram";
    }
    LEAT_CHECK(false);
}

}  // namespace

std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char buffer[40];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

void append_family(std::string& out, const Metric& metric) {
    out.append("# HELP ").append(metric.name).append(" ");
    append_escaped(out, metric.help, false);
    out.append("\n# TYPE ").append(metric.name).append(" ").append(name_of(metric.kind));
    out += '\n';
}

void append_sample(std::string& out, std::string_view name, const Metric& metric,
                   std::span<const std::string> labels, double value, Label extra) {
    out.append(name);
    bool is_first = true;
    for (std::size_t i = 0; i < labels.size(); ++i)
        append_label(out, is_first, metric.labels[i], labels[i]);
    if (!extra.name.empty()) append_label(out, is_first, extra.name, extra.value);
    if (!is_first) out += '}';
    out.append(" ").append(number_text(value)).append("\n");
}

std::string metrics_reference(std::span<const std::span<const Metric>> tables) {
    std::vector<const Metric*> rows;
    for (const auto table : tables)
        for (const Metric& metric : table) rows.push_back(&metric);
    std::ranges::sort(rows, {}, &Metric::name);
    std::string out =
        "<!-- Printed by `leat reference --print metrics`; do not edit. -->\n"
        "# Metrics\n\n"
        "Served at `/metrics` in Prometheus text format. Times are in seconds, sizes in bytes.\n\n"
        "| name | kind | labels | meaning |\n|---|---|---|---|\n";
    for (const Metric* metric : rows) {
        std::string labels;
        for (const std::string_view label : metric->labels)
            if (!label.empty())
                labels.append(labels.empty() ? "`" : ", `").append(label).append("`");
        out.append("| `").append(metric->name).append("` | ").append(name_of(metric->kind));
        out.append(" | ").append(labels).append(" | ").append(metric->help).append(" |\n");
    }
    return out;
}

}  // namespace leat::obs
