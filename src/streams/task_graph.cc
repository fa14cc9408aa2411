// SPDX-License-Identifier: Apache-2.0
#include "streams/task_graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "streams/java_order.h"

namespace leat::streams::detail {

TaskGraph::TaskGraph(const Parts& parts, const std::vector<std::string>& names,
                     StateBackend& backend) {
    std::map<std::string, Node*, std::less<>> made;
    std::set<std::string, std::less<>> used;
    std::map<std::string, std::set<const SourceNode*>, std::less<>> above;
    bool feeds_global = false;
    for (const Part& part : parts.all()) {
        if (std::ranges::find(names, part.name) == names.end()) continue;
        auto& node = nodes_.emplace_back(part.make());
        node_parts_.push_back(&part);
        made.emplace(part.name, node.get());
        used.insert(part.stores.begin(), part.stores.end());
        feeds_global = feeds_global || parts.is_global(part.name);
        auto& sources = above[part.name];
        for (const auto& parent : part.parents) {
            made.at(parent)->add_child(*node);
            const auto& more = above.at(parent);
            sources.insert(more.begin(), more.end());
        }
        auto* source =
            part.kind == Part::Kind::kSource ? dynamic_cast<SourceNode*>(node.get()) : nullptr;
        if (source != nullptr) sources.insert(source);
        for (const auto& store : part.stores)
            feeding_[store].insert(sources.begin(), sources.end());
        if (source == nullptr) continue;
        for (const auto& topic : part.topics) sources_.emplace(topic, source);
        if (!part.pattern.empty()) patterns_.emplace_back(part.pattern, source);
    }
    for (const StoreSpec& spec : parts.stores())
        if (used.contains(spec.name) && (feeds_global || !parts.is_global_store(spec.name)))
            stores_.emplace(spec.name, make_store(spec, backend));
    for (const Part& part : parts.all()) {
        const auto node = made.find(part.name);
        if (node == made.end()) continue;
        for (const auto& name : part.stores)
            if (const auto own = stores_.find(name); own != stores_.end())
                node->second->add_store(*own->second);
        for (const auto& name : java_order(part.stores)) {
            const auto own = stores_.find(name);
            if (own == stores_.end()) continue;
            StateStore* store = own->second.get();
            if (std::ranges::find(in_order_, store) == in_order_.end()) in_order_.push_back(store);
        }
    }
    for (const auto& [name, store] : stores_) {
        if (parts.is_global_store(name)) give(*store);
    }
}

Result<std::unique_ptr<TaskGraph>> TaskGraph::make(const Parts& parts,
                                                   const std::vector<std::string>& names,
                                                   StateBackend& backend) {
    return guarded("a supplier", [&]() -> Result<std::unique_ptr<TaskGraph>> {
        return std::make_unique<TaskGraph>(parts, names, backend);
    });
}

TaskGraph::~TaskGraph() {
    for (const auto& node : nodes_) node->close();
}

std::vector<std::pair<Node*, const Part*>> TaskGraph::nodes() const {
    std::vector<std::pair<Node*, const Part*>> out;
    out.reserve(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        out.emplace_back(nodes_[i].get(), node_parts_[i]);
    return out;
}

void TaskGraph::give(StateStore& global) {
    given_.insert_or_assign(global.name(), &global);
    for (const auto& node : nodes_)
        if (node->find_store(global.name()) == nullptr) node->give_store(global);
}

Result<void> TaskGraph::open(Task& task) {
    LEAT_TRY_VOID(open_stores(task));
    return open_nodes(task);
}

Result<void> TaskGraph::open_stores(Task& task) {
    for (const auto& [name, store] : stores_) LEAT_TRY_VOID(store->open(task));
    return {};
}

Result<void> TaskGraph::open_nodes(Task& task) {
    for (const auto& node : nodes_) LEAT_TRY_VOID(node->open(task));
    return {};
}

Result<void> TaskGraph::save() {
    // What a store tells goes into stores below it, which come later; or, where processors share
    // one, into an earlier one, which is flushed again.
    bool holds_back = true;
    for (std::size_t round = 0; holds_back && round <= in_order_.size(); ++round) {
        for (StateStore* store : in_order_) LEAT_TRY_VOID(store->flush());
        holds_back = std::ranges::any_of(in_order_, &StateStore::holds_back);
    }
    for (const auto& [name, store] : stores_) LEAT_TRY_VOID(store->save());
    return {};
}

SourceNode* TaskGraph::source_of(std::string_view topic) const {
    const auto found = sources_.find(topic);
    if (found != sources_.end()) return found->second;
    for (const auto& [pattern, source] : patterns_)
        if (topic_matches(pattern, std::string{topic})) return source;
    return nullptr;
}

bool TaskGraph::feeds(const SourceNode& source, std::string_view store) const {
    const auto found = feeding_.find(store);
    return found != feeding_.end() && found->second.contains(&source);
}

StateStore& TaskGraph::store(std::string_view name) const {
    const auto found = stores_.find(name);
    if (found != stores_.end()) return *found->second;
    const auto given = given_.find(name);
    LEAT_CHECK(given != given_.end());
    return *given->second;
}

}  // namespace leat::streams::detail
