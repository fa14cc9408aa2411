// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/graph.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "leat/streams/detail/repartition.h"

namespace leat::streams::detail {

namespace {

std::string numbered(std::string_view prefix, std::uint32_t number) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%010u", number);
    return std::string{prefix} + digits;
}

}  // namespace

Graph::Graph() {
    nodes_.push_back(std::make_unique<GraphNode>());
    nodes_.back()->written = true;
}

std::string Graph::name(std::string_view prefix, std::string_view wanted) {
    const std::uint32_t number = next_++;
    return wanted.empty() ? numbered(prefix, number) : std::string{wanted};
}

std::string Graph::store_name(std::string_view prefix) {
    return numbered(std::string{prefix} + "STATE-STORE-", next_++);
}

GraphNode& Graph::add(const std::vector<GraphNode*>& parents, GraphNode node) {
    LEAT_CHECK(!parents.empty());
    auto& added = *nodes_.emplace_back(std::make_unique<GraphNode>(std::move(node)));
    added.parents = parents;
    for (GraphNode* parent : parents) parent->children.push_back(&added);
    return added;
}

void Graph::require(std::string_view operator_name, bool good, std::string_view mistake) {
    if (good || !mistake_.empty()) return;
    mistake_ = std::string{operator_name} + ": " + std::string{mistake};
}

void Graph::ask_old_values(GraphNode& node) {
    if (std::exchange(*node.old_values, true) || !node.old_values_from_parents) return;
    for (GraphNode* parent : node.parents) ask_old_values(*parent);
}

Result<std::shared_ptr<const Parts>> Graph::write() {
    if (!mistake_.empty()) return Error{Errc::kStreamsInvalidTopology, mistake_};
    auto parts = std::make_shared<Parts>();
    // A parent is always declared before its children, so that the order of declaration is the
    // order of Kafka's priority queue.
    for (const auto& node : nodes_) {
        LEAT_CHECK(
            std::ranges::all_of(node->parents, [](const GraphNode* p) { return p->written; }));
        if (node->write) node->write(*parts);
        node->written = true;
    }
    return std::shared_ptr<const Parts>{std::move(parts)};
}

bool is_generated_repartition(const std::string& topic) {
    constexpr std::string_view kPrefix = "KSTREAM";
    constexpr std::string_view kSuffix = "-repartition";
    constexpr std::size_t kDigits = 10;
    if (!topic.starts_with(kPrefix) || !topic.ends_with(kSuffix)) return false;
    const std::string_view stem{topic.data(), topic.size() - kSuffix.size()};
    if (stem.size() < kPrefix.size() + 1 + kDigits || stem[stem.size() - kDigits - 1] != '-')
        return false;
    return stem.substr(stem.size() - kDigits).find_first_not_of("0123456789") ==
           std::string_view::npos;
}

}  // namespace leat::streams::detail
