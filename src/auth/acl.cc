// SPDX-License-Identifier: Apache-2.0
#include "auth/acl.h"

#include <array>
#include <cstddef>

namespace leat::auth {
namespace {

constexpr std::size_t kNameMax = 32'767;

constexpr std::array<std::string_view, 8> kResourceNames{
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::array<std::string_view, 5> kPatternNames{"UNKNOWN", "ANY", "MATCH", "LITERAL",
                                                        "PREFIXED"};
constexpr std::array<std::string_view, 16> kOperationNames{"UNKNOWN",
                                                           "ANY",
                                                           "ALL",
                                                           "READ",
                                                           "WRITE",
                                                           "CREATE",
                                                           "DELETE",
                                                           "ALTER",
                                                           "DESCRIBE",
                                                           "CLUSTER_ACTION",
                                                           "DESCRIBE_CONFIGS",
                                                           "ALTER_CONFIGS",
                                                           "IDEMPOTENT_WRITE",
                                                           "CREATE_TOKENS",
                                                           "DESCRIBE_TOKENS",
                                                           "TWO_PHASE_COMMIT"};
constexpr std::array<std::string_view, 4> kPermissionNames{"UNKNOWN", "ANY", "DENY", "ALLOW"};

template <std::size_t N, class E>
std::string_view name_in(const std::array<std::string_view, N>& names, E value) {
    const auto at = static_cast<std::size_t>(static_cast<std::uint8_t>(value));
    return at < N ? names[at] : names[0];
}

template <class E>
bool is_one_of(E value, E first, E last) {
    return value >= first && value <= last;
}

bool name_matches(const AclFilter& filter, const Acl& acl) {
    const bool any_pattern =
        filter.pattern == PatternType::kAny || filter.pattern == PatternType::kMatch;
    if (!any_pattern && filter.pattern != acl.pattern) return false;
    if (!filter.name) return true;
    if (*filter.name == acl.name) return true;
    if (filter.pattern != PatternType::kMatch) return false;
    if (acl.pattern == PatternType::kLiteral) return acl.name == kWildcard;
    return std::string_view{*filter.name}.starts_with(acl.name);
}

constexpr std::int32_t bits(std::initializer_list<Operation> operations) {
    std::int32_t out = 0;
    for (const Operation operation : operations) out |= 1 << static_cast<int>(operation);
    return out;
}

}  // namespace

bool AclFilter::matches(const Acl& acl) const {
    if (type != ResourceType::kAny && type != acl.type) return false;
    if (!name_matches(*this, acl)) return false;
    if (principal && *principal != acl.principal) return false;
    if (host && *host != acl.host) return false;
    if (operation != Operation::kAny && operation != acl.operation) return false;
    return permission == Permission::kAny || permission == acl.permission;
}

std::string acl_error(const Acl& acl) {
    if (acl.type == ResourceType::kCluster && acl.name != kClusterName)
        return "The only valid name for the CLUSTER resource is " + std::string{kClusterName};
    if (acl.name.empty()) return "Invalid empty resource name";
    if (!is_one_of(acl.pattern, PatternType::kLiteral, PatternType::kPrefixed))
        return "Invalid patternType " + std::string{name_of(acl.pattern)};
    if (!is_one_of(acl.type, ResourceType::kTopic, ResourceType::kUser))
        return "Invalid resourceType " + std::string{name_of(acl.type)};
    if (!is_one_of(acl.operation, Operation::kAll, Operation::kTwoPhaseCommit))
        return "Invalid operation " + std::string{name_of(acl.operation)};
    if (!is_one_of(acl.permission, Permission::kDeny, Permission::kAllow))
        return "Invalid permissionType " + std::string{name_of(acl.permission)};
    if (acl.principal.find(':') == std::string::npos)
        return "Could not parse principal from `" + acl.principal +
               "` (no colon is present separating the principal type from the principal name)";
    if (acl.name.size() > kNameMax) return "The resource name is too long.";
    return "";
}

std::string filter_error(const AclFilter& filter) {
    if (!is_one_of(filter.type, ResourceType::kAny, ResourceType::kUser) ||
        !is_one_of(filter.pattern, PatternType::kAny, PatternType::kPrefixed))
        return "Unknown patternFilter.";
    if (!is_one_of(filter.operation, Operation::kAny, Operation::kTwoPhaseCommit) ||
        !is_one_of(filter.permission, Permission::kAny, Permission::kAllow))
        return "Unknown entryFilter.";
    return "";
}

std::string_view name_of(ResourceType type) {
    return name_in(kResourceNames, type);
}
std::string_view name_of(PatternType type) {
    return name_in(kPatternNames, type);
}
std::string_view name_of(Operation operation) {
    return name_in(kOperationNames, operation);
}
std::string_view name_of(Permission permission) {
    return name_in(kPermissionNames, permission);
}

bool implies(Operation held, Operation asked) {
    if (held == asked || held == Operation::kAll) return true;
    if (asked == Operation::kDescribe)
        return held == Operation::kRead || held == Operation::kWrite ||
               held == Operation::kDelete || held == Operation::kAlter;
    return asked == Operation::kDescribeConfigs && held == Operation::kAlterConfigs;
}

std::int32_t operations_of(ResourceType type) {
    using enum Operation;
    switch (type) {
        case ResourceType::kTopic:
            return bits({kRead, kWrite, kCreate, kDelete, kAlter, kDescribe, kDescribeConfigs,
                         kAlterConfigs});
        case ResourceType::kGroup:
            return bits({kRead, kDelete, kDescribe, kDescribeConfigs, kAlterConfigs});
        case ResourceType::kCluster:
            return bits({kCreate, kAlter, kDescribe, kClusterAction, kDescribeConfigs,
                         kAlterConfigs, kIdempotentWrite});
        case ResourceType::kTransactionalId:
            return bits({kWrite, kDescribe, kTwoPhaseCommit});
        case ResourceType::kDelegationToken:
            return bits({kDescribe});
        case ResourceType::kUser:
            return bits({kCreateTokens, kDescribeTokens});
        case ResourceType::kUnknown:
        case ResourceType::kAny:
            return 0;
    }
    return 0;
}

}  // namespace leat::auth
