// SPDX-License-Identifier: Apache-2.0
#include "testkit/sim_names.h"

#include <algorithm>
#include <utility>

namespace leat::testkit {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
    return path.size() > directory.size() && path.starts_with(directory) &&
           path[directory.size()] == '/';
}

}  // namespace

std::string SimNames::clean(std::string_view path) {
    std::string out;
    for (const char c : path)
        if (c != '/' || out.empty() || out.back() != '/') out += c;
    while (out.starts_with("./")) out.erase(0, 2);
    while (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return out == "." ? std::string{} : out;
}

std::string SimNames::parent(std::string_view clean_path) {
    const auto slash = clean_path.rfind('/');
    if (slash == std::string_view::npos) return {};
    return std::string{slash == 0 ? "/" : clean_path.substr(0, slash)};
}

bool SimNames::is_root(std::string_view clean_path) {
    return clean_path.empty() || clean_path == "/";
}

bool SimNames::is_directory(const std::string& path) const {
    if (is_root(path)) return true;
    const auto it = seen_.find(path);
    return it != seen_.end() && it->second == nullptr;
}

bool SimNames::has_children(const std::string& path) const {
    const auto it = seen_.lower_bound(path + "/");
    return it != seen_.end() && is_below(it->first, path);
}

void SimNames::create(const std::string& path, const Node& node) {
    pending_.push_back({.kind = Change::Kind::kCreate, .path = path, .to = {}, .node = node});
    apply(seen_, pending_.back());
}

void SimNames::remove(const std::string& path) {
    pending_.push_back(
        {.kind = Change::Kind::kRemove, .path = path, .to = {}, .node = seen_.at(path)});
    apply(seen_, pending_.back());
}

void SimNames::rename(const std::string& from, const std::string& to) {
    pending_.push_back(
        {.kind = Change::Kind::kRename, .path = from, .to = to, .node = seen_.at(from)});
    apply(seen_, pending_.back());
}

// The entry and, of a directory, all below it.
void SimNames::move(Tree& tree, const std::string& from, const std::string& to) {
    Tree moved;
    for (auto& [name, node] : tree)
        if (name == from || is_below(name, from)) moved[to + name.substr(from.size())] = node;
    std::erase_if(tree, [&](const auto& entry) {
        return entry.first == from || is_below(entry.first, from);
    });
    for (auto& [name, node] : moved) tree[name] = node;
}

void SimNames::apply(Tree& tree, const Change& change) {
    switch (change.kind) {
        case Change::Kind::kCreate:
            tree[change.path] = change.node;
            return;
        case Change::Kind::kRemove:
            // Of a directory: entries whose removal is not on the medium go with it.
            std::erase_if(tree, [&](const auto& entry) {
                return entry.first == change.path || is_below(entry.first, change.path);
            });
            return;
        case Change::Kind::kRename:
            move(tree, change.path, change.to);
            return;
    }
    std::unreachable();
}

// Whether `tree` can take the change: what it builds on may not be on the medium.
bool SimNames::fits(const Tree& tree, const Change& change) {
    const auto is_there = [&](const std::string& path) {
        return is_root(path) || tree.contains(path);
    };
    switch (change.kind) {
        case Change::Kind::kCreate:
            return is_there(parent(change.path));
        case Change::Kind::kRemove:
            return tree.contains(change.path);
        case Change::Kind::kRename:
            return tree.contains(change.path) && is_there(parent(change.to));
    }
    std::unreachable();
}

// Whether `later` makes no sense without `earlier`: they share a name, or `earlier` made or moved
// the directory of `later`, or it moved something across the edge of the directory that goes.
bool SimNames::builds_on(const Change& later, const Change& earlier) {
    const bool is_move = earlier.kind == Change::Kind::kRename;
    if (later.node == nullptr && is_move &&
        is_below(earlier.path, later.path) != is_below(earlier.to, later.path))
        return true;
    const auto touches = [&](std::string_view name) {
        if (name.empty()) return false;
        for (const std::string_view other :
             {std::string_view{earlier.path}, std::string_view{earlier.to}})
            if (name == other ||
                (earlier.node == nullptr && !other.empty() && is_below(name, other)))
                return true;
        return false;
    };
    return touches(later.path) || touches(later.to);
}

// The name that `path` of change `i` has after the directories above it moved.
std::string SimNames::moved_name(std::size_t i, std::string path) const {
    for (std::size_t j = i + 1; j < pending_.size(); ++j) {
        const Change& move = pending_[j];
        if (move.kind == Change::Kind::kRename && move.node == nullptr && is_below(path, move.path))
            path.replace(0, move.path.size(), move.to);
    }
    return path;
}

void SimNames::sync_directory(const std::string& path, bool with_parents) {
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        Change& change = pending_[i];
        if (parent(moved_name(i, change.path)) == path ||
            (!change.to.empty() && parent(moved_name(i, change.to)) == path))
            change.is_synced = true;
    }
    close_over(with_parents);
    commit();
}

void SimNames::sync_node(const Node& node) {
    for (Change& change : pending_)
        if (change.node == node) change.is_synced = true;
    close_over(true);
    commit();
}

void SimNames::sync_all() {
    for (Change& change : pending_) change.is_synced = true;
    commit();
}

// A change that is synced takes along the earlier ones of the same names; with parents also those
// that made the directories above it.
void SimNames::close_over(bool with_parents) {
    for (std::size_t i = pending_.size(); i-- > 0;) {
        if (!pending_[i].is_synced) continue;
        for (std::size_t j = 0; j < i; ++j) {
            const bool same =
                pending_[j].path == pending_[i].path || pending_[j].to == pending_[i].path ||
                (!pending_[i].to.empty() &&
                 (pending_[j].path == pending_[i].to || pending_[j].to == pending_[i].to));
            if (same || (with_parents && builds_on(pending_[i], pending_[j])))
                pending_[j].is_synced = true;
        }
    }
}

void SimNames::commit() {
    std::vector<Change> left;
    for (Change& change : pending_) {
        const bool waits = std::ranges::any_of(
            left, [&](const Change& earlier) { return builds_on(change, earlier); });
        if (!change.is_synced || waits || !fits(durable_, change)) {
            left.push_back(std::move(change));
            continue;
        }
        apply(durable_, change);
        if (change.node == nullptr) follow(change, left);
    }
    pending_ = std::move(left);
}

// A directory moved or went before changes in it did: they go with it.
void SimNames::follow(const Change& directory, std::vector<Change>& earlier) {
    if (directory.kind == Change::Kind::kRemove)
        std::erase_if(earlier,
                      [&](const Change& change) { return is_below(change.path, directory.path); });
    if (directory.kind != Change::Kind::kRename) return;
    for (Change& change : earlier)
        for (std::string* name : {&change.path, &change.to})
            if (is_below(*name, directory.path))
                name->replace(0, directory.path.size(), directory.to);
}

void SimNames::crash(SimRandom& random, std::uint64_t survive_percent) {
    std::vector<Change> lost;
    for (Change& change : std::exchange(pending_, {})) {
        const bool blocked = std::ranges::any_of(
            lost, [&](const Change& earlier) { return builds_on(change, earlier); });
        const bool survives = change.is_synced || random.percent(survive_percent);
        if (survives && !blocked && fits(durable_, change)) {
            apply(durable_, change);
        } else {
            lost.push_back(std::move(change));
        }
    }
    seen_ = durable_;
}

}  // namespace leat::testkit
