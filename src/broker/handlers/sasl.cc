// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/sasl.h"

#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "broker/apis.h"
#include "broker/authentication.h"
#include "broker/broker.h"
#include "broker/metrics.h"
#include "obs/log.h"
#include "rt/on_pool.h"
#include "wire/frame.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"auth"};
constexpr std::string_view kFailed = "authentication_failed";
constexpr std::string_view kClaimed = "name claimed, not proved";

struct Step {
    std::string reply;
    std::int64_t lifetime_ms = 0;
    bool is_silent = false;
};

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

/// What a client is told that failed: the mechanism's own words, or Kafka's for all of them.
std::string told(const Error& error, std::string_view mechanism) {
    if (!error.detail().empty()) return std::string{error.detail()};
    return "Authentication failed during authentication due to invalid credentials with SASL "
           "mechanism " +
           std::string{mechanism};
}

/// Who has, or has not, proved who he is. A name that was only said stands apart from the
/// principal.
void audit_login(const Request& request, std::string_view mechanism, std::string_view claimed,
                 bool is_allowed) {
    AuditLog& log = request.shard->broker().audit();
    if (is_allowed && !log.wants_logins()) return;
    const bool is_mere_claim = !is_allowed && !claimed.empty();
    log.record(request.shard->executor(), {.principal = request.principal().text(),
                                           .mechanism = mechanism,
                                           .host = request.connection->peer_host,
                                           .client_id = request.client_id(),
                                           .what = "Authenticate",
                                           .operation = {},
                                           .resource = "USER",
                                           .name = claimed,
                                           .detail = is_mere_claim ? kClaimed : "",
                                           .is_allowed = is_allowed});
}

/// Counts and logs a failure, and waits so that guessing is slow: once, as soon as it is certain. A
/// peer that hangs up before the exchange has ended is not to be spared either.
rt::Task<void> suffer(Request* request, std::string mechanism) {
    Authentication& authentication = *request->connection->authentication;
    if (!authentication.tells_failure()) co_return;
    audit_login(*request, mechanism, authentication.claimed(), false);
    request->shard->broker().metrics().count_authentication(mechanism, "failed");
    kLog.warn("authentication failed", {{"peer", request->connection->peer},
                                        {"listener", authentication.access().name()},
                                        {"mechanism", mechanism}});
    rt::Executor& here = request->shard->executor();
    const std::chrono::milliseconds delay{authentication.access().security().sasl.failure_delay_ms};
    if (delay.count() > 0) co_await rt::sleep_until(here, here.now() + delay);
}

/// One step of the exchange. Errors: kSaslAuthenticationFailed; the exchange is over.
rt::Task<Result<Step>> step(Request* request, Bytes message) {
    Authentication& authentication = *request->connection->authentication;
    auth::SaslServer& exchange = authentication.exchange();
    std::optional<Result<auth::SaslStep>> done;
    if (exchange.may_block()) {
        co_await authentication.access().prepare(authentication.mechanism(), text_of(message),
                                                 &request->shard->executor());
        const auto work = [&exchange, message] { return exchange.next(text_of(message)); };
        done.emplace(co_await rt::on_pool(request->shard->broker().pool(),
                                          request->shard->executor(), work));
    } else {
        done.emplace(exchange.next(text_of(message)));
    }
    if (!done->has_value()) co_return std::move(*done).error();
    Step out{.reply = std::move((*done)->reply), .is_silent = (*done)->is_silent};
    if ((*done)->is_refused) co_await suffer(request, authentication.mechanism());
    if (!(*done)->identity) co_return out;
    rt::Executor& here = request->shard->executor();
    LEAT_CO_TRY(out.lifetime_ms,
                authentication.succeed(*(*done)->identity, here.now(), here.wall_now(),
                                       request->connection->session));
    request->shard->broker().metrics().count_authentication(authentication.mechanism(), "ok");
    audit_login(*request, authentication.mechanism(), request->principal().name(), true);
    co_return out;
}

Answer then_close(Answer answer, std::string_view reason) {
    answer.close_reason = reason;
    return answer;
}

rt::Task<Answer> handle_raw_sasl(Request* request) {
    Authentication& authentication = *request->connection->authentication;
    const std::string mechanism = authentication.mechanism();
    const Result<Step> done = co_await step(request, request->body);
    if (!done.has_value()) {
        co_await suffer(request, mechanism);
        authentication.fail();
        co_return Answer::close(kFailed);
    }
    if (done->is_silent) co_return Answer::nothing();
    wire::Frame frame = wire::new_frame({.inline_bytes = done->reply.size()});
    if (!done->reply.empty())
        std::memcpy(frame.data.get() + 4, done->reply.data(), done->reply.size());
    co_return Answer::of(std::move(frame));
}

}  // namespace

rt::Task<Answer> handle_sasl_handshake(Request* request,
                                       const wire::SaslHandshakeRequest* message) {
    Authentication* authentication = request->connection->authentication.get();
    wire::SaslHandshakeResponse out;
    if (authentication == nullptr || !authentication->may_begin(request->shard->executor().now(),
                                                                request->connection->session)) {
        out.error_code = wire_code(Errc::kIllegalSaslState);
        co_return answer_with(*request, out);
    }
    const auto& mechanisms = authentication->access().security().sasl.mechanisms;
    out.mechanisms = request->arena.array<std::string_view>(mechanisms.size());
    for (std::size_t i = 0; i < mechanisms.size(); ++i) out.mechanisms[i] = mechanisms[i];
    const Result<void> begun = authentication->begin(message->mechanism, request->version());
    if (begun.has_value()) {
        authentication->set_exchange(
            authentication->access().begin(message->mechanism, *request->shard));
        co_return answer_with(*request, out);
    }
    out.error_code = wire_code(begun.error().code());
    co_await suffer(request, "none");
    authentication->fail();
    co_return then_close(answer_with(*request, out), kFailed);
}

rt::Task<Answer> handle_sasl_authenticate(Request* request,
                                          const wire::SaslAuthenticateRequest* message) {
    Authentication* authentication = request->connection->authentication.get();
    wire::SaslAuthenticateResponse out;
    if (authentication == nullptr || !authentication->is_in_exchange()) {
        out.error_code = wire_code(Errc::kIllegalSaslState);
        out.error_message = "SaslAuthenticate request received after successful authentication";
        co_return answer_with(*request, out);
    }
    const std::string mechanism = authentication->mechanism();
    const Result<Step> done = co_await step(request, message->auth_bytes);
    if (done.has_value()) {
        out.auth_bytes = request->arena.copy(std::as_bytes(std::span{done->reply}));
        out.session_lifetime_ms = done->lifetime_ms;
        co_return answer_with(*request, out);
    }
    const std::string why = told(done.error(), mechanism);
    out.error_code = wire_code(done.error().code());
    out.error_message = why;
    co_await suffer(request, mechanism);
    authentication->fail();
    co_return then_close(answer_with(*request, out), kFailed);
}

const Api& raw_sasl_api() noexcept {
    static constexpr Api kRaw{.key = wire::ApiKey::kSaslAuthenticate,
                              .handle = handle_raw_sasl,
                              .rights = Rights::kNone,
                              .quota = QuotaClass::kExempt};
    return kRaw;
}

}  // namespace leat::broker
