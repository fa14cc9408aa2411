// SPDX-License-Identifier: Apache-2.0
//
// All access rules, in a form that answers at once. Layer: auth (L2). Pure.
// Spec:  Kafka's StandardAuthorizer: deny goes before allow, then what no rule speaks of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/acl.h"

namespace leat::auth {

/// Who wants to do what, on what.
struct Access {
    std::string_view principal;  ///< "User:alice".
    std::string_view host;       ///< "127.0.0.1".
    Operation operation = Operation::kRead;
    ResourceType type = ResourceType::kTopic;
    std::string_view name;
};

/// What holds beside the rules.
/// Threading: immutable.
struct Policy {
    std::set<std::string, std::less<>> super_users;  ///< "User:admin".
    bool allows_without_rules = false;               ///< allow.everyone.if.no.acl.found.
};

/// Rules are found by a hash of principal and resource, so their number does not matter: an answer
/// takes a few look-ups, and one more for each length that a prefix of the resource type has.
///
/// Threading: not synchronised; one shard's own.
/// Memory:    about 400 bytes a rule.
class AclTable {
  public:
    AclTable() = default;
    AclTable(AclTable&&) = default;
    AclTable& operator=(AclTable&&) = default;
    AclTable(const AclTable&) = delete;
    AclTable& operator=(const AclTable&) = delete;
    ~AclTable() = default;
    [[nodiscard]] AclTable clone() const;

    /// False when it is there already.
    bool insert(const Acl& acl);
    /// False when it is not there.
    bool erase(const Acl& acl);

    [[nodiscard]] bool contains(const Acl& acl) const { return all_.contains(acl); }
    /// By resource, then principal.
    [[nodiscard]] const std::set<Acl>& all() const noexcept { return all_; }
    [[nodiscard]] std::vector<Acl> matching(const AclFilter& filter) const;

    [[nodiscard]] bool allows(const Policy& policy, const Access& access) const;
    /// Whether `operation` is allowed on one resource of `type` at least; `name` is not looked at.
    [[nodiscard]] bool allows_any(const Policy& policy, const Access& access) const;

    /// Grows with each change: what was decided before may be different now.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  private:
    struct Key {
        ResourceType type;
        PatternType pattern;
        std::string name;
        std::string principal;
    };
    struct KeyView {
        ResourceType type;
        PatternType pattern;
        std::string_view name;
        std::string_view principal;
    };
    struct KeyHash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const noexcept;
        std::size_t operator()(const KeyView& key) const noexcept;
    };
    struct KeyEqual {
        using is_transparent = void;
        bool operator()(const auto& a, const auto& b) const noexcept {
            return a.type == b.type && a.pattern == b.pattern && a.name == b.name &&
                   a.principal == b.principal;
        }
    };
    /// What is left of a rule once its key is known.
    struct Entry {
        std::string host;
        Operation operation;
        Permission permission;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    /// What the rules looked at so far say.
    struct Found {
        bool denies = false;
        bool allows = false;
        bool speaks_of_resource = false;
    };
    static constexpr std::size_t kTypes = 8;

    void look_at(const KeyView& key, const Access& access, Found& found) const;
    void look_at_pattern(PatternType pattern, std::string_view name, const Access& access,
                         Found& found) const;
    [[nodiscard]] Found find(const Access& access) const;

    std::set<Acl> all_;
    std::unordered_map<Key, std::vector<Entry>, KeyHash, KeyEqual> entries_;
    /// Number of rules for a pattern, whoever they are for: keys without principal.
    std::unordered_map<Key, std::size_t, KeyHash, KeyEqual> resources_;
    /// Number of rules with a prefix of this length, by resource type.
    std::array<std::map<std::size_t, std::size_t>, kTypes> prefix_lengths_;
    std::map<std::string, std::set<const Acl*>, std::less<>> by_principal_;
    std::uint64_t version_ = 0;
};

}  // namespace leat::auth
