// SPDX-License-Identifier: Apache-2.0
//
// Changes to access rules, quotas and subscriptions to clients' metrics.
#include <re2/re2.h>

#include <set>

#include "config/resource_config.h"
#include "metadata/controller.h"

namespace leat::metadata {
namespace {

Delta acls_changed(std::vector<auth::Acl> added, std::vector<auth::Acl> removed) {
    return AclsChanged{std::make_shared<const std::vector<auth::Acl>>(std::move(added)),
                       std::make_shared<const std::vector<auth::Acl>>(std::move(removed))};
}

std::string error_of(const QuotaChange& change) {
    if (change.has_repeated_type)
        return "Invalid client quota entity, duplicate entity entry found";
    if (std::string why = auth::entity_error(change.entity); !why.empty()) return why;
    if (change.has_unknown_host)
        return change.entity.at(std::string{auth::kIpEntity}).value_or("") +
               " is not a valid IP or resolvable host.";
    for (const auto& [name, value] : change.values)
        if (std::string why = auth::value_error(change.entity, name, value.value_or(1));
            !why.empty())
            return why;
    return "";
}

/// Of a subscription to metrics: one that does not compile would match nobody, and nobody be told.
Result<void> check_expressions(const config::Values& values) {
    const auto match = values.find("match");
    if (match == values.end()) return {};
    for (const std::string& pattern : config::split_list(match->second)) {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(config::kClientMatchMemory);
        const auto parsed = config::parse_client_match(pattern);
        if (!parsed ||
            !re2::RE2{re2::StringPiece{parsed->expression.data(), parsed->expression.size()},
                      options}
                 .ok())
            return Error{Errc::kInvalidConfig, "Illegal client matching pattern: " + pattern};
    }
    return {};
}

}  // namespace

std::vector<Outcome> Controller::create_acls(std::span<const auth::Acl> acls,
                                             std::vector<Delta>& deltas) {
    std::vector<Outcome> outcomes;
    std::set<auth::Acl> added;
    const auto room = static_cast<std::size_t>(image_.broker().acls_max);
    for (const auth::Acl& acl : acls) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.message = auth::acl_error(acl);
        if (!outcome.message.empty()) {
            outcome.error = Errc::kInvalidRequest;
        } else if (!image_.acls().contains(acl) && !added.contains(acl)) {
            if (image_.acls().all().size() + added.size() < room) {
                added.insert(acl);
                continue;
            }
            outcome.error = Errc::kPolicyViolation;
            outcome.message = "This broker holds at most " + std::to_string(room) +
                              " access rules (leat.acls.max).";
        }
    }
    if (!added.empty()) apply(acls_changed({added.begin(), added.end()}, {}), deltas);
    return outcomes;
}

std::vector<std::vector<auth::Acl>> Controller::delete_acls(
    std::span<const auth::AclFilter> filters, std::vector<Delta>& deltas) {
    std::vector<std::vector<auth::Acl>> matched;
    std::set<auth::Acl> removed;
    for (const auth::AclFilter& filter : filters) {
        matched.push_back(image_.acls().matching(filter));
        removed.insert(matched.back().begin(), matched.back().end());
    }
    if (!removed.empty()) apply(acls_changed({}, {removed.begin(), removed.end()}), deltas);
    return matched;
}

std::vector<Outcome> Controller::alter_quotas(std::span<const QuotaChange> changes,
                                              bool validate_only, std::vector<Delta>& deltas) {
    std::vector<Outcome> outcomes;
    for (const QuotaChange& change : changes) {
        Outcome& outcome = outcomes.emplace_back();
        outcome.message = error_of(change);
        if (!outcome.message.empty()) {
            outcome.error = Errc::kInvalidRequest;
            continue;
        }
        auth::QuotaValues values = image_.quotas().values_of(change.entity);
        const auth::QuotaValues before = values;
        for (const auto& [name, value] : change.values)
            if (value)
                values[name] = *value;
            else
                values.erase(name);
        if (before.empty() && !values.empty() &&
            image_.quotas().all().size() >= static_cast<std::size_t>(image_.broker().quotas_max)) {
            outcome.error = Errc::kPolicyViolation;
            outcome.message = "This broker holds quotas of at most " +
                              std::to_string(image_.broker().quotas_max) +
                              " entities (leat.quotas.max).";
            continue;
        }
        if (!validate_only && values != before)
            apply(QuotasChanged{change.entity, std::move(values)}, deltas);
    }
    return outcomes;
}

Result<Delta> Controller::checked_resource_change(const ConfigChange& change) const {
    const bool is_group = change.type == ResourceType::kGroup;
    if (change.name.empty())
        return Error{Errc::kInvalidRequest, is_group ? "Default group resources are not allowed."
                                                     : "Subscription name can't be empty"};
    const auto& known = is_group ? image_.group_configs() : image_.client_metrics();
    const auto found = known.find(change.name);
    config::Values values;
    if (!change.replace_all && found != known.end()) values = found->second;
    const auto groups_max = static_cast<std::size_t>(image_.broker().groups_max);
    if (is_group && found == known.end() && known.size() >= groups_max)
        return Error{Errc::kPolicyViolation, "This broker holds settings of at most " +
                                                 std::to_string(groups_max) +
                                                 " groups (leat.groups.max)."};
    for (const config::Alteration& alteration : change.alterations)
        LEAT_TRY_VOID(config::alter_resource(values, alteration));
    LEAT_TRY_VOID(is_group ? config::check_group(image_.broker(), values)
                           : config::check_client_metrics(values));
    if (!is_group) LEAT_TRY_VOID(check_expressions(values));
    return Delta{ResourceConfigChanged{change.type, change.name, std::move(values)}};
}

void Controller::set_feature_levels(const std::map<std::string, std::int16_t>& levels,
                                    std::vector<Delta>& deltas) {
    std::map<std::string, std::int16_t> all = image_.feature_levels();
    for (const auto& [name, level] : levels) all[name] = level;
    if (all == image_.feature_levels()) return;
    apply(FeatureLevelsChanged{std::move(all), image_.feature_changes() + 1}, deltas);
}

}  // namespace leat::metadata
