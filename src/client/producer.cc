// SPDX-License-Identifier: Apache-2.0
#include "client/producer.h"

#include <array>

#include "client/rdkafka.h"

namespace leat::client {

struct Producer::State {
    OnDelivery on_delivery;
    std::string trouble;
    Errc trouble_code = Errc::kNone;
    RdPtr<rd_kafka_t> handle;
    rd_kafka_topic_t* topic = nullptr;

    /// Runs on: the thread inside Producer::poll(), as all of librdkafka's callbacks here.
    static void report(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
        static_cast<State*>(opaque)->on_delivery(delivery_of(*message));
    }
    static void note_trouble(rd_kafka_t* /*handle*/, int code, const char* reason, void* opaque) {
        State& state = *static_cast<State*>(opaque);
        // That all are down follows each failure and says less.
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !state.trouble.empty()) return;
        state.trouble = reason;
        state.trouble_code = trouble_errc(code, reason);
    }
};

Producer::Producer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Producer::~Producer() {
    if (state_ != nullptr && state_->topic != nullptr) rd_kafka_topic_destroy(state_->topic);
}

Result<std::unique_ptr<Producer>> Producer::open(const std::vector<Property>& properties,
                                                 std::string_view topic, OnDelivery on_delivery) {
    LEAT_TRY(std::vector<Property> translated, to_librdkafka(properties, Role::kProducer));
    // Keys go where Kafka's own clients put them; librdkafka's default is another hash.
    if (find_property(translated, "partitioner").empty())
        set_property(translated, "partitioner", "murmur2_random");
    LEAT_TRY(RdPtr<rd_kafka_conf_t> conf, make_conf(translated));
    auto state = std::make_unique<State>();
    state->on_delivery = std::move(on_delivery);
    rd_kafka_conf_set_opaque(conf.get(), state.get());
    rd_kafka_conf_set_dr_msg_cb(conf.get(), State::report);
    rd_kafka_conf_set_error_cb(conf.get(), State::note_trouble);
    char why[512];
    rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why, sizeof why);
    if (handle == nullptr) return Error{Errc::kInvalidSetting, why};
    // NOLINTNEXTLINE(bugprone-unused-return-value): rd_kafka_new() took it.
    static_cast<void>(conf.release());
    state->handle.reset(handle);
    state->topic = rd_kafka_topic_new(handle, std::string{topic}.c_str(), nullptr);
    if (state->topic == nullptr) return to_error(rd_kafka_last_error(), "");
    return std::unique_ptr<Producer>{new Producer{std::move(state)}};
}

Result<bool> Producer::send(const OutgoingRecord& record) {
    std::array<rd_kafka_vu_t, 7> parts{};
    std::size_t count = 0;
    parts[count].vtype = RD_KAFKA_VTYPE_RKT;
    parts[count++].u.rkt = state_->topic;
    parts[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[count++].u.i32 = record.partition;
    parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
    parts[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): librdkafka's opaque is a pointer; ours a number.
    parts[count++].u.ptr = reinterpret_cast<void*>(record.tag);
    // librdkafka copies (F_COPY) and takes void*; a null pointer is a null key or value.
    parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
    if (record.value)
        parts[count].u.mem = {const_cast<char*>(record.value->empty() ? "" : record.value->data()),
                              record.value->size()};
    ++count;
    if (record.key) {
        parts[count].vtype = RD_KAFKA_VTYPE_KEY;
        parts[count++].u.mem = {const_cast<char*>(record.key->empty() ? "" : record.key->data()),
                                record.key->size()};
    }
    if (record.timestamp_ms > 0) {  // librdkafka takes 0 for "now".
        parts[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        parts[count++].u.i64 = record.timestamp_ms;
    }
    std::vector<rd_kafka_vu_t> all{parts.begin(),
                                   parts.begin() + static_cast<std::ptrdiff_t>(count)};
    if (record.headers != nullptr) {
        for (const Header& header : *record.headers) {
            rd_kafka_vu_t part{};
            part.vtype = RD_KAFKA_VTYPE_HEADER;
            part.u.header.name = header.name.c_str();
            part.u.header.val = header.value ? header.value->data() : nullptr;
            part.u.header.size = header.value ? static_cast<ssize_t>(header.value->size()) : 0;
            all.push_back(part);
        }
    }
    const RdPtr<rd_kafka_error_t> failure{
        rd_kafka_produceva(state_->handle.get(), all.data(), all.size())};
    if (failure == nullptr) return true;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(failure.get());
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    return to_error(code, "", rd_kafka_err2str(code));
}

void Producer::poll(std::chrono::milliseconds wait) {
    rd_kafka_poll(state_->handle.get(), static_cast<int>(wait.count()));
}

std::size_t Producer::in_flight() const {
    return static_cast<std::size_t>(rd_kafka_outq_len(state_->handle.get()));
}

Result<void> Producer::flush(std::chrono::milliseconds wait) {
    const rd_kafka_resp_err_t code =
        rd_kafka_flush(state_->handle.get(), static_cast<int>(wait.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return to_error(code, "waiting for acknowledgements");
}

void Producer::purge() {
    rd_kafka_purge(state_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    poll(std::chrono::milliseconds{0});
}

Result<std::int32_t> Producer::partition_count(std::chrono::milliseconds wait) {
    const TopicPartitions found = ask_partitions(state_->handle.get(), state_->topic, wait);
    if (found.way != RD_KAFKA_RESP_ERR_NO_ERROR) {
        poll(std::chrono::milliseconds{0});
        return way_error(found.way, state_->trouble_code, state_->trouble);
    }
    if (found.topic != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(found.topic, "");
    return found.count;
}

bool Producer::is_fatal() const {
    return has_fatal_error(state_->handle.get());
}

std::string Producer::last_trouble() const {
    return state_->trouble;
}

void Producer::signal_on(int descriptor) {
    static constexpr std::uint64_t kOne = 1;
    const RdPtr<rd_kafka_queue_t> queue{rd_kafka_queue_get_main(state_->handle.get())};
    rd_kafka_queue_io_event_enable(queue.get(), descriptor, &kOne, sizeof kOne);
}

}  // namespace leat::client
