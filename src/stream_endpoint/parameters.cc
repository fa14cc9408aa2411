// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/parameters.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "http/percent.h"
#include "stream_endpoint/number_text.h"

namespace leat::stream_endpoint {
namespace {

Error wrong(std::string_view name, const std::string& expected) {
    return Error{Errc::kInvalidRequest, "parameter " + std::string{name} + ": " + expected};
}

/// What stands before `separator`, which is taken off `rest` with it.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view out = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return out;
}

}  // namespace

Result<Parameters> Parameters::parse(std::string_view query) {
    Parameters out;
    while (!query.empty()) {
        std::string_view value = cut(query, '&');
        if (value.empty()) continue;
        std::string name = http::percent_decode(cut(value, '='), true);
        if (out.values_.contains(name)) return wrong(name, "it is given twice");
        out.values_.emplace(std::move(name), http::percent_decode(value, true));
    }
    return out;
}

std::optional<std::string> Parameters::find(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

Result<std::optional<std::int64_t>> Parameters::number(std::string_view name,
                                                       std::int64_t least) const {
    const auto text = find(name);
    if (!text) return std::optional<std::int64_t>{};
    const auto value = number_of<std::int64_t>(*text);
    if (!value || *value < least)
        return wrong(name, "expected a whole number from " + std::to_string(least) + " on");
    return value;
}

Result<bool> Parameters::truth(std::string_view name, bool absent) const {
    const auto text = find(name);
    if (!text) return absent;
    if (*text != "true" && *text != "false") return wrong(name, "expected true or false");
    return *text == "true";
}

Result<void> Parameters::allow(std::string_view names) const {
    for (const auto& [name, value] : values_) {
        std::string_view rest = names;
        bool known = false;
        while (!rest.empty() && !known) known = cut(rest, ' ') == name;
        if (!known) return wrong(name, "there is none here; known: " + std::string{names});
    }
    return {};
}

std::string position_text(const streams::Position& position) {
    std::string out;
    for (const auto& [topic, partitions] : position)
        for (const auto& [partition, offset] : partitions) {
            if (!out.empty()) out.push_back(',');
            out += topic + ":" + std::to_string(partition) + ":" + std::to_string(offset);
        }
    return out;
}

Result<streams::Position> parse_position(std::string_view text) {
    streams::Position out;
    while (!text.empty()) {
        std::string_view rest = cut(text, ',');
        const std::string topic{cut(rest, ':')};
        const auto partition = number_of<std::int32_t>(cut(rest, ':'));
        const auto offset = number_of<std::int64_t>(rest);
        if (topic.empty() || !partition || *partition < 0 || !offset || *offset < 0)
            return wrong("position",
                         "expected TOPIC:PARTITION:OFFSET, with commas between several");
        auto& known = out[topic];
        const auto [at, fresh] = known.emplace(*partition, *offset);
        if (!fresh) at->second = std::max(at->second, *offset);
    }
    return out;
}

}  // namespace leat::stream_endpoint
