// SPDX-License-Identifier: Apache-2.0
//
// Changes to access rules.
#include <set>

#include "metadata/controller.h"

namespace leat::metadata {
namespace {

Delta acls_changed(std::vector<auth::Acl> added, std::vector<auth::Acl> removed) {
    return AclsChanged{std::make_shared<const std::vector<auth::Acl>>(std::move(added)),
                       std::make_shared<const std::vector<auth::Acl>>(std::move(removed))};
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

}  // namespace leat::metadata
