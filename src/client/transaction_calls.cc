// SPDX-License-Identifier: Apache-2.0
#include "client/transaction_calls.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "client/request_parts.h"
#include "wire/messages/add_offsets_to_txn_request.h"
#include "wire/messages/add_offsets_to_txn_response.h"
#include "wire/messages/add_partitions_to_txn_request.h"
#include "wire/messages/add_partitions_to_txn_response.h"
#include "wire/messages/end_txn_request.h"
#include "wire/messages/end_txn_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/txn_offset_commit_request.h"
#include "wire/messages/txn_offset_commit_response.h"

namespace leat::client {
namespace {

using std::chrono::milliseconds;
using Clock = CoordinatorAsker::Clock;
using Word = CoordinatorWord;

/// From 4 on AddPartitionsToTxn is for brokers among themselves.
constexpr std::int16_t kEnrolMax = 3;
/// The versions from which on protocol 2 is spoken, and the last ones before.
constexpr std::int16_t kEndOf2 = 5;
constexpr std::int16_t kEndMax1 = 4;
constexpr std::int16_t kOffsetsOf2 = 5;
constexpr std::int16_t kOffsetsMax1 = 4;
/// KIP-447: older ones cannot say who commits, and take offsets from anybody.
constexpr std::int16_t kOffsetsOfMember = 3;
/// KIP-360.
constexpr std::int16_t kRaises = 3;

constexpr milliseconds kWaitMax{std::chrono::hours{24}};
constexpr milliseconds kPauseMax{1'000};
/// The transaction before is being ended, which takes a few milliseconds when all is well.
constexpr milliseconds kEndingPause{5};
constexpr int kDoublingsMax = 8;

constexpr auto kAbortable = std::to_array<Errc>({
    Errc::kTransactionAbortable,
    Errc::kUnknownProducerId,
    Errc::kTopicAuthorizationFailed,
    Errc::kGroupAuthorizationFailed,
    Errc::kInvalidTopicException,
    Errc::kOperationNotAttempted,
    Errc::kIllegalGeneration,
    Errc::kUnknownMemberId,
    Errc::kFencedInstanceId,
    Errc::kRebalanceInProgress,
});
constexpr auto kFatalForBatch = std::to_array<Errc>({
    Errc::kClusterAuthorizationFailed,
    Errc::kTransactionalIdAuthorizationFailed,
    Errc::kProducerFenced,
    Errc::kInvalidProducerIdMapping,
    Errc::kUnsupportedVersion,
});

/// Equal only for equal questions.
class Key {
  public:
    explicit Key(std::string_view call) : text_(call) {}
    Key& add(std::int64_t number) {
        text_ += ' ';
        text_ += std::to_string(number);
        return *this;
    }
    Key& add(std::string_view text) {
        add(static_cast<std::int64_t>(text.size()));
        text_ += ' ';
        text_ += text;
        return *this;
    }
    Key& add(ProducerIdentity identity) { return add(identity.id).add(identity.epoch); }
    Key& add(const TopicPartition& where) { return add(where.topic).add(where.partition); }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

std::string name_of(const TopicPartition& where) {
    return where.topic + "-" + std::to_string(where.partition);
}

/// The higher the more it counts when the partitions of an answer differ.
int weight_of(Errc code) {
    if (code == Errc::kNone) return 0;
    if (code == Errc::kOperationNotAttempted) return 1;  // Because of another one.
    switch (fate_of(code)) {
        case TransactionFate::kMayRetry:
            return 2;
        case TransactionFate::kMustAbort:
            return 3;
        case TransactionFate::kFatal:
            return 4;
    }
    return 4;
}

/// The answers about single partitions become one.
class Verdict {
  public:
    void note(std::string_view topic, std::int32_t partition, std::int16_t number) {
        const Errc code = errc_from_wire(number);
        if (weight_of(code) <= weight_of(worst_)) return;
        worst_ = code;
        about_ = name_of({std::string{topic}, partition});
    }
    [[nodiscard]] Result<Word> word() const {
        if (worst_ != Errc::kNone) return Error{worst_, about_};
        return Word{};
    }

  private:
    Errc worst_ = Errc::kNone;
    std::string about_;
};

Result<Word> word_of(std::int16_t code, ProducerIdentity identity = {}) {
    if (code != 0) return Error{errc_from_wire(code)};
    return Word{.identity = identity};
}

CoordinatorAsker::Question enrol_question(const std::string& id, ProducerIdentity as,
                                          std::vector<TopicPartition> where) {
    return [&id, as, where = std::move(where)](CoordinatorView& view) -> Result<Word> {
        PartitionsByTopic<std::int32_t> by_topic;
        for (const TopicPartition& one : where) by_topic[one.topic].push_back(one.partition);
        std::vector<wire::AddPartitionsToTxnRequest::AddPartitionsToTxnTopic> topics;
        for (auto& [topic, partitions] : by_topic)
            topics.push_back({.name = topic, .partitions = partitions});
        const wire::AddPartitionsToTxnRequest request{.v3_and_below_transactional_id = id,
                                                      .v3_and_below_producer_id = as.id,
                                                      .v3_and_below_producer_epoch = as.epoch,
                                                      .v3_and_below_topics = topics};
        LEAT_TRY(const auto answer, view.ask<wire::AddPartitionsToTxnResponse>(
                                        Target::transaction(id), request, kEnrolMax));
        Verdict verdict;
        for (const auto& topic : answer.message.results_by_topic_v3_and_below)
            for (const auto& one : topic.results_by_partition)
                verdict.note(topic.name, one.partition_index, one.partition_error_code);
        return verdict.word();
    };
}

CoordinatorAsker::Question offsets_question(const std::string& id, ProducerIdentity as,
                                            GroupIdentity group,
                                            std::vector<CommittedOffset> offsets, bool by_itself) {
    return [&id, as, by_itself, group = std::move(group),
            offsets = std::move(offsets)](CoordinatorView& view) -> Result<Word> {
        PartitionsByTopic<wire::TxnOffsetCommitRequest::TxnOffsetCommitRequestPartition> by_topic;
        for (const CommittedOffset& one : offsets)
            by_topic[one.where.topic].push_back({.partition_index = one.where.partition,
                                                 .committed_offset = one.offset,
                                                 .committed_metadata = one.metadata});
        std::vector<wire::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic> topics;
        for (auto& [topic, partitions] : by_topic)
            topics.push_back({.name = topic, .partitions = partitions});
        const wire::TxnOffsetCommitRequest request{
            .transactional_id = id,
            .group_id = group.group,
            .producer_id = as.id,
            .producer_epoch = as.epoch,
            .generation_id = group.generation,
            .member_id = group.member_id,
            .group_instance_id = group.instance_id.empty()
                                     ? std::nullopt
                                     : std::optional<std::string_view>{group.instance_id},
            .topics = topics};
        const bool is_member =
            group.generation >= 0 || !group.member_id.empty() || !group.instance_id.empty();
        const std::int16_t oldest = is_member ? kOffsetsOfMember : std::int16_t{0};
        LEAT_TRY(const auto answer,
                 view.ask<wire::TxnOffsetCommitResponse>(Target::group(group.group), request,
                                                         by_itself ? kOffsetsOf2 : kOffsetsMax1,
                                                         by_itself ? kOffsetsOf2 : oldest));
        Verdict verdict;
        for (const auto& topic : answer.message.topics)
            for (const auto& one : topic.partitions)
                verdict.note(topic.name, one.partition_index, one.error_code);
        return verdict.word();
    };
}

}  // namespace

TransactionFate fate_of(Errc code) {
    if (std::ranges::find(kAbortable, code) != kAbortable.end()) return TransactionFate::kMustAbort;
    // A broker that stops closes before it answers.
    const bool may_pass =
        info(code).retriable || code == Errc::kBrokerNotAvailable || code == Errc::kClosed;
    return may_pass ? TransactionFate::kMayRetry : TransactionFate::kFatal;
}

TransactionFate fate_of_batch(Errc code) {
    if (std::ranges::find(kFatalForBatch, code) != kFatalForBatch.end())
        return TransactionFate::kFatal;
    return fate_of(code) == TransactionFate::kMayRetry ? TransactionFate::kMayRetry
                                                       : TransactionFate::kMustAbort;
}

TransactionCalls::TransactionCalls(TransactionCallSettings settings)
    : settings_(std::move(settings)), asker_(settings_.cluster) {}

Result<Word> TransactionCalls::run(std::string_view what, const std::string& key,
                                   const CoordinatorAsker::Question& question, milliseconds wait) {
    const Clock::time_point end = Clock::now() + std::min(wait, kWaitMax);
    const std::string call =
        std::string{what} + " of transactional id '" + settings_.transactional_id + "'";
    for (int failures = 0;; ++failures) {
        Result<Word> word = asker_.ask(key, question, end);
        if (word) return word;
        const Errc code = word.error().code();
        std::string text = call;
        if (!word.error().detail().empty()) text += ": " + std::string{word.error().detail()};
        // Who has been fenced hears it by this code from coordinators that are older than KIP-588.
        if (code == Errc::kInvalidProducerEpoch) return Error{Errc::kProducerFenced, text};
        if (fate_of(code) != TransactionFate::kMayRetry) return Error{code, text};
        LEAT_TRY_VOID(pause(code, failures, end));
        if (Clock::now() >= end)
            return Error{Errc::kTimedOut, text + " (" + std::string{info(code).name} + ")"};
    }
}

Result<void> TransactionCalls::pause(Errc why, int failures, Clock::time_point end) const {
    const int factor = 1 << std::min(failures, kDoublingsMax);
    milliseconds wait = std::min(settings_.retry * factor, kPauseMax);
    if (why == Errc::kConcurrentTransactions)
        wait = std::min(kEndingPause * factor, settings_.retry);
    // The first connection that is lost may have been silent for too long.
    if (failures == 0 && (why == Errc::kNetworkException || why == Errc::kClosed))
        wait = milliseconds{0};
    wait = std::min(wait, std::chrono::ceil<milliseconds>(end - Clock::now()));
    pollfd stop{.fd = settings_.cluster.connection.stop, .events = POLLIN, .revents = 0};
    // A negative descriptor is passed over.
    ::poll(&stop, 1, static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
    if (stop.revents != 0) return Error{Errc::kCancelled, "nobody waits any more"};
    return {};
}

Result<ProducerIdentity> TransactionCalls::ask_identity(ProducerIdentity now, milliseconds wait) {
    const auto question = [this, now](CoordinatorView& view) -> Result<Word> {
        const wire::InitProducerIdRequest request{
            .transactional_id = settings_.transactional_id,
            .transaction_timeout_ms = static_cast<std::int32_t>(
                std::min<std::int64_t>(settings_.transaction_timeout.count(), INT32_MAX)),
            .producer_id = now.id,
            .producer_epoch = now.epoch};
        LEAT_TRY(const auto answer, view.ask<wire::InitProducerIdResponse>(
                                        Target::transaction(settings_.transactional_id), request,
                                        INT16_MAX, now.id >= 0 ? kRaises : std::int16_t{0}));
        return word_of(answer.message.error_code,
                       {answer.message.producer_id, answer.message.producer_epoch});
    };
    LEAT_TRY(const Word word,
             run("InitProducerId", Key{"identity"}.add(now).text(), question, wait));
    note_ended(word);
    return word.identity;
}

Result<ProducerIdentity> TransactionCalls::init(milliseconds wait) {
    return ask_identity({}, wait);
}

Result<ProducerIdentity> TransactionCalls::raise_epoch(ProducerIdentity now, milliseconds wait) {
    return ask_identity(now, wait);
}

Result<void> TransactionCalls::enrol(ProducerIdentity as, std::span<const TopicPartition> where,
                                     milliseconds wait) {
    if (enrols_by_itself()) return {};
    std::vector<TopicPartition> missing;
    {
        const std::lock_guard lock{mutex_};
        for (const TopicPartition& one : where)
            if (!enrolled_.partitions.contains(one)) missing.push_back(one);
        if (missing.empty()) return {};
        enrolled_.may_have_more = true;
    }
    Key key{"partitions"};
    key.add(as);
    for (const TopicPartition& one : missing) key.add(one);
    LEAT_TRY_VOID(run("AddPartitionsToTxn", key.text(),
                      enrol_question(settings_.transactional_id, as, missing), wait));
    const std::lock_guard lock{mutex_};
    enrolled_.partitions.insert(missing.begin(), missing.end());
    return {};
}

Result<void> TransactionCalls::enrol_group(ProducerIdentity as, const std::string& group,
                                           milliseconds wait) {
    {
        const std::lock_guard lock{mutex_};
        if (enrolled_.groups.contains(group)) return {};
        enrolled_.may_have_more = true;
    }
    const auto question = [this, as, group](CoordinatorView& view) -> Result<Word> {
        const wire::AddOffsetsToTxnRequest request{.transactional_id = settings_.transactional_id,
                                                   .producer_id = as.id,
                                                   .producer_epoch = as.epoch,
                                                   .group_id = group};
        LEAT_TRY(const auto answer, view.ask<wire::AddOffsetsToTxnResponse>(
                                        Target::transaction(settings_.transactional_id), request));
        return word_of(answer.message.error_code);
    };
    LEAT_TRY_VOID(run("AddOffsetsToTxn", Key{"group"}.add(as).add(group).text(), question, wait));
    const std::lock_guard lock{mutex_};
    enrolled_.groups.insert(group);
    return {};
}

Result<void> TransactionCalls::send_offsets(ProducerIdentity as, const GroupIdentity& group,
                                            std::span<const CommittedOffset> offsets,
                                            milliseconds wait) {
    if (offsets.empty()) return {};
    const Clock::time_point end = Clock::now() + std::min(wait, kWaitMax);
    const bool by_itself = enrols_by_itself();
    if (!by_itself) LEAT_TRY_VOID(enrol_group(as, group.group, wait));
    Key key{"offsets"};
    key.add(as).add(group.group).add(group.generation).add(group.member_id).add(group.instance_id);
    for (const CommittedOffset& one : offsets) key.add(one.where).add(one.offset).add(one.metadata);
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    LEAT_TRY_VOID(run("TxnOffsetCommit", key.text(),
                      offsets_question(settings_.transactional_id, as, group,
                                       {offsets.begin(), offsets.end()}, by_itself),
                      std::max(left, milliseconds{0})));
    return {};
}

Result<ProducerIdentity> TransactionCalls::end(ProducerIdentity as, bool commit,
                                               milliseconds wait) {
    const bool by_itself = enrols_by_itself();
    bool is_sure = true;
    if (!by_itself) {
        const std::lock_guard lock{mutex_};
        if (enrolled_.is_empty() && !enrolled_.may_have_more) return as;
        is_sure = !enrolled_.is_empty();
    }
    const auto question = [this, as, commit, by_itself](CoordinatorView& view) -> Result<Word> {
        const wire::EndTxnRequest request{.transactional_id = settings_.transactional_id,
                                          .producer_id = as.id,
                                          .producer_epoch = as.epoch,
                                          .committed = commit};
        LEAT_TRY(const auto answer,
                 view.ask<wire::EndTxnResponse>(Target::transaction(settings_.transactional_id),
                                                request, by_itself ? kEndOf2 : kEndMax1,
                                                by_itself ? kEndOf2 : std::int16_t{0}));
        // Protocol 1 goes on as it was.
        const bool has_next = answer.message.producer_id >= 0;
        return word_of(
            answer.message.error_code,
            has_next ? ProducerIdentity{answer.message.producer_id, answer.message.producer_epoch}
                     : as);
    };
    Result<Word> word = run(commit ? "EndTxn (commit)" : "EndTxn (abort)",
                            Key{"end"}.add(as).add(commit ? 1 : 0).text(), question, wait);
    // All that was asked for had been refused: nothing is open.
    if (!word && !commit && !is_sure && word.error().code() == Errc::kInvalidTxnState) {
        const std::lock_guard lock{mutex_};
        enrolled_ = {};
        return as;
    }
    if (!word) return std::move(word).error();
    note_ended(*word);
    return word->identity;
}

void TransactionCalls::note_ended(const CoordinatorWord& word) {
    {
        const std::lock_guard lock{mutex_};
        enrolled_ = {};
    }
    enrols_by_itself_ = word.enrols_by_itself;
}

}  // namespace leat::client
