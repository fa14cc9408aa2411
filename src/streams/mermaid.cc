// SPDX-License-Identifier: Apache-2.0
//
// A topology as a drawing.
#include <map>
#include <set>
#include <utility>

#include "leat/streams/topology_description.h"

namespace leat::streams {
namespace {

using Node = TopologyDescription::Node;
using NodeKind = TopologyDescription::NodeKind;

/// In quotes, as mermaid takes any text; '#' begins its own escapes.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"')
            out += "#quot;";
        else if (c == '#')
            out += "#35;";
        else if (c == '<')
            out += "#lt;";
        else if (c == '>')
            out += "#gt;";
        else
            out += c;
    }
    return out + "\"";
}

/// Threading: not synchronised.
class Drawing {
  public:
    void subtopology(const TopologyDescription::Subtopology& one) {
        const std::string at = std::to_string(one.number);
        std::map<std::string, std::string> ids;
        for (const Node& node : one.nodes) ids[node.name] = "n" + std::to_string(nodes_++);
        std::set<std::string> stores;
        for (const Node& node : one.nodes) stores.insert(node.stores.begin(), node.stores.end());
        text_ += "    subgraph s" + at + "[" +
                 quoted((one.is_global ? "Global store " : "Sub-topology ") + at) + "]\n";
        for (const Node& node : one.nodes)
            text_ += "        " + ids.at(node.name) + "[" + quoted(node.name) + "]\n";
        std::map<std::string, std::string> store_ids;
        for (const auto& store : stores) {
            const std::string id = "d" + std::to_string(stores_++);
            text_ += "        " + id + "[(" + quoted(store) + ")]\n";
            store_ids[store] = id;
        }
        text_ += "    end\n";
        for (const Node& node : one.nodes) edges(node, ids, store_ids);
    }
    std::string finish() {
        std::string out = "flowchart TB\n";
        for (const auto& [topic, id] : topics_) out += "    " + id + "([" + quoted(topic) + "])\n";
        return out + text_ + edges_;
    }

  private:
    void edges(const Node& node, const std::map<std::string, std::string>& ids,
               const std::map<std::string, std::string>& stores) {
        const std::string& me = ids.at(node.name);
        if (node.kind == NodeKind::kSource) {
            for (const auto& topic : node.topics) edge(topic_id(topic), " --> ", me);
            if (!node.pattern.empty()) edge(topic_id("/" + node.pattern + "/"), " --> ", me);
        }
        for (const auto& next : node.successors)
            if (const auto to = ids.find(next); to != ids.end()) edge(me, " --> ", to->second);
        for (const auto& store : node.stores) edge(me, " -.- ", stores.at(store));
        if (node.kind != NodeKind::kSink) return;
        for (const auto& topic : node.topics) edge(me, " --> ", topic_id(topic));
        if (node.topics.empty()) edge(me, " -.-> ", topic_id("chosen for each record"));
    }
    void edge(const std::string& from, std::string_view arrow, const std::string& to) {
        edges_ += "    " + from + std::string{arrow} + to + "\n";
    }
    std::string topic_id(const std::string& topic) {
        return topics_.emplace(topic, "t" + std::to_string(topics_.size())).first->second;
    }

    std::string text_;
    std::string edges_;
    std::map<std::string, std::string> topics_;
    std::size_t nodes_ = 0;
    std::size_t stores_ = 0;
};

}  // namespace

std::string mermaid(const TopologyDescription& topology) {
    Drawing drawing;
    for (const auto& one : topology.subtopologies) drawing.subtopology(one);
    return drawing.finish();
}

}  // namespace leat::streams
