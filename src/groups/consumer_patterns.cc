// SPDX-License-Identifier: Apache-2.0
//
// The part of ConsumerGroup that finds the topics of regular expressions.
#include <algorithm>
#include <unordered_map>

#include "groups/consumer_group.h"
#include "groups/topic_pattern.h"

namespace leat::groups {
namespace {

/// Kafka's own constant: patterns are not looked at again sooner, however many topics come.
constexpr std::int64_t kRegexRefreshMinMs = 10'000;

}  // namespace

bool ConsumerGroup::must_look_again() const {
    const std::int64_t now = host_.now().wall.value;
    std::int64_t last = looked_at_;
    if (last == 0 && !resolved_.empty()) last = resolved_.begin()->second.timestamp;
    const bool is_old = now > last + host_.settings().regex_refresh_interval.count();
    // A clock that was set back must not hold up the group for long.
    return now < last || ((must_resolve_ || is_old) && now > last + kRegexRefreshMinMs);
}

bool ConsumerGroup::has_unresolved() const {
    if (regexes_.empty()) return false;
    return !stale_.empty() || must_look_again() ||
           std::ranges::any_of(
               regexes_, [this](const auto& each) { return !resolved_.contains(each.first); });
}

/// What the next call looks at, and no more of it: the heartbeat of one member must not compile the
/// patterns of ten thousand.
std::vector<std::string> ConsumerGroup::take_unresolved() {
    if (must_look_again()) {
        must_resolve_ = false;
        looked_at_ = host_.now().wall.value;
        for (const auto& [regex, members] : regexes_) stale_.insert(regex);
    }
    std::vector<std::string> out;
    const std::size_t most = std::max<std::size_t>(host_.settings().patterns_at_once_max, 1);
    // New ones first: their members wait for them.
    for (const auto& [regex, members] : regexes_)
        if (out.size() < most && !resolved_.contains(regex)) out.push_back(regex);
    for (const std::string& regex : out) stale_.erase(regex);
    while (out.size() < most && !stale_.empty()) {
        std::string regex = std::move(stale_.extract(stale_.begin()).value());
        if (regexes_.contains(regex)) out.push_back(std::move(regex));
    }
    return out;
}

void ConsumerGroup::resolve_regexes(const std::function<bool(std::string_view)>& may_describe) {
    if (!has_unresolved()) return;
    const std::vector<std::string> wanted = take_unresolved();
    if (wanted.empty()) return;
    std::unordered_map<std::string_view, bool> visible;  // Rights are asked once for each topic.
    const auto is_visible = [&](std::string_view topic) {
        const auto [at, is_new] = visible.try_emplace(topic, true);
        if (is_new && may_describe) at->second = may_describe(topic);
        return at->second;
    };
    bool has_changed = false;
    // One compiled expression at a time: each may take a megabyte.
    for (const std::string& regex : wanted) {
        ResolvedRegex found;
        found.version = host_.cluster().version();
        found.timestamp = host_.now().wall.value;
        // One that an older broker took and this one cannot read stands for nothing.
        if (const auto pattern = TopicPattern::compile(regex))
            host_.cluster().for_each_topic([&](std::string_view topic) {
                if (pattern->matches(topic) && is_visible(topic)) found.topics.emplace(topic);
            });
        const auto at = resolved_.find(regex);
        const bool is_same =
            at == resolved_.end() ? found.topics.empty() : at->second.topics == found.topics;
        has_changed = has_changed || !is_same;
        change(RegexRecord{regex, std::move(found)});
    }
    must_refresh_ = true;
    raise_epoch_if(has_changed);
    flush([](Errc) {});
}

}  // namespace leat::groups
