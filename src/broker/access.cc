// SPDX-License-Identifier: Apache-2.0
#include "broker/access.h"

#include "auth/acl_table.h"
#include "base/check.h"
#include "broker/api_rights.h"
#include "broker/apis.h"

namespace leat::broker {
namespace {

auth::Access access_of(const Request& request, auth::Operation operation, auth::ResourceType type,
                       std::string_view name) {
    return {.principal = request.principal().text(),
            .host = request.connection->peer_host,
            .operation = operation,
            .type = type,
            .name = name};
}

void audit(const Request& request, auth::Operation operation, auth::ResourceType type,
           std::string_view name, bool is_allowed) {
    request.shard->broker().audit().record(request.shard->executor(),
                                           {.principal = request.principal().text(),
                                            .mechanism = request.connection->session.mechanism,
                                            .host = request.connection->peer_host,
                                            .client_id = request.client_id(),
                                            .what = request.header.api->name,
                                            .operation = auth::name_of(operation),
                                            .resource = auth::name_of(type),
                                            .name = name,
                                            .detail = {},
                                            .is_allowed = is_allowed});
}

/// Made super by `leat user add --super`: asked for each time, as removing the user ends it.
bool is_made_super(const Request& request) {
    return request.shard->image().credentials().supers().contains(request.principal().text());
}

bool decide(Request& request, auth::Operation operation, auth::ResourceType type,
            std::string_view name) {
    const auth::AclTable& acls = request.shard->image().acls();
    auth::Decisions& decisions = request.connection->decisions;
    // What was decided holds for these rules, these super users and this principal.
    const std::uint64_t rules =
        acls.version() + request.shard->image().credentials().supers_version();
    const std::uint64_t version = rules << 32 | request.connection->session.generation;
    if (const auto known = decisions.get(version, operation, type, name)) return *known;
    LEAT_CHECK(declares(request.api->key, operation, type));
    const bool is_allowed =
        is_made_super(request) ||
        acls.allows(*request.shard->broker().policy(), access_of(request, operation, type, name));
    decisions.put(operation, type, name, is_allowed);
    return is_allowed;
}

}  // namespace

namespace detail {

bool may(Request& request, auth::Operation operation, auth::ResourceType type,
         std::string_view name, bool is_filter) {
    const bool is_allowed = decide(request, operation, type, name);
    if (is_allowed ? request.shard->broker().audit().wants_allowed(operation) : !is_filter)
        audit(request, operation, type, name, is_allowed);
    return is_allowed;
}

}  // namespace detail

bool may_any(Request& request, auth::Operation operation, auth::ResourceType type) {
    const auth::Policy* policy = request.shard->broker().policy();
    if (policy == nullptr) return true;
    LEAT_CHECK(declares(request.api->key, operation, type));
    const bool is_allowed =
        is_made_super(request) ||
        request.shard->image().acls().allows_any(*policy, access_of(request, operation, type, {}));
    if (!is_allowed) audit(request, operation, type, auth::kWildcard, false);
    return is_allowed;
}

std::int32_t authorized_operations(Request& request, auth::ResourceType type,
                                   std::string_view name) {
    const std::int32_t all = auth::operations_of(type);
    const auth::Policy* policy = request.shard->broker().policy();
    if (policy == nullptr || is_made_super(request)) return all;
    const auth::AclTable& acls = request.shard->image().acls();
    std::int32_t allowed = 0;
    for (int operation = 0; operation < 16; ++operation) {
        const std::int32_t bit = 1 << operation;
        if ((all & bit) != 0 &&
            acls.allows(*policy,
                        access_of(request, static_cast<auth::Operation>(operation), type, name)))
            allowed |= bit;
    }
    return allowed;
}

}  // namespace leat::broker
