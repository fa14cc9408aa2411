// SPDX-License-Identifier: Apache-2.0
#include "client/batch_sender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "obs/log.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"

namespace leat::client {
namespace {

constexpr obs::Logger kLog{"client"};
using std::chrono::milliseconds;

/// The first version with batches of magic 2.
constexpr std::int16_t kBatchesFrom = 3;
/// The first version that enrols partitions by itself.
constexpr std::int16_t kEnrolsFrom = 12;
/// The first version that knows topics by id alone.
constexpr std::int16_t kTopicIdsFrom = 13;
/// A broker's wish is heeded so far.
constexpr milliseconds kThrottleMax{30'000};
/// After a failure, whatever is set: who leads may be back at any time, and records wait for that.
constexpr milliseconds kPauseMax{1'000};
/// For one try to make partitions part of a transaction.
constexpr milliseconds kEnrolWait{1'000};

}  // namespace

WriteMessage::WriteMessage(const WritePlan& plan, const WriteSettings& settings) {
    partitions_.reserve(plan.parts.size());  // Spans into it are taken.
    for (const WritePlan::Part& part : plan.parts) {
        const TopicPartition& where = part.lane->where;
        if (topics_.empty() || topics_.back().name != where.topic ||
            topics_.back().topic_id != part.topic_id)
            topics_.push_back(
                {.name = where.topic, .topic_id = part.topic_id, .partition_data = {}});
        // Not copied into the request, but sent from where they are.
        partitions_.push_back(
            {.index = where.partition,
             .records = wire::Records::external(records_.size(), part.batch->size_bytes())});
        records_.push_back(part.batch->bytes());
        auto& span = topics_.back().partition_data;
        span = {partitions_.data() + partitions_.size() - 1 - span.size(), span.size() + 1};
        has_ids_ = has_ids_ && !part.topic_id.is_zero();
    }
    if (!settings.transactional_id.empty()) request_.transactional_id = settings.transactional_id;
    request_.acks = settings.acks;
    request_.timeout_ms = static_cast<std::int32_t>(settings.ack_timeout.count());
    request_.topic_data = topics_;
}

void BatchSender::run() {
    while (auto plan = board_.plan(node_, link_.is_open())) {
        if (plan->wants_connection) {
            if (const Result<void> done = link_.open(); !done) note_failure(*plan, done.error());
        } else if (!plan->wants_identity) {
            send(*plan);
        } else if (const Result<void> done = find_identity(); !done) {
            board_.set_identity(std::nullopt);
            if (fate_of(done.error().code()) == TransactionFate::kFatal) board_.fail(done.error());
            note_failure(*plan, done.error());
        }
    }
}

void BatchSender::send(WritePlan& plan) {
    was_sent_ = false;
    if (!plan.enrol.empty() && transactions_ != nullptr && !transactions_->enrols_by_itself()) {
        if (!enrol(plan)) return;
    }
    for (const WritePlan::Part& part : plan.parts) {
        if (!part.batch->is_packed()) part.batch->pack(settings_.codec, settings_.level);
        part.batch->stamp(transactions_ != nullptr);
    }
    Result<std::optional<Answered>> answer = ask(plan);
    if (!answer) return note_failure(plan, answer.error());
    if (failures_ > 0) kLog.info("writing to the broker again", {{"broker", node_}});
    failures_ = 0;
    if (!*answer) return board_.settle(plan, Answers(plan.parts.size(), WriteAnswer{}));
    board_.settle(plan, answers_of(plan, **answer), endpoints_of((*answer)->message));
    const milliseconds throttle{(*answer)->message.throttle_time_ms};
    if (throttle.count() > 0) board_.pause(std::min(throttle, kThrottleMax));
}

Result<void> BatchSender::find_identity() {
    const wire::InitProducerIdRequest request{.transactional_id = std::nullopt,
                                              .transaction_timeout_ms = INT32_MAX};
    LEAT_TRY(const auto answer, link_.use([&](Connection& connection) {
        connection.set_deadline(Deadline::max());
        return connection.call<wire::InitProducerIdResponse>(request);
    }));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    board_.set_identity(
        ProducerIdentity{.id = answer.message.producer_id, .epoch = answer.message.producer_epoch});
    return {};
}

bool BatchSender::enrol(WritePlan& plan) {
    const Result<void> done = transactions_->enrol(plan.identity, plan.enrol, kEnrolWait);
    if (done) {
        board_.enrolled(plan);
        return true;
    }
    const Errc code = done.error().code();
    if (fate_of(code) == TransactionFate::kMayRetry) {
        board_.give_up(plan, settings_.retry, false);
        return false;
    }
    board_.settle(plan, Answers(plan.parts.size(),
                                WriteAnswer{.code = code,
                                            .base_offset = -1,
                                            .reason = std::string{done.error().detail()}}));
    return false;
}

Result<std::optional<BatchSender::Answered>> BatchSender::ask(const WritePlan& plan) {
    const WriteMessage message{plan, settings_};
    std::int16_t version_max = message.has_ids() ? INT16_MAX : kTopicIdsFrom - 1;
    std::int16_t version_min = kBatchesFrom;
    if (transactions_ != nullptr) {
        // By the version a broker knows which of the two protocols is spoken.
        if (transactions_->enrols_by_itself())
            version_min = kEnrolsFrom;
        else
            version_max = std::min<std::int16_t>(version_max, kEnrolsFrom - 1);
    }
    using Out = Result<std::optional<Answered>>;
    const auto exchange = [&](Connection& connection) -> Out {
        connection.set_deadline(plan.deadline);
        // Whatever this try is answered, the one before may have been heard.
        if (std::exchange(was_sent_, true))
            for (const WritePlan::Part& part : plan.parts) part.batch->is_in_doubt = true;
        if (settings_.acks == 0) {
            LEAT_TRY_VOID(connection.tell(message.request(), version_max, message.records()));
            return std::optional<Answered>{};
        }
        LEAT_TRY(Answered answer,
                 connection.call<wire::ProduceResponse>(message.request(), version_max, version_min,
                                                        message.records()));
        return std::optional<Answered>{std::move(answer)};
    };
    // That it closes is how a broker says that the leader is elsewhere, where it does not answer.
    return link_.use(exchange, settings_.retries_max > 0 && settings_.acks != 0, plan.first_end);
}

void BatchSender::note_failure(WritePlan& plan, const Error& why) {
    if (board_.is_stopped()) return;
    if (is_refused(why.code())) board_.fail(why);
    if (failures_ == 0)
        kLog.warn("cannot write to the broker",
                  {{"broker", node_}, {"code", why.code()}, {"why", why.detail()}});
    const milliseconds pause = settings_.pauses.after(failures_++);
    // It is this broker that is left alone: who leads next is not to wait for that.
    if (!plan.parts.empty()) board_.give_up(plan, settings_.retry, was_sent_);
    board_.lose_node(node_);
    board_.pause(std::min(pause, kPauseMax));
}

BatchSender::Answers BatchSender::answers_of(const WritePlan& plan, const Answered& answer) {
    const bool by_id = answer.version >= kTopicIdsFrom;
    const std::size_t count = plan.parts.size();
    Answers out(count);
    std::size_t next = 0;  // Brokers go through parts in the order of the request.
    for (const auto& topic : answer.message.responses)
        for (const auto& said : topic.partition_responses) {
            const auto is_it = [&](const WritePlan::Part& part) {
                const bool is_topic =
                    by_id ? part.topic_id == topic.topic_id : part.lane->where.topic == topic.name;
                return is_topic && part.lane->where.partition == said.index;
            };
            std::size_t at = 0;
            while (at < count && !is_it(plan.parts[(next + at) % count])) ++at;
            if (at == count) continue;
            at = (next + at) % count;
            next = at + 1;
            const Errc code = errc_from_wire(said.error_code);
            out[at] = {.code = code,
                       .base_offset = said.base_offset,
                       .reason = std::string{said.error_message.value_or(
                           code == Errc::kNone ? "" : info(code).doc)},
                       .leader = NamedLeader::of(said.current_leader, code)};
        }
    return out;
}

}  // namespace leat::client
