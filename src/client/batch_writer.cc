// SPDX-License-Identifier: Apache-2.0
//
// Transactions are in batch_writer_transactions.cc.
#include "client/batch_writer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "client/batch_sender.h"
#include "client/leader_finder.h"
#include "rt/clock.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;

/// For the partitions of a topic that is new; what is sent to it waits longer.
constexpr milliseconds kPartitionsWait{1'000};
constexpr milliseconds kKeptPause{20};
/// Partitions that are written to before it is known whether there are so many.
constexpr std::int32_t kBlindPartitionsMax = 1'024;

std::int64_t time_of(const OutgoingRecord& record) {
    if (record.timestamp_ms >= 0) return record.timestamp_ms;
    return rt::system_time().wall_now().value;
}

}  // namespace

BatchWriter::BatchWriter(WriteSettings settings, OnDelivery on_delivery, Reports reports,
                         rt::Descriptor stop)
    : settings_(std::move(settings)),
      on_delivery_(std::move(on_delivery)),
      stop_(std::move(stop)),
      board_(settings_, reports == Reports::kAll),
      random_(static_cast<std::minstd_rand::result_type>(steady_now().time_since_epoch().count())) {
    settings_.cluster.connection.stop = stop_.get();
    if (!settings_.transactional_id.empty())
        transactions_ = std::make_unique<TransactionCalls>(
            TransactionCallSettings{.cluster = settings_.cluster,
                                    .transactional_id = settings_.transactional_id,
                                    .transaction_timeout = settings_.transaction_timeout,
                                    .retry = settings_.retry});
    finder_ = rt::NamedThread{"write-leaders", [this] { run(); }};
}

void BatchWriter::run() {
    const auto send = [this](std::int32_t node) {
        BatchSender{board_, settings_, transactions_.get(), node}.run();
    };
    LeaderFinder{board_,
                 {.cluster = settings_.cluster,
                  .pauses = settings_.pauses,
                  .creates_topics = settings_.creates_topics,
                  .purpose = "write"},
                 send}
        .run();
}

Result<std::unique_ptr<RecordWriter>> BatchWriter::open(WriteSettings settings,
                                                        OnDelivery on_delivery, Reports reports) {
    rt::Descriptor stop{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (!stop.is_open()) return Error{Errc::kIoError, "no event descriptor is left"};
    return std::unique_ptr<RecordWriter>{std::make_unique<BatchWriter>(
        std::move(settings), std::move(on_delivery), reports, std::move(stop))};
}

BatchWriter::~BatchWriter() {
    board_.stop();
    constexpr std::uint64_t kOne = 1;
    static_cast<void>(::write(stop_.get(), &kOne, sizeof kOne));
    finder_ = {};  // Waits for it, before anything that it uses goes.
}

BatchWriter::Topics::value_type& BatchWriter::topic_of(std::string_view name) {
    if (last_topic_ != nullptr && last_topic_->first == name) return *last_topic_;
    auto found = topics_.find(name);
    if (found == topics_.end()) {
        found = topics_.try_emplace(std::string{name}).first;
        found->second.on_board = &board_.writer_topic(name);
    }
    last_topic_ = &*found;
    return *last_topic_;
}

bool BatchWriter::has_room() const {
    return handed_records_ - board_.done_records() < settings_.queued_records_max &&
           handed_bytes_ - board_.done_bytes() < settings_.queued_bytes_max;
}

Result<bool> BatchWriter::send(std::string_view topic, const OutgoingRecord& record) {
    if (transactions_ != nullptr && (!is_in_transaction_ || may_be_committed_)) [[unlikely]] {
        if (board_.fatal()) return board_.refusal();
        return Error{Errc::kUsage, is_in_transaction_ ? "the transaction is being committed"
                                                      : "no transaction has begun"};
    }
    if (board_.refuses_all()) [[unlikely]]
        return board_.refusal();
    const std::size_t weight = WriteBatch::weight_of(record);
    if (weight > settings_.record_bytes_max) [[unlikely]]
        return Error{Errc::kMessageTooLarge, "message.max.bytes is less than this record"};
    if (!has_room()) [[unlikely]] {
        // Nobody waits for batches to become fuller.
        if (!std::exchange(has_declined_, true)) board_.writer_hurry(false);
        return false;
    }
    auto& to = topic_of(topic);
    Topic& state = to.second;
    std::int32_t partitions = state.on_board->partitions;
    if (partitions == 0 && (record.partition < 0 || record.partition >= kBlindPartitionsMax)) {
        await_partitions(state);
        partitions = state.on_board->partitions;
    }
    if (partitions > 0 && record.partition >= partitions)
        return Error{Errc::kUnknownTopicOrPartition,
                     to.first + " has no partition " + std::to_string(record.partition)};
    ++handed_records_;
    handed_bytes_ += weight;
    const bool is_blind =
        partitions == 0 && (record.partition < 0 || record.partition >= kBlindPartitionsMax);
    if (!state.kept.empty()) place_kept(to);
    if (is_blind || !state.kept.empty()) [[unlikely]] {
        keep(state, record, time_of(record));
        return true;
    }
    bool is_anywhere = false;
    const std::int32_t partition = choose(state, record, partitions, is_anywhere);
    put(to, partition, record, weight, is_anywhere);
    return true;
}

std::int32_t BatchWriter::choose(Topic& topic, const OutgoingRecord& record,
                                 std::int32_t partitions, bool& is_anywhere) {
    if (record.partition >= 0) return record.partition;
    const auto chosen = partition_for(settings_.partitioner, record.key, partitions);
    if (chosen) return *chosen;
    is_anywhere = true;
    if (topic.sticky < 0 || topic.sticky >= partitions || !settings_.sticks) {
        topic.sticky = any_of(partitions);
        topic.has_stuck = false;
    }
    return topic.sticky;
}

void BatchWriter::put(Topics::value_type& topic, std::int32_t partition,
                      const OutgoingRecord& record, std::size_t weight, bool is_anywhere) {
    auto& lanes = topic.second.lanes;
    const auto at = static_cast<std::size_t>(partition);
    if (at >= lanes.size()) lanes.resize(at + 1);
    if (lanes[at] == nullptr)
        lanes[at] = &board_.writer_lane(*topic.second.on_board, {topic.first, partition});
    WriteLane& lane = *lanes[at];
    const std::int64_t time = time_of(record);
    bool is_added = false;
    bool is_full = false;
    {
        const std::lock_guard lock{lane.lock};
        if (lane.open != nullptr &&
            lane.open->fits(weight, settings_.batch_bytes_max, settings_.batch_records_max)) {
            lane.open->add(record, time, weight);
            is_added = true;
            is_full = lane.open->count() >= settings_.batch_records_max;
        }
    }
    if (is_full) board_.writer_hurry(lane);
    if (is_added) return;
    const std::int32_t known = topic.second.on_board->partitions;  // 0 when it was just lost.
    if (is_anywhere && settings_.sticks && known > 0 &&
        std::exchange(topic.second.has_stuck, true)) {
        // The batch that it all went to is full, or on its way: another partition has its turn.
        board_.writer_hurry(lane);
        topic.second.sticky = any_of(known);
        return put(topic, topic.second.sticky, record, weight, false);
    }
    board_.writer_put(lane, record, time, weight);
}

std::int32_t BatchWriter::any_of(std::int32_t partitions) {
    return static_cast<std::int32_t>(random_() % static_cast<std::uint32_t>(partitions));
}

void BatchWriter::await_partitions(Topic& topic) {
    if (std::exchange(topic.was_awaited, true)) return;
    const Steady end = steady_now() + kPartitionsWait;
    board_.writer_ask(*topic.on_board);
    for (;;) {
        const std::uint64_t news = board_.writer_news();
        if (topic.on_board->partitions > 0 || board_.refuses_all() || steady_now() >= end) return;
        board_.writer_wait(news, end);
    }
}

void BatchWriter::keep(Topic& topic, const OutgoingRecord& record, std::int64_t timestamp_ms) {
    // What was lost before is not this one's matter.
    if (topic.kept.empty()) topic.losses = board_.writer_state(*topic.on_board).losses;
    Kept& one = topic.kept.emplace_back();
    if (record.key) one.key = *record.key;
    if (record.value) one.value = *record.value;
    if (record.headers != nullptr) one.headers = *record.headers;
    one.partition = record.partition;
    one.timestamp_ms = timestamp_ms;
    one.tag = record.tag;
    one.since = steady_now();
    if (kept_++ == 0 || topic.kept.size() == 1) board_.writer_ask(*topic.on_board);
}

void BatchWriter::place_kept() {
    if (kept_ == 0) return;
    for (auto& topic : topics_)
        if (!topic.second.kept.empty()) place_kept(topic);
}

void BatchWriter::place_kept(Topics::value_type& topic) {
    Topic& to = topic.second;
    if (const auto why = board_.fatal()) return refuse_kept(topic, *why);
    const WriteBoard::TopicState state = board_.writer_state(*to.on_board);
    const std::int32_t partitions = to.on_board->partitions;
    if (std::exchange(to.losses, state.losses) != state.losses)
        return refuse_kept(topic, state.loss_code);
    const Steady now = steady_now();
    const bool is_endless = settings_.delivery_timeout.count() == 0;
    while (!to.kept.empty()) {
        Kept& one = to.kept.front();
        const bool is_late = !is_endless && now - one.since >= settings_.delivery_timeout;
        if (partitions == 0 && !is_late) return board_.writer_ask(*to.on_board);
        const OutgoingRecord record = one.view();
        if (partitions > 0 && one.partition < partitions) {
            bool is_anywhere = false;
            const std::int32_t partition = choose(to, record, partitions, is_anywhere);
            put(topic, partition, record, WriteBatch::weight_of(record), is_anywhere);
        } else if (is_late) {
            give_up(topic.first, one, Errc::kTimedOut, "not written in time");
        } else {
            give_up(topic.first, one, Errc::kUnknownTopicOrPartition,
                    "the topic has no such partition");
        }
        to.kept.pop_front();
        --kept_;
    }
}

void BatchWriter::give_up(std::string_view topic, const Kept& one, Errc code,
                          std::string_view why) {
    if (transactions_ != nullptr) board_.break_transaction(code);
    untold_.push_back({.topic = std::string{topic},
                       .partition = one.partition,
                       .code = code,
                       .reason = std::string{why},
                       .base_offset = -1,
                       .tags = {{one.tag, 1}},
                       .weight = WriteBatch::weight_of(one.view())});
}

void BatchWriter::refuse_kept(Topics::value_type& topic, Errc code) {
    for (const Kept& one : std::exchange(topic.second.kept, {})) {
        --kept_;
        give_up(topic.first, one, code, info(code).doc);
    }
}

void BatchWriter::drop_kept() {
    for (auto& topic : topics_) refuse_kept(topic, Errc::kCancelled);
}

Result<std::int32_t> BatchWriter::partition_count(std::string_view topic, milliseconds wait) {
    const Steady end = steady_now() + wait;
    WriteTopic& asked = *topic_of(topic).second.on_board;
    const std::uint64_t before = board_.writer_state(asked).answers;
    board_.writer_ask(asked);
    for (;;) {
        const std::uint64_t news = board_.writer_news();
        const WriteBoard::TopicState state = board_.writer_state(asked);
        const bool is_late = steady_now() >= end;
        if (state.answers != before) {
            if (state.code == Errc::kNone) return asked.partitions.load();
            const bool may_pass =
                info(state.code).retriable && state.code != Errc::kUnknownTopicOrPartition;
            if (is_late || !may_pass) return Error{state.code, topic};
            board_.writer_ask(asked);
        }
        if (board_.fatal()) return board_.refusal();
        if (is_late)
            return Error{Errc::kTimedOut, std::string{topic} + ": no broker answered in time"};
        board_.writer_wait(news, end);
    }
}

void BatchWriter::tell(const WriteOutcome& outcome) {
    std::uint64_t records = 0;
    for (const TagRun& run : outcome.tags)
        for (std::int32_t i = 0; i < run.count; ++i) {
            const std::int64_t offset =
                outcome.base_offset < 0 ? -1
                                        : outcome.base_offset + static_cast<std::int64_t>(records);
            on_delivery_({.tag = run.tag,
                          .code = outcome.code,
                          .reason = outcome.reason,
                          .topic = outcome.topic,
                          .partition = outcome.partition,
                          .offset = Offset{offset}});
            ++records;
        }
    told_ += records;
    board_.writer_told(records, outcome.weight);
}

bool BatchWriter::report() {
    const std::uint64_t told = told_;
    board_.writer_expire();
    place_kept();
    for (const WriteOutcome& outcome : std::exchange(untold_, {})) tell(outcome);
    const std::uint64_t news = board_.writer_news();
    if (news != std::exchange(news_, news)) {
        std::vector<WriteOutcome> came;
        board_.writer_take(came);
        for (const WriteOutcome& outcome : came) tell(outcome);
    }
    return told_ != told;
}

void BatchWriter::wait_for_news(std::uint64_t news, Steady until) {
    // Nobody else looks whether what is kept has waited too long.
    if (kept_ > 0) until = std::min(until, steady_now() + kKeptPause);
    board_.writer_wait(news, until);
}

void BatchWriter::poll(milliseconds wait) {
    const bool has_told = report();
    const bool has_got_room = has_declined_ && has_room();
    if (has_got_room) has_declined_ = false;
    if (wait.count() <= 0 || has_told || has_got_room) return;
    const Steady end = steady_now() + wait;
    while (steady_now() < end) {
        wait_for_news(news_, end);
        if (report()) break;
        if (has_declined_ && has_room()) break;
    }
    if (has_room()) has_declined_ = false;
}

std::size_t BatchWriter::in_flight() const {
    return handed_records_ - board_.done_records();
}

Result<void> BatchWriter::flush(milliseconds wait) {
    return flush_until(steady_now() + wait);
}

Result<void> BatchWriter::flush_until(Steady until) {
    report();
    if (in_flight() == 0) return {};
    board_.writer_hurry(true);
    for (;;) {
        const std::uint64_t news = board_.writer_news();
        report();
        if (in_flight() == 0 || steady_now() >= until) break;
        wait_for_news(news, until);
    }
    board_.writer_hurry(false);
    if (in_flight() == 0) return {};
    return Error{Errc::kTimedOut, "waiting for acknowledgements"};
}

}  // namespace leat::client
