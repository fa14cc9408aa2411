// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/acls.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace leat::broker::admin {
namespace {

using Described = wire::DescribeAclsResponse::DescribeAclsResource;
using Rule = wire::DescribeAclsResponse::AclDescription;
using Deleted = wire::DeleteAclsResponse::DeleteAclsMatchingAcl;

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
    if (!text) return std::nullopt;
    return std::string{*text};
}

template <class Filter>
auth::AclFilter filter_of(const Filter& from) {
    return {.type = static_cast<auth::ResourceType>(from.resource_type_filter),
            .name = owned(from.resource_name_filter),
            .pattern = static_cast<auth::PatternType>(from.pattern_type_filter),
            .principal = owned(from.principal_filter),
            .host = owned(from.host_filter),
            .operation = static_cast<auth::Operation>(from.operation),
            .permission = static_cast<auth::Permission>(from.permission_type)};
}

Rule told(const auth::Acl& acl, Arena& arena) {
    return {.principal = arena.copy(std::string_view{acl.principal}),
            .host = arena.copy(std::string_view{acl.host}),
            .operation = static_cast<std::int8_t>(acl.operation),
            .permission_type = static_cast<std::int8_t>(acl.permission)};
}

Deleted deleted(const auth::Acl& acl, Arena& arena) {
    Deleted out;
    out.error_message.reset();
    out.resource_type = static_cast<std::int8_t>(acl.type);
    out.resource_name = arena.copy(std::string_view{acl.name});
    out.pattern_type = static_cast<std::int8_t>(acl.pattern);
    out.principal = arena.copy(std::string_view{acl.principal});
    out.host = arena.copy(std::string_view{acl.host});
    out.operation = static_cast<std::int8_t>(acl.operation);
    out.permission_type = static_cast<std::int8_t>(acl.permission);
    return out;
}

/// What a client says that itself knows no better. Other numbers that stand for nothing match none,
/// as in Kafka.
bool has_unknown(const auth::AclFilter& filter) {
    return filter.type == auth::ResourceType::kUnknown ||
           filter.pattern == auth::PatternType::kUnknown ||
           filter.operation == auth::Operation::kUnknown ||
           filter.permission == auth::Permission::kUnknown;
}

bool is_same_resource(const auth::Acl& a, const auth::Acl& b) {
    return a.type == b.type && a.name == b.name && a.pattern == b.pattern;
}

}  // namespace

wire::DescribeAclsResponse describe_acls(const wire::DescribeAclsRequest& request,
                                         const metadata::Image& image, Arena& arena) {
    wire::DescribeAclsResponse response;
    const auth::AclFilter filter = filter_of(request);
    if (has_unknown(filter)) {
        response.error_code = code(Errc::kInvalidRequest);
        response.error_message = message(auth::filter_error(filter), arena);
        return response;
    }
    // Rules of one resource stand together.
    const std::vector<auth::Acl> found = image.acls().matching(filter);
    std::vector<Described> resources;
    for (auto first = found.begin(); first != found.end();) {
        const auto last = std::find_if_not(first, found.end(), [&first](const auth::Acl& acl) {
            return is_same_resource(*first, acl);
        });
        Described& resource = resources.emplace_back();
        resource.resource_type = static_cast<std::int8_t>(first->type);
        resource.resource_name = arena.copy(std::string_view{first->name});
        resource.pattern_type = static_cast<std::int8_t>(first->pattern);
        resource.acls = arena.array<Rule>(static_cast<std::size_t>(last - first));
        std::transform(first, last, resource.acls.begin(),
                       [&arena](const auth::Acl& acl) { return told(acl, arena); });
        first = last;
    }
    response.resources = arena.array<Described>(resources.size());
    std::ranges::copy(resources, response.resources.begin());
    return response;
}

Change<wire::CreateAclsResponse> create_acls(const wire::CreateAclsRequest& request,
                                             metadata::Controller& controller, Arena& arena) {
    std::vector<auth::Acl> acls;
    acls.reserve(request.creations.size());
    for (const auto& from : request.creations)
        acls.push_back({.type = static_cast<auth::ResourceType>(from.resource_type),
                        .name = std::string{from.resource_name},
                        .pattern = static_cast<auth::PatternType>(from.resource_pattern_type),
                        .principal = std::string{from.principal},
                        .host = std::string{from.host},
                        .operation = static_cast<auth::Operation>(from.operation),
                        .permission = static_cast<auth::Permission>(from.permission_type)});
    Change<wire::CreateAclsResponse> change;
    const std::vector<metadata::Outcome> outcomes = controller.create_acls(acls, change.deltas);
    change.response.results =
        arena.array<wire::CreateAclsResponse::AclCreationResult>(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].error == Errc::kNone) continue;  // With the text "", as in Kafka.
        change.response.results[i].error_code = code(outcomes[i].error);
        change.response.results[i].error_message = message(outcomes[i].message, arena);
    }
    return change;
}

Change<wire::DeleteAclsResponse> delete_acls(const wire::DeleteAclsRequest& request,
                                             metadata::Controller& controller, Arena& arena) {
    Change<wire::DeleteAclsResponse> change;
    auto& results = change.response.filter_results;
    results = arena.array<wire::DeleteAclsResponse::DeleteAclsFilterResult>(request.filters.size());
    std::vector<auth::AclFilter> filters;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < results.size(); ++i) {
        auth::AclFilter filter = filter_of(request.filters[i]);
        const std::string why = auth::filter_error(filter);
        results[i].error_code = code(why.empty() ? Errc::kNone : Errc::kInvalidRequest);
        results[i].error_message = message(why, arena);
        if (!why.empty()) continue;
        filters.push_back(std::move(filter));
        places.push_back(i);
    }
    const auto matched = controller.delete_acls(filters, change.deltas);
    for (std::size_t i = 0; i < matched.size(); ++i) {
        auto& result = results[places[i]];
        result.matching_acls = arena.array<Deleted>(matched[i].size());
        std::ranges::transform(matched[i], result.matching_acls.begin(),
                               [&arena](const auth::Acl& acl) { return deleted(acl, arena); });
    }
    return change;
}

wire::CreateAclsResponse refuse(const wire::CreateAclsRequest& request, Errc error,
                                std::string_view text, Arena& arena) {
    wire::CreateAclsResponse response;
    response.results =
        arena.array<wire::CreateAclsResponse::AclCreationResult>(request.creations.size());
    for (auto& result : response.results) {
        result.error_code = code(error);
        result.error_message = text;
    }
    return response;
}

wire::DeleteAclsResponse refuse(const wire::DeleteAclsRequest& request, Errc error,
                                std::string_view text, Arena& arena) {
    wire::DeleteAclsResponse response;
    response.filter_results =
        arena.array<wire::DeleteAclsResponse::DeleteAclsFilterResult>(request.filters.size());
    for (auto& result : response.filter_results) {
        result.error_code = code(error);
        result.error_message = text;
    }
    return response;
}

}  // namespace leat::broker::admin
