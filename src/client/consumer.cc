// SPDX-License-Identifier: Apache-2.0
#include "client/consumer.h"

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "client/rdkafka.h"
#include "client/received.h"

namespace leat::client {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Calls of librdkafka that wait are made this long at a time: nothing interrupts them.
constexpr milliseconds kSlice{500};
constexpr milliseconds kLookUpSlice{1000};
constexpr milliseconds kCommitMax{60'000};
/// In so many slices a port may seem to be of another kind: it may be one that forwards to a broker
/// which is not up yet.
constexpr int kGuessesMax = 5;

}  // namespace

struct Consumer::State {
    OnRebalance on_rebalance;
    std::function<bool()> stopped;
    std::optional<Clock::time_point> stopped_at;  ///< When `stopped` was first true.
    RdPtr<rd_kafka_t> handle;
    /// Without a group: librdkafka's consumer of groups asks for a coordinator in any case, which
    /// takes a right on the group.
    RdPtr<rd_kafka_queue_t> queue;
    std::map<TopicPartition, RdPtr<rd_kafka_topic_t>> started;
    /// Of a group's partitions that are assigned here: behind what poll() returned. librdkafka
    /// knows none of a partition in which there was nothing to read: who comes next would begin
    /// there by auto.offset.reset, behind what came meanwhile.
    std::map<TopicPartition, Offset> positions;
    std::map<TopicPartition, Offset> committed;
    std::map<TopicPartition, Offset>::iterator last = positions.end();  ///< To be set.
    bool is_subscribed = false;
    bool has_joined = false;            ///< It was given an assignment.
    RdPtr<rd_kafka_message_t> message;  ///< Of the last event: its views point into it.
    std::string trouble;
    Errc trouble_code = Errc::kNone;
    bool closed = false;
    bool abandoned = false;  ///< close() was not waited for to its end.

    ~State() {
        message.reset();
        end_librdkafka();
    }

    /// librdkafka's destructor waits until a commit that is under way is answered, and for good
    /// where a topic was deleted meanwhile; there is no way around it. What is not done in time
    /// stays behind.
    void end_librdkafka() {
        if (handle == nullptr) return;
        if (abandoned) {
            // NOLINTBEGIN(bugprone-unused-return-value): they are left behind.
            for (auto& [where, topic] : started) static_cast<void>(topic.release());
            static_cast<void>(queue.release());
            static_cast<void>(handle.release());
            // NOLINTEND(bugprone-unused-return-value)
            return;
        }
        auto ended = std::make_shared<std::promise<void>>();
        const std::future<void> end = ended->get_future();
        auto end_all = [ended, handle = std::move(handle), queue = std::move(queue),
                        started = std::move(started)]() mutable {
            for (const auto& [where, topic] : started)
                rd_kafka_consume_stop(topic.get(), where.partition);
            started.clear();
            queue.reset();
            // It is closed already, and the callbacks' State may be gone.
            rd_kafka_destroy_flags(handle.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
            ended->set_value();
        };
        std::thread worker{std::move(end_all)};  // tidy: right here, it may be left to itself.
        if (end.wait_for(kStopGrace) == std::future_status::ready) return worker.join();
        worker.detach();
    }

    [[nodiscard]] bool must_leave(milliseconds grace) {
        if (!stopped_at && stopped && stopped()) stopped_at = Clock::now();
        return stopped_at && Clock::now() >= *stopped_at + grace;
    }
    /// Has the error callback called. Once a group is subscribed to, poll() does that alone:
    /// librdkafka ends the process when its other way meets a record.
    void hear_trouble() {
        if (!is_subscribed) rd_kafka_poll(handle.get(), 0);
    }
    void note_position(const TopicPartition& where, Offset next) {
        last = positions.insert_or_assign(where, next).first;
    }
    void forget(const std::vector<TopicPartition>& partitions) {
        for (const TopicPartition& gone : partitions) {
            positions.erase(gone);
            committed.erase(gone);
        }
        last = positions.end();
    }
    /// `call` with a time to wait, again and again while it only ran out of that.
    template <class Call>
    rd_kafka_resp_err_t patiently(milliseconds wait, Call call) {
        const Clock::time_point end = Clock::now() + wait;
        int guesses = 0;
        if (!is_subscribed) {  // Else it is poll()'s to tell.
            trouble.clear();
            trouble_code = Errc::kNone;
        }
        for (;;) {
            const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
            const milliseconds slice = std::clamp(left, milliseconds{1}, kLookUpSlice);
            const rd_kafka_resp_err_t code = call(static_cast<int>(slice.count()));
            const bool ran_out =
                code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT;
            if (!ran_out || left <= slice) return code;
            hear_trouble();
            guesses += static_cast<int>(is_of_other_kind(trouble_code, trouble));
            if (is_refused(trouble_code, trouble) || guesses >= kGuessesMax) return code;
            // Nothing is lost when a look-up is not waited for.
            if (stopped && stopped()) return RD_KAFKA_RESP_ERR__PURGE_QUEUE;
        }
    }

    /// Runs on: the thread inside Consumer::poll() or close().
    static void rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                          rd_kafka_topic_partition_list_t* list, void* opaque) {
        const bool assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        State& state = *static_cast<State*>(opaque);
        Rebalance out{.assigned = assigned, .partitions = {}};
        for (int i = 0; i < list->cnt; ++i)
            out.partitions.push_back({list->elems[i].topic, list->elems[i].partition});
        // Others have them already: where this one was says nothing any more.
        if (!assigned && rd_kafka_assignment_lost(handle) != 0) state.forget(out.partitions);
        // Told before they are given up: only then can their offsets still be committed.
        if (!assigned && state.on_rebalance) state.on_rebalance(out);
        const bool is_cooperative =
            std::string_view{rd_kafka_rebalance_protocol(handle)} == "COOPERATIVE";
        if (is_cooperative) {
            const RdPtr<rd_kafka_error_t> failure{
                assigned ? rd_kafka_incremental_assign(handle, list)
                         : rd_kafka_incremental_unassign(handle, list)};
        } else {
            rd_kafka_assign(handle, assigned ? list : nullptr);
        }
        // Who has given up all joins again, unless he leaves.
        if (assigned || (!is_cooperative && !state.closed)) state.has_joined = assigned;
        if (assigned && state.on_rebalance) state.on_rebalance(out);
        if (!assigned) state.forget(out.partitions);
    }
    /// The first error of the answer to a commit, of all or of one partition.
    rd_kafka_resp_err_t note_committed(rd_kafka_event_t* event) {
        rd_kafka_resp_err_t code = rd_kafka_event_error(event);
        const rd_kafka_topic_partition_list_t* list =
            code == RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_event_topic_partition_list(event)
                                               : nullptr;
        for (int i = 0; list != nullptr && i < list->cnt; ++i) {
            const rd_kafka_topic_partition_t& one = list->elems[i];
            if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR)
                committed[{one.topic, one.partition}] = Offset{one.offset};
            else if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
                code = one.err;
        }
        return code;
    }
    static void note_trouble(rd_kafka_t* /*handle*/, int code, const char* reason, void* opaque) {
        State& state = *static_cast<State*>(opaque);
        // That all are down follows each failure and says less.
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !state.trouble.empty()) return;
        state.trouble = reason;
        state.trouble_code = trouble_errc(code, reason);
    }
};

namespace {

RdPtr<rd_kafka_topic_partition_list_t> new_list(std::size_t size) {
    return RdPtr<rd_kafka_topic_partition_list_t>{
        rd_kafka_topic_partition_list_new(static_cast<int>(size))};
}

}  // namespace

Consumer::Consumer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Consumer::~Consumer() {
    ignore(close(), "nobody is left to be told");
}

Result<std::unique_ptr<Consumer>> Consumer::open(const std::vector<Property>& properties,
                                                 OnRebalance on_rebalance) {
    LEAT_TRY(std::vector<Property> translated, to_librdkafka(properties, Role::kConsumer));
    set_property(translated, "enable.partition.eof", "true");
    const bool in_group = !find_property(translated, "group.id").empty();
    if (!in_group)
        std::erase_if(translated, [](const Property& p) { return p.name == "group.id"; });
    LEAT_TRY(RdPtr<rd_kafka_conf_t> conf, make_conf(translated));
    auto state = std::make_unique<State>();
    state->on_rebalance = std::move(on_rebalance);
    rd_kafka_conf_set_opaque(conf.get(), state.get());
    rd_kafka_conf_set_rebalance_cb(conf.get(), State::rebalance);
    rd_kafka_conf_set_error_cb(conf.get(), State::note_trouble);
    char why[512];
    rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why, sizeof why);
    if (handle == nullptr) return Error{Errc::kInvalidSetting, why};
    // NOLINTNEXTLINE(bugprone-unused-return-value): rd_kafka_new() took it.
    static_cast<void>(conf.release());
    state->handle.reset(handle);
    if (!in_group) state->queue.reset(rd_kafka_queue_new(handle));
    return std::unique_ptr<Consumer>{new Consumer{std::move(state)}};
}

Result<void> Consumer::subscribe(std::span<const std::string> topics) {
    if (!std::exchange(state_->is_subscribed, true))
        rd_kafka_poll_set_consumer(state_->handle.get());
    const auto list = new_list(topics.size());
    for (const std::string& topic : topics)
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(state_->handle.get(), list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "subscribe");
    return {};
}

Result<void> Consumer::add(std::span<const StartAt> starts) {
    State& state = *state_;
    if (state.queue == nullptr) return Error{Errc::kUsage, "the group assigns partitions"};
    for (const StartAt& start : starts) {
        if (state.started.contains(start.where)) continue;
        RdPtr<rd_kafka_topic_t> topic{
            rd_kafka_topic_new(state.handle.get(), start.where.topic.c_str(), nullptr)};
        if (topic == nullptr ||
            rd_kafka_consume_start_queue(topic.get(), start.where.partition, start.offset.value,
                                         state.queue.get()) != 0)
            return to_error(rd_kafka_last_error(), "read " + start.where.topic + "-" +
                                                       std::to_string(start.where.partition));
        state.started.emplace(start.where, std::move(topic));
    }
    return {};
}

Result<ConsumerEvent> Consumer::poll(std::chrono::milliseconds wait) {
    State& state = *state_;
    const int wait_ms = static_cast<int>(wait.count());
    if (state.queue != nullptr) {
        state.message.reset(rd_kafka_consume_queue(state.queue.get(), wait_ms));
        // Its other news, of which the error callback hears.
        if (state.message == nullptr) rd_kafka_poll(state.handle.get(), 0);
    } else {
        state.message.reset(rd_kafka_consumer_poll(state.handle.get(), wait_ms));
    }
    if (!state.trouble.empty() && state.message == nullptr) {
        if (is_login_refused(state.trouble_code))
            return Error{state.trouble_code, std::exchange(state.trouble, {})};
        return ConsumerEvent{Trouble{state.trouble_code, std::exchange(state.trouble, {})}};
    }
    const rd_kafka_message_t* message = state.message.get();
    if (message == nullptr) return ConsumerEvent{Nothing{}};
    const char* topic = message->rkt != nullptr ? rd_kafka_topic_name(message->rkt) : "";
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const Offset next{message->offset + 1};
        const bool is_same = state.last != state.positions.end() &&
                             state.last->first.partition == message->partition &&
                             state.last->first.topic == topic;
        if (is_same)
            state.last->second = next;
        else if (state.queue == nullptr)
            state.note_position({topic, message->partition}, next);
        return ConsumerEvent{record_of(message)};
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        const TopicPartition where{topic, message->partition};
        if (state.queue == nullptr) state.note_position(where, Offset{message->offset});
        return ConsumerEvent{ReachedEnd{where, Offset{message->offset}}};
    }
    const std::string reason = rd_kafka_message_errstr(message);
    if (is_final(message->err)) return Error{to_errc(message->err), reason};
    return ConsumerEvent{Trouble{to_errc(message->err), reason}};
}

void Consumer::stop_when(std::function<bool()> stopped) {
    state_->stopped = std::move(stopped);
}

Result<void> Consumer::commit() {
    constexpr std::string_view kWhat = "commit of the group's offsets";
    State& state = *state_;
    const auto list = new_list(state.positions.size());
    for (const auto& [where, next] : state.positions)
        if (const auto known = state.committed.find(where);
            known == state.committed.end() || known->second != next)
            rd_kafka_topic_partition_list_add(list.get(), where.topic.c_str(), where.partition)
                ->offset = next.value;
    if (list->cnt == 0) return {};
    const RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_new(state.handle.get())};
    rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(state.handle.get(), list.get(), queue.get(), nullptr, nullptr);
    const Clock::time_point end = Clock::now() + kCommitMax;
    while (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const RdPtr<rd_kafka_event_t> event{
            rd_kafka_queue_poll(queue.get(), static_cast<int>(kSlice.count()))};
        if (event) {
            code = state.note_committed(event.get());
            break;
        }
        if (Clock::now() >= end) code = RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (state.must_leave(kStopGrace))
            return Error{Errc::kCancelled, "the coordinator does not answer"};
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return to_error(code, kWhat);
}

Result<std::vector<std::int32_t>> Consumer::partitions(std::string_view topic,
                                                       std::chrono::milliseconds wait) {
    return look_up(topic, wait, false);
}

Result<std::vector<std::int32_t>> Consumer::leaderless(std::string_view topic,
                                                       std::chrono::milliseconds wait) {
    return look_up(topic, wait, true);
}

Result<std::vector<std::int32_t>> Consumer::look_up(std::string_view topic,
                                                    std::chrono::milliseconds wait,
                                                    bool is_leaderless) {
    rd_kafka_topic_t* handle =
        rd_kafka_topic_new(state_->handle.get(), std::string{topic}.c_str(), nullptr);
    if (handle == nullptr) return to_error(rd_kafka_last_error(), "");
    const rd_kafka_metadata_t* found = nullptr;
    const rd_kafka_resp_err_t code = state_->patiently(wait, [&](int slice) {
        return rd_kafka_metadata(state_->handle.get(), 0, handle, &found, slice);
    });
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        state_->hear_trouble();
        return way_error(code, state_->trouble_code, state_->trouble);
    }
    std::vector<std::int32_t> out;
    const rd_kafka_resp_err_t topic_code =
        found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int i = 0; found->topic_cnt == 1 && i < found->topics[0].partition_cnt; ++i) {
        const rd_kafka_metadata_partition& one = found->topics[0].partitions[i];
        if (!is_leaderless || one.leader < 0) out.push_back(one.id);
    }
    rd_kafka_metadata_destroy(found);
    if (topic_code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(topic_code, "");
    std::ranges::sort(out);
    return out;
}

Result<Watermarks> Consumer::watermarks(const TopicPartition& where,
                                        std::chrono::milliseconds wait) {
    Watermarks out;
    const rd_kafka_resp_err_t code = state_->patiently(wait, [&](int slice) {
        return rd_kafka_query_watermark_offsets(state_->handle.get(), where.topic.c_str(),
                                                where.partition, &out.begin.value, &out.end.value,
                                                slice);
    });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return to_error(code, where.topic + "-" + std::to_string(where.partition));
    return out;
}

Result<std::vector<StartAt>> Consumer::offsets_at(std::span<const TopicPartition> where,
                                                  WallMs time, std::chrono::milliseconds wait) {
    const auto list = new_list(where.size());
    for (const TopicPartition& one : where)
        rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition)->offset =
            time.value;
    const rd_kafka_resp_err_t code = state_->patiently(wait, [&](int slice) {
        return rd_kafka_offsets_for_times(state_->handle.get(), list.get(), slice);
    });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "offsets by time");
    std::vector<StartAt> out;
    for (int i = 0; i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& found = list->elems[i];
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return to_error(found.err,
                            std::string{found.topic} + "-" + std::to_string(found.partition));
        out.push_back({{found.topic, found.partition}, Offset{found.offset}});
    }
    return out;
}

Result<void> Consumer::close() {
    State& state = *state_;
    if (std::exchange(state.closed, true)) return {};
    state.message.reset();
    if (state.queue != nullptr) return {};  // There is no group to leave.
    const RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_new(state.handle.get())};
    const RdPtr<rd_kafka_error_t> failure{
        rd_kafka_consumer_close_queue(state.handle.get(), queue.get())};
    if (failure) return to_error(rd_kafka_error_code(failure.get()), "leaving the group");
    while (rd_kafka_consumer_closed(state.handle.get()) == 0) {
        const RdPtr<rd_kafka_event_t> event{rd_kafka_queue_poll(queue.get(), 100)};
        // Of what still comes only that partitions are taken away is of use.
        if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE)
            State::rebalance(state.handle.get(), rd_kafka_event_error(event.get()),
                             rd_kafka_event_topic_partition_list(event.get()), &state);
        if (!state.must_leave(state.has_joined ? kStopGrace : kJoinGrace)) continue;
        state.abandoned = true;
        return Error{
            Errc::kCancelled,
            state.has_joined
                ? "leaving the group: the coordinator does not answer"
                : "leaving the group: the coordinator has not answered that it was joined, "
                  "and keeps a place for who has left until session.timeout.ms is over"};
    }
    return {};
}

void Consumer::signal_on(int descriptor) {
    static constexpr std::uint64_t kOne = 1;
    if (state_->queue != nullptr)
        return rd_kafka_queue_io_event_enable(state_->queue.get(), descriptor, &kOne, sizeof kOne);
    const RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_get_consumer(state_->handle.get())};
    rd_kafka_queue_io_event_enable(queue.get(), descriptor, &kOne, sizeof kOne);
}

}  // namespace leat::client
