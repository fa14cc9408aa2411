// SPDX-License-Identifier: Apache-2.0
#include "metadata/credentials.h"

#include "auth/delegation_token.h"
#include "auth/digest.h"

namespace leat::metadata {

void Credentials::apply(const ScramChanged& change) {
    ++version_;
    if (change.credential != nullptr) {
        users_[change.user][change.mechanism] = change.credential;
        return;
    }
    const auto user = users_.find(change.user);
    if (user == users_.end()) return;
    user->second.erase(change.mechanism);
    if (user->second.empty()) users_.erase(user);
}

void Credentials::apply(const TokenChanged& change) {
    ++version_;
    if (change.token != nullptr) {
        tokens_[change.id] = change.token;
    } else {
        tokens_.erase(change.id);
    }
}

void Credentials::apply(const SuperUserChanged& change) {
    ++supers_version_;
    if (change.is_super) {
        supers_.insert(change.principal);
    } else {
        supers_.erase(change.principal);
    }
}

bool Credentials::holds(const auth::Session& session, WallMs now) const {
    if (session.by_token) {
        // An end that was known at the login is the session's own.
        const TokenPtr token = find_token(session.token_id);
        return token != nullptr &&
               (token->expires >= session.token_expires || token->expires > now);
    }
    const auto mechanism = auth::scram_mechanism(session.mechanism);
    if (!mechanism) return true;
    const OfUser* known = find_user(session.principal.name());
    if (known == nullptr) return false;
    const auto credential = known->find(*mechanism);
    return credential != known->end() && credential->second->stored_key == session.stored_key;
}

const Credentials::OfUser* Credentials::find_user(std::string_view name) const {
    const auto found = users_.find(name);
    return found == users_.end() ? nullptr : &found->second;
}

TokenPtr Credentials::find_token(std::string_view id) const {
    const auto found = tokens_.find(id);
    return found == tokens_.end() ? nullptr : found->second;
}

TokenPtr Credentials::find_token_by_hmac(std::string_view hmac) const {
    for (const auto& [id, token] : tokens_)
        if (auth::equal_secrets(token->hmac, hmac)) return token;
    return nullptr;
}

std::size_t Credentials::keep_tokens_of(std::string_view secret_key) {
    return std::erase_if(tokens_, [secret_key](const auto& item) {
        return secret_key.empty() ||
               !auth::equal_secrets(item.second->hmac, auth::token_hmac(secret_key, item.first));
    });
}

std::optional<auth::ScramAccount> Credentials::account(std::string_view user,
                                                       auth::ScramMechanism mechanism) const {
    const OfUser* known = find_user(user);
    if (known == nullptr) return std::nullopt;
    const auto credential = known->find(mechanism);
    if (credential == known->end()) return std::nullopt;
    return auth::ScramAccount{*credential->second, auth::Principal::user(user), std::nullopt};
}

std::optional<auth::ScramAccount> Credentials::token_account(std::string_view id,
                                                             auth::ScramMechanism mechanism,
                                                             WallMs now) const {
    const TokenPtr token = find_token(id);
    if (token == nullptr || token->expires <= now) return std::nullopt;
    const auto credential = token->credentials.find(mechanism);
    if (credential == token->credentials.end()) return std::nullopt;
    return auth::ScramAccount{credential->second, token->owner, token->expires, token->id};
}

}  // namespace leat::metadata
