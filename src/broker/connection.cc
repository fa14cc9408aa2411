// SPDX-License-Identifier: Apache-2.0
#include "broker/connection.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/bounded_time.h"
#include "base/check.h"
#include "broker/apis.h"
#include "broker/authentication.h"
#include "broker/connections.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/sasl.h"
#include "broker/metrics.h"
#include "broker/quotas.h"
#include "broker/request_times.h"
#include "obs/log.h"
#include "rt/process.h"
#include "wire/reader.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"auth"};

rt::StreamOptions options_of(const ConnectionFacts& facts) {
    rt::StreamOptions options;
    if (facts.authentication != nullptr) options.tls = facts.authentication->access().tls();
    return options;
}

}  // namespace

Connection::Connection(Connections& home, rt::EventLoop& loop, rt::Socket socket,
                       std::shared_ptr<ConnectionFacts> facts)
    : home_(home),
      loop_(loop),
      facts_(std::move(facts)),
      opened_at_(loop.now()),
      last_activity_(loop.now()),
      stream_(loop, std::move(socket), *this, options_of(*facts_)) {}

Connection::~Connection() {
    if (mute_timer_ != rt::TimerId{}) loop_.cancel(mute_timer_);
}

MutableBytes Connection::read_space() {
    if (!is_reading_) return {};
    return reader_.space(home_.scratch());
}

void Connection::on_read(std::size_t bytes) {
    const auto self = shared_from_this();
    last_activity_ = loop_.now();
    if (!is_identified_ && !identify()) return;
    if (!reader_.is_inside()) frame_began_ = last_activity_;
    reader_.filled(bytes);
    read_frames();
}

bool Connection::identify() {
    is_identified_ = true;
    const std::optional<rt::TlsPeer> peer = stream_.tls_peer();
    if (!peer) return true;
    const bool is_known = facts_->authentication->identify(*peer, facts_->session);
    // Where SASL decides who it is, it says so; without a certificate nobody has proved anything.
    if (!is_known || !facts_->session.mechanism.empty()) audit_certificate(*peer, is_known);
    if (is_known) return true;
    home_.broker().metrics().count_authentication("SSL", "failed");
    close("unknown_certificate");
    return false;
}

void Connection::audit_certificate(const rt::TlsPeer& peer, bool is_known) {
    AuditLog& log = home_.broker().audit();
    if (is_known && !log.wants_logins()) return;
    const std::string name = peer.name ? *peer.name : std::string{};
    log.record(loop_, {.principal = facts_->session.principal.text(),
                       .mechanism = "SSL",
                       .host = facts_->peer_host,
                       .what = "Authenticate",
                       .resource = "USER",
                       .name = name,
                       .is_allowed = is_known});
}

/// It failed, so there is no name: a certificate that was shown is not told before it is believed.
void Connection::audit_handshake(std::string_view why) {
    home_.broker().audit().record(loop_, {.principal = facts_->session.principal.text(),
                                          .mechanism = "SSL",
                                          .host = facts_->peer_host,
                                          .what = "Authenticate",
                                          .resource = "USER",
                                          .detail = why});
}

/// Takes what was read apart, as far as there is room for requests; the rest is kept for later.
void Connection::read_frames() {
    Pause why = pause();
    while (why == Pause::kNone) {
        Result<std::optional<RequestFrame>> frame = reader_.next(
            home_.buffers(), frame_bytes_max(), expects_raw() ? 0 : FrameReader::kFrameMin);
        if (!frame.has_value())
            return close(frame.error().code() == Errc::kLimitExceeded ? "frame_too_large"
                                                                      : "bad_frame_length");
        if (!frame->has_value()) break;
        home_.give_back_memory(std::exchange(reserved_bytes_, 0));
        if (!take_frame(*std::move(*frame))) return;
        frame_began_ = loop_.now();
        advance();
        why = pause();
    }
    if (is_closed_) return;
    reader_.stash(home_.buffers());
    const std::size_t expected = reader_.expected_bytes();
    // How large it is may be known only now.
    if (why == Pause::kNone && reserved_bytes_ == 0 && expected > 0 && !may_read_next())
        why = Pause::kMemory;
    if (why == Pause::kNone && expected > reserved_bytes_) {
        home_.take_memory(expected - reserved_bytes_);
        reserved_bytes_ = expected;
    }
    set_reading(why);
}

bool Connection::expects_raw() const {
    return facts_->authentication != nullptr && facts_->authentication->expects_raw();
}

/// False when it was none and the connection is closed.
bool Connection::take_frame(RequestFrame frame) {
    std::unique_ptr<Execution> execution = home_.get_execution();
    Request& request = execution->request;
    request.frame_bytes = frame.size_bytes;
    request.frame = std::move(frame.buffer);
    request.connection = facts_;
    request.received_at = loop_.now();
    request.shard = &home_.shard();
    request.arena_share = MemoryShare{home_.answer_memory()};
    if (expects_raw()) {
        request.api = &raw_sasl_api();
        request.header.api = &wire::api_info(request.api->key);
        request.body = {request.frame.data(), request.frame_bytes};
    } else if (!read_header(request)) {
        return false;
    }
    home_.take_memory(request.frame_bytes);
    executions_.push_back(std::move(execution));
    return true;
}

bool Connection::read_header(Request& request) {
    const Bytes bytes{request.frame.data(), request.frame_bytes};
    wire::Reader in{bytes, request.arena};
    Result<wire::RequestHeader> header = wire::decode_request_header(in);
    if (!header.has_value()) {
        close(header.error().code() == Errc::kUnsupportedVersion ? "unknown_api" : "malformed");
        return false;
    }
    request.header = *header;
    request.body = bytes.last(in.remaining());
    request.api = find_served(request.header.api->key);
    if (request.api == nullptr) {
        close("unknown_api");
        return false;
    }
    const bool is_served = request.header.api->serves(request.header.version);
    if (!is_served && request.api->key != wire::ApiKey::kApiVersions) {
        close("unsupported_version");
        return false;
    }
    return true;
}

Connection::Pause Connection::pause() const {
    if (is_draining_ || is_closed_) return Pause::kEnding;
    const config::BrokerConfig& config = home_.config();
    const auto waiting = executions_.size() + stream_.unsent_count();
    if (waiting >= static_cast<std::size_t>(config.queued_responses_max)) return Pause::kFull;
    if (stream_.unsent_bytes() >= static_cast<std::size_t>(config.queued_response_bytes_max))
        return Pause::kFull;
    if (is_muted_) return Pause::kMuted;
    // What the next frame is depends on how the one before it ends (SaslHandshake 0).
    if (is_stranger() && !executions_.empty()) return Pause::kLogin;
    // A frame that has begun and is counted has its memory already.
    if (reserved_bytes_ == 0 && !may_read_next()) return Pause::kMemory;
    return Pause::kNone;
}

void Connection::set_reading(Pause pause) {
    if (pause == Pause::kMemory) wait_for_memory(MemoryWait::kToRead);
    const bool reads = pause == Pause::kNone;
    if (reads == is_reading_) return;
    is_reading_ = reads;
    if (!reads) return stream_.pause_reading();
    frame_began_ = loop_.now();
    stream_.resume_reading();
}

void Connection::hurry(const std::vector<Execution*>& executing) {
    const bool was_advancing = std::exchange(is_advancing_, true);
    for (Execution* execution : executing) execution->request.hurry();
    is_advancing_ = was_advancing;
    advance();
}

void Connection::on_sent() {
    last_activity_ = loop_.now();
    const auto self = shared_from_this();
    home_.wake_if_room();
    advance();
    if (!is_closed_ && !is_reading_) read_frames();
}

/// Starts what may start and sends what is answered, until neither can go on.
void Connection::advance() {
    if (is_advancing_ || is_closed_) return;
    is_advancing_ = true;
    const auto self = shared_from_this();
    while (!is_closed_ && (send_ready() || start_next())) {
    }
    is_advancing_ = false;
    if (is_draining_ && !is_closed_ && executions_.empty()) stream_.close_after_sending();
    // Not from inside what called.
    if (target_ != nullptr && is_at_rest())
        loop_.post([weak = weak_from_this()] {
            if (const auto connection = weak.lock()) connection->leave();
        });
}

bool Connection::may_execute_more() const {
    return stream_.unsent_bytes() <
           static_cast<std::size_t>(home_.config().queued_response_bytes_max);
}

bool Connection::start_next() {
    if (executions_.empty() || !may_execute_more()) return false;
    if (is_muted_ && !is_draining_) return false;
    bool all_run_ahead = true;
    for (const auto& execution : executions_) {
        const bool runs_ahead = execution->request.api->runs_ahead;
        if (execution->state == Execution::State::kWaiting) {
            const bool is_first = execution == executions_.front();
            if (!is_first && !(all_run_ahead && runs_ahead)) return false;
            if (!is_draining_ && !home_.has_memory(MemoryWait::kToStart)) {
                wait_for_memory(MemoryWait::kToStart);
                return false;
            }
            start(*execution);
            return true;
        }
        all_run_ahead = all_run_ahead && runs_ahead;
    }
    return false;
}

void Connection::start_left() {
    if (std::exchange(is_advancing_, true)) return;
    while (works_off_ && start_next()) {
    }
    is_advancing_ = false;
}

void Connection::start(Execution& execution) {
    execution.state = Execution::State::kExecuting;
    Request& request = execution.request;
    home_.broker().metrics().executing.add(1);
    if (is_draining_) request.hurry();
    request.peer_has_ended = request.api->asks_for_the_end && stream_.peer_has_ended();
    if (const Authentication* authentication = facts_->authentication.get();
        authentication != nullptr) {
        const std::string_view why =
            authentication->refusal(request.api->key, loop_.now(), facts_->session);
        if (!why.empty()) return finish(execution, Answer::close(why));
    }
    if (!request.header.api->serves(request.header.version))
        return finish(execution, refuse_api_versions(request));
    // The sum of what was measured is what the next request is charged.
    const bool is_measured = wants_time();
    if (is_stranger())
        used_ = {};  // Nobody's: all who log in would share one allowance.
    else if (is_measured && request.api->quota != QuotaClass::kExempt)
        charge(request, auth::QuotaKind::kRequest,
               static_cast<double>(std::exchange(used_, std::chrono::nanoseconds{0}).count()));
    rt::CpuMeter meter{is_measured};
    rt::start(request.api->handle(&request),
              [self = shared_from_this(), &execution](Answer answer) {
                  rt::CpuMeter rest{self->wants_time()};
                  self->used_ += execution.request.busy;
                  self->finish(execution, std::move(answer));
                  self->used_ += rest.stop();
              });
    used_ += meter.stop();
}

/// Time is measured only while somebody has a limit.
bool Connection::wants_time() const {
    return !home_.shard().image().quotas().empty();
}

void Connection::finish(Execution& execution, Answer answer) {
    LEAT_CHECK(loop_.is_here() && execution.state == Execution::State::kExecuting);
    execution.state = Execution::State::kAnswered;
    execution.request.clear_hurry();
    execution.answer = std::move(answer);
    home_.broker().metrics().executing.add(-1);
    execution.answer_bytes = execution.answer.size_bytes();
    execution.request.arena_share.grow_to(execution.request.arena.capacity_bytes());
    execution.answer_share = MemoryShare{home_.answer_memory()};
    execution.answer_share.grow_to(execution.answer.frame.size_bytes);
    count_request(home_.broker().metrics(), execution.request, execution.answer_bytes);
    look_where(execution.request);
    if (is_closed_) {
        const auto self = shared_from_this();
        const auto at =
            std::ranges::find(executions_, &execution, &std::unique_ptr<Execution>::get);
        if (at != executions_.end()) retire(static_cast<std::size_t>(at - executions_.begin()));
        return start_left();
    }
    if (is_advancing_) return;
    advance();
    if (!is_closed_ && !is_reading_) read_frames();
}

/// Sends the oldest answer if it is there.
bool Connection::send_ready() {
    if (executions_.empty()) return false;
    Execution& first = *executions_.front();
    if (first.state != Execution::State::kAnswered) return false;
    send(first);
    if (is_closed_) return false;
    if (first.request.throttle.count() > 0) mute(first.request.throttle);
    retire(0);
    return true;
}

void Connection::send(Execution& execution) {
    switch (execution.answer.kind) {
        case Answer::Kind::kNothing:
            return;
        case Answer::Kind::kClose:
            return close(execution.answer.close_reason);
        case Answer::Kind::kFrame:
            last_activity_ = loop_.now();
            send_frame(execution.answer, std::move(execution.answer_share));
            if (!execution.answer.close_reason.empty()) close(execution.answer.close_reason);
            return;
    }
}

void Connection::mute(std::chrono::milliseconds time) {
    muted_until_ = std::max(muted_until_, loop_.now() + time);
    home_.broker().metrics().throttled.add();
    is_muted_ = true;
    if (mute_timer_ != rt::TimerId{}) loop_.cancel(mute_timer_);
    mute_timer_ = loop_.schedule(muted_until_, [this] { unmute(); });
}

void Connection::unmute() {
    const auto self = shared_from_this();
    mute_timer_ = {};
    is_muted_ = false;
    if (is_closed_) return;
    advance();
    if (!is_closed_ && !is_reading_) read_frames();
}

void Connection::time(Execution& execution) {
    if (execution.state != Execution::State::kAnswered) return;
    execution.state = Execution::State::kTimed;
    time_request(home_.broker().metrics(), execution.request, execution.answer_bytes);
}

/// The request is over: its memory goes back.
void Connection::retire(std::size_t index) {
    std::unique_ptr<Execution> execution = std::move(executions_[index]);
    executions_.erase(executions_.begin() + static_cast<std::ptrdiff_t>(index));
    // Of an idle connection: room for a few is kept, or each request would allocate it.
    constexpr std::size_t kKept = 4;
    if (executions_.empty() && executions_.capacity() > kKept) executions_.shrink_to_fit();
    time(*execution);
    home_.give_back_memory(execution->request.frame_bytes);
    home_.put_execution(std::move(execution));
}

bool Connection::is_disowned() const {
    const metadata::Credentials& known = home_.shard().image().credentials();
    const std::uint64_t now = known.version() << 32U | facts_->session.generation;
    // The end of a token may come while nothing changes.
    if (now == credentials_seen_ && !facts_->session.by_token) return false;
    if (!known.holds(facts_->session, loop_.wall_now())) return true;
    credentials_seen_ = now;
    return false;
}

std::string_view Connection::unproved(Instant now) const {
    const Authentication* authentication = facts_->authentication.get();
    if (authentication == nullptr) return "";
    if (is_disowned()) return "credential_removed";
    // As in Kafka (KIP-368) the end of a session meets the next request, not one that is being
    // served: a long poll that began before is answered.
    if (authentication->is_proved() && stream_.is_established())
        return now >= facts_->session.expires_at && executions_.empty() ? "session_expired" : "";
    const auto patience = bounded_ms(authentication->access().security().authentication_timeout_ms);
    return now - opened_at_ >= patience ? "authentication_timeout" : "";
}

bool Connection::is_late(Instant now) const {
    const config::BrokerConfig& config = home_.config();
    if (!unproved(now).empty()) return true;
    if (stream_.unsent_bytes() > 0)
        return hoards(now) || now - stream_.last_progress() >= bounded_ms(config.send_timeout_ms);
    if (!executions_.empty() || is_muted_) return false;
    if (reader_.is_inside() && is_reading_)
        return now - frame_began_ >= bounded_ms(config.frame_timeout_ms);
    const std::int64_t idle_max = config.connections_max_idle_ms;
    return idle_max >= 0 && now - last_activity_ >= bounded_ms(idle_max);
}

void Connection::check_deadlines(Instant now) {
    // Also of one that is closed and has something left to send: who does not take it must not keep
    // it here.
    if (!is_late(now)) return;
    if (const std::string_view why = unproved(now); !why.empty()) return abort(why);
    if (stream_.unsent_bytes() > 0) return abort("send_timeout");
    abort(reader_.is_inside() ? "frame_timeout" : "idle");
}

void Connection::drain() {
    const auto self = shared_from_this();
    is_draining_ = true;
    close_reason_ = "shutdown";
    set_reading(Pause::kEnding);
    // Hurrying may finish a request, which takes it off the list.
    std::vector<Execution*> executing;
    for (const auto& execution : executions_)
        if (execution->state == Execution::State::kExecuting) executing.push_back(execution.get());
    hurry(executing);
}

void Connection::close(std::string_view reason) {
    if (is_closed_) return;
    close_reason_ = reason;
    is_closed_ = true;
    // How long the peer keeps its end open from here on is no time of a request.
    for (const auto& execution : executions_) time(*execution);
    stream_.close_after_sending();
}

void Connection::abort(std::string_view reason) {
    if (!is_closed_) close_reason_ = reason;
    is_closed_ = true;
    stream_.close();
}

void Connection::on_closed(const Result<void>& why) {
    const auto self = shared_from_this();
    is_closed_ = true;
    if (!why.has_value() && close_reason_ == "peer")
        close_reason_ = why.error().code() == Errc::kTruncated ? "file_too_short" : "reset";
    if (!why.has_value() && why.error().code() == Errc::kNetworkException) {
        close_reason_ = "tls";
        home_.broker().metrics().count_authentication("SSL", "failed");
        // Later it is a broken connection of somebody who is known, and no login.
        if (!stream_.is_established()) audit_handshake(why.error().detail());
        kLog.warn("TLS failed", {{"peer", facts_->peer},
                                 {"listener", facts_->authentication->access().name()},
                                 {"detail", why.error().detail()}});
    }
    home_.broker().metrics().count_closed(close_reason_);
    home_.give_back_memory(std::exchange(reserved_bytes_, 0));
    // Who ends the connection in order may count on what he sent (acks=0): as in Kafka it is done,
    // each when what came before it is.
    const bool is_in_order = close_reason_ == "peer";
    for (std::size_t i = executions_.size(); i-- > 0;) {
        const Execution& one = *executions_[i];
        const bool is_left = is_in_order && one.state == Execution::State::kWaiting &&
                             one.request.api->key == wire::ApiKey::kProduce;
        if (one.state != Execution::State::kExecuting && !is_left) retire(i);
    }
    works_off_ = is_in_order;
    is_draining_ = true;  // Neither rests nor a want of memory hold it up any more.
    // What is in execution ends by itself, sooner when it was only waiting.
    std::vector<Execution*> executing;
    executing.reserve(executions_.size());
    for (const auto& execution : executions_)
        if (execution->state == Execution::State::kExecuting) executing.push_back(execution.get());
    for (Execution* execution : executing) execution->request.hurry();
    start_left();
    home_.gone(*this);
}

}  // namespace leat::broker
