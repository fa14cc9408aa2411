// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/quotas.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leat::broker::admin {
namespace {

using Described = wire::DescribeClientQuotasResponse;
using Altered = wire::AlterClientQuotasResponse::EntryData;
using Component = wire::DescribeClientQuotasRequest::ComponentData;

/// What a described entity must have: these names, and something of these types.
struct Wanted {
    auth::QuotaEntity names;
    std::set<std::string, std::less<>> types;
    bool strict = false;

    [[nodiscard]] bool matches(const auth::QuotaEntity& entity) const {
        if (strict && entity.size() != names.size() + types.size()) return false;
        const auto has_name = [&entity](const auto& part) {
            const auto found = entity.find(part.first);
            return found != entity.end() && found->second == part.second;
        };
        return std::ranges::all_of(names, has_name) &&
               std::ranges::all_of(types,
                                   [&](const std::string& type) { return entity.contains(type); });
    }
};

constexpr std::int8_t kExact = 0;
constexpr std::int8_t kDefault = 1;
constexpr std::int8_t kAnyName = 2;

Error bad(const std::string& why) {
    return Error{Errc::kInvalidRequest, why};
}

Result<void> add(Wanted& wanted, const Component& component) {
    const std::string type{component.entity_type};
    if (type.empty()) return bad("Invalid empty entity type.");
    if (wanted.names.contains(type) || wanted.types.contains(type))
        return bad("Entity type " + type + " cannot appear more than once in the filter.");
    if (type != auth::kUserEntity && type != auth::kClientEntity && type != auth::kIpEntity)
        return Error{Errc::kUnsupportedVersion, "Unsupported entity type " + type + "."};
    switch (component.match_type) {
        case kExact:
            if (!component.match)
                return bad("Request specified MATCH_TYPE_EXACT, but set match string to null.");
            wanted.names.emplace(type, std::string{*component.match});
            return {};
        case kDefault:
            if (component.match)
                return bad(
                    "Request specified MATCH_TYPE_DEFAULT, but also specified a match "
                    "string.");
            wanted.names.emplace(type, std::nullopt);
            return {};
        case kAnyName:
            if (component.match)
                return bad(
                    "Request specified MATCH_TYPE_SPECIFIED, but also specified a match "
                    "string.");
            wanted.types.insert(type);
            return {};
        default:
            return bad("Unknown match type " + std::to_string(component.match_type));
    }
}

Result<Wanted> wanted_of(const wire::DescribeClientQuotasRequest& request) {
    Wanted wanted;
    wanted.strict = request.strict;
    for (const Component& component : request.components) LEAT_TRY_VOID(add(wanted, component));
    const auto has = [&wanted](std::string_view type) {
        return wanted.names.contains(type) || wanted.types.contains(type);
    };
    if (has(auth::kIpEntity) && (has(auth::kUserEntity) || has(auth::kClientEntity)))
        return bad(
            "Invalid entity filter component combination: IP filter component should not be "
            "used with user or clientId filter component.");
    return wanted;
}

Described::EntryData told(const auth::QuotaEntity& entity, const auth::QuotaValues& values,
                          Arena& arena) {
    Described::EntryData out;
    out.entity = arena.array<Described::EntityData>(entity.size());
    std::ranges::transform(entity, out.entity.begin(), [&arena](const auto& part) {
        Described::EntityData one;
        one.entity_type = arena.copy(std::string_view{part.first});
        one.entity_name.reset();
        if (part.second) one.entity_name = arena.copy(std::string_view{*part.second});
        return one;
    });
    out.values = arena.array<Described::ValueData>(values.size());
    std::ranges::transform(values, out.values.begin(), [&arena](const auto& value) {
        return Described::ValueData{.key = arena.copy(std::string_view{value.first}),
                                    .value = value.second};
    });
    return out;
}

/// The answer's entity is the request's.
void copy_entity(Altered& to, const wire::AlterClientQuotasRequest::EntryData& from, Arena& arena) {
    to.entity = arena.array<wire::AlterClientQuotasResponse::EntityData>(from.entity.size());
    for (std::size_t i = 0; i < to.entity.size(); ++i) {
        to.entity[i].entity_type = from.entity[i].entity_type;
        to.entity[i].entity_name = from.entity[i].entity_name;
    }
}

}  // namespace

wire::DescribeClientQuotasResponse describe_quotas(const wire::DescribeClientQuotasRequest& request,
                                                   const metadata::Image& image, Arena& arena) {
    Described response;
    response.entries.reset();
    const Result<Wanted> wanted = wanted_of(request);
    if (!wanted.has_value()) {
        response.error_code = code(wanted.error().code());
        response.error_message = arena.copy(wanted.error().detail());
        return response;
    }
    std::vector<Described::EntryData> entries;
    for (const auto& [entity, values] : image.quotas().all())
        if (wanted->matches(entity)) entries.push_back(told(entity, values, arena));
    response.entries = arena.array<Described::EntryData>(entries.size());
    std::ranges::copy(entries, response.entries->begin());
    return response;
}

Change<wire::AlterClientQuotasResponse> alter_quotas(
    const wire::AlterClientQuotasRequest& request, metadata::Controller& controller, Arena& arena,
    const std::set<std::string, std::less<>>& unknown_hosts) {
    std::vector<metadata::QuotaChange> changes;
    for (const auto& entry : request.entries) {
        metadata::QuotaChange& change = changes.emplace_back();
        for (const auto& part : entry.entity) {
            std::optional<std::string> name;
            if (part.entity_name) name = std::string{*part.entity_name};
            if (part.entity_type == auth::kIpEntity && name && unknown_hosts.contains(*name))
                change.has_unknown_host = true;
            if (!change.entity.emplace(std::string{part.entity_type}, std::move(name)).second)
                change.has_repeated_type = true;
        }
        for (const auto& op : entry.ops)
            change.values.emplace_back(std::string{op.key},
                                       op.remove ? std::nullopt : std::optional{op.value});
    }
    Change<wire::AlterClientQuotasResponse> change;
    const auto outcomes = controller.alter_quotas(changes, request.validate_only, change.deltas);
    change.response.entries = arena.array<Altered>(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        Altered& entry = change.response.entries[i];
        entry.error_code = code(outcomes[i].error);
        entry.error_message = message(outcomes[i].message, arena);
        copy_entity(entry, request.entries[i], arena);
    }
    return change;
}

wire::AlterClientQuotasResponse refuse(const wire::AlterClientQuotasRequest& request, Errc error,
                                       std::string_view text, Arena& arena) {
    wire::AlterClientQuotasResponse response;
    response.entries = arena.array<Altered>(request.entries.size());
    for (std::size_t i = 0; i < response.entries.size(); ++i) {
        response.entries[i].error_code = code(error);
        response.entries[i].error_message = text;
        copy_entity(response.entries[i], request.entries[i], arena);
    }
    return response;
}

}  // namespace leat::broker::admin
