// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/produce.h"

#include <algorithm>
#include <optional>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/metrics.h"
#include "broker/scatter.h"
#include "wire/legacy_messages.h"
#include "wire/messages/produce_response.h"
#include "wire/record_batch.h"

namespace leat::broker {
namespace {

using wire::ProduceRequest;
using wire::ProduceResponse;
using PartitionAnswer = ProduceResponse::PartitionProduceResponse;

/// One partition of the request: what is appended, and what became of it.
struct Append {
    storage::PartitionId id;
    MutableBytes batch;
    std::vector<std::byte> converted;  ///< What `batch` views when it came in an old format.
    PartitionAnswer* answer = nullptr;
    storage::Appended result;
};

/// What is wrong with the batch as this version of the request may carry it; the partition checks
/// what is inside.
struct Refusal {
    Errc error = Errc::kNone;
    std::string_view message;
};

constexpr std::int16_t kMagic2Since = 3;
constexpr std::int16_t kZstdSince = 7;
constexpr std::string_view kAdminClient = "__admin_client";

constexpr std::string_view kOneBatch =
    "Produce requests must have exactly one record batch per partition";

/// Formats before the batch are no records to this version of the request; those after it do not
/// exist.
Refusal unreadable(Bytes records, Errc error) {
    constexpr std::size_t kMagicAt = 16;
    if (error == Errc::kTruncated) return {Errc::kInvalidRecord, kOneBatch};
    const bool is_old = error == Errc::kUnsupportedForMessageFormat &&
                        static_cast<std::int8_t>(records[kMagicAt]) < wire::kBatchMagic;
    return {is_old ? Errc::kInvalidRecord : Errc::kCorruptMessage, {}};
}

Refusal check_records(const ProduceRequest& message, Bytes records, std::int16_t version) {
    if (records.empty()) return {Errc::kInvalidRecord, kOneBatch};
    const Result<wire::BatchHeader> header = wire::parse_batch_header(records);
    if (!header.has_value()) return unreadable(records, header.error().code());
    // A batch that is cut off is none.
    if (header->size_bytes() != records.size()) return {Errc::kInvalidRecord, kOneBatch};
    if (version < kZstdSince && header->codec() == codec::Codec::kZstd)
        return {Errc::kUnsupportedCompressionType,
                "Produce requests with version lower than 7 are not allowed to use ZStandard "
                "compression"};
    if (header->is_transactional() || message.transactional_id.has_value())
        return {Errc::kInvalidTxnState, "this broker does not serve transactions yet"};
    return {};
}

void refuse(const Request& request, PartitionAnswer& answer, Errc error,
            std::string_view message = {}) {
    answer.error_code = wire_code(error);
    answer.base_offset = -1;
    answer.log_append_time_ms = -1;
    answer.log_start_offset = -1;
    if (!message.empty()) answer.error_message = message;
    count_error(request, answer.error_code);
}

/// Decides what of a request is appended, and prepares the answer.
class Plan {
  public:
    Plan(Request& request, const ProduceRequest& message) : request_(request), message_(message) {}

    void make(ProduceResponse& response) {
        response.responses =
            request_.arena.array<ProduceResponse::TopicProduceResponse>(message_.topic_data.size());
        for (std::size_t i = 0; i < message_.topic_data.size(); ++i)
            add_topic(message_.topic_data[i], response.responses[i]);
        refuse_repeated();
    }
    [[nodiscard]] std::vector<Append>& appends() noexcept { return appends_; }

  private:
    void add_topic(const ProduceRequest::TopicProduceData& from,
                   ProduceResponse::TopicProduceResponse& to) {
        to.name = from.name;
        to.topic_id = from.topic_id;
        to.partition_responses = request_.arena.array<PartitionAnswer>(from.partition_data.size());
        const bool by_id = request_.version() >= 13;
        const metadata::Image& image = request_.shard->image();
        const metadata::Topic* topic = by_id ? image.find(from.topic_id) : image.find(from.name);
        // An id that nobody has says nothing about what exists: it is told as it is.
        std::string_view name = by_id ? std::string_view{} : from.name;
        if (by_id && topic != nullptr) name = topic->name;
        const bool may_write =
            name.empty() ? by_id : may_topic(request_, auth::Operation::kWrite, name);
        const Errc unknown = by_id ? Errc::kUnknownTopicId : Errc::kUnknownTopicOrPartition;
        for (std::size_t i = 0; i < from.partition_data.size(); ++i) {
            PartitionAnswer& answer = to.partition_responses[i];
            answer.index = from.partition_data[i].index;
            if (!may_write)
                refuse(request_, answer, Errc::kTopicAuthorizationFailed);
            else if (topic == nullptr)
                refuse(request_, answer, unknown);
            else
                add_partition(*topic, from.partition_data[i], answer);
        }
    }

    void add_partition(const metadata::Topic& topic,
                       const ProduceRequest::PartitionProduceData& from, PartitionAnswer& answer) {
        if (from.index < 0 || from.index >= topic.partition_count)
            return refuse(request_, answer, Errc::kUnknownTopicOrPartition);
        if (message_.acks < -1 || message_.acks > 1)
            return refuse(request_, answer, Errc::kInvalidRequiredAcks);
        if (topic.is_internal() && request_.client_id() != kAdminClient)
            return refuse(request_, answer, Errc::kInvalidTopicException,
                          "Cannot append to internal topic");
        Append append{.id = {topic.id, from.index},
                      .batch = request_.mutable_bytes(from.records.bytes()),
                      .converted = {},
                      .answer = &answer,
                      .result = {}};
        if (request_.version() < kMagic2Since && wire::is_legacy_set(append.batch)) {
            if (const Errc error = convert(append); error != Errc::kNone)
                return refuse(request_, answer, error);
        }
        const Refusal refusal = check_records(message_, append.batch, request_.version());
        if (refusal.error != Errc::kNone)
            return refuse(request_, answer, refusal.error, refusal.message);
        appends_.push_back(std::move(append));
    }

    /// Messages of magic 0 and 1 become the batch that a client of today would have sent.
    Errc convert(Append& append) {
        const auto inflated_max =
            static_cast<std::size_t>(request_.shard->config().decompressed_bytes_max);
        Result<std::vector<std::byte>> batch = wire::upconvert(append.batch, inflated_max);
        if (!batch.has_value()) return batch.error().code();
        append.converted = *std::move(batch);
        append.batch = append.converted;
        return Errc::kNone;
    }

    /// A partition named twice has no order that its records could have: neither is appended.
    void refuse_repeated() {
        if (appends_.size() < 2) return;
        std::vector<const Append*> sorted;
        for (const Append& append : appends_) sorted.push_back(&append);
        const auto less = [](const Append* a, const Append* b) {
            return std::tie(a->id.topic, a->id.index) < std::tie(b->id.topic, b->id.index);
        };
        std::ranges::sort(sorted, less);
        std::vector<storage::PartitionId> twice;
        for (std::size_t i = 1; i < sorted.size(); ++i)
            if (sorted[i - 1]->id == sorted[i]->id) twice.push_back(sorted[i]->id);
        if (twice.empty()) return;
        std::erase_if(appends_, [&](const Append& append) {
            if (std::ranges::find(twice, append.id) == twice.end()) return false;
            refuse(request_, *append.answer, Errc::kInvalidRequest,
                   "the partition is in the request more than once");
            return true;
        });
    }

    Request& request_;
    const ProduceRequest& message_;
    std::vector<Append> appends_;
};

/// Runs on: the partition's shard.
rt::Task<void> append_one(Shard& shard, Append& append, std::int16_t acks) {
    const PartitionPtr partition = shard.find_partition(append.id);
    if (!partition) {
        append.result.error = shard.failed_to_open(append.id) ? Errc::kKafkaStorageError
                                                              : Errc::kUnknownTopicOrPartition;
        co_return;
    }
    append.result = co_await partition->append(append.batch, storage::Origin::kClient, acks);
}

rt::Task<void> append_counted(Shard& shard, Append& append, std::int16_t acks,
                              rt::Countdown& left) {
    co_await append_one(shard, append, acks);
    left.arrive();
}

/// All appends begin in order before this waits for the first to be durable.
rt::Task<void> append_on(Shard& shard, std::span<Append*> appends, std::int16_t acks) {
    if (appends.size() == 1) {
        co_await append_one(shard, *appends.front(), acks);
        co_return;
    }
    rt::Countdown left{appends.size()};
    for (Append* append : appends) rt::start(append_counted(shard, *append, acks, left));
    co_await left;
}

rt::Task<void> append_all(Request& request, std::vector<Append>& appends, std::int16_t acks) {
    if (appends.size() == 1) {
        // The way of most requests of latency-bound producers: nothing is collected for it.
        Append& append = appends.front();
        Shard& shard = request.shard->broker().shard_of(append.id);
        co_await rt::hop(shard.executor());
        co_await append_one(shard, append, acks);
        co_await rt::hop(request.shard->executor());
        co_return;
    }
    Parts<Append*> parts{request.shard->broker()};
    for (Append& append : appends) parts.add(append.id, &append);
    co_await scatter(*request.shard, parts.parts(), [acks](Shard& shard, std::span<Append*> some) {
        return append_on(shard, some, acks);
    });
}

void answer_appended(Request& request, const Append& append) {
    const storage::Appended& result = append.result;
    PartitionAnswer& answer = *append.answer;
    answer.error_code = wire_code(result.error);
    answer.base_offset = result.base_offset.value;
    answer.log_append_time_ms = result.append_time.value;
    // As in Kafka: what was refused before the log was asked says nothing of the log.
    const bool is_early =
        result.error == Errc::kCorruptMessage || result.error == Errc::kMessageTooLarge;
    answer.log_start_offset = is_early ? -1 : result.log_start.value;
    if (result.error == Errc::kNone) {
        BrokerMetrics& metrics = request.shard->broker().metrics();
        metrics.produced_bytes.add(append.batch.size());
        metrics.produced_batches.add();
        return;
    }
    count_error(request, answer.error_code);
    if (!result.message.empty()) answer.error_message = request.arena.copy(result.message);
    using BatchIndex = ProduceResponse::BatchIndexAndErrorMessage;
    const std::span<BatchIndex> errors =
        request.arena.array<BatchIndex>(result.record_errors.size());
    for (std::size_t i = 0; i < errors.size(); ++i) {
        errors[i].batch_index = result.record_errors[i].index;
        errors[i].batch_index_error_message =
            request.arena.copy(std::string_view{result.record_errors[i].message});
    }
    answer.record_errors = errors;
}

bool has_error(const ProduceResponse& response) {
    for (const auto& topic : response.responses)
        for (const PartitionAnswer& answer : topic.partition_responses)
            if (answer.error_code != 0) return true;
    return false;
}

}  // namespace

rt::Task<Answer> handle_produce(Request& request, const ProduceRequest& message) {
    ProduceResponse response;
    Plan plan{request, message};
    plan.make(response);
    if (!plan.appends().empty()) {
        co_await append_all(request, plan.appends(), message.acks);
        for (const Append& append : plan.appends()) answer_appended(request, append);
    }
    charge(request, auth::QuotaKind::kProduce, static_cast<double>(request.frame_bytes));
    if (message.acks != 0) co_return answer_with(request, response);
    if (has_error(response)) co_return Answer::close("produce_error_without_acks");
    co_return Answer::nothing();
}

}  // namespace leat::broker
