// SPDX-License-Identifier: Apache-2.0
#include "apps/stream_topics.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "leat/streams/detail/parts.h"

namespace leat::apps {
namespace {

using Node = streams::TopologyDescription::Node;
using NodeKind = streams::TopologyDescription::NodeKind;

bool is_changelog(std::string_view topic) {
    return topic.ends_with("-changelog");
}

/// "...-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000003-topic", with an operator's name or
/// without.
bool is_subscription(std::string_view topic) {
    if (topic.ends_with("-subscription-registration-topic") ||
        topic.ends_with("-subscription-response-topic"))
        return true;
    constexpr std::string_view kTail = "-topic";
    if (!topic.ends_with(kTail)) return false;
    topic.remove_suffix(kTail.size());
    for (const std::string_view middle :
         {"KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-"}) {
        const std::size_t at = topic.rfind(middle);
        // Something stands in front of it, as in Kafka's pattern.
        if (at == std::string_view::npos || at == 0) continue;
        const std::string_view digits = topic.substr(at + middle.size());
        if (!digits.empty() &&
            std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
            return true;
    }
    return false;
}

/// Threading: not synchronised.
class Finder {
  public:
    Finder(std::string_view application, const std::set<std::string>& existing,
           const std::set<std::string>& committed)
        : application_(application), existing_(existing), committed_(committed) {}

    void subtopology(const streams::TopologyDescription::Subtopology& one) {
        std::set<std::string> stores;
        for (const Node& node : one.nodes) {
            stores.insert(node.stores.begin(), node.stores.end());
            if (node.kind != NodeKind::kSource) continue;
            for (const auto& topic : node.topics) source(topic, one.number);
            if (node.pattern.empty()) continue;
            for (const auto& topic : committed_)
                if (!is_internal_topic(application_, topic) &&
                    streams::detail::topic_matches(node.pattern, topic))
                    add({topic, TopicRole::kSource, one.number});
        }
        for (const auto& store : stores) {
            const std::string changelog = prefixed(store) + "-changelog";
            if (existing_.contains(changelog)) add({changelog, TopicRole::kChangelog, one.number});
        }
    }
    void by_names() {
        for (const auto& topic : committed_)
            if (!is_internal_topic(application_, topic)) add({topic, TopicRole::kSource, {}});
        for (const auto& topic : existing_)
            if (is_internal_topic(application_, topic))
                add({topic,
                     is_changelog(topic) ? TopicRole::kChangelog : TopicRole::kRepartition,
                     {}});
    }
    std::vector<StreamTopic> finish() {
        std::ranges::sort(out_, {}, [](const StreamTopic& one) {
            return std::tie(one.subtopology, one.role, one.name);
        });
        out_.erase(std::unique(out_.begin(), out_.end()), out_.end());
        return std::move(out_);
    }

  private:
    [[nodiscard]] std::string prefixed(const std::string& name) const {
        return std::string{application_} + "-" + name;
    }
    /// A description has internal topics without the application's name in front.
    void source(const std::string& topic, std::int32_t number) {
        const std::string internal = prefixed(topic);
        if (existing_.contains(internal) && is_internal_topic(application_, internal))
            add({internal, TopicRole::kRepartition, number});
        else if (existing_.contains(topic))
            add({topic, TopicRole::kSource, number});
    }
    void add(StreamTopic topic) { out_.push_back(std::move(topic)); }

    std::string_view application_;
    const std::set<std::string>& existing_;
    const std::set<std::string>& committed_;
    std::vector<StreamTopic> out_;
};

}  // namespace

std::string_view name_of(TopicRole role) {
    switch (role) {
        case TopicRole::kSource:
            return "source";
        case TopicRole::kRepartition:
            return "repartition";
        case TopicRole::kChangelog:
            return "changelog";
    }
    return {};
}

bool is_internal_topic(std::string_view application, std::string_view topic) {
    if (!topic.starts_with(application)) return false;
    const std::string_view rest = topic.substr(application.size());
    if (!rest.starts_with('-')) return false;
    return is_changelog(rest) || rest.ends_with("-repartition") || is_subscription(rest);
}

std::vector<std::string> deleted_by_reset(std::string_view application,
                                          const std::set<std::string>& existing,
                                          const std::set<std::string>& kept) {
    std::vector<std::string> out;
    for (const std::string& name : existing)
        if (is_internal_topic(application, name) && !kept.contains(name)) out.push_back(name);
    return out;
}

std::vector<StreamTopic> stream_topics(std::string_view application,
                                       const std::set<std::string>& existing,
                                       const std::set<std::string>& committed,
                                       const streams::TopologyDescription* topology) {
    Finder finder{application, existing, committed};
    if (topology == nullptr) {
        finder.by_names();
    } else {
        for (const auto& one : topology->subtopologies)
            if (!one.is_global) finder.subtopology(one);
    }
    return finder.finish();
}

}  // namespace leat::apps
