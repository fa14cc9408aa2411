// SPDX-License-Identifier: Apache-2.0
#include "client/admin_rights.h"

#include "client/request_parts.h"
#include "wire/messages/alter_client_quotas_request.h"
#include "wire/messages/alter_client_quotas_response.h"
#include "wire/messages/create_acls_request.h"
#include "wire/messages/create_acls_response.h"
#include "wire/messages/delete_acls_request.h"
#include "wire/messages/delete_acls_response.h"
#include "wire/messages/describe_acls_request.h"
#include "wire/messages/describe_acls_response.h"
#include "wire/messages/describe_client_quotas_request.h"
#include "wire/messages/describe_client_quotas_response.h"

namespace leat::client {
namespace {

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    return std::string_view{*text};
}

template <class Filter>
void fill(Filter& to, const auth::AclFilter& from) {
    to.resource_type_filter = static_cast<std::int8_t>(from.type);
    to.resource_name_filter = view_of(from.name);
    to.pattern_type_filter = static_cast<std::int8_t>(from.pattern);
    to.principal_filter = view_of(from.principal);
    to.host_filter = view_of(from.host);
    to.operation = static_cast<std::int8_t>(from.operation);
    to.permission_type = static_cast<std::int8_t>(from.permission);
}

/// `resource` has type, name and pattern, `rule` the rest; they are the same in two messages.
template <class Resource, class Rule>
auth::Acl acl_of(const Resource& resource, const Rule& rule) {
    return {.type = static_cast<auth::ResourceType>(resource.resource_type),
            .name = std::string{resource.resource_name},
            .pattern = static_cast<auth::PatternType>(resource.pattern_type),
            .principal = std::string{rule.principal},
            .host = std::string{rule.host},
            .operation = static_cast<auth::Operation>(rule.operation),
            .permission = static_cast<auth::Permission>(rule.permission_type)};
}

Error error_of(std::int16_t code, std::optional<std::string_view> message) {
    return Error{errc_from_wire(code), text_or_empty(message)};
}

}  // namespace

Result<std::vector<auth::Acl>> list_acls(Admin& admin, const auth::AclFilter& filter) {
    wire::DescribeAclsRequest request;
    fill(request, filter);
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::DescribeAclsResponse>(
                 Target::any(), request,
                 [](const wire::DescribeAclsResponse& m) { return m.error_code; }));
    if (answer.message.error_code != 0)
        return error_of(answer.message.error_code, answer.message.error_message);
    std::vector<auth::Acl> out;
    for (const auto& resource : answer.message.resources)
        for (const auto& rule : resource.acls) out.push_back(acl_of(resource, rule));
    return out;
}

Result<std::vector<Outcome>> create_acls(Admin& admin, std::span<const auth::Acl> acls) {
    std::vector<wire::CreateAclsRequest::AclCreation> creations;
    creations.reserve(acls.size());
    for (const auth::Acl& acl : acls)
        creations.push_back({.resource_type = static_cast<std::int8_t>(acl.type),
                             .resource_name = acl.name,
                             .resource_pattern_type = static_cast<std::int8_t>(acl.pattern),
                             .principal = acl.principal,
                             .host = acl.host,
                             .operation = static_cast<std::int8_t>(acl.operation),
                             .permission_type = static_cast<std::int8_t>(acl.permission)});
    wire::CreateAclsRequest request;
    request.creations = creations;
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::CreateAclsResponse>(
                 Target::controller(), request,
                 [](const wire::CreateAclsResponse& m) { return first_retriable(m.results); }));
    const auto& results = answer.message.results;
    if (results.size() != acls.size()) return no_result("the access rules");
    std::vector<Outcome> out;
    out.reserve(results.size());
    for (std::size_t i = 0; i < results.size(); ++i)
        out.push_back(outcome_of(acls[i].name, results[i].error_code, results[i].error_message));
    return out;
}

Result<std::vector<auth::Acl>> delete_acls(Admin& admin, std::span<const auth::AclFilter> filters) {
    std::vector<wire::DeleteAclsRequest::DeleteAclsFilter> wanted(filters.size());
    for (std::size_t i = 0; i < filters.size(); ++i) fill(wanted[i], filters[i]);
    wire::DeleteAclsRequest request;
    request.filters = wanted;
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::DeleteAclsResponse>(
                 Target::controller(), request, [](const wire::DeleteAclsResponse& m) {
                     return first_retriable(m.filter_results);
                 }));
    std::vector<auth::Acl> out;
    for (const auto& result : answer.message.filter_results) {
        if (result.error_code != 0) return error_of(result.error_code, result.error_message);
        for (const auto& acl : result.matching_acls) out.push_back(acl_of(acl, acl));
    }
    return out;
}

Result<std::vector<QuotaEntry>> list_quotas(Admin& admin, const auth::QuotaEntity& entity) {
    using Component = wire::DescribeClientQuotasRequest::ComponentData;
    std::vector<Component> components;
    components.reserve(entity.size());
    for (const auto& [type, name] : entity)
        components.push_back({.entity_type = type,
                              .match_type = static_cast<std::int8_t>(name ? 0 : 1),
                              .match = view_of(name)});
    wire::DescribeClientQuotasRequest request;
    request.components = components;
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::DescribeClientQuotasResponse>(
                 Target::any(), request,
                 [](const wire::DescribeClientQuotasResponse& m) { return m.error_code; }));
    if (answer.message.error_code != 0)
        return error_of(answer.message.error_code, answer.message.error_message);
    std::vector<QuotaEntry> out;
    if (!answer.message.entries) return out;
    for (const auto& entry : *answer.message.entries) {
        QuotaEntry& told = out.emplace_back();
        for (const auto& part : entry.entity)
            told.entity.emplace(
                std::string{part.entity_type},
                part.entity_name ? std::optional{std::string{*part.entity_name}} : std::nullopt);
        for (const auto& value : entry.values) told.values.emplace(value.key, value.value);
    }
    return out;
}

Result<Outcome> alter_quotas(Admin& admin, const auth::QuotaEntity& entity,
                             std::span<const QuotaChange> changes, bool validate_only) {
    using Entry = wire::AlterClientQuotasRequest::EntryData;
    std::vector<wire::AlterClientQuotasRequest::EntityData> parts;
    parts.reserve(entity.size());
    for (const auto& [type, name] : entity)
        parts.push_back({.entity_type = type, .entity_name = view_of(name)});
    std::vector<wire::AlterClientQuotasRequest::OpData> ops;
    ops.reserve(changes.size());
    for (const QuotaChange& change : changes)
        ops.push_back({.key = change.name,
                       .value = change.value.value_or(0),
                       .remove = !change.value.has_value()});
    std::vector<Entry> entries{{.entity = parts, .ops = ops}};
    wire::AlterClientQuotasRequest request;
    request.entries = entries;
    request.validate_only = validate_only;
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::AlterClientQuotasResponse>(
                 Target::controller(), request, [](const wire::AlterClientQuotasResponse& m) {
                     return first_retriable(m.entries);
                 }));
    if (answer.message.entries.size() != 1) return no_result("the quotas");
    const auto& told = answer.message.entries[0];
    return outcome_of(auth::text_of(entity), told.error_code, told.error_message);
}

}  // namespace leat::client
