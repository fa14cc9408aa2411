// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <string>
#include <vector>

#include "leat/streams/detail/parts.h"
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

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

std::string names_of(const Ordered& nodes) {
    std::string out;
    for (const Described* node : nodes) out += (out.empty() ? "" : ", ") + node->part->name;
    return out.empty() ? "none" : out;
}

std::string line_of(const Part& part) {
    switch (part.kind) {
        case Part::Kind::kSource:
            return "Source: " + part.name + " (topics: " +
                   (part.pattern.empty() ? "[" + joined(java_order(part.topics)) + "]"
                                         : part.pattern) +
                   ")\n";
        case Part::Kind::kSink:
            return "Sink: " + part.name + " (" +
                   (part.topics.empty() ? std::string{"extractor class: per record"}
                                        : "topic: " + part.topics.front()) +
                   ")\n";
        case Part::Kind::kProcessor:
            break;
    }
    return "Processor: " + part.name + " (stores: [" + joined(java_order(part.stores)) + "])\n";
}

void grow(Described& node, std::size_t by) {
    node.size += by;
    for (Described* parent : node.parents) grow(*parent, by);
}

std::string text_of(const Described& node) {
    std::string out = "    " + line_of(*node.part);
    if (node.part->kind != Part::Kind::kSink) out += "      --> " + names_of(node.children) + "\n";
    if (node.part->kind != Part::Kind::kSource) out += "      <-- " + names_of(node.parents) + "\n";
    return out;
}

}  // namespace

std::string Parts::describe() const {
    std::string out = "Topologies:\n ";
    std::size_t number = 0;
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
        const bool global = is_global(names.front());
        out += "  Sub-topology: " + std::to_string(number++) +
               (global ? " for global store (will not generate tasks)\n" : "\n");
        Ordered sorted;
        for (auto& [name, node] : nodes) sorted.insert(&node);
        for (const Described* node : sorted) out += text_of(*node);
        if (!global) out += "\n";
    }
    return out;
}

}  // namespace leat::streams::detail
