// SPDX-License-Identifier: Apache-2.0
#include "config/describe.h"

#include <algorithm>

#include "base/check.h"
#include "config/resource_config.h"

namespace leat::config {
namespace {

/// As the value would be shown: parsed and printed again, or as it is when it does not parse.
std::optional<std::string> canonical(const Setting& row, std::string_view text) {
    if (row.sensitive) return std::nullopt;
    const auto value = parse(row, text);
    return value.has_value() ? text_of(*value) : std::string{text};
}

/// The broker settings that stand in for another one in a coarser unit.
const std::vector<const Setting*>& unit_rows() {
    static const std::vector<const Setting*> rows = [] {
        std::vector<const Setting*> found;
        for (const Setting& row : broker_settings())
            if (!row.unit_of.empty()) found.push_back(&row);
        return found;
    }();
    return rows;
}

/// `name` and the settings that stand in for it in coarser units, finest first.
std::vector<const Setting*> chain_of(std::string_view name) {
    std::vector<const Setting*> chain{find_broker_setting(name)};
    const auto topic = std::ranges::find(topic_settings(), name, &Setting::synonym);
    if (topic == topic_settings().end()) return chain;
    for (const Setting* row : unit_rows())
        if (row->unit_of == topic->name && row->unit_factor > 1) chain.push_back(row);
    std::ranges::sort(chain, {}, &Setting::unit_factor);
    return chain;
}

const std::string* static_text(const Layers& layers, std::string_view name) {
    if (const auto said = layers.command_line.find(name); said != layers.command_line.end())
        return &said->second.text;
    const auto said = layers.file.find(name);
    return said != layers.file.end() ? &said->second.text : nullptr;
}

const std::string* text_in(const Layers& layers, Source source, std::string_view name) {
    if (source == Source::kStatic) return static_text(layers, name);
    const Values& values =
        source == Source::kDynamicBroker ? layers.dynamic_broker : layers.dynamic_default;
    const auto said = values.find(name);
    return said != values.end() ? &said->second : nullptr;
}

/// All places that give the broker setting `name` a value. What coarser units say is listed only
/// after a place that says something about `name` itself, as Kafka does.
std::vector<Synonym> broker_synonyms(const Layers& layers, std::string_view name) {
    const std::vector<const Setting*> chain = chain_of(name);
    std::vector<Synonym> synonyms;
    for (const Source source : {Source::kDynamicBroker, Source::kDynamicDefault, Source::kStatic})
        for (const Setting* row : chain)
            if (const std::string* text = text_in(layers, source, row->name))
                synonyms.push_back({std::string{row->name}, canonical(*row, *text), source});
    for (const Setting* row : chain)
        if (row->fallback)
            synonyms.push_back(
                {std::string{row->name}, canonical(*row, *row->fallback), Source::kDefault});
    synonyms.erase(synonyms.begin(), std::ranges::find(synonyms, name, &Synonym::name));
    return synonyms;
}

Described described(const Setting& row) {
    return {.name = std::string{row.name},
            .value = std::nullopt,
            .source = Source::kDefault,
            .type = row.type,
            .read_only = false,
            .sensitive = row.sensitive,
            .doc = row.doc,
            .synonyms = {}};
}

/// The default of a topic setting when no source is listed for it: from another unit or the table.
std::optional<std::string> topic_default(const Layers& layers, const Setting& row) {
    std::int64_t factor_best = 0;
    std::optional<std::string> best;
    for (const Setting* unit_row : unit_rows()) {
        const Setting& unit = *unit_row;
        if (unit.unit_of != row.name) continue;
        const Winner won = winner(layers, unit.name);
        if (won.text == nullptr && !unit.fallback) continue;
        if (best && unit.unit_factor > factor_best) continue;
        const auto value =
            parse(unit, won.text != nullptr ? std::string_view{*won.text} : *unit.fallback);
        if (!value.has_value()) continue;
        const auto number = std::get<std::int64_t>(*value);
        best = std::to_string(number < 0 ? -1 : number * unit.unit_factor);
        factor_best = unit.unit_factor;
    }
    return best ? best : row.fallback ? canonical(row, *row.fallback) : std::nullopt;
}

/// A setting that the broker has a default for; `source` is that of the overrides.
Described describe_overridable(const Layers& layers, const Values& overrides, const Setting& row,
                               Source source) {
    Described out = described(row);
    if (const auto own = overrides.find(row.name); own != overrides.end())
        out.synonyms.push_back({std::string{row.name}, canonical(row, own->second), source});
    if (!row.synonym.empty())
        for (Synonym& synonym : broker_synonyms(layers, row.synonym))
            out.synonyms.push_back(std::move(synonym));
    if (out.synonyms.empty()) {
        out.value = topic_default(layers, row);
    } else {
        out.value = out.synonyms.front().value;
        out.source = out.synonyms.front().source;
    }
    return out;
}

Described describe_unknown(const std::string& name, Source source) {
    // It may be anything, a password too: the value stays hidden.
    return {.name = name,
            .value = std::nullopt,
            .source = source,
            .type = Type::kUnknown,
            .read_only = true,
            .sensitive = true,
            .doc = {},
            .synonyms = {{name, std::nullopt, source}}};
}

/// A limit of one listener is shown as the one of all is.
Described describe_other(const std::string& name, std::string_view text, Source source) {
    const Setting* row = find_listener_limit(name);
    if (row == nullptr) return describe_unknown(name, source);
    Described out = described(*row);
    out.name = name;
    out.value = canonical(*row, text);
    out.source = source;
    out.synonyms = {{name, out.value, source}};
    return out;
}

std::string_view text_of(const std::string& text) {
    return text;
}
std::string_view text_of(const Placed& placed) {
    return placed.text;
}

void append_unknown(std::vector<Described>& out, const Layers& layers) {
    const auto add = [&](const auto& values, Source source) {
        for (const auto& [name, text] : values) {
            const bool is_listed = std::ranges::find(out, name, &Described::name) != out.end();
            if (!is_listed && find_broker_setting(name) == nullptr)
                out.push_back(describe_other(name, text_of(text), source));
        }
    };
    add(layers.dynamic_broker, Source::kDynamicBroker);
    add(layers.dynamic_default, Source::kDynamicDefault);
    add(layers.command_line, Source::kStatic);
    add(layers.file, Source::kStatic);
}

}  // namespace

std::vector<Described> describe_topic(const Layers& layers, const Values& overrides) {
    std::vector<Described> out;
    for (const Setting& row : topic_settings())
        if (!row.hidden)
            out.push_back(describe_overridable(layers, overrides, row, Source::kTopic));
    return out;
}

std::vector<Described> describe_group(const Layers& layers, const Values& overrides) {
    std::vector<Described> out;
    for (const Setting& row : group_settings().rows)
        out.push_back(describe_overridable(layers, overrides, row, Source::kGroup));
    return out;
}

std::vector<Described> describe_broker(const Layers& layers) {
    std::vector<Described> out;
    for (const Setting& row : broker_settings()) {
        if (row.hidden) continue;
        Described one = described(row);
        one.read_only = row.update == Update::kReadOnly;
        one.synonyms = broker_synonyms(layers, row.name);
        if (!one.synonyms.empty()) {
            one.value = one.synonyms.front().value;
            one.source = one.synonyms.front().source;
        }
        out.push_back(std::move(one));
    }
    append_unknown(out, layers);
    return out;
}

std::vector<Described> describe_broker_default(const Layers& layers) {
    std::vector<Described> out;
    for (const auto& [name, text] : layers.dynamic_default) {
        const Setting* row = find_broker_setting(name);
        if (row == nullptr) {
            out.push_back(describe_other(name, text, Source::kDynamicDefault));
            continue;
        }
        Described one = described(*row);
        one.value = canonical(*row, text);
        one.source = Source::kDynamicDefault;
        one.synonyms = {{name, one.value, one.source}};
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace leat::config
