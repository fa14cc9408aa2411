// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/parts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace leat::streams::detail {

void Parts::add(Part part) {
    LEAT_CHECK(find(part.name) == nullptr);
    parts_.push_back(std::move(part));
}

void Parts::add_store(StoreSpec spec, const std::vector<std::string>& users) {
    const auto known = std::ranges::find(stores_, spec.name, &StoreSpec::name);
    const std::string name = spec.name;
    if (known == stores_.end()) stores_.push_back(std::move(spec));
    for (Part& part : parts_) {
        if (std::ranges::find(users, part.name) == users.end()) continue;
        if (std::ranges::find(part.stores, name) == part.stores.end()) part.stores.push_back(name);
    }
}

void Parts::add_repartition_topic(RepartitionTopic topic) {
    std::string name = topic.name;
    repartition_.emplace(std::move(name), std::move(topic));
}

const Part* Parts::find(std::string_view name) const {
    const auto found = std::ranges::find(parts_, name, &Part::name);
    return found == parts_.end() ? nullptr : &*found;
}

std::vector<std::vector<std::string>> Parts::subtopologies() const {
    std::vector<std::size_t> root(parts_.size());
    std::iota(root.begin(), root.end(), std::size_t{0});
    const auto find_root = [&](std::size_t at) {
        while (root[at] != at) at = root[at] = root[root[at]];
        return at;
    };
    std::map<std::string, std::size_t, std::less<>> index;
    std::map<std::string, std::size_t, std::less<>> first_user;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        index.emplace(parts_[i].name, i);
        for (const auto& parent : parts_[i].parents)
            root[find_root(i)] = find_root(index.at(parent));
        for (const auto& store : parts_[i].stores) {
            const auto [user, fresh] = first_user.emplace(store, i);
            if (!fresh) root[find_root(i)] = find_root(user->second);
        }
    }
    // Numbers go by the node that was declared first.
    std::map<std::size_t, std::size_t> number;
    for (std::size_t i = 0; i < parts_.size(); ++i) number.emplace(find_root(i), number.size());
    std::vector<std::vector<std::string>> out(number.size());
    for (std::size_t i = 0; i < parts_.size(); ++i)
        out[number.at(find_root(i))].push_back(parts_[i].name);
    return out;
}

namespace {

struct Described {
    const Part* part = nullptr;
    std::size_t size = 1;  ///< Nodes below it, counted once for each way there.
    std::vector<std::string> children;
};

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

std::string line_of(const Part& part) {
    switch (part.kind) {
        case Part::Kind::kSource:
            return "Source: " + part.name + " (topics: [" + joined(part.topics) + "])\n";
        case Part::Kind::kSink:
            return "Sink: " + part.name + " (" +
                   (part.topics.empty() ? std::string{"extractor class: per record"}
                                        : "topic: " + part.topics.front()) +
                   ")\n";
        case Part::Kind::kProcessor:
            break;
    }
    return "Processor: " + part.name + " (stores: [" + joined(part.stores) + "])\n";
}

}  // namespace

std::string Parts::describe() const {
    std::string out = "Topologies:\n ";
    std::size_t number = 0;
    for (const auto& names : subtopologies()) {
        std::map<std::string, Described> nodes;
        for (const auto& name : names) nodes[name].part = find(name);
        for (auto name = names.rbegin(); name != names.rend(); ++name) {
            for (const auto& parent : nodes.at(*name).part->parents) {
                nodes.at(parent).children.insert(nodes.at(parent).children.begin(), *name);
                nodes.at(parent).size += nodes.at(*name).size;
            }
        }
        const auto bigger = [&](const std::string& a, const std::string& b) {
            const auto left = nodes.at(a).size;
            const auto right = nodes.at(b).size;
            return left != right ? left > right : a < b;
        };
        auto sorted = names;
        std::ranges::sort(sorted, bigger);
        out += "  Sub-topology: " + std::to_string(number++) + "\n";
        for (const auto& name : sorted) {
            auto& node = nodes.at(name);
            std::ranges::sort(node.children, bigger);
            out += "    " + line_of(*node.part);
            if (node.part->kind != Part::Kind::kSink)
                out += "      --> " +
                       (node.children.empty() ? std::string{"none"} : joined(node.children)) + "\n";
            if (node.part->kind != Part::Kind::kSource) {
                auto parents = node.part->parents;
                std::ranges::sort(parents, bigger);
                out +=
                    "      <-- " + (parents.empty() ? std::string{"none"} : joined(parents)) + "\n";
            }
        }
        out += "\n";
    }
    return out;
}

}  // namespace leat::streams::detail
