// SPDX-License-Identifier: Apache-2.0
//
// Changes to SCRAM credentials and delegation tokens. Codes and texts compared with Kafka 4.3.1.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "metadata/controller.h"

namespace leat::metadata {
namespace {

void refuse(Outcome& outcome, Errc code, std::string message) {
    if (outcome.error != Errc::kNone) return;
    outcome.error = code;
    outcome.message = std::move(message);
}

bool is_known(auth::ScramMechanism mechanism) {
    return mechanism == auth::ScramMechanism::kSha256 || mechanism == auth::ScramMechanism::kSha512;
}

void check_upsertion(const ScramUpsertion& wanted, Outcome& outcome) {
    if (wanted.user.empty())
        refuse(outcome, Errc::kUnacceptableCredential, "Username must not be empty");
    if (!is_known(wanted.mechanism))
        refuse(outcome, Errc::kUnsupportedSaslMechanism, "Unknown SCRAM mechanism");
    if (wanted.iterations < auth::kScramIterationsMin)
        refuse(outcome, Errc::kUnacceptableCredential, "Too few iterations");
    if (wanted.iterations > auth::kScramIterationsMax)
        refuse(outcome, Errc::kUnacceptableCredential, "Too many iterations");
}

void check_credential(const ScramUpsertion& wanted, Outcome& outcome) {
    if (wanted.credential == nullptr)
        refuse(outcome, Errc::kUnacceptableCredential,
               "Salt and salted password must not be empty");
}

void check_deletion(const ScramDeletion& wanted, const Credentials& known, Outcome& outcome) {
    if (wanted.user.empty())
        refuse(outcome, Errc::kUnacceptableCredential, "Username must not be empty");
    if (!is_known(wanted.mechanism))
        refuse(outcome, Errc::kUnsupportedSaslMechanism, "Unknown SCRAM mechanism");
    const Credentials::OfUser* user = known.find_user(wanted.user);
    if (user == nullptr || !user->contains(wanted.mechanism))
        refuse(outcome, Errc::kResourceNotFound,
               "Attempt to delete a user credential that does not exist");
}

}  // namespace

bool may_be_taken(const ScramUpsertion& wanted) {
    Outcome outcome;
    check_upsertion(wanted, outcome);
    return outcome.error == Errc::kNone;
}

std::vector<Outcome> Controller::alter_scram(std::span<const ScramDeletion> deletions,
                                             std::span<const ScramUpsertion> upsertions,
                                             std::vector<Delta>& deltas) {
    std::vector<Outcome> outcomes;
    std::map<std::string, std::size_t, std::less<>> places;
    const auto outcome_of = [&](const std::string& user) -> Outcome& {
        const auto [at, is_new] = places.emplace(user, outcomes.size());
        if (is_new) outcomes.emplace_back().name = user;
        return outcomes[at->second];
    };
    // By user, not by credential: a second mention ends the user's part of the request, whatever
    // its mechanism; the first error of a user stays.
    std::set<std::string, std::less<>> seen;
    const auto is_first = [&](const std::string& user, Outcome& outcome) {
        if (outcome.error != Errc::kNone) return false;
        if (seen.insert(user).second) return true;
        refuse(outcome, Errc::kDuplicateResource,
               "A user credential cannot be altered twice in the same request");
        return false;
    };
    for (const ScramDeletion& one : deletions) {
        Outcome& outcome = outcome_of(one.user);
        if (is_first(one.user, outcome)) check_deletion(one, image_.credentials(), outcome);
    }
    for (const ScramUpsertion& one : upsertions) {
        Outcome& outcome = outcome_of(one.user);
        if (!is_first(one.user, outcome)) continue;
        check_upsertion(one, outcome);
        check_credential(one, outcome);
    }
    // All of a user's or nothing.
    for (const ScramDeletion& one : deletions)
        if (outcome_of(one.user).error == Errc::kNone)
            apply(ScramChanged{one.user, one.mechanism, nullptr}, deltas);
    for (const ScramUpsertion& one : upsertions)
        if (outcome_of(one.user).error == Errc::kNone)
            apply(ScramChanged{one.user, one.mechanism, one.credential}, deltas);
    for (const ScramDeletion& one : deletions)
        if (outcome_of(one.user).error == Errc::kNone) drop_super_if_gone(one.user, deltas);
    return outcomes;
}

/// Who takes a removed user's name is somebody else.
void Controller::drop_super_if_gone(const std::string& user, std::vector<Delta>& deltas) {
    const Credentials& known = image_.credentials();
    const std::string principal = auth::Principal::user(user).text();
    if (known.find_user(user) == nullptr && known.supers().contains(principal))
        apply(SuperUserChanged{principal, false}, deltas);
}

bool Controller::has_room_for(const auth::DelegationToken& token) const {
    const Credentials::Tokens& known = image_.credentials().tokens();
    if (known.contains(token.id)) return true;
    const auto of_owner = std::ranges::count_if(
        known, [&token](const auto& one) { return one.second->owner == token.owner; });
    return known.size() < static_cast<std::size_t>(image_.broker().tokens_max) &&
           of_owner < image_.broker().tokens_per_owner_max;
}

Errc Controller::put_token(TokenPtr token, std::vector<Delta>& deltas) {
    if (!has_room_for(*token)) drop_expired_tokens(token->issued, deltas);
    if (!has_room_for(*token)) return Errc::kPolicyViolation;
    std::string id = token->id;
    apply(TokenChanged{std::move(id), std::move(token)}, deltas);
    return Errc::kNone;
}

Errc Controller::change_token(const TokenDeadline& asked, std::vector<Delta>& deltas,
                              WallMs& expires) {
    const TokenPtr token = image_.credentials().find_token_by_hmac(asked.hmac);
    if (token == nullptr) return Errc::kDelegationTokenNotFound;
    if (!token->may_renew(asked.who)) return Errc::kDelegationTokenOwnerMismatch;
    if (asked.removes) {
        expires = asked.now;
        apply(TokenChanged{token->id, nullptr}, deltas);
        return Errc::kNone;
    }
    if (token->ends < asked.now || token->expires < asked.now) return Errc::kDelegationTokenExpired;
    auto changed = std::make_shared<auth::DelegationToken>(*token);
    changed->expires = std::min(asked.until, token->ends);
    expires = changed->expires;
    apply(TokenChanged{token->id, std::move(changed)}, deltas);
    return Errc::kNone;
}

void Controller::drop_expired_tokens(WallMs now, std::vector<Delta>& deltas) {
    std::vector<std::string> gone;
    for (const auto& [id, token] : image_.credentials().tokens())
        if (token->expires < now || token->ends < now) gone.push_back(id);
    for (std::string& id : gone) apply(TokenChanged{std::move(id), nullptr}, deltas);
}

}  // namespace leat::metadata
