// SPDX-License-Identifier: Apache-2.0
//
// The text of a topology, written and read.
#include <charconv>
#include <optional>
#include <utility>

#include "leat/streams/topology_description.h"

namespace leat::streams {
namespace {

using Node = TopologyDescription::Node;
using NodeKind = TopologyDescription::NodeKind;
using Subtopology = TopologyDescription::Subtopology;

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

std::string or_none(const std::vector<std::string>& names) {
    return names.empty() ? "none" : joined(names);
}

std::string line_of(const Node& node) {
    switch (node.kind) {
        case NodeKind::kSource:
            return "Source: " + node.name + " (topics: " +
                   (node.pattern.empty() ? "[" + joined(node.topics) + "]" : node.pattern) + ")\n";
        case NodeKind::kSink:
            return "Sink: " + node.name + " (" +
                   (node.topics.empty() ? std::string{"extractor class: per record"}
                                        : "topic: " + node.topics.front()) +
                   ")\n";
        case NodeKind::kProcessor:
            break;
    }
    return "Processor: " + node.name + " (stores: [" + joined(node.stores) + "])\n";
}

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
        line.remove_suffix(1);
    return line;
}

bool eat(std::string_view& line, std::string_view prefix) {
    if (!line.starts_with(prefix)) return false;
    line.remove_prefix(prefix.size());
    return true;
}

std::vector<std::string> list_in(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(", "), text.size());
        if (comma > 0) out.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 2, text.size()));
    }
    return out;
}

/// "name (label: rest)" behind its kind.
struct Parenthesis {
    std::string_view name;
    std::string_view rest;
};
std::optional<Parenthesis> cut(std::string_view line, std::string_view label) {
    const std::size_t at = line.find(label);
    if (at == std::string_view::npos || at == 0 || !line.ends_with(')')) return std::nullopt;
    const std::size_t from = at + label.size();
    return Parenthesis{line.substr(0, at), line.substr(from, line.size() - from - 1)};
}

std::optional<std::string_view> inside_brackets(std::string_view text) {
    if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
    return text.substr(1, text.size() - 2);
}

std::optional<Node> source_in(std::string_view line) {
    const auto found = cut(line, " (topics: ");
    if (!found) return std::nullopt;
    Node out{.name = std::string{found->name}, .kind = NodeKind::kSource};
    if (const auto topics = inside_brackets(found->rest))
        out.topics = list_in(*topics);
    else
        out.pattern = found->rest;
    return out;
}

std::optional<Node> processor_in(std::string_view line) {
    const auto found = cut(line, " (stores: ");
    if (!found) return std::nullopt;
    const auto stores = inside_brackets(found->rest);
    if (!stores) return std::nullopt;
    return Node{.name = std::string{found->name}, .stores = list_in(*stores)};
}

std::optional<Node> sink_in(std::string_view line) {
    if (const auto found = cut(line, " (topic: "))
        return Node{.name = std::string{found->name},
                    .kind = NodeKind::kSink,
                    .topics = {std::string{found->rest}}};
    const auto found = cut(line, " (extractor class: ");
    if (!found) return std::nullopt;
    return Node{.name = std::string{found->name}, .kind = NodeKind::kSink};
}

/// "0" or "0 for global store (will not generate tasks)".
std::optional<Subtopology> subtopology_in(std::string_view line) {
    Subtopology out;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out.number);
    if (error != std::errc{} || out.number < 0) return std::nullopt;
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    out.is_global = rest.starts_with(" for global store");
    if (!rest.empty() && !out.is_global) return std::nullopt;
    return out;
}

/// Threading: not synchronised.
class Reader {
  public:
    /// False: the line does not belong here.
    bool take(std::string_view line) {
        if (line.empty() || line.starts_with("Topologies:") || line.starts_with("Topology:"))
            return true;
        if (eat(line, "Sub-topology: ")) {
            auto next = subtopology_in(line);
            if (next) out_.subtopologies.push_back(*std::move(next));
            return next.has_value();
        }
        if (out_.subtopologies.empty()) return false;
        auto& nodes = out_.subtopologies.back().nodes;
        if (eat(line, "--> ")) return neighbours(line, &Node::successors);
        if (eat(line, "<-- ")) return neighbours(line, &Node::predecessors);
        std::optional<Node> node;
        if (eat(line, "Source: "))
            node = source_in(line);
        else if (eat(line, "Processor: "))
            node = processor_in(line);
        else if (eat(line, "Sink: "))
            node = sink_in(line);
        if (node) nodes.push_back(*std::move(node));
        return node.has_value();
    }
    TopologyDescription finish() { return std::move(out_); }

  private:
    bool neighbours(std::string_view line, std::vector<std::string> Node::* which) {
        auto& nodes = out_.subtopologies.back().nodes;
        if (nodes.empty()) return false;
        if (line != "none") nodes.back().*which = list_in(line);
        return true;
    }
    TopologyDescription out_;
};

}  // namespace

std::string text_of(const TopologyDescription& topology) {
    std::string out = "Topologies:\n ";
    for (const auto& one : topology.subtopologies) {
        out += "  Sub-topology: " + std::to_string(one.number) +
               (one.is_global ? " for global store (will not generate tasks)\n" : "\n");
        for (const Node& node : one.nodes) {
            out += "    " + line_of(node);
            if (node.kind != NodeKind::kSink) out += "      --> " + or_none(node.successors) + "\n";
            if (node.kind != NodeKind::kSource)
                out += "      <-- " + or_none(node.predecessors) + "\n";
        }
        if (!one.is_global) out += "\n";
    }
    return out;
}

Result<TopologyDescription> parse_topology(std::string_view text) {
    Reader reader;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        if (!reader.take(line))
            return Error{Errc::kMalformed, "line " + std::to_string(number) + " of a topology: '" +
                                               std::string{line} + "'"};
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return reader.finish();
}

}  // namespace leat::streams
