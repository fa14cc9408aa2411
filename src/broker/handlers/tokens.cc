// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/tokens.h"

#include <algorithm>
#include <string>
#include <vector>

#include "auth/delegation_token.h"
#include "auth/digest.h"
#include "base/bounded_time.h"
#include "base/uuid.h"
#include "broker/access.h"
#include "broker/apis.h"
#include "broker/authentication.h"
#include "broker/broker.h"
#include "config/access_settings.h"
#include "rt/on_pool.h"

namespace leat::broker {
namespace {

using metadata::Delta;

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

/// Tokens are made by those who proved who they are, and not by a token.
Errc refusal(const Request& request) {
    const auth::Session& session = request.connection->session;
    if (session.mechanism.empty() || session.by_token)
        return Errc::kDelegationTokenRequestNotAllowed;
    if (config::token_secret(request.shard->config()).empty())
        return Errc::kDelegationTokenAuthDisabled;
    return Errc::kNone;
}

auth::Principal owner_of(const Request& request,
                         const wire::CreateDelegationTokenRequest& message) {
    if (!message.owner_principal_name || message.owner_principal_name->empty())
        return request.principal();
    return {message.owner_principal_type.value_or("User"), *message.owner_principal_name};
}

/// A duration as it was asked for, in ms; without one, which 0 and less stand for, the bound.
std::int64_t at_most(std::int64_t asked_ms, std::int64_t most_ms) {
    return asked_ms > 0 ? std::min(asked_ms, most_ms) : most_ms;
}

/// A token as it is to be, without credentials. Errors: those of the answer.
Result<auth::DelegationToken> wanted_token(Request& request,
                                           const wire::CreateDelegationTokenRequest& message) {
    auth::DelegationToken out;
    out.requester = request.principal();
    out.owner = owner_of(request, message);
    if (out.owner != out.requester &&
        !may(request, auth::Operation::kCreateTokens, auth::ResourceType::kUser, out.owner.text()))
        return Error{Errc::kDelegationTokenAuthorizationFailed};
    const config::BrokerConfig& config = request.shard->config();
    if (message.renewers.size() > static_cast<std::size_t>(config.token_renewers_max))
        return Error{Errc::kPolicyViolation};
    std::size_t name_bytes = out.owner.text().size();
    for (const auto& one : message.renewers) name_bytes += one.principal_name.size();
    if (name_bytes > static_cast<std::size_t>(config.token_names_max_bytes))
        return Error{Errc::kPolicyViolation};
    for (const auto& one : message.renewers) {
        if (one.principal_type != "User") return Error{Errc::kInvalidPrincipalType};
        if (one.principal_name.contains('\n')) return Error{Errc::kInvalidRequest};
        out.renewers.emplace_back(one.principal_type, one.principal_name);
    }
    const WallMs now = request.shard->executor().wall_now();
    const std::int64_t lifetime = at_most(message.max_lifetime_ms, config.token_lifetime_max_ms);
    out.issued = now;
    out.ends = after(now, lifetime);
    out.expires = std::min(out.ends, after(now, config.token_expiry_ms));
    rt::Executor& here = request.shard->executor();
    out.id = Uuid::from_random(here.random(), here.random()).text();
    out.hmac = auth::token_hmac(config::token_secret(config), out.id);
    return out;
}

/// Errors that say: not you, or not with this. What the disk could not do is no denial, and what
/// a right was missing for has been recorded with that right.
bool is_denial(Errc code) {
    return code == Errc::kDelegationTokenRequestNotAllowed ||
           code == Errc::kDelegationTokenOwnerMismatch || code == Errc::kDelegationTokenNotFound ||
           code == Errc::kPolicyViolation;
}

/// `token` is null when there is none: then nothing but the caller can be named.
void audit(const Request& request, const auth::DelegationToken* token, Errc code) {
    Broker& broker = request.shard->broker();
    const bool is_allowed = code == Errc::kNone;
    // All of it changes something, whatever Kafka asks rights for.
    const bool is_wanted =
        is_allowed ? broker.audit().wants_allowed(auth::Operation::kAlter) : is_denial(code);
    if (broker.policy() == nullptr || !is_wanted) return;
    std::string detail;
    if (!is_allowed) detail = info(code).name;
    if (token != nullptr)
        detail += std::string{detail.empty() ? "" : ", "} + "owner " + token->owner.text();
    broker.audit().record(
        request.shard->executor(),
        {.principal = request.principal().text(),
         .mechanism = request.connection->session.mechanism,
         .host = request.connection->peer_host,
         .client_id = request.client_id(),
         .what = request.header.api->name,
         .resource = auth::name_of(auth::ResourceType::kDelegationToken),
         .name = token != nullptr ? std::string_view{token->id} : std::string_view{},
         .detail = detail,
         .is_allowed = is_allowed});
}

struct Changed {
    Errc code = Errc::kNone;
    WallMs expires{-1};
    metadata::TokenPtr token;  ///< Before the change; null when it was not found.
};

rt::Task<Changed> change(Request* request, metadata::TokenDeadline asked) {
    Changed out;
    out.code = refusal(*request);
    if (out.code != Errc::kNone) {
        audit(*request, nullptr, out.code);
        co_return out;
    }
    const auto make = [&asked, &out](metadata::Controller& controller, std::vector<Delta>& deltas) {
        out.token = controller.image().credentials().find_token_by_hmac(asked.hmac);
        return controller.change_token(asked, deltas, out.expires);
    };
    const auto done =
        co_await request->shard->broker().authority().change(&request->shard->executor(), make);
    out.code = done.durable.has_value() ? done.result : done.durable.error().code();
    // As Kafka's controller has it; what its brokers refuse by themselves has -1.
    if (out.code != Errc::kNone) out.expires = WallMs{0};
    audit(*request, out.token.get(), out.code);
    co_return out;
}

bool is_shown(Request& request, const auth::DelegationToken& token) {
    using enum auth::Operation;
    return token.concerns(request.principal()) ||
           may_see(request, kDescribe, auth::ResourceType::kDelegationToken, token.id) ||
           may_see(request, kDescribeTokens, auth::ResourceType::kUser, token.owner.text());
}

}  // namespace

rt::Task<wire::CreateDelegationTokenResponse> handle_create_token(
    Request* request, const wire::CreateDelegationTokenRequest* message) {
    wire::CreateDelegationTokenResponse out;
    const auth::Principal owner = owner_of(*request, *message);
    out.principal_type = request->arena.copy(owner.type());
    out.principal_name = request->arena.copy(owner.name());
    out.token_requester_principal_type = request->principal().type();
    out.token_requester_principal_name = request->principal().name();
    out.issue_timestamp_ms = out.expiry_timestamp_ms = out.max_timestamp_ms = -1;
    const Errc refused = refusal(*request);
    out.error_code = wire_code(refused);
    if (refused != Errc::kNone) {
        audit(*request, nullptr, refused);
        co_return out;
    }
    Result<auth::DelegationToken> wanted = wanted_token(*request, *message);
    if (!wanted.has_value()) {
        out.error_code = wire_code(wanted.error().code());
        audit(*request, nullptr, wanted.error().code());
        co_return out;
    }
    auth::DelegationToken& token = *wanted;
    const auto work = [&token] {
        auth::add_credentials(token);
        return true;
    };
    co_await rt::on_pool(request->shard->broker().pool(), request->shard->executor(), work);
    const auto shared = std::make_shared<const auth::DelegationToken>(token);
    const auto make = [&shared](metadata::Controller& controller, std::vector<Delta>& deltas) {
        return controller.put_token(shared, deltas);
    };
    const auto done =
        co_await request->shard->broker().authority().change(&request->shard->executor(), make);
    const Errc code = done.durable.has_value() ? done.result : done.durable.error().code();
    audit(*request, code == Errc::kNone ? shared.get() : nullptr, code);
    out.error_code = wire_code(code);
    if (code != Errc::kNone) co_return out;
    out.issue_timestamp_ms = shared->issued.value;
    out.expiry_timestamp_ms = shared->expires.value;
    out.max_timestamp_ms = shared->ends.value;
    out.token_id = request->arena.copy(shared->id);
    out.hmac = request->arena.copy(std::as_bytes(std::span{shared->hmac}));
    co_return out;
}

rt::Task<wire::RenewDelegationTokenResponse> handle_renew_token(
    Request* request, const wire::RenewDelegationTokenRequest* message) {
    const WallMs now = request->shard->executor().wall_now();
    const std::int64_t period =
        at_most(message->renew_period_ms, request->shard->config().token_expiry_ms);
    metadata::TokenDeadline asked{.hmac = std::string{text_of(message->hmac)},
                                  .who = request->principal(),
                                  .now = now,
                                  .until = after(now, period)};
    const Changed done = co_await change(request, std::move(asked));
    co_return wire::RenewDelegationTokenResponse{.error_code = wire_code(done.code),
                                                 .expiry_timestamp_ms = done.expires.value};
}

rt::Task<wire::ExpireDelegationTokenResponse> handle_expire_token(
    Request* request, const wire::ExpireDelegationTokenRequest* message) {
    const WallMs now = request->shard->executor().wall_now();
    metadata::TokenDeadline asked{
        .hmac = std::string{text_of(message->hmac)},
        .who = request->principal(),
        .now = now,
        .until = after(now, std::max<std::int64_t>(0, message->expiry_time_period_ms)),
        .removes = message->expiry_time_period_ms < 0};
    const Changed done = co_await change(request, std::move(asked));
    co_return wire::ExpireDelegationTokenResponse{.error_code = wire_code(done.code),
                                                  .expiry_timestamp_ms = done.expires.value};
}

wire::DescribeDelegationTokenResponse handle_describe_tokens(
    Request& request, const wire::DescribeDelegationTokenRequest& message) {
    using Described = wire::DescribeDelegationTokenResponse::DescribedDelegationToken;
    using Renewer = wire::DescribeDelegationTokenResponse::DescribedDelegationTokenRenewer;
    wire::DescribeDelegationTokenResponse out;
    out.error_code = wire_code(refusal(request));
    if (out.error_code != 0) return out;
    std::vector<Described> found;
    Arena& arena = request.arena;
    for (const auto& [id, token] : request.shard->image().credentials().tokens()) {
        // "Owners" in the protocol's word only: in Kafka it is anybody whom the token concerns.
        const auto is_meant = [&token](const auto& one) {
            return token->concerns({one.principal_type, one.principal_name});
        };
        if (message.owners && std::ranges::none_of(*message.owners, is_meant)) continue;
        if (!is_shown(request, *token)) continue;
        Described& one = found.emplace_back();
        one.principal_type = arena.copy(token->owner.type());
        one.principal_name = arena.copy(token->owner.name());
        one.token_requester_principal_type = arena.copy(token->requester.type());
        one.token_requester_principal_name = arena.copy(token->requester.name());
        one.issue_timestamp = token->issued.value;
        one.expiry_timestamp = token->expires.value;
        one.max_timestamp = token->ends.value;
        one.token_id = arena.copy(token->id);
        one.hmac = arena.copy(std::as_bytes(std::span{token->hmac}));
        one.renewers = arena.array<Renewer>(token->renewers.size());
        for (std::size_t i = 0; i < token->renewers.size(); ++i)
            one.renewers[i] = {.principal_type = arena.copy(token->renewers[i].type()),
                               .principal_name = arena.copy(token->renewers[i].name())};
    }
    out.tokens = arena.array<Described>(found.size());
    std::ranges::copy(found, out.tokens.begin());
    return out;
}

}  // namespace leat::broker
