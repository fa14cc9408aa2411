// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/layout.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "leat/streams/detail/foreign_key.h"
#include "streams/cluster/topic_widths.h"

namespace leat::streams {
namespace {

using Configs = std::vector<std::pair<std::string, std::string>>;

Configs repartition_configs() {
    // Purged by DeleteRecords up to what is committed, never by time.
    return {{"cleanup.policy", "delete"},
            {"segment.bytes", "52428800"},
            {"retention.ms", "-1"},
            {"message.timestamp.type", "CreateTime"}};
}

/// The sum; at most the largest number, as for windows without an end.
std::int64_t longer(std::int64_t time_ms, std::int64_t by_ms) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    return time_ms > kMost - by_ms ? kMost : time_ms + by_ms;
}

/// Fills in how a changelog is kept.
void configure_changelog(InternalTopic& topic, const detail::StoreSpec& store,
                         std::int64_t extra_retention_ms) {
    // Not the setting for windows: Kafka Streams gives versions a day.
    constexpr std::int64_t kExtraLagMs = 86'400'000;
    const bool versioned = store.kind == detail::StoreSpec::Kind::kVersioned;
    const bool windowed = store.retention_ms >= 0 && !versioned;
    topic.configs = {{"cleanup.policy", windowed ? "compact,delete" : "compact"},
                     {"message.timestamp.type", "CreateTime"}};
    if (versioned)
        topic.own_configs.emplace_back("min.compaction.lag.ms",
                                       std::to_string(longer(store.retention_ms, kExtraLagMs)));
    if (windowed)
        topic.own_configs.emplace_back(
            "retention.ms", std::to_string(longer(store.retention_ms, extra_retention_ms)));
    // No key comes twice.
    if (store.retain_duplicates) topic.own_configs.emplace_back("cleanup.policy", "delete");
    for (const auto& [name, value] : store.changelog) {
        std::erase_if(topic.own_configs, [&](const auto& one) { return one.first == name; });
        topic.own_configs.emplace_back(name, value);
    }
}

void sort_and_unite(std::vector<std::string>& names) {
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

InternalTopic changelog_of(const detail::StoreSpec& store, std::string name,
                           std::int32_t partitions, std::int64_t extra_retention_ms) {
    InternalTopic out{.name = std::move(name), .partitions = partitions};
    configure_changelog(out, store, extra_retention_ms);
    return out;
}

bool Subtopology::is_stateful() const {
    return !stores.empty();
}

bool Subtopology::keeps_state_on_disk() const {
    return std::ranges::any_of(stores, &detail::StoreSpec::persistent);
}

bool Layout::keeps_state_on_disk() const {
    return std::ranges::any_of(subtopologies_, &Subtopology::keeps_state_on_disk) ||
           std::ranges::any_of(parts_.stores(), [&](const detail::StoreSpec& spec) {
               return spec.persistent && parts_.is_global_store(spec.name);
           });
}

Layout::Layout(const detail::Parts& parts, std::string application_id,
               const std::vector<std::string>& topics)
    : parts_(parts), application_id_(std::move(application_id)) {
    for (const auto& [name, topic] : parts.repartition_topics())
        repartition_.insert(application_id_ + "-" + name);
    for (auto& nodes : parts.subtopologies()) {
        Subtopology one{.nodes = nodes, .sources = {}, .sinks = {}, .stores = {}};
        std::set<std::string, std::less<>> used;
        for (const auto& name : nodes) {
            const detail::Part* part = parts.find(name);
            if (part == nullptr) continue;
            if (parts.is_global(name)) continue;
            used.insert(part->stores.begin(), part->stores.end());
            if (part->kind == detail::Part::Kind::kSource) add_source(one, *part, topics);
            if (part->kind == detail::Part::Kind::kSink)
                for (const auto& topic : part->topics)
                    if (std::string full = cluster_name(topic); is_repartition(full))
                        one.sinks.push_back(std::move(full));
        }
        for (const auto& spec : parts.stores())
            if (used.contains(spec.name) && !parts.is_global_store(spec.name))
                one.stores.push_back(spec);
        sort_and_unite(one.sources);
        sort_and_unite(one.sinks);
        subtopologies_.push_back(std::move(one));
    }
    find_together();
}

void Layout::add_source(Subtopology& to, const detail::Part& source,
                        const std::vector<std::string>& topics) {
    for (const auto& topic : source.topics) {
        const std::string full = cluster_name(topic);
        resets_.emplace(full, is_repartition(full) ? OffsetReset::earliest() : source.reset);
        to.sources.push_back(full);
    }
    if (source.pattern.empty()) return;
    to.patterns.emplace_back(source.pattern, source.reset);
    for (const auto& topic : topics) {
        if (is_internal(topic) || !detail::topic_matches(source.pattern, topic)) continue;
        resets_.emplace(topic, source.reset);
        to.sources.push_back(topic);
        matched_[source.name].push_back(topic);
    }
}

std::int64_t Layout::shape() const {
    std::string text;
    // Each with an end of its own, so that no two lists look alike.
    const auto add = [&](std::string_view word) { text.append(word).push_back('\0'); };
    for (const Subtopology& one : subtopologies_) {
        add("sub-topology");
        for (const auto& topic : one.sources)
            if (!is_matched(topic)) add(topic);
        add("patterns");
        for (const auto& [pattern, reset] : one.patterns) add(pattern);
        add("writes");
        for (const auto& topic : one.sinks) add(topic);
        add("stores");
        for (const detail::StoreSpec& store : one.stores) {
            add(store.name);
            add(std::to_string(static_cast<int>(store.kind)));
            add(store.source_topic.value_or(store.logging ? "logged" : "not logged"));
        }
    }
    return static_cast<std::int64_t>(detail::hash_value(text)[0]);
}

bool Layout::is_matched(const std::string& topic) const {
    return std::ranges::any_of(matched_, [&](const auto& source) {
        return std::ranges::find(source.second, topic) != source.second.end();
    });
}

bool Layout::is_internal(const std::string& topic) const {
    return is_repartition(topic) || std::ranges::any_of(parts_.stores(), [&](const auto& store) {
               return store.logging && topic == changelog_name(store.name);
           });
}

bool Layout::has_patterns() const {
    return std::ranges::any_of(subtopologies_,
                               [](const auto& one) { return !one.patterns.empty(); });
}

bool Layout::reads(std::int32_t subtopology, const std::string& topic) const {
    const Subtopology& one = subtopologies_.at(static_cast<std::size_t>(subtopology));
    return std::ranges::find(one.sources, topic) != one.sources.end() ||
           std::ranges::any_of(one.patterns, [&](const auto& pattern) {
               return !is_internal(topic) && detail::topic_matches(pattern.first, topic);
           });
}

std::set<std::string> Layout::sources_above(const std::string& node) const {
    std::set<std::string> out;
    std::set<std::string> seen{node};
    std::vector<std::string> next{node};
    while (!next.empty()) {
        const detail::Part* part = parts_.find(next.back());
        next.pop_back();
        if (part == nullptr) continue;
        if (part->kind == detail::Part::Kind::kSource)
            for (const auto& topic : part->topics) out.insert(cluster_name(topic));
        if (const auto matched = matched_.find(part->name); matched != matched_.end())
            out.insert(matched->second.begin(), matched->second.end());
        for (const auto& parent : part->parents)
            if (seen.insert(parent).second) next.push_back(parent);
    }
    return out;
}

void Layout::find_together() {
    for (const auto& nodes : parts_.copartitioned()) {
        std::set<std::string> all;
        for (const auto& node : nodes) all.merge(sources_above(node));
        // What belongs to two groups makes one of them.
        std::erase_if(together_, [&](const std::set<std::string>& known) {
            const bool meets =
                std::ranges::any_of(known, [&](const auto& topic) { return all.contains(topic); });
            if (meets) all.insert(known.begin(), known.end());
            return meets;
        });
        if (all.size() > 1) together_.push_back(std::move(all));
    }
}

bool Layout::is_free(const std::string& topic) const {
    return is_repartition(topic) &&
           !parts_.repartition_topics().at(topic.substr(application_id_.size() + 1)).partitions;
}

bool Layout::is_bound(const std::string& topic) const {
    const auto group =
        std::ranges::find_if(together_, [&](const auto& topics) { return topics.contains(topic); });
    return group != together_.end() &&
           !std::ranges::all_of(*group, [&](const auto& one) { return is_free(one); });
}

Result<void> Layout::align(Counts& counts) const {
    for (const auto& topics : together_) {
        const std::string* fixed = nullptr;
        std::int32_t width = 0;
        for (const auto& topic : topics) {
            const auto count = counts.find(topic);
            if (count == counts.end() || (is_free(topic) && is_bound(topic))) continue;
            if (!is_free(topic) && fixed != nullptr && count->second != width)
                return Error{
                    Errc::kStreamsInvalidTopology,
                    "topics that are joined have different numbers of partitions: " + *fixed +
                        " has " + std::to_string(width) + ", " + topic + " has " +
                        std::to_string(count->second) + "; let one go through repartition()"};
            if (!is_free(topic)) fixed = &topic;
            width = std::max(width, count->second);
        }
        for (const auto& topic : topics)
            if (is_free(topic) && width > 0) counts.insert_or_assign(topic, width);
    }
    return {};
}

std::string Layout::cluster_name(std::string_view topic) const {
    std::string name{topic};
    return parts_.repartition_topics().contains(name) ? application_id_ + "-" + name : name;
}

bool Layout::is_repartition(std::string_view cluster_name) const {
    return repartition_.contains(cluster_name);
}

std::string Layout::changelog_name(std::string_view store) const {
    return application_id_ + "-" + std::string{store} + "-changelog";
}

std::vector<std::string> Layout::sources() const {
    std::vector<std::string> out;
    for (const auto& one : subtopologies_)
        out.insert(out.end(), one.sources.begin(), one.sources.end());
    sort_and_unite(out);
    return out;
}

std::vector<std::string> Layout::external_sources() const {
    std::vector<std::string> out = sources();
    std::erase_if(out, [&](const std::string& name) { return is_repartition(name); });
    return out;
}

OffsetReset Layout::reset_of(const std::string& cluster_name) const {
    const auto found = resets_.find(cluster_name);
    if (found != resets_.end()) return found->second;
    for (const auto& one : subtopologies_)
        for (const auto& [pattern, reset] : one.patterns)
            if (detail::topic_matches(pattern, cluster_name)) return reset;
    return {};
}

Result<void> Layout::check_names() const {
    constexpr std::size_t kDigits = 10;
    const auto is_numbered = [](std::string_view name) {
        for (const std::string_view end : {"-changelog", "-repartition"})
            if (name.ends_with(end)) name.remove_suffix(end.size());
        return name.size() > kDigits && name[name.size() - kDigits - 1] == '-' &&
               name.find_first_not_of("0123456789", name.size() - kDigits) ==
                   std::string_view::npos;
    };
    std::string numbered;
    for (const auto& [name, topic] : parts_.repartition_topics())
        if (is_numbered(name)) numbered.append(numbered.empty() ? "" : ", ").append(name);
    for (const auto& store : parts_.stores())
        if (is_numbered(store.name))
            numbered.append(numbered.empty() ? "" : ", ").append(store.name);
    if (numbered.empty()) return {};
    return Error{
        Errc::kStreamsInvalidTopology,
        "ensure.explicit.internal.resource.naming: these have numbered names, which change "
        "with the topology: " +
            numbered};
}

Result<Layout::Counts> Layout::with_repartition(Counts counts) const {
    for (const auto& name : external_sources())
        if (!counts.contains(name))
            return Error{Errc::kUnknownTopicOrPartition, "source topic '" + name + "' is missing"};
    for (const auto& [name, topic] : parts_.repartition_topics())
        if (topic.partitions) counts.insert_or_assign(cluster_name(name), *topic.partitions);
    add_widths(*this, counts);
    // Joins come last: as in Kafka Streams, what they make of a width does not reach the topics
    // behind them.
    LEAT_TRY_VOID(align(counts));
    for (const auto& name : repartition_)
        if (!counts.contains(name))
            return Error{Errc::kStreamsInvalidTopology,
                         "nothing gives repartition topic '" + name + "' its partitions"};
    return counts;
}

std::int32_t Layout::task_count(const Subtopology& of, const Counts& counts) const {
    std::int32_t out = 0;
    for (const auto& topic : of.sources)
        if (const auto found = counts.find(topic); found != counts.end())
            out = std::max(out, found->second);
    return out;
}

std::map<TaskId, std::vector<client::TopicPartition>> Layout::tasks(const Counts& counts) const {
    std::map<TaskId, std::vector<client::TopicPartition>> out;
    for (std::size_t i = 0; i < subtopologies_.size(); ++i) {
        const Subtopology& one = subtopologies_[i];
        for (std::int32_t p = 0; p < task_count(one, counts); ++p)
            for (const auto& topic : one.sources)
                if (p < counts.find(topic)->second)
                    out[{static_cast<std::int32_t>(i), p}].push_back({topic, p});
    }
    return out;
}

std::vector<std::int32_t> Layout::task_counts(const Counts& counts) const {
    std::vector<std::int32_t> out;
    out.reserve(subtopologies_.size());
    for (const auto& one : subtopologies_) out.push_back(task_count(one, counts));
    return out;
}

std::vector<InternalTopic> Layout::internal_topics(const Counts& counts,
                                                   std::int64_t extra_retention_ms) const {
    std::vector<InternalTopic> out;
    out.reserve(repartition_.size());
    for (const auto& name : repartition_)
        out.push_back({.name = name,
                       .partitions = counts.find(name)->second,
                       .configs = repartition_configs()});
    for (const auto& one : subtopologies_) {
        for (const auto& store : one.stores) {
            if (!store.logging || store.source_topic) continue;
            out.push_back(changelog_of(store, changelog_name(store.name), task_count(one, counts),
                                       extra_retention_ms));
        }
    }
    return out;
}

}  // namespace leat::streams
