// SPDX-License-Identifier: Apache-2.0
#include "client/admin_features.h"

#include <algorithm>
#include <map>

#include "client/request_parts.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace leat::client {

Result<Features> describe_features(Admin& admin) {
    constexpr std::int16_t kFirstWithFeatures = 3;
    const wire::ApiVersionsRequest request{.client_software_name = "leat",
                                           .client_software_version = kSoftwareVersion};
    LEAT_TRY(const auto answer, admin.cluster().ask<wire::ApiVersionsResponse>(
                                    Target::any(), request,
                                    [](const wire::ApiVersionsResponse& m) { return m.error_code; },
                                    INT16_MAX, true, kFirstWithFeatures));
    const wire::ApiVersionsResponse& told = answer.message;
    if (told.error_code != 0) return Error{errc_from_wire(told.error_code)};
    std::map<std::string, FeatureInfo> found;
    for (const auto& one : told.supported_features) {
        const std::string name{one.name};
        found[name] = {.name = name, .level_min = one.min_version, .level_max = one.max_version};
    }
    for (const auto& one : told.finalized_features) {
        FeatureInfo& info = found[std::string{one.name}];
        info.name = std::string{one.name};
        info.finalized = one.max_version_level;
    }
    Features out{.epoch = told.finalized_features_epoch, .entries = {}};
    for (auto& [name, info] : found) out.entries.push_back(std::move(info));
    return out;
}

Result<std::vector<Outcome>> update_features(Admin& admin, std::span<const FeatureLevel> levels,
                                             FeatureChange change, bool validate_only) {
    using Request = wire::UpdateFeaturesRequest;
    // Version 0 could neither only check nor tell a safe downgrade from another.
    constexpr std::int16_t kFirstWithTypes = 1;
    std::vector<Request::FeatureUpdateKey> updates;
    std::vector<Outcome> out;
    for (const FeatureLevel& one : levels) {
        updates.push_back({.feature = one.name,
                           .max_version_level = one.level,
                           .upgrade_type = static_cast<std::int8_t>(change)});
        out.push_back({.name = one.name, .code = Errc::kNone, .message = {}});
    }
    const Request request{.feature_updates = updates, .validate_only = validate_only};
    LEAT_TRY(const auto answer,
             admin.cluster().ask<wire::UpdateFeaturesResponse>(
                 Target::controller(), request,
                 [](const wire::UpdateFeaturesResponse& m) { return m.error_code; }, INT16_MAX,
                 false, kFirstWithTypes));
    const wire::UpdateFeaturesResponse& told = answer.message;
    for (Outcome& one : out)
        if (told.error_code != 0) one = outcome_of(one.name, told.error_code, told.error_message);
    for (const auto& result : told.results)
        if (const auto at = std::ranges::find(out, result.feature, &Outcome::name);
            at != out.end() && result.error_code != 0)
            *at = outcome_of(result.feature, result.error_code, result.error_message);
    return out;
}

}  // namespace leat::client
