// SPDX-License-Identifier: Apache-2.0
//
// Access rules, and filters that select some of them. Layer: auth (L2). Pure.
// Spec:  KIP-11, KIP-290 (prefixed patterns); numbers are those of the ACL requests.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::auth {

enum class ResourceType : std::int8_t {
    kUnknown = 0,
    kAny = 1,
    kTopic = 2,
    kGroup = 3,
    kCluster = 4,
    kTransactionalId = 5,
    kDelegationToken = 6,
    kUser = 7,
};

enum class PatternType : std::int8_t {
    kUnknown = 0,
    kAny = 1,
    kMatch = 2,  ///< In filters: all patterns that apply to the name.
    kLiteral = 3,
    kPrefixed = 4,
};

enum class Operation : std::int8_t {
    kUnknown = 0,
    kAny = 1,
    kAll = 2,
    kRead = 3,
    kWrite = 4,
    kCreate = 5,
    kDelete = 6,
    kAlter = 7,
    kDescribe = 8,
    kClusterAction = 9,
    kDescribeConfigs = 10,
    kAlterConfigs = 11,
    kIdempotentWrite = 12,
    kCreateTokens = 13,
    kDescribeTokens = 14,
    kTwoPhaseCommit = 15,
};

enum class Permission : std::int8_t { kUnknown = 0, kAny = 1, kDeny = 2, kAllow = 3 };

inline constexpr std::string_view kWildcard = "*";
inline constexpr std::string_view kAnyUser = "User:*";
/// The one name of ResourceType::kCluster.
inline constexpr std::string_view kClusterName = "kafka-cluster";

/// One rule. Threading: immutable.
struct Acl {
    ResourceType type = ResourceType::kTopic;
    std::string name;
    PatternType pattern = PatternType::kLiteral;
    std::string principal;  ///< "User:alice".
    std::string host;       ///< An address, or "*".
    Operation operation = Operation::kRead;
    Permission permission = Permission::kAllow;

    friend auto operator<=>(const Acl&, const Acl&) = default;
};

/// Selects rules: DescribeAcls and DeleteAcls. nullopt and the kAny values match all.
struct AclFilter {
    ResourceType type = ResourceType::kAny;
    std::optional<std::string> name;
    PatternType pattern = PatternType::kAny;
    std::optional<std::string> principal;
    std::optional<std::string> host;
    Operation operation = Operation::kAny;
    Permission permission = Permission::kAny;

    [[nodiscard]] bool matches(const Acl& acl) const;
};

/// What is wrong with a rule that a client wants to add, in Kafka's words; "" when nothing is.
[[nodiscard]] std::string acl_error(const Acl& acl);
/// The same of a filter.
[[nodiscard]] std::string filter_error(const AclFilter& filter);

// Kafka's names: "TOPIC", "TRANSACTIONAL_ID", "IDEMPOTENT_WRITE", "LITERAL", "ALLOW".
[[nodiscard]] std::string_view name_of(ResourceType type);
[[nodiscard]] std::string_view name_of(PatternType type);
[[nodiscard]] std::string_view name_of(Operation operation);
[[nodiscard]] std::string_view name_of(Permission permission);

/// Whether a rule that allows `held` also allows `asked`: DESCRIBE follows from READ, WRITE, DELETE
/// and ALTER, DESCRIBE_CONFIGS from ALTER_CONFIGS, all from ALL. What is denied implies nothing.
[[nodiscard]] bool implies(Operation held, Operation asked);

/// The operations that a resource of this type has, as bits of their numbers.
[[nodiscard]] std::int32_t operations_of(ResourceType type);

}  // namespace leat::auth
