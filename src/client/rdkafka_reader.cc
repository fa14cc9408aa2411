// SPDX-License-Identifier: Apache-2.0
#include "client/rdkafka_reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "client/rdkafka.h"
#include "client/received.h"
#include "obs/log.h"

namespace leat::client {
namespace {

constexpr obs::Logger kLog{"client"};
constexpr std::uint64_t kOne = 1;
constexpr std::chrono::seconds kDestroyMax{5};
/// Messages that leave a partition's queue in one call. Each call reads the clock twice and marks
/// the client as alive.
constexpr std::size_t kTaken = 256;

/// Trouble that belongs to the client and not to a partition.
struct Told {
    Errc code = Errc::kNone;
    std::string text;
};

void destroy_message(void* message) {
    rd_kafka_message_destroy(static_cast<rd_kafka_message_t*>(message));
}

struct QueueLane final : PartitionReader::Lane {
    TopicPartition where;
    RdPtr<rd_kafka_queue_t> queue;
    std::array<rd_kafka_message_t*, kTaken> taken{};
    std::size_t next = 0;  ///< Of `taken`: those before it are gone.
    std::size_t count = 0;

    QueueLane(TopicPartition of, RdPtr<rd_kafka_queue_t> from)
        : where(std::move(of)), queue(std::move(from)) {}
    QueueLane(const QueueLane&) = delete;
    QueueLane& operator=(const QueueLane&) = delete;
    ~QueueLane() override {
        for (; next < count; ++next) rd_kafka_message_destroy(taken[next]);
    }
    /// Null: nothing has come.
    [[nodiscard]] rd_kafka_message_t* front() {
        if (next < count) return taken[next];
        const ssize_t came =
            rd_kafka_consume_batch_queue(queue.get(), 0, taken.data(), taken.size());
        next = 0;
        count = came > 0 ? static_cast<std::size_t>(came) : 0;
        return count > 0 ? taken[0] : nullptr;
    }
};

struct State {
    RdPtr<rd_kafka_t> handle;
    std::map<TopicPartition, std::unique_ptr<QueueLane>> lanes;
    std::optional<Told> fatal;
    int descriptor = -1;

    ~State() {
        lanes.clear();
        if (handle) {
            rd_kafka_consumer_close(handle.get());
            destroy(handle.release());
        }
        if (descriptor >= 0) ::close(descriptor);
    }
    /// librdkafka 2.0.2 never ends a client that has read a partition of a topic that was deleted
    /// meanwhile: whoever closes must not wait for ever.
    static void destroy(rd_kafka_t* handle) {
        auto ended = std::make_shared<std::promise<void>>();
        std::future<void> over = ended->get_future();
        const auto end = [handle, ended] {
            rd_kafka_destroy(handle);
            ended->set_value();
        };
        std::thread worker{end};  // tidy: right here, it must be able to be left to itself.
        if (over.wait_for(kDestroyMax) == std::future_status::ready) return worker.join();
        kLog.warn("a consumer does not end and is left to itself", {});
        worker.detach();
    }
    static void note(rd_kafka_t* /*handle*/, int code, const char* reason, void* opaque) {
        // Brokers that are away come back; these do not heal.
        const Errc meaning = to_errc(static_cast<rd_kafka_resp_err_t>(code));
        if (code == RD_KAFKA_RESP_ERR__FATAL || meaning == Errc::kSaslAuthenticationFailed)
            static_cast<State*>(opaque)->fatal = Told{meaning, reason};
    }
    [[nodiscard]] RdPtr<rd_kafka_topic_partition_list_t> list_of(
        std::span<const StartAt> starts) const {
        RdPtr<rd_kafka_topic_partition_list_t> list{
            rd_kafka_topic_partition_list_new(static_cast<int>(starts.size()))};
        for (const StartAt& start : starts)
            rd_kafka_topic_partition_list_add(list.get(), start.where.topic.c_str(),
                                              start.where.partition)
                ->offset = start.offset.value;
        return list;
    }
};

/// Threading: as PartitionReader.
class RdkafkaReader final : public PartitionReader {
  public:
    explicit RdkafkaReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

    Result<void> add(std::span<const StartAt> starts) override;
    Result<void> remove(std::span<const TopicPartition> where) override;
    [[nodiscard]] Lane* lane(const TopicPartition& where) const override;
    Result<PartitionEvent> next(Lane& lane) override;
    bool take(Lane& lane, HeldRecord& into) override;
    [[nodiscard]] std::size_t waiting(const TopicPartition& where) const override;
    [[nodiscard]] std::int64_t end(const TopicPartition& where) const override;
    Result<void> wait(std::chrono::milliseconds wait) override;
    void wake() override;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace

Result<std::unique_ptr<PartitionReader>> open_rdkafka_reader(
    const std::vector<Property>& properties) {
    LEAT_TRY(std::vector<Property> translated, to_librdkafka(properties, Role::kConsumer));
    if (find_property(translated, "group.id").empty())
        set_property(translated, "group.id", "leat-reader");
    set_property(translated, "enable.partition.eof", "true");
    set_property(translated, "enable.auto.commit", "false");
    set_property(translated, "enable.auto.offset.store", "false");
    set_property(translated, "auto.offset.reset", "error");
    LEAT_TRY(RdPtr<rd_kafka_conf_t> conf, make_conf(translated));
    auto state = std::make_unique<State>();
    state->descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (state->descriptor < 0) return Error{Errc::kIoError, "no event descriptor is left"};
    rd_kafka_conf_set_opaque(conf.get(), state.get());
    rd_kafka_conf_set_error_cb(conf.get(), State::note);
    char why[512];
    rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why, sizeof why);
    if (handle == nullptr) return Error{Errc::kInvalidSetting, why};
    [[maybe_unused]] const rd_kafka_conf_t* const theirs = conf.release();
    state->handle.reset(handle);
    rd_kafka_poll_set_consumer(handle);
    const RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_get_consumer(handle)};
    rd_kafka_queue_io_event_enable(queue.get(), state->descriptor, &kOne, sizeof kOne);
    return std::unique_ptr<PartitionReader>{std::make_unique<RdkafkaReader>(std::move(state))};
}

Result<void> RdkafkaReader::add(std::span<const StartAt> starts) {
    if (starts.empty()) return {};
    State& state = *state_;
    for (const StartAt& start : starts) {
        if (start.offset.value < 0) return Error{Errc::kUsage, "an offset is wanted"};
        RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_get_partition(
            state.handle.get(), start.where.topic.c_str(), start.where.partition)};
        if (!queue) return Error{Errc::kUsage, "partition of " + start.where.topic};
        // Before fetching starts, else its first records go to the common queue.
        rd_kafka_queue_forward(queue.get(), nullptr);
        rd_kafka_queue_io_event_enable(queue.get(), state.descriptor, &kOne, sizeof kOne);
        state.lanes.insert_or_assign(start.where,
                                     std::make_unique<QueueLane>(start.where, std::move(queue)));
    }
    const auto list = state.list_of(starts);
    const RdPtr<rd_kafka_error_t> failure{
        rd_kafka_incremental_assign(state.handle.get(), list.get())};
    if (failure)
        return to_error(rd_kafka_error_code(failure.get()), "reading partitions",
                        rd_kafka_error_string(failure.get()));
    return {};
}

Result<void> RdkafkaReader::remove(std::span<const TopicPartition> where) {
    State& state = *state_;
    std::vector<StartAt> known;
    for (const TopicPartition& one : where)
        if (state.lanes.contains(one)) known.push_back({one, Offset{0}});
    if (known.empty()) return {};
    const auto list = state.list_of(known);
    const RdPtr<rd_kafka_error_t> failure{
        rd_kafka_incremental_unassign(state.handle.get(), list.get())};
    for (const StartAt& one : known) {
        const auto lane = state.lanes.find(one.where);
        if (lane == state.lanes.end()) continue;  // Named twice.
        rd_kafka_queue_io_event_enable(lane->second->queue.get(), -1, nullptr, 0);
        state.lanes.erase(lane);
    }
    if (failure)
        return to_error(rd_kafka_error_code(failure.get()), "giving up partitions",
                        rd_kafka_error_string(failure.get()));
    return {};
}

PartitionReader::Lane* RdkafkaReader::lane(const TopicPartition& where) const {
    const auto found = state_->lanes.find(where);
    return found == state_->lanes.end() ? nullptr : found->second.get();
}

bool RdkafkaReader::take(Lane& to, HeldRecord& into) {
    auto& lane = static_cast<QueueLane&>(to);
    rd_kafka_message_t* message = lane.front();
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    ++lane.next;
    read_record(message, into.record);
    into.memory = {message, destroy_message};
    return true;
}

Result<PartitionEvent> RdkafkaReader::next(Lane& to) {
    auto& lane = static_cast<QueueLane&>(to);
    rd_kafka_message_t* message = lane.front();
    if (message == nullptr) return PartitionEvent{Nothing{}};
    ++lane.next;
    std::unique_ptr<void, void (*)(void*)> memory{message, destroy_message};
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return PartitionEvent{HeldRecord{record_of(message), std::move(memory)}};
    const TopicPartition& where = lane.where;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return PartitionEvent{ReachedEnd{where, Offset{message->offset}}};
    const std::string reason = rd_kafka_message_errstr(message);
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return PartitionEvent{Trouble{Errc::kOffsetOutOfRange, reason}};
    if (is_final(message->err))
        return Error{to_errc(message->err),
                     where.topic + "-" + std::to_string(where.partition) + ": " + reason};
    return PartitionEvent{Trouble{to_errc(message->err), reason}};
}

std::size_t RdkafkaReader::waiting(const TopicPartition& where) const {
    const auto* found = static_cast<const QueueLane*>(lane(where));
    if (found == nullptr) return 0;
    return found->count - found->next + rd_kafka_queue_length(found->queue.get());
}

std::int64_t RdkafkaReader::end(const TopicPartition& where) const {
    if (lane(where) == nullptr) return -1;
    std::int64_t low = -1;
    std::int64_t high = -1;
    // As it has them; of transactions that are under way the end is not known here.
    rd_kafka_get_watermark_offsets(state_->handle.get(), where.topic.c_str(), where.partition, &low,
                                   &high);
    return std::max<std::int64_t>(high, -1);
}

Result<void> RdkafkaReader::wait(std::chrono::milliseconds wait) {
    State& state = *state_;
    pollfd ready{.fd = state.descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) > 0) {
        std::uint64_t spent = 0;
        static_cast<void>(::read(state.descriptor, &spent, sizeof spent));
    }
    // Serves callbacks; no record comes this way.
    const RdPtr<rd_kafka_message_t> message{rd_kafka_consumer_poll(state.handle.get(), 0)};
    if (state.fatal) return Error{state.fatal->code, state.fatal->text};
    if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR && is_final(message->err))
        return Error{to_errc(message->err), rd_kafka_message_errstr(message.get())};
    return {};
}

void RdkafkaReader::wake() {
    static_cast<void>(::write(state_->descriptor, &kOne, sizeof kOne));
}

}  // namespace leat::client
