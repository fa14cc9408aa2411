// SPDX-License-Identifier: Apache-2.0
//
// The one question each handler asks before it does something: may the sender of this request?
// Layer: broker (L6).
// Spec:  docs/reference/rights.md, printed from api_rights.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/acl.h"
#include "broker/broker.h"
#include "broker/request.h"

namespace leat::broker {

// All run on the connection's shard and look at its rules of now. What a handler asks for is
// declared in api_rights.cc: asking for something else is a programmer error.

/// What one is told who may not.
inline constexpr std::string_view kNotAuthorized = "Request is not authorized.";

namespace detail {
bool may(Request& request, auth::Operation operation, auth::ResourceType type,
         std::string_view name, bool is_filter);
}  // namespace detail

/// True when the sender may do `operation`; a denial goes into the audit log.
[[nodiscard]] inline bool may(Request& request, auth::Operation operation, auth::ResourceType type,
                              std::string_view name) {
    return request.shard->broker().policy() == nullptr ||
           detail::may(request, operation, type, name, false);
}

/// The same where a denial only makes an answer shorter: it is no attempt to be told of.
[[nodiscard]] inline bool may_see(Request& request, auth::Operation operation,
                                  auth::ResourceType type, std::string_view name) {
    return request.shard->broker().policy() == nullptr ||
           detail::may(request, operation, type, name, true);
}

[[nodiscard]] inline bool may_topic(Request& request, auth::Operation operation,
                                    std::string_view topic) {
    return may(request, operation, auth::ResourceType::kTopic, topic);
}
[[nodiscard]] inline bool may_group(Request& request, auth::Operation operation,
                                    std::string_view group) {
    return may(request, operation, auth::ResourceType::kGroup, group);
}
[[nodiscard]] inline bool may_cluster(Request& request, auth::Operation operation) {
    return may(request, operation, auth::ResourceType::kCluster, auth::kClusterName);
}

/// True when the sender may do `operation` on one resource of `type` at least.
[[nodiscard]] bool may_any(Request& request, auth::Operation operation, auth::ResourceType type);

/// The operations that the sender may do, as bits: the authorized_operations of answers.
[[nodiscard]] std::int32_t authorized_operations(Request& request, auth::ResourceType type,
                                                 std::string_view name);

}  // namespace leat::broker
