// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/parts.h"
#include "leat/streams/topology_description.h"
#include "streams/java_order.h"

namespace leat::streams::detail {

namespace {

struct Described;

/// Those with more below them first. The order among the neighbours of a node is the one of the
/// moment at which each was put in: Java's sets keep it while the sizes go on growing, and so does
/// a multiset, whose tree grows by the same rules.
struct Bigger {
    bool operator()(const Described* a, const Described* b) const;
};

using Ordered = std::multiset<Described*, Bigger>;

struct Described {
    const Part* part = nullptr;
    std::size_t size = 1;  ///< Nodes below it, counted once for each way there.
    Ordered parents{};
    Ordered children{};
};

bool Bigger::operator()(const Described* a, const Described* b) const {
    return a->size != b->size ? a->size > b->size : a->part->name < b->part->name;
}

std::vector<std::string> names_of(const Ordered& nodes) {
    std::vector<std::string> out;
    out.reserve(nodes.size());
    for (const Described* node : nodes) out.push_back(node->part->name);
    return out;
}

TopologyDescription::NodeKind kind_of(Part::Kind kind) {
    switch (kind) {
        case Part::Kind::kSource:
            return TopologyDescription::NodeKind::kSource;
        case Part::Kind::kSink:
            return TopologyDescription::NodeKind::kSink;
        case Part::Kind::kProcessor:
            break;
    }
    return TopologyDescription::NodeKind::kProcessor;
}

void grow(Described& node, std::size_t by) {
    node.size += by;
    for (Described* parent : node.parents) grow(*parent, by);
}

TopologyDescription::Node node_of(const Described& node) {
    const Part& part = *node.part;
    const bool is_source = part.kind == Part::Kind::kSource;
    return {.name = part.name,
            .kind = kind_of(part.kind),
            .topics = is_source ? java_order(part.topics) : part.topics,
            .pattern = part.pattern,
            .stores = java_order(part.stores),
            .predecessors = names_of(node.parents),
            .successors = names_of(node.children)};
}

}  // namespace

TopologyDescription Parts::description() const {
    TopologyDescription out;
    for (const auto& names : subtopologies()) {
        std::map<std::string, Described> nodes;
        for (const auto& name : names) nodes[name].part = find(name);
        for (const auto& name : java_order(java_order(names))) {
            Described& node = nodes.at(name);
            for (const auto& above : node.part->parents) {
                Described& parent = nodes.at(above);
                node.parents.insert(&parent);
                parent.children.insert(&node);
                grow(parent, node.size);
            }
        }
        TopologyDescription::Subtopology one{
            .number = static_cast<std::int32_t>(out.subtopologies.size()),
            .is_global = is_global(names.front())};
        Ordered sorted;
        for (auto& [name, node] : nodes) sorted.insert(&node);
        for (const Described* node : sorted) one.nodes.push_back(node_of(*node));
        out.subtopologies.push_back(std::move(one));
    }
    return out;
}

std::string Parts::describe() const {
    return text_of(description());
}

}  // namespace leat::streams::detail
