// SPDX-License-Identifier: Apache-2.0
//
// The names of a simulated file system: those that processes see, those on the medium, and the
// changes between. Layer: test-only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "testkit/sim_content.h"
#include "testkit/sim_random.h"

namespace leat::testkit {

/// Paths are compared after clean(); "", "." and "/" are directories that always are.
///
/// Threading: not synchronised. The caller has checked that a change is possible.
class SimNames {
  public:
    /// A file's content; null for a directory.
    using Node = std::shared_ptr<SimContent>;
    using Tree = std::map<std::string, Node, std::less<>>;

    [[nodiscard]] static std::string clean(std::string_view path);
    [[nodiscard]] static std::string parent(std::string_view clean_path);
    [[nodiscard]] static bool is_root(std::string_view clean_path);

    [[nodiscard]] const Tree& seen() const { return seen_; }
    [[nodiscard]] bool is_directory(const std::string& path) const;
    [[nodiscard]] bool has_children(const std::string& path) const;

    void create(const std::string& path, const Node& node);
    void remove(const std::string& path);
    /// Moves a file, or a directory with all in it; replaces a file that is there.
    void rename(const std::string& from, const std::string& to);

    /// What a sync of directory `path` makes durable: the changes of its entries.
    /// `with_parents`: and of the directories above, as a journal that commits in order does.
    void sync_directory(const std::string& path, bool with_parents);
    /// What a sync of a file makes durable beside its bytes, where it does so: its own names.
    void sync_node(const Node& node);
    void sync_all();

    /// Each pending change is on the medium with `survive_percent`, except where one that it
    /// builds on is not. Readers then see what is on the medium.
    void crash(SimRandom& random, std::uint64_t survive_percent);

    [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  private:
    struct Change {
        enum class Kind : std::uint8_t { kCreate, kRemove, kRename } kind;
        std::string path;
        std::string to;  ///< Of a rename.
        Node node;
        bool is_synced = false;  ///< Waits only for a directory above it.
    };
    static void move(Tree& tree, const std::string& from, const std::string& to);
    static void apply(Tree& tree, const Change& change);
    static bool fits(const Tree& tree, const Change& change);
    static bool builds_on(const Change& later, const Change& earlier);
    static void follow(const Change& directory, std::vector<Change>& earlier);
    [[nodiscard]] std::string moved_name(std::size_t i, std::string path) const;
    void close_over(bool with_parents);
    void commit();

    Tree seen_;
    Tree durable_;
    std::vector<Change> pending_;  ///< Oldest first.
};

}  // namespace leat::testkit
