// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/produce.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "broker/access.h"
#include "broker/apis.h"
#include "broker/metrics.h"
#include "broker/scatter.h"
#include "broker/transaction_host.h"
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
    bool is_transactional = false;
    transactions::Producer producer = {};  ///< Of a transactional one.
    bool begins_at_zero = false;           ///< As storage::TransactionGuard has it.
    std::string_view topic =
        {};  ///< Lives in the image of the home shard: used before it suspends.
    MutableBytes batch;
    storage::Origin origin = storage::Origin::kClient;
    PartitionAnswer* answer = nullptr;
    storage::Appended result;
};

/// What is wrong with the batch as this version of the request may carry it; the partition checks
/// what is inside.
struct Refusal {
    Errc error = Errc::kNone;
    std::string_view message;
    bool is_transactional = false;  ///< What the batch says, when nothing is wrong.
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

Refusal check_records(Bytes records, std::int16_t version) {
    if (records.empty()) return {Errc::kInvalidRecord, kOneBatch};
    const Result<wire::BatchHeader> header = wire::parse_batch_header(records);
    if (!header.has_value()) return unreadable(records, header.error().code());
    // A batch that is cut off is none.
    if (header->size_bytes() != records.size()) return {Errc::kInvalidRecord, kOneBatch};
    if (version < kZstdSince && header->codec() == codec::Codec::kZstd)
        return {Errc::kUnsupportedCompressionType,
                "Produce requests with version lower than 7 are not allowed to use ZStandard "
                "compression"};
    return {.error = Errc::kNone, .message = {}, .is_transactional = header->is_transactional()};
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
        if (has_transaction_ && !may_write_transaction()) return forbid(response);
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
            if (answer.error_code != 0) note_transaction(from.partition_data[i].records.bytes());
        }
    }

    void note_transaction(Bytes refused) {
        const Result<wire::BatchHeader> header = wire::parse_batch_header(refused);
        if (header.has_value() && header->is_transactional()) has_transaction_ = true;
    }

    [[nodiscard]] bool may_write_transaction() {
        return message_.transactional_id &&
               may(request_, auth::Operation::kWrite, auth::ResourceType::kTransactionalId,
                   *message_.transactional_id);
    }

    /// Who may not write by his transactional id hears of that alone, as in Kafka: what else the
    /// request has in it is not looked at.
    void forbid(ProduceResponse& response) {
        appends_.clear();
        for (ProduceResponse::TopicProduceResponse& topic : response.responses)
            for (PartitionAnswer& answer : topic.partition_responses) {
                answer = {.index = answer.index};
                refuse(request_, answer, Errc::kTransactionalIdAuthorizationFailed);
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
                      .topic = topic.name,
                      .batch = request_.mutable_bytes(from.records.bytes()),
                      .answer = &answer,
                      .result = {}};
        // Messages of magic 0 and 1 become the batch that a client of today would have sent.
        if (request_.version() < kMagic2Since && wire::is_legacy_set(append.batch)) {
            append.origin = storage::Origin::kOldClient;
            appends_.push_back(std::move(append));
            return;
        }
        const Refusal refusal = check_records(append.batch, request_.version());
        if (refusal.error != Errc::kNone)
            return refuse(request_, answer, refusal.error, refusal.message);
        append.is_transactional = refusal.is_transactional;
        has_transaction_ = has_transaction_ || refusal.is_transactional;
        appends_.push_back(std::move(append));
    }

    /// A partition named twice has no order that its records could have: neither is appended.
    void refuse_repeated() {
        if (appends_.size() < 2) return;
        const auto less = [](const storage::PartitionId& a, const storage::PartitionId& b) {
            return std::tie(a.topic, a.index) < std::tie(b.topic, b.index);
        };
        std::vector<storage::PartitionId> sorted;
        sorted.reserve(appends_.size());
        for (const Append& append : appends_) sorted.push_back(append.id);
        std::ranges::sort(sorted, less);
        // Each that comes twice or more, once: the request may be of one partition only, and each
        // of its appends looks itself up here.
        std::vector<storage::PartitionId> twice;
        for (std::size_t i = 1; i < sorted.size(); ++i)
            if (sorted[i - 1] == sorted[i] && (twice.empty() || twice.back() != sorted[i]))
                twice.push_back(sorted[i]);
        if (twice.empty()) return;
        std::erase_if(appends_, [&](const Append& append) {
            if (!std::ranges::binary_search(twice, append.id, less)) return false;
            refuse(request_, *append.answer, Errc::kInvalidRequest,
                   "the partition is in the request more than once");
            return true;
        });
    }

    Request& request_;
    const ProduceRequest& message_;
    std::vector<Append> appends_;
    bool has_transaction_ = false;
};

/// Runs on: the partition's shard.
rt::Task<void> append_one(Shard* shard, Append* append, std::int16_t acks) {
    const PartitionPtr partition = shard->find_partition(append->id);
    if (!partition) {
        append->result.error = shard->failed_to_open(append->id) ? Errc::kKafkaStorageError
                                                                 : Errc::kUnknownTopicOrPartition;
        co_return;
    }
    // Nothing comes between the guard and the append: the coordinator has just said yes.
    storage::TransactionGuard guard;
    if (append->is_transactional) {
        guard = partition->transaction_guard(append->producer.id);
        guard.begins_at_zero = append->begins_at_zero;
    }
    append->result = co_await partition->append(append->batch, append->origin, acks, guard);
}

rt::Task<void> append_counted(Shard* shard, Append* append, std::int16_t acks,
                              rt::Countdown* left) {
    co_await append_one(shard, append, acks);
    left->arrive();
}

/// All appends begin in order before this waits for the first to be durable.
rt::Task<void> append_on(Shard* shard, std::span<Append*> appends, std::int16_t acks) {
    if (appends.size() == 1) {
        co_await append_one(shard, appends.front(), acks);
        co_return;
    }
    rt::Countdown left{appends.size()};
    for (Append* append : appends) rt::start(append_counted(shard, append, acks, &left));
    co_await left;
}

/// Begins and ends on `home`.
rt::Task<void> append_allowed(Shard* home, std::vector<Append*>* appends, std::int16_t acks) {
    Parts<Append*> parts{home->broker()};
    for (Append* append : *appends) parts.add(append->id, append);
    co_await scatter(home, parts.parts(), [acks](Shard* shard, std::span<Append*> some) {
        return append_on(shard, some, acks);
    });
}

/// Begins and ends on the request's shard.
rt::Task<void> append_all(Request* request, std::vector<Append>* appends, std::int16_t acks) {
    Shard* const home = request->shard;
    if (appends->size() == 1) {
        // The way of most requests of latency-bound producers: nothing is collected for it.
        Append& append = appends->front();
        Shard& shard = home->broker().shard_of(append.id);
        request->appended_on = &shard;
        co_await rt::hop(shard.executor());
        co_await append_one(&shard, &append, acks);
        co_await rt::hop(home->executor());
        co_return;
    }
    std::vector<Append*> all;
    all.reserve(appends->size());
    for (Append& append : *appends) all.push_back(&append);
    co_await append_allowed(home, &all, acks);
}

// Transactions.

/// The batch's header; it was parsed before.
wire::BatchHeader header_of(const Append& append) {
    const Result<wire::BatchHeader> header = wire::parse_batch_header(append.batch);
    LEAT_CHECK(header.has_value());
    return *header;
}

bool is_transactional(const std::vector<Append>& appends) {
    return std::ranges::any_of(appends, &Append::is_transactional);
}

/// Since these versions clients know TRANSACTION_ABORTABLE, and enrol by producing (KIP-890).
constexpr std::int16_t kKnowsAbortable = 11;
constexpr std::int16_t kEnrols = 12;

/// Old clients give up at errors of a coordinator that they did not ask: they get one that they
/// come back from.
void set_refusal(Append& append, Errc error, bool knows_concurrent) {
    append.result.error = error;
    if (error == Errc::kInvalidTxnState) {
        append.result.message = "Partition was not added to the transaction";
        return;
    }
    const bool is_passing = error == Errc::kCoordinatorLoadInProgress ||
                            error == Errc::kCoordinatorNotAvailable ||
                            error == Errc::kNotCoordinator ||
                            (error == Errc::kConcurrentTransactions && !knows_concurrent);
    if (!is_passing) return;
    append.result.error = Errc::kNotEnoughReplicas;
    append.result.message =
        "Unable to verify the partition has been added to the transaction. Underlying error: " +
        std::string{info(error).name};
}

void refuse_all(std::vector<Append>& appends, Errc error) {
    for (Append& append : appends) append.result.error = error;
}

/// The transactional ones among the appends, and who writes them.
struct InTransaction {
    std::vector<Append*> appends;
    std::vector<transactions::TopicPartition> partitions;
    transactions::Producer producer;
    bool is_one_producer = true;
};

InTransaction in_transaction(std::vector<Append>& appends) {
    InTransaction out;
    for (Append& append : appends) {
        if (!append.is_transactional) continue;
        const wire::BatchHeader header = header_of(append);
        const transactions::Producer producer{.id = header.producer_id,
                                              .epoch = header.producer_epoch};
        append.producer = producer;
        if (out.appends.empty()) out.producer = producer;
        if (producer.id != out.producer.id) out.is_one_producer = false;
        out.appends.push_back(&append);
        out.partitions.push_back({std::string{append.topic}, append.id.index});
    }
    return out;
}

/// Asks the coordinator whether the partitions are in the transaction, or has them join it, and
/// goes on from its shard: so nothing is appended behind the markers of a decision that was made
/// after it had said yes.
rt::Task<void> append_to_transaction(Request* request, const ProduceRequest* message,
                                     std::vector<Append>* appends) {
    const bool enrols = request->version() >= kEnrols;
    const InTransaction in = in_transaction(*appends);
    for (Append* append : in.appends) append->begins_at_zero = enrols;
    if (!in.is_one_producer) co_return refuse_all(*appends, Errc::kInvalidProducerIdMapping);
    if (!enrols && !request->shard->config().transaction_verification) {
        co_await append_all(request, appends, message->acks);
        co_return;
    }
    const Admission admission{.transactional_id = *message->transactional_id,
                              .producer = in.producer,
                              .partitions = in.partitions,
                              .enrols = enrols,
                              .knows_abortable = request->version() >= kKnowsAbortable};
    const std::optional<TransactionPlace> place =
        place_of_transaction(*request->shard, admission.transactional_id);
    const std::vector<Errc> admitted = co_await admit_to_transaction(request, admission);
    for (std::size_t i = 0; i < admitted.size(); ++i)
        if (admitted[i] != Errc::kNone) set_refusal(*in.appends[i], admitted[i], enrols);
    std::vector<Append*> allowed;
    for (Append& append : *appends)
        if (append.result.error == Errc::kNone) allowed.push_back(&append);
    if (!allowed.empty() && place) co_await append_allowed(place->shard, &allowed, message->acks);
    co_await rt::hop(request->shard->executor());
}

void answer_appended(Request& request, const Append& append) {
    const storage::Appended& result = append.result;
    PartitionAnswer& answer = *append.answer;
    answer.error_code = wire_code(result.error);
    answer.base_offset = result.base_offset.value;
    answer.log_append_time_ms = result.append_time.value;
    // As in Kafka: what was refused before the log was asked says nothing of the log.
    const bool is_early = result.error == Errc::kCorruptMessage ||
                          result.error == Errc::kMessageTooLarge ||
                          result.error == Errc::kKafkaStorageError;
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

rt::Task<Answer> handle_produce(Request* request, const ProduceRequest* message) {
    ProduceResponse response;
    Plan plan{*request, *message};
    plan.make(response);
    if (!plan.appends().empty()) {
        if (is_transactional(plan.appends()))
            co_await append_to_transaction(request, message, &plan.appends());
        else
            co_await append_all(request, &plan.appends(), message->acks);
        for (const Append& append : plan.appends()) {
            request->busy += append.result.busy;
            answer_appended(*request, append);
        }
    }
    charge(*request, auth::QuotaKind::kProduce, static_cast<double>(request->frame_bytes));
    if (message->acks != 0) co_return answer_with(*request, response);
    if (has_error(response)) co_return Answer::close("produce_error_without_acks");
    co_return Answer::nothing();
}

}  // namespace leat::broker
