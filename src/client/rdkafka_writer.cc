// SPDX-License-Identifier: Apache-2.0
#include "client/rdkafka_writer.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "client/rdkafka.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using OnDelivery = RecordWriter::OnDelivery;
using Clock = std::chrono::steady_clock;

/// For the leaders of the first topic that a writer sends to; what is sent waits longer.
constexpr milliseconds kLeadersWait{1'000};

struct TopicDeleter {
    void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
};
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;

/// What is produced; the fixed parts come first, headers behind.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): see fixed_.
class Parts {
  public:
    rd_kafka_vu_t& add(rd_kafka_vtype_t type) {
        rd_kafka_vu_t& part = count_ < fixed_.size() ? fixed_[count_] : more_.emplace_back();
        ++count_;
        part.vtype = type;
        return part;
    }
    [[nodiscard]] rd_kafka_error_t* produce(rd_kafka_t* handle) {
        if (count_ <= fixed_.size()) return rd_kafka_produceva(handle, fixed_.data(), count_);
        more_.insert(more_.begin(), fixed_.begin(), fixed_.end());
        return rd_kafka_produceva(handle, more_.data(), more_.size());
    }

  private:
    // Not filled with zeros: it is large, and only what add() gave out is read.
    std::array<rd_kafka_vu_t, 8> fixed_;
    std::vector<rd_kafka_vu_t> more_;
    std::size_t count_ = 0;
};

void set_bytes(rd_kafka_vu_t& part, std::string_view bytes) {
    // librdkafka copies (F_COPY) and takes void*; a null pointer would be a null key or value.
    part.u.mem = {const_cast<char*>(bytes.empty() ? "" : bytes.data()), bytes.size()};
}

class RdkafkaWriter final : public RecordWriter {
  public:
    struct State;
    explicit RdkafkaWriter(std::unique_ptr<State> state);
    ~RdkafkaWriter() override;
    Result<bool> send(std::string_view topic, const OutgoingRecord& record) override;
    Result<std::int32_t> partition_count(std::string_view topic, milliseconds wait) override;
    void poll(milliseconds wait) override;
    [[nodiscard]] std::size_t in_flight() const override;
    Result<void> flush(milliseconds wait) override;
    Result<void> init_transactions(milliseconds wait) override;
    Result<void> begin() override;
    Result<void> send_offsets(const GroupIdentity& as, std::span<const CommittedOffset> offsets,
                              milliseconds wait) override;
    [[nodiscard]] bool resumes_offsets() const override { return false; }
    Result<void> commit(milliseconds wait) override;
    Result<void> abort(milliseconds wait) override;
    [[nodiscard]] bool must_abort() const override;
    [[nodiscard]] bool is_fatal() const override;

  private:
    std::unique_ptr<State> state_;
};

struct RdkafkaWriter::State {
    OnDelivery on_delivery;
    RdPtr<rd_kafka_t> handle;
    using Topics = std::map<std::string, TopicPtr, std::less<>>;
    Topics topics;
    const Topics::value_type* last_topic = nullptr;  ///< Mostly it is the next one's too.
    bool must_abort = false;
    bool fatal = false;
    bool has_sent = false;

    ~State() { topics.clear(); }

    static void report(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* opaque) {
        static_cast<State*>(opaque)->on_delivery(delivery_of(*message));
    }
    Result<rd_kafka_topic_t*> topic_of(std::string_view name) {
        if (last_topic != nullptr && last_topic->first == name) return last_topic->second.get();
        auto found = topics.find(name);
        if (found == topics.end()) {
            rd_kafka_topic_t* made =
                rd_kafka_topic_new(handle.get(), std::string{name}.c_str(), nullptr);
            if (made == nullptr) return to_error(rd_kafka_last_error(), name);
            found = topics.emplace(name, TopicPtr{made}).first;
        }
        last_topic = &*found;
        return last_topic->second.get();
    }
    /// One call of the transaction, again while it may be repeated and there is time.
    template <class Call>
    Result<void> run(std::string_view what, milliseconds wait, Call call) {
        const Clock::time_point end = Clock::now() + wait;
        for (;;) {
            const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
            const RdPtr<rd_kafka_error_t> failure{
                call(static_cast<int>(std::max<std::int64_t>(left.count(), 1)))};
            if (!failure) return {};
            must_abort = rd_kafka_error_txn_requires_abort(failure.get()) != 0;
            fatal = fatal || rd_kafka_error_is_fatal(failure.get()) != 0;
            const bool again = rd_kafka_error_is_retriable(failure.get()) != 0;
            if (!again || Clock::now() >= end)
                return to_error(rd_kafka_error_code(failure.get()), what,
                                rd_kafka_error_string(failure.get()));
            rd_kafka_poll(handle.get(), 10);
        }
    }
};

RdkafkaWriter::RdkafkaWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RdkafkaWriter::~RdkafkaWriter() {
    // Destruction waits for what is in flight: whoever wants that delivered calls flush().
    rd_kafka_purge(state_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                             RD_KAFKA_PURGE_F_NON_BLOCKING);
    state_->on_delivery = [](const Delivery&) {};
}

Result<bool> RdkafkaWriter::send(std::string_view topic, const OutgoingRecord& record) {
    LEAT_TRY(rd_kafka_topic_t* const to, state_->topic_of(topic));
    // Without a connection librdkafka looks for a new topic's leaders a second later only.
    if (!std::exchange(state_->has_sent, true))
        static_cast<void>(ask_partitions(state_->handle.get(), to, kLeadersWait));
    Parts parts;
    parts.add(RD_KAFKA_VTYPE_RKT).u.rkt = to;
    parts.add(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition;
    parts.add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): librdkafka's opaque is a pointer; ours a number.
    parts.add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = reinterpret_cast<void*>(record.tag);
    if (record.value) set_bytes(parts.add(RD_KAFKA_VTYPE_VALUE), *record.value);
    if (record.key) set_bytes(parts.add(RD_KAFKA_VTYPE_KEY), *record.key);
    // librdkafka takes 0 for "now": the first millisecond of 1970 becomes the second.
    if (record.timestamp_ms >= 0)
        parts.add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = std::max<std::int64_t>(record.timestamp_ms, 1);
    if (record.headers != nullptr)
        for (const Header& header : *record.headers)
            parts.add(RD_KAFKA_VTYPE_HEADER).u.header = {
                .name = header.name.c_str(),
                .val = header.value ? header.value->data() : nullptr,
                .size = header.value ? static_cast<ssize_t>(header.value->size()) : 0};
    const RdPtr<rd_kafka_error_t> failure{parts.produce(state_->handle.get())};
    if (failure == nullptr) return true;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(failure.get());
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    return to_error(code, topic, rd_kafka_error_string(failure.get()));
}

Result<std::int32_t> RdkafkaWriter::partition_count(std::string_view topic, milliseconds wait) {
    LEAT_TRY(rd_kafka_topic_t* const asked, state_->topic_of(topic));
    const TopicPartitions found = ask_partitions(state_->handle.get(), asked, wait);
    const auto code = found.way != RD_KAFKA_RESP_ERR_NO_ERROR ? found.way : found.topic;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, topic);
    return found.count;
}

void RdkafkaWriter::poll(milliseconds wait) {
    rd_kafka_poll(state_->handle.get(), static_cast<int>(wait.count()));
}

std::size_t RdkafkaWriter::in_flight() const {
    return static_cast<std::size_t>(rd_kafka_outq_len(state_->handle.get()));
}

Result<void> RdkafkaWriter::flush(milliseconds wait) {
    const rd_kafka_resp_err_t code =
        rd_kafka_flush(state_->handle.get(), static_cast<int>(wait.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return to_error(code, "waiting for acknowledgements");
}

Result<void> RdkafkaWriter::init_transactions(milliseconds wait) {
    return state_->run("start of transactions", wait, [&](int slice) {
        return rd_kafka_init_transactions(state_->handle.get(), slice);
    });
}

Result<void> RdkafkaWriter::begin() {
    return state_->run("begin of a transaction", milliseconds{0},
                       [&](int) { return rd_kafka_begin_transaction(state_->handle.get()); });
}

Result<void> RdkafkaWriter::send_offsets(const GroupIdentity& as,
                                         std::span<const CommittedOffset> offsets,
                                         milliseconds wait) {
    const RdPtr<rd_kafka_topic_partition_list_t> list{
        rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size()))};
    for (const CommittedOffset& one : offsets) {
        rd_kafka_topic_partition_t* at = rd_kafka_topic_partition_list_add(
            list.get(), one.where.topic.c_str(), one.where.partition);
        at->offset = one.offset;
        if (one.metadata.empty()) continue;
        at->metadata = ::strndup(one.metadata.data(), one.metadata.size());
        at->metadata_size = one.metadata.size();
    }
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata_new_with_genid(
        as.group.c_str(), as.generation, as.member_id.c_str(),
        as.instance_id.empty() ? nullptr : as.instance_id.c_str());
    Result<void> done = state_->run("offsets in a transaction", wait, [&](int slice) {
        return rd_kafka_send_offsets_to_transaction(state_->handle.get(), list.get(), group, slice);
    });
    rd_kafka_consumer_group_metadata_destroy(group);
    return done;
}

Result<void> RdkafkaWriter::commit(milliseconds wait) {
    return state_->run("commit of a transaction", wait, [&](int slice) {
        return rd_kafka_commit_transaction(state_->handle.get(), slice);
    });
}

Result<void> RdkafkaWriter::abort(milliseconds wait) {
    Result<void> done = state_->run("abort of a transaction", wait, [&](int slice) {
        return rd_kafka_abort_transaction(state_->handle.get(), slice);
    });
    if (done) state_->must_abort = false;
    return done;
}

bool RdkafkaWriter::must_abort() const {
    return state_->must_abort;
}

bool RdkafkaWriter::is_fatal() const {
    return state_->fatal || has_fatal_error(state_->handle.get());
}

}  // namespace

Result<std::unique_ptr<RecordWriter>> open_rdkafka_writer(const std::vector<Property>& properties,
                                                          RecordWriter::OnDelivery on_delivery,
                                                          RecordWriter::Reports reports) {
    LEAT_TRY(std::vector<Property> translated, to_librdkafka(properties, Role::kProducer));
    set_property(translated, "delivery.report.only.error",
                 reports == RecordWriter::Reports::kFailures ? "true" : "false");
    LEAT_TRY(RdPtr<rd_kafka_conf_t> conf, make_conf(translated));
    auto state = std::make_unique<RdkafkaWriter::State>();
    state->on_delivery = std::move(on_delivery);
    rd_kafka_conf_set_opaque(conf.get(), state.get());
    rd_kafka_conf_set_dr_msg_cb(conf.get(), RdkafkaWriter::State::report);
    char why[512];
    rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why, sizeof why);
    if (handle == nullptr) return Error{Errc::kInvalidSetting, why};
    // NOLINTNEXTLINE(bugprone-unused-return-value): rd_kafka_new() took it.
    static_cast<void>(conf.release());
    state->handle.reset(handle);
    return std::unique_ptr<RecordWriter>{std::make_unique<RdkafkaWriter>(std::move(state))};
}

}  // namespace leat::client
