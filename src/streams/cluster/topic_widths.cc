// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/topic_widths.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "streams/java_order.h"

namespace leat::streams {
namespace {

/// Of a Long, of a Boolean that is false, and of several objects, as Java makes them.
std::uint32_t hash_of(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    return static_cast<std::uint32_t>(bits ^ (bits >> 32U));
}
constexpr std::uint32_t kFalse = 1237;
std::uint32_t hash_of(const std::vector<std::uint32_t>& parts) {
    std::uint32_t out = 1;
    for (const std::uint32_t part : parts) out = out * 31 + part;
    return out;
}

/// Of the configs of a changelog: its name, the store's own configs, and how long it keeps what.
std::uint32_t hash_of(const detail::StoreSpec& store, const std::string& changelog) {
    std::map<std::string, std::string> configs;
    if (store.retain_duplicates) configs.emplace("cleanup.policy", "delete");
    for (const auto& [config, value] : store.changelog) configs.insert_or_assign(config, value);
    std::uint32_t own = 0;
    for (const auto& [config, value] : configs)
        own += detail::java_hash(config) ^ detail::java_hash(value);
    const std::uint32_t name = detail::java_hash(changelog);
    if (store.retention_ms < 0) return hash_of({name, own, kFalse});
    return hash_of({name, own, hash_of(store.retention_ms), kFalse});
}

/// Of a sub-topology's topics (TopicsInfo).
std::uint32_t hash_of(const Layout& layout, const Subtopology& of) {
    std::uint32_t sources = 0;
    for (const auto& topic : of.sources) sources += detail::java_hash(topic);
    std::uint32_t changelogs = 0;
    for (const auto& store : of.stores) {
        if (!store.logging && !store.source_topic) continue;
        const std::string topic = store.source_topic ? layout.cluster_name(*store.source_topic)
                                                     : layout.changelog_name(store.name);
        changelogs += detail::java_hash(topic) ^ hash_of(store, topic);
    }
    // Java extends the sign of the lower half, which then hides the upper one.
    const auto upper = static_cast<std::uint64_t>(sources) << 32U;
    const auto lower =
        static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(changelogs)});
    const auto both = static_cast<std::int64_t>(upper | lower);
    return static_cast<std::uint32_t>(both %
                                      std::int64_t{std::numeric_limits<std::uint32_t>::max()});
}

/// The largest number that is known of the sources of those who write a topic; 0: of none.
std::int32_t width_of(const Layout& layout, const std::string& topic,
                      const Layout::Counts& counts) {
    std::int32_t out = 0;
    for (const auto& writer : layout.subtopologies()) {
        if (std::ranges::find(writer.sinks, topic) == writer.sinks.end()) continue;
        for (const auto& source : writer.sources)
            if (const auto known = counts.find(source); known != counts.end())
                out = std::max(out, known->second);
    }
    return out;
}

}  // namespace

void add_widths(const Layout& layout, Layout::Counts& counts) {
    std::vector<const Subtopology*> readers;
    std::vector<std::uint32_t> hashes;
    for (const auto& one : layout.subtopologies()) {
        if (one.sources.empty()) continue;
        readers.push_back(&one);
        hashes.push_back(hash_of(layout, one));
    }
    const auto order = detail::java_order(hashes);
    for (bool found = true; found;) {
        found = false;
        for (const std::size_t index : order) {
            for (const auto& topic : readers[index]->sources) {
                if (!layout.is_repartition(topic) || counts.contains(topic)) continue;
                const std::int32_t width = width_of(layout, topic, counts);
                if (width > 0) counts.emplace(topic, width);
                found = found || width > 0;
            }
        }
    }
}

}  // namespace leat::streams
