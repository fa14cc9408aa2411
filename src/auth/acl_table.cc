// SPDX-License-Identifier: Apache-2.0
#include "auth/acl_table.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "auth/address.h"
#include "base/check.h"

namespace leat::auth {
namespace {

std::size_t mixed(std::size_t a, std::size_t b) {
    return (a ^ b) * 0x9E3779B97F4A7C15ULL;
}

/// As peers' addresses are spelt. Kafka compares with Java's long form of IPv6, so rules that come
/// from there have that one.
std::string spelt(const std::string& rule_host) {
    if (!rule_host.contains(':')) return rule_host;
    return canonical_address(rule_host).value_or(rule_host);
}

/// Both are spelt so.
bool applies(std::string_view rule_host, std::string_view host) {
    return rule_host == kWildcard || rule_host == host;
}

/// The patterns of one principal's rules for a type and operation, told apart by what they do.
struct Patterns {
    std::set<std::string_view> denied_names;
    std::set<std::string_view> denied_prefixes;
    std::vector<const Acl*> allowed;
    bool denies_all = false;
    bool allows_all = false;

    void add(const Acl& acl) {
        const bool is_all = acl.pattern == PatternType::kLiteral && acl.name == kWildcard;
        if (acl.permission == Permission::kAllow) {
            if (is_all)
                allows_all = true;
            else
                allowed.push_back(&acl);
        } else if (is_all) {
            denies_all = true;
        } else {
            auto& denied = acl.pattern == PatternType::kLiteral ? denied_names : denied_prefixes;
            denied.insert(acl.name);
        }
    }
    /// Whether nothing that `acl` allows is left.
    [[nodiscard]] bool is_denied(const Acl& acl) const {
        if (acl.pattern == PatternType::kLiteral && denied_names.contains(acl.name)) return true;
        for (std::size_t length = 1; length <= acl.name.size(); ++length)
            if (denied_prefixes.contains(std::string_view{acl.name}.substr(0, length))) return true;
        return false;
    }
};

}  // namespace

std::size_t AclTable::KeyHash::operator()(const KeyView& key) const noexcept {
    const std::hash<std::string_view> hash;
    const auto kind =
        static_cast<std::size_t>(key.type) * 8 + static_cast<std::size_t>(key.pattern);
    return mixed(mixed(hash(key.name), hash(key.principal) + 1), kind);
}

std::size_t AclTable::KeyHash::operator()(const Key& key) const noexcept {
    return (*this)(KeyView{key.type, key.pattern, key.name, key.principal});
}

AclTable AclTable::clone() const {
    AclTable copy;
    for (const Acl& acl : all_) copy.insert(acl);
    copy.version_ = version_;
    return copy;
}

bool AclTable::insert(const Acl& acl) {
    const auto [place, is_new] = all_.insert(acl);
    if (!is_new) return false;
    ++version_;
    LEAT_CHECK(static_cast<std::size_t>(acl.type) < kTypes);
    entries_[Key{acl.type, acl.pattern, acl.name, acl.principal}].push_back(
        {spelt(acl.host), acl.operation, acl.permission});
    ++resources_[Key{acl.type, acl.pattern, acl.name, {}}];
    if (acl.pattern == PatternType::kPrefixed)
        ++prefix_lengths_[static_cast<std::size_t>(acl.type)][acl.name.size()];
    by_principal_[acl.principal].insert(&*place);
    return true;
}

bool AclTable::erase(const Acl& acl) {
    const auto place = all_.find(acl);
    if (place == all_.end()) return false;
    ++version_;
    const auto rules = entries_.find(KeyView{acl.type, acl.pattern, acl.name, acl.principal});
    // One: another spelling of its host may be a rule of its own.
    rules->second.erase(
        std::ranges::find(rules->second, Entry{spelt(acl.host), acl.operation, acl.permission}));
    if (rules->second.empty()) entries_.erase(rules);
    const auto resource = resources_.find(KeyView{acl.type, acl.pattern, acl.name, {}});
    if (--resource->second == 0) resources_.erase(resource);
    if (acl.pattern == PatternType::kPrefixed) {
        auto& lengths = prefix_lengths_[static_cast<std::size_t>(acl.type)];
        const auto length = lengths.find(acl.name.size());
        if (--length->second == 0) lengths.erase(length);
    }
    const auto own = by_principal_.find(acl.principal);
    own->second.erase(&*place);
    if (own->second.empty()) by_principal_.erase(own);
    all_.erase(place);
    return true;
}

std::vector<Acl> AclTable::matching(const AclFilter& filter) const {
    std::vector<Acl> out;
    std::ranges::copy_if(all_, std::back_inserter(out),
                         [&filter](const Acl& acl) { return filter.matches(acl); });
    return out;
}

void AclTable::look_at(const KeyView& key, const Access& access, Found& found) const {
    const auto rules = entries_.find(key);
    if (rules == entries_.end()) return;
    for (const Entry& entry : rules->second) {
        if (!applies(entry.host, access.host)) continue;
        if (entry.permission == Permission::kAllow) {
            found.allows = found.allows || implies(entry.operation, access.operation);
        } else if (entry.operation == Operation::kAll || entry.operation == access.operation) {
            found.denies = true;
        }
    }
}

void AclTable::look_at_pattern(PatternType pattern, std::string_view name, const Access& access,
                               Found& found) const {
    if (!resources_.contains(KeyView{access.type, pattern, name, {}})) return;
    found.speaks_of_resource = true;
    look_at({access.type, pattern, name, access.principal}, access, found);
    look_at({access.type, pattern, name, kAnyUser}, access, found);
}

AclTable::Found AclTable::find(const Access& access) const {
    Found found;
    look_at_pattern(PatternType::kLiteral, access.name, access, found);
    look_at_pattern(PatternType::kLiteral, kWildcard, access, found);
    for (const auto& [length, count] : prefix_lengths_[static_cast<std::size_t>(access.type)]) {
        if (length > access.name.size()) break;
        look_at_pattern(PatternType::kPrefixed, access.name.substr(0, length), access, found);
    }
    return found;
}

bool AclTable::allows(const Policy& policy, const Access& access) const {
    if (policy.super_users.contains(access.principal)) return true;
    const Found found = find(access);
    if (found.denies) return false;
    if (found.allows) return true;
    return !found.speaks_of_resource && policy.allows_without_rules;
}

bool AclTable::allows_any(const Policy& policy, const Access& access) const {
    Access made_up = access;
    made_up.name = "hardcode";  // As in Kafka: whoever may do all may do this.
    if (allows(policy, made_up)) return true;
    Patterns patterns;
    for (const std::string_view principal : {access.principal, kAnyUser}) {
        const auto own = by_principal_.find(principal);
        if (own == by_principal_.end()) continue;
        for (const Acl* acl : own->second)
            if (acl->type == access.type && applies(spelt(acl->host), access.host) &&
                (acl->operation == access.operation || acl->operation == Operation::kAll))
                patterns.add(*acl);
    }
    if (patterns.denies_all) return false;
    if (patterns.allows_all) return true;
    return std::ranges::any_of(patterns.allowed,
                               [&](const Acl* acl) { return !patterns.is_denied(*acl); });
}

}  // namespace leat::auth
