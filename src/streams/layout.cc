// SPDX-License-Identifier: Apache-2.0
#include "streams/layout.h"

#include <algorithm>
#include <utility>

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

Configs changelog_configs(const detail::StoreSpec& store, std::int64_t extra_retention_ms) {
    Configs out;
    const bool windowed = store.retention_ms >= 0;
    out.emplace_back("cleanup.policy", windowed ? "compact,delete" : "compact");
    if (windowed)
        out.emplace_back("retention.ms", std::to_string(store.retention_ms + extra_retention_ms));
    out.emplace_back("message.timestamp.type", "CreateTime");
    return out;
}

void sort_and_unite(std::vector<std::string>& names) {
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

bool Subtopology::is_stateful() const {
    return !stores.empty();
}

Layout::Layout(const detail::Parts& parts, std::string application_id)
    : parts_(parts), application_id_(std::move(application_id)) {
    for (const auto& [name, topic] : parts.repartition_topics())
        repartition_.insert(application_id_ + "-" + name);
    for (auto& nodes : parts.subtopologies()) {
        Subtopology one{.nodes = nodes, .sources = {}, .sinks = {}, .stores = {}};
        std::set<std::string, std::less<>> used;
        for (const auto& name : nodes) {
            const detail::Part* part = parts.find(name);
            if (part == nullptr) continue;
            if (parts.is_global(name)) {
                has_globals_ = true;  // Every instance reads these whole, in no task.
                continue;
            }
            has_patterns_ = has_patterns_ || !part->pattern.empty();
            used.insert(part->stores.begin(), part->stores.end());
            for (const auto& topic : part->topics) {
                std::string full = cluster_name(topic);
                if (part->kind == detail::Part::Kind::kSource)
                    resets_.emplace(full,
                                    is_repartition(full) ? OffsetReset::earliest() : part->reset);
                if (part->kind == detail::Part::Kind::kSource)
                    one.sources.push_back(std::move(full));
                else if (part->kind == detail::Part::Kind::kSink && is_repartition(full))
                    one.sinks.push_back(std::move(full));
            }
        }
        for (const auto& spec : parts.stores())
            if (used.contains(spec.name) && !parts.is_global_store(spec.name))
                one.stores.push_back(spec);
        sort_and_unite(one.sources);
        sort_and_unite(one.sinks);
        subtopologies_.push_back(std::move(one));
    }
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

OffsetReset Layout::reset_of(std::string_view cluster_name) const {
    const auto found = resets_.find(cluster_name);
    return found == resets_.end() ? OffsetReset{} : found->second;
}

Result<void> Layout::check() const {
    if (has_patterns_)
        return Error{Errc::kStreamsInvalidTopology,
                     "sources by pattern run in the test driver only so far"};
    if (has_globals_)
        return Error{Errc::kStreamsInvalidTopology,
                     "global tables and stores run in the test driver only so far"};
    return {};
}

Result<Layout::Counts> Layout::with_repartition(Counts counts) const {
    for (const auto& name : external_sources())
        if (!counts.contains(name))
            return Error{Errc::kUnknownTopicOrPartition, "source topic '" + name + "' is missing"};
    for (const auto& [name, topic] : parts_.repartition_topics())
        if (topic.partitions) counts.insert_or_assign(cluster_name(name), *topic.partitions);
    // What feeds a repartition topic may itself read one: as often as there are such topics.
    for (std::size_t round = 0; round <= repartition_.size(); ++round) {
        for (const auto& writer : subtopologies_) {
            const std::int32_t width = task_count(writer, counts);
            for (const auto& topic : writer.sinks) {
                const std::string plain = topic.substr(application_id_.size() + 1);
                if (parts_.repartition_topics().at(plain).partitions || width == 0) continue;
                auto& count = counts[topic];
                count = std::max(count, width);
            }
        }
    }
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

std::vector<InternalTopic> Layout::internal_topics(const Counts& counts,
                                                   std::int64_t extra_retention_ms) const {
    std::vector<InternalTopic> out;
    for (const auto& name : repartition_)
        out.push_back({.name = name,
                       .partitions = counts.find(name)->second,
                       .configs = repartition_configs()});
    for (const auto& one : subtopologies_)
        for (const auto& store : one.stores)
            if (store.logging && !store.source_topic)
                out.push_back({.name = changelog_name(store.name),
                               .partitions = task_count(one, counts),
                               .configs = changelog_configs(store, extra_retention_ms)});
    return out;
}

}  // namespace leat::streams
