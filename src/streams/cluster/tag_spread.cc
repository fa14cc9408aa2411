// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/tag_spread.h"

#include <algorithm>

namespace leat::streams {

TagSpread::TagSpread(const std::map<std::string, MemberState>& members,
                     const std::vector<std::string>& keys) {
    const bool by_rack = keys.empty() && std::ranges::none_of(members, [](const auto& member) {
                             return member.second.rack.empty();
                         });
    for (const auto& [id, member] : members) {
        auto& tags = tags_[id];
        if (by_rack) tags.emplace("rack", member.rack);
        for (const std::string& key : keys)
            if (const auto found = member.tags.find(key); found != member.tags.end())
                tags.insert(*found);
        for (const auto& [key, value] : tags) values_[key].insert(value);
    }
}

TagSpread::Taken TagSpread::taken_by(std::span<const std::string> holders) const {
    Taken out;
    std::size_t count = 0;
    for (const std::string& holder : holders) {
        ++count;
        for (const auto& tag : tags_.at(holder)) {
            if (values_.at(tag.first).size() > count)
                out.insert(tag);
            else
                std::erase_if(out, [&](const auto& one) { return one.first == tag.first; });
        }
    }
    return out;
}

bool TagSpread::is_free(const std::string& member, const Taken& taken) const {
    return std::ranges::none_of(tags_.at(member),
                                [&](const auto& tag) { return taken.contains(tag); });
}

std::size_t TagSpread::variety(std::span<const std::string> holders) const {
    Taken all;
    for (const std::string& holder : holders)
        for (const auto& tag : tags_.at(holder)) all.insert(tag);
    return all.size();
}

}  // namespace leat::streams
