// SPDX-License-Identifier: Apache-2.0
//
// The writer's side, and what becomes of batches. What senders ask for is in write_board_plan.cc,
// what the finder of leaders does in write_board_leaders.cc.
#include "client/write_board.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "client/transaction_calls.h"

namespace leat::client {
namespace {

/// Memory that batches leave behind, to be used again.
constexpr std::size_t kFreeBytes = std::size_t{8} << 20U;

/// Whether the broker may have written the batch all the same: leadership may go, and a topic be
/// deleted, while it waits for replicas.
bool may_be_written(Errc code) {
    if (code == Errc::kNotEnoughReplicas || code == Errc::kCorruptMessage) return false;
    return info(code).retriable || says_leader_is_elsewhere(code) ||
           code == Errc::kUnknownServerError;
}

/// The broker and we count differently.
bool has_lost_count(Errc code) {
    return code == Errc::kOutOfOrderSequenceNumber || code == Errc::kUnknownProducerId ||
           code == Errc::kInvalidProducerEpoch;
}

}  // namespace

WriteTopic& WriteBoard::writer_topic(std::string_view name) {
    const Lock lock{mutex_};
    const auto found = topics_.find(name);
    return found != topics_.end() ? found->second : topics_[std::string{name}];
}

WriteLane& WriteBoard::writer_lane(WriteTopic& topic, TopicPartition where) {
    const Lock lock{mutex_};
    std::unique_ptr<WriteLane>& lane = lanes_[where];
    if (lane == nullptr) {
        lane = std::make_unique<WriteLane>(std::move(where));
        topic.lanes.push_back(lane.get());
        const auto at = static_cast<std::size_t>(lane->where.partition);
        if (at < topic.leaders.size()) apply(*lane, topic.leaders[at]);
        if (lane->leader >= 0) {
            auto& lanes = desks_[lane->leader].lanes;
            nodes_changed_ = nodes_changed_ || lanes.empty();
            lanes.push_back(lane.get());
        } else {
            if (topic.answers == 0 && !topic.is_wanted) look_not_before_ = {};
            topic.is_wanted = true;
        }
        // Who is not yet sent to gets a sender.
        look_.notify_all();
    }
    return *lane;
}

void WriteBoard::writer_ask(WriteTopic& topic) {
    const Lock lock{mutex_};
    if (std::exchange(topic.is_wanted, true)) return;
    // The first question is asked at once; later ones keep to the pauses.
    if (topic.answers == 0) look_not_before_ = {};
    look_.notify_all();
}

WriteBoard::TopicState WriteBoard::writer_state(const WriteTopic& topic) const {
    const Lock lock{mutex_};
    return {.answers = topic.answers,
            .losses = topic.losses,
            .loss_code = topic.loss_code,
            .code = topic.code};
}

std::unique_ptr<WriteBatch> WriteBoard::fresh(Steady now) {
    std::unique_ptr<WriteBatch> out;
    if (free_.empty()) {
        out = std::make_unique<WriteBatch>();
    } else {
        out = std::move(free_.back());
        free_.pop_back();
        free_bytes_ -= out->capacity();
    }
    out->begin(now);
    first_end_ = std::min(first_end_.load(), end_of(*out));
    return out;
}

void WriteBoard::recycle(std::unique_ptr<WriteBatch> batch) {
    if (free_bytes_ + batch->capacity() > kFreeBytes) return;
    free_bytes_ += batch->capacity();
    free_.push_back(std::move(batch));
}

void WriteBoard::writer_put(WriteLane& lane, const OutgoingRecord& record,
                            std::int64_t timestamp_ms, std::size_t weight) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    {
        const std::lock_guard inner{lane.lock};
        if (lane.open != nullptr &&
            !lane.open->fits(weight, settings_.batch_bytes_max, settings_.batch_records_max))
            lane.closed.push_back(std::move(lane.open));
        if (lane.open == nullptr) {
            lane.open = fresh(now);
            lane.due = is_hurried_ ? now : now + settings_.linger;
        }
        lane.open->add(record, timestamp_ms, weight);
    }
    // It was let in before that was so.
    if (is_halted_)
        return drop(lane, fatal_ ? fatal_->code() : Errc::kCancelled, "nothing is sent any more");
    if (lane.leader >= 0)
        tell_sender(lane, now);
    else
        look_.notify_all();
}

void WriteBoard::tell_sender(const WriteLane& lane, Steady now) {
    const auto found = desks_.find(lane.leader);
    if (found == desks_.end() || lane.is_asked) return;
    const Steady due = lane.closed.empty() ? lane.due : now;
    if (std::max(due, lane.not_before) < found->second.wakes) found->second.work.notify_all();
}

void WriteBoard::writer_hurry(bool for_good) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    is_hurried_ = for_good;
    for (const auto& [where, lane] : lanes_)
        if (lane->due != Steady::max()) lane->due = std::min(lane->due, now);
    for (auto& [node, desk] : desks_) desk.work.notify_all();
    look_.notify_all();
}

void WriteBoard::writer_hurry(WriteLane& lane) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    if (lane.due == Steady::max()) return;
    lane.due = std::min(lane.due, now);
    if (lane.leader >= 0)
        tell_sender(lane, now);
    else
        look_.notify_all();
}

void WriteBoard::tell_writer() {
    ++news_;
    came_.notify_all();
}

void WriteBoard::writer_wait(std::uint64_t news, Steady until) {
    Lock lock{mutex_};
    const auto has_come = [&] { return news_ != news || stopped_.load(); };
    while (!came_.wait_until(lock, std::min(until, first_end_.load()), has_come)) {
        const Steady now = steady_now();
        if (now >= until) return;
        expire_all(now);
    }
}

void WriteBoard::writer_expire() {
    const Steady end = first_end_;
    if (end == Steady::max()) return;
    const Steady now = steady_now();
    if (now < end) return;
    const Lock lock{mutex_};
    expire_all(now);
}

void WriteBoard::writer_take(std::vector<WriteOutcome>& into) {
    const Lock lock{mutex_};
    std::ranges::move(outcomes_, std::back_inserter(into));
    outcomes_.clear();
}

void WriteBoard::writer_told(std::uint64_t records, std::uint64_t bytes) {
    done_records_ += records;
    done_bytes_ += bytes;
}

Error WriteBoard::refusal() const {
    const Lock lock{mutex_};
    if (fatal_) return Error{fatal_->code(), fatal_->detail()};
    // Not the code of the record that broke it: it is not the next one's fault.
    return Error{Errc::kUnknownServerError, "the transaction has failed and has to be aborted"};
}

std::optional<Errc> WriteBoard::fatal() const {
    const Lock lock{mutex_};
    if (!fatal_) return std::nullopt;
    return fatal_->code();
}

void WriteBoard::writer_begin(ProducerIdentity as) {
    const Lock lock{mutex_};
    identity_ = as;
    transaction_ = {};
    ++transaction_number_;
    is_halted_ = refuses_all_ = fatal_.has_value();
}

void WriteBoard::writer_drop() {
    const Lock lock{mutex_};
    is_halted_ = refuses_all_ = true;
    if (!transaction_.broken) transaction_.broken = Errc::kCancelled;
    drop_all(Errc::kCancelled, "the transaction was aborted");
}

bool WriteBoard::is_asking() const {
    const Lock lock{mutex_};
    return asking_ > 0;
}

WriteBoard::Transaction WriteBoard::transaction() const {
    const Lock lock{mutex_};
    return transaction_;
}

void WriteBoard::break_transaction(Errc why) {
    const Lock lock{mutex_};
    break_off(why);
}

void WriteBoard::break_off(Errc why) {
    if (!transaction_.broken) transaction_.broken = why;
    is_halted_ = refuses_all_ = true;
    drop_all(Errc::kCancelled, "another record of the transaction was refused");
}

void WriteBoard::stop() {
    const Lock lock{mutex_};
    stopped_ = true;
    for (auto& [node, desk] : desks_) desk.work.notify_all();
    look_.notify_all();
    came_.notify_all();
}

void WriteBoard::fail(const Error& why) {
    const Lock lock{mutex_};
    end_all(why);
}

void WriteBoard::end_all(const Error& why) {
    if (!fatal_) fatal_.emplace(why.code(), why.detail());
    refuses_all_ = true;
    is_halted_ = true;
    drop_all(why.code(), why.detail());
    tell_writer();
}

/// What is open joins what is closed.
void WriteBoard::close(WriteLane& lane) {
    const std::lock_guard inner{lane.lock};
    lane.due = Steady::max();
    if (lane.open != nullptr) lane.closed.push_back(std::move(lane.open));
}

void WriteBoard::drop(WriteLane& lane, Errc code, std::string_view why) {
    close(lane);
    // The first may be with a sender: it is judged when its answer comes.
    std::unique_ptr<WriteBatch> first;
    if (lane.is_asked) {
        first = std::move(lane.closed.front());
        lane.closed.pop_front();
    }
    while (!lane.closed.empty())
        finish(lane, {.code = code, .base_offset = -1, .reason = std::string{why}});
    if (first != nullptr) lane.closed.push_front(std::move(first));
}

void WriteBoard::refuse_all(WriteLane& lane, Errc code, std::string_view why) {
    close(lane);
    while (!lane.closed.empty() && !lane.is_asked)
        refuse(lane, {.code = code, .base_offset = -1, .reason = std::string{why}});
}

void WriteBoard::drop_all(Errc code, std::string_view why) {
    for (const auto& [where, lane] : lanes_) drop(*lane, code, why);
}

/// The sequences of the lane begin anew. What was sent under the ones before cannot be written any
/// more once something of these was.
void WriteBoard::renew(WriteLane& lane) {
    lane.next_sequence = 0;
    if (lane.identity.epoch < INT16_MAX) {
        ++lane.identity.epoch;
        return;
    }
    if (identity_.id == lane.identity.id) identity_ = {};
    lane.identity = {};
}

/// Takes the first batch from its lane, and tells of it.
void WriteBoard::finish(WriteLane& lane, WriteAnswer answer) {
    std::unique_ptr<WriteBatch> batch = std::move(lane.closed.front());
    lane.closed.pop_front();
    const bool is_written = answer.code == Errc::kNone;
    if (!is_written && batch->base_sequence != wire::kNoSequence) {
        if (!settings_.transactional_id.empty())
            transaction_.is_uncertain = true;
        else if (!batch->is_in_doubt)
            lane.next_sequence = batch->base_sequence;
        else
            renew(lane);
    }
    if (is_written && !tells_all_) {
        done_records_ += static_cast<std::uint64_t>(batch->count());
        done_bytes_ += batch->weight();
    } else {
        outcomes_.push_back({.topic = lane.where.topic,
                             .partition = lane.where.partition,
                             .code = answer.code,
                             .reason = std::move(answer.reason),
                             .base_offset = answer.base_offset,
                             .tags = batch->take_tags(),
                             .weight = batch->weight()});
    }
    recycle(std::move(batch));
    tell_writer();
}

Steady WriteBoard::end_of(const WriteBatch& batch) const {
    return settings_.delivery_timeout.count() == 0 ? Steady::max()
                                                   : batch.opened() + settings_.delivery_timeout;
}

/// `again`: not later than when the next one is to be given up.
void WriteBoard::expire(WriteLane& lane, Steady now, Steady& again) {
    while (!lane.closed.empty() && !lane.is_asked) {
        const Steady end = end_of(*lane.closed.front());
        if (now < end) {
            again = std::min(again, end);
            return;
        }
        refuse(lane, {.code = Errc::kTimedOut, .base_offset = -1, .reason = "not written in time"});
    }
}

/// Of what waits in the lane; max: nothing does.
Steady WriteBoard::next_end(WriteLane& lane, Steady now) const {
    // What is over is with a sender, and given up as soon as it comes back.
    for (const auto& batch : lane.closed)
        if (const Steady end = end_of(*batch); end > now) return end;
    const std::lock_guard inner{lane.lock};
    return lane.open == nullptr ? Steady::max() : end_of(*lane.open);
}

void WriteBoard::expire_all(Steady now) {
    Steady first = Steady::max();
    for (const auto& [where, lane] : lanes_) {
        Steady end = next_end(*lane, now);
        if (end <= now) close(*lane);
        expire(*lane, now, end);
        first = std::min(first, next_end(*lane, now));
    }
    first_end_ = first;
}

void WriteBoard::refuse(WriteLane& lane, WriteAnswer answer) {
    const Error why{answer.code, answer.reason};
    finish(lane, std::move(answer));
    if (settings_.transactional_id.empty()) return;
    if (fate_of_batch(why.code()) == TransactionFate::kFatal && !fatal_) return end_all(why);
    if (!is_halted_) break_off(why.code());
}

void WriteBoard::settle(WritePlan& plan, std::vector<std::optional<WriteAnswer>> answers,
                        const std::map<std::int32_t, Endpoint>& named) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    --asking_;
    for (const auto& [node, endpoint] : named) brokers_.insert_or_assign(node, endpoint);
    bool is_lost = false;
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        WriteLane& lane = *plan.parts[i].lane;
        lane.is_asked = false;
        if (!answers[i])
            answers[i] = {.code = Errc::kNetworkException, .base_offset = -1, .reason = {}};
        judge(lane, *std::move(answers[i]), now);
        is_lost = is_lost || lane.leader < 0;
        if (lane.leader != plan.node) tell_sender(lane, now);
    }
    if (is_lost || nodes_changed_) look_.notify_all();
    tell_writer();
}

void WriteBoard::judge(WriteLane& lane, WriteAnswer answer, Steady now) {
    WriteBatch& batch = *lane.closed.front();
    const Errc code = answer.code;
    if (code == Errc::kNone || code == Errc::kDuplicateSequenceNumber) {
        answer.code = Errc::kNone;
        return finish(lane, std::move(answer));
    }
    batch.is_in_doubt = batch.is_in_doubt || may_be_written(code);
    // It is looked at before anything is written, so no earlier try was.
    if (code == Errc::kMessageTooLarge && batch.count() > 1 && !is_halted_) return split(lane);
    const bool can_renew = settings_.is_idempotent && settings_.transactional_id.empty();
    if (says_leader_is_elsewhere(code)) {
        const bool is_named = follow(lane, answer.leader);
        if (!is_named) lane.leader = -1;
        return put_off(lane, std::move(answer), is_named ? now : now + settings_.retry, now);
    }
    if (can_renew && has_lost_count(code)) {
        if (batch.identity == lane.identity) renew(lane);
        batch.base_sequence = wire::kNoSequence;
        return put_off(lane, std::move(answer), now + settings_.retry, now);
    }
    if (info(code).retriable) return put_off(lane, std::move(answer), now + settings_.retry, now);
    refuse(lane, std::move(answer));
}

/// It is to be sent again, unless that has no end.
void WriteBoard::put_off(WriteLane& lane, WriteAnswer answer, Steady not_before, Steady now) {
    const WriteBatch& batch = *lane.closed.front();
    if (is_halted_)
        return refuse(lane, {.code = Errc::kCancelled, .base_offset = -1, .reason = "dropped"});
    if (batch.tries > settings_.retries_max) return refuse(lane, std::move(answer));
    lane.not_before = not_before;
    Steady again = Steady::max();
    expire(lane, now, again);
}

void WriteBoard::split(WriteLane& lane) {
    std::unique_ptr<WriteBatch> batch = std::move(lane.closed.front());
    auto halves = batch->split();
    if (!halves) {
        lane.closed.front() = std::move(batch);
        return refuse(lane, {.code = halves.error().code(), .base_offset = -1, .reason = {}});
    }
    lane.closed.pop_front();
    if (batch->base_sequence != wire::kNoSequence) lane.next_sequence = batch->base_sequence;
    lane.closed.push_front(std::move(halves->second));
    lane.closed.push_front(std::move(halves->first));
    recycle(std::move(batch));
}

void WriteBoard::give_up(WritePlan& plan, std::chrono::milliseconds pause, bool was_sent) {
    const Lock lock{mutex_};
    const Steady now = steady_now();
    --asking_;
    for (const auto& part : plan.parts) {
        WriteLane& lane = *part.lane;
        lane.is_asked = false;
        lane.leader = -1;
        if (!was_sent) --part.batch->tries;
        part.batch->is_in_doubt = part.batch->is_in_doubt || was_sent;
        put_off(lane,
                {.code = Errc::kNetworkException,
                 .base_offset = -1,
                 .reason = "the connection was lost"},
                now + pause, now);
    }
    look_.notify_all();
    tell_writer();
}

}  // namespace leat::client
