// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/configs.h"

#include <algorithm>
#include <vector>

#include "broker/access.h"
#include "broker/admin/configs.h"
#include "broker/handlers/admin_change.h"
#include "broker/limit_hosts.h"

namespace leat::broker {
namespace {

using metadata::ResourceType;

/// kNone, or what one hears who may not do `operation` to the settings of this resource.
Errc refusal(Request& request, auth::Operation operation, std::int8_t type, std::string_view name) {
    switch (static_cast<ResourceType>(type)) {
        case ResourceType::kTopic:
            return may_topic(request, operation, name) ? Errc::kNone
                                                       : Errc::kTopicAuthorizationFailed;
        case ResourceType::kGroup:
            return may_group(request, operation, name) ? Errc::kNone
                                                       : Errc::kGroupAuthorizationFailed;
        case ResourceType::kBroker:
        case ResourceType::kBrokerLogger:
        case ResourceType::kClientMetrics:
            return may_cluster(request, operation) ? Errc::kNone
                                                   : Errc::kClusterAuthorizationFailed;
    }
    return Errc::kNone;  // The answer says that there is no such type.
}

/// The resources of a request, those that the sender may touch apart from the others.
template <class Resource>
struct Sorted {
    std::vector<Resource> allowed;
    std::vector<Resource> denied;
    std::vector<Errc> errors;  ///< Of the denied ones.
    std::vector<std::string_view> texts;

    Sorted(Request& request, auth::Operation operation, std::span<const Resource> resources) {
        for (const Resource& resource : resources) {
            const Errc error =
                refusal(request, operation, resource.resource_type, resource.resource_name);
            if (error == Errc::kNone) {
                allowed.push_back(resource);
                continue;
            }
            refuse(resource, error, kNotAuthorized);
        }
    }
    void refuse(const Resource& resource, Errc error, std::string_view text) {
        denied.push_back(resource);
        errors.push_back(error);
        texts.push_back(text);
    }
    /// The answers with one more for each that is denied.
    template <class Told>
    [[nodiscard]] std::span<Told> with_denied(std::span<Told> told, Arena& arena) const {
        if (denied.empty()) return told;
        const auto all = arena.array<Told>(told.size() + denied.size());
        std::ranges::copy(told, all.begin());
        for (std::size_t i = 0; i < denied.size(); ++i) {
            Told& one = all[told.size() + i];
            one.resource_type = denied[i].resource_type;
            one.resource_name = denied[i].resource_name;
            one.error_code = wire_code(errors[i]);
            one.error_message = texts[i];
        }
        return all;
    }
};

/// The names of hosts in the limits by address that a resource sets.
template <class Resource>
HostNames hosts_of(const Resource& resource) {
    HostNames out;
    if (static_cast<ResourceType>(resource.resource_type) != ResourceType::kBroker) return out;
    for (const auto& one : resource.configs)
        if (one.name == "max.connections.per.ip.overrides" && one.value)
            out.merge(names_in_overrides(*one.value));
    return out;
}

/// Takes out of `sorted` what limits a host that is not there: it would hold for nobody.
template <class Resource>
rt::Task<void> refuse_unknown_hosts(Request* request, Sorted<Resource>* sorted) {
    HostNames names;
    for (const Resource& resource : sorted->allowed) names.merge(hosts_of(resource));
    const HostNames unknown = co_await unknown_hosts(request, std::move(names));
    if (unknown.empty()) co_return;
    std::erase_if(sorted->allowed, [&](const Resource& resource) {
        const HostNames own = hosts_of(resource);
        const auto bad =
            std::ranges::find_if(own, [&](const auto& name) { return unknown.contains(name); });
        if (bad == own.end()) return false;
        sorted->refuse(resource, Errc::kInvalidRequest,
                       request->arena.copy("max.connections.per.ip.overrides: " + *bad +
                                           " is no address and no host that can be found"));
        return true;
    });
}

}  // namespace

wire::DescribeConfigsResponse handle_describe_configs(Request& request,
                                                      const wire::DescribeConfigsRequest& message) {
    Sorted<wire::DescribeConfigsRequest::DescribeConfigsResource> sorted{
        request, auth::Operation::kDescribeConfigs, message.resources};
    wire::DescribeConfigsRequest allowed = message;
    allowed.resources = sorted.allowed;
    wire::DescribeConfigsResponse out = admin::describe_configs(
        allowed, request.shard->image(), request.arena, request.arena_bytes_max);
    out.results = sorted.with_denied(out.results, request.arena);
    for (const auto& result : out.results) count_error(request, result.error_code);
    return out;
}

wire::ListConfigResourcesResponse handle_list_config_resources(
    Request& request, const wire::ListConfigResourcesRequest& message) {
    if (!may_cluster(request, auth::Operation::kDescribeConfigs)) {
        wire::ListConfigResourcesResponse refused;
        refused.error_code = wire_code(Errc::kClusterAuthorizationFailed);
        return refused;
    }
    return admin::list_config_resources(message, request.version(), request.shard->image(),
                                        request.arena);
}

rt::Task<wire::AlterConfigsResponse> handle_alter_configs(
    Request* request, const wire::AlterConfigsRequest* message) {
    Sorted<wire::AlterConfigsRequest::AlterConfigsResource> sorted{
        *request, auth::Operation::kAlterConfigs, message->resources};
    co_await refuse_unknown_hosts(request, &sorted);
    wire::AlterConfigsRequest allowed = *message;
    allowed.resources = sorted.allowed;
    const auto make = [request, &allowed](metadata::Controller& controller) {
        return admin::alter_configs(allowed, controller, request->arena);
    };
    wire::AlterConfigsResponse out =
        co_await change_metadata(request, &wire::AlterConfigsResponse::responses, make);
    out.responses = sorted.with_denied(out.responses, request->arena);
    co_return out;
}

rt::Task<wire::IncrementalAlterConfigsResponse> handle_incremental_alter_configs(
    Request* request, const wire::IncrementalAlterConfigsRequest* message) {
    Sorted<wire::IncrementalAlterConfigsRequest::AlterConfigsResource> sorted{
        *request, auth::Operation::kAlterConfigs, message->resources};
    co_await refuse_unknown_hosts(request, &sorted);
    wire::IncrementalAlterConfigsRequest allowed = *message;
    allowed.resources = sorted.allowed;
    const auto make = [request, &allowed](metadata::Controller& controller) {
        return admin::incremental_alter_configs(allowed, controller, request->arena);
    };
    wire::IncrementalAlterConfigsResponse out =
        co_await change_metadata(request, &wire::IncrementalAlterConfigsResponse::responses, make);
    out.responses = sorted.with_denied(out.responses, request->arena);
    co_return out;
}

}  // namespace leat::broker
