// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/fetch.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/bounded_time.h"
#include "broker/apis.h"
#include "broker/handlers/fetch_plan.h"
#include "broker/handlers/fetch_read.h"
#include "broker/metrics.h"
#include "wire/messages/fetch_response.h"

namespace leat::broker {
namespace {

using wire::FetchRequest;
using wire::FetchResponse;
using PartitionAnswer = FetchResponse::PartitionData;

/// Of one answer, whatever the setting and the client say: a frame tells its size as an int32, and
/// has to hold what is around the records too.
constexpr std::int32_t kRecordBytesMax = INT32_MAX - (std::int32_t{64} << 20);

FetchLimits limits_of(const FetchRequest& message, const Request& request) {
    const config::BrokerConfig& config = request.shard->config();
    FetchLimits limits;
    limits.bytes_max = static_cast<std::size_t>(
        std::clamp(std::min(message.max_bytes, config.fetch_max_bytes), 0, kRecordBytesMax));
    // More at once would only be followed by a longer rest. A byte at least, so that who asks to
    // wait for some still waits.
    if (const auto most = most_at_once(request, auth::QuotaKind::kFetch))
        limits.bytes_max = std::min(
            limits.bytes_max, static_cast<std::size_t>(std::clamp(*most, 1.0, 1.0 * INT32_MAX)));
    limits.bytes_min =
        std::min(limits.bytes_max, static_cast<std::size_t>(std::max(0, message.min_bytes)));
    limits.wait_max = bounded_ms(std::max(0, message.max_wait_ms));
    if (message.isolation_level == 1) limits.isolation = storage::Isolation::kReadCommitted;
    return limits;
}

bool has_news(const FetchItem& item) {
    const SessionPartition& last = *item.remembered;
    return item.result.size_bytes > 0 || item.error != Errc::kNone || last.had_error ||
           item.diverging.epoch >= 0 || last.high_watermark != item.result.high_watermark ||
           last.log_start != item.result.log_start;
}

void remember_answer(FetchItem& item) {
    SessionPartition& last = *item.remembered;
    // An error is told again until it is gone.
    last.had_error = item.error != Errc::kNone;
    last.high_watermark = item.result.high_watermark;
    last.log_start = item.result.log_start;
}

/// Items to be answered, in order; in an incremental answer only those with news.
std::vector<FetchItem*> answered_items(FetchPlan& plan) {
    std::vector<FetchItem*> out;
    out.reserve(plan.items.size());
    for (FetchItem& item : plan.items) {
        const bool is_told = !plan.is_incremental || has_news(item);
        if (is_told) out.push_back(&item);
        if (item.remembered == nullptr || !is_told) continue;
        remember_answer(item);
        // Who gave records is served last next time, so that all get their turn.
        if (item.result.size_bytes > 0) plan.session->move_to_end(*item.remembered);
    }
    return out;
}

bool was_read(Errc error) {
    return error != Errc::kUnknownTopicOrPartition && error != Errc::kUnknownTopicId &&
           error != Errc::kTopicAuthorizationFailed;
}

class Writer {
  public:
    Writer(Request& request, const FetchLimits& limits) : request_(request), limits_(limits) {}

    Answer write(const FetchPlan& plan, std::span<FetchItem*> items) {
        FetchResponse response;
        response.session_id = plan.answered_session_id;
        response.error_code = wire_code(plan.error);
        response.responses = topics_of(items);
        // Replicas know where the others are.
        if (names_leader_ && !plan.is_replica) response.node_endpoints = own_address();
        charge(request_, auth::QuotaKind::kFetch, static_cast<double>(bytes_));
        Answer answer = answer_with(request_, response);
        for (FetchItem* item : items)
            std::ranges::move(item->result.slices, std::back_inserter(answer.slices));
        request_.shard->broker().metrics().fetched_bytes.add(bytes_);
        return answer;
    }

  private:
    static bool is_same_topic(const FetchItem& a, const FetchItem& b) {
        return a.topic == b.topic && (a.id.topic == b.id.topic || !a.topic.empty());
    }

    std::span<FetchResponse::FetchableTopicResponse> topics_of(std::span<FetchItem*> items) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < items.size(); ++i)
            if (i == 0 || !is_same_topic(*items[i - 1], *items[i])) ++count;
        const auto topics = request_.arena.array<FetchResponse::FetchableTopicResponse>(count);
        std::size_t next = 0;
        for (FetchResponse::FetchableTopicResponse& topic : topics) {
            const std::size_t first = next++;
            while (next < items.size() && is_same_topic(*items[first], *items[next])) ++next;
            topic.topic = items[first]->topic;
            topic.topic_id = items[first]->id.topic;
            topic.partitions = request_.arena.array<PartitionAnswer>(next - first);
            for (std::size_t i = first; i < next; ++i) fill(topic.partitions[i - first], *items[i]);
        }
        return topics;
    }

    void fill(PartitionAnswer& answer, const FetchItem& item) {
        const storage::ReadResult& result = item.result;
        answer.partition_index = item.id.index;
        answer.error_code = wire_code(item.error);
        answer.records = wire::Records{Bytes{}};
        answer.aborted_transactions = std::nullopt;
        if (item.error != Errc::kNone) {
            count_error(request_, answer.error_code);
            // Kafka has an empty list where it did not get as far as reading, else null.
            if (!was_read(item.error)) answer.aborted_transactions.emplace();
            answer.high_watermark = -1;
            answer.last_stable_offset = -1;
            answer.log_start_offset = -1;
            tell_leader(answer, item);
            return;
        }
        answer.high_watermark = result.high_watermark.value;
        answer.last_stable_offset = result.last_stable.value;
        answer.log_start_offset = result.log_start.value;
        if (item.diverging.epoch >= 0)
            answer.diverging_epoch = {item.diverging.epoch, item.diverging.end.value};
        if (limits_.isolation == storage::Isolation::kReadCommitted)
            answer.aborted_transactions = aborted(result.aborted);
        if (result.size_bytes == 0) return;
        answer.records = wire::Records::external(0, result.size_bytes);
        bytes_ += result.size_bytes;
    }

    /// KIP-951: who asked the wrong broker, or by an old epoch, need not ask for metadata.
    void tell_leader(PartitionAnswer& answer, const FetchItem& item) {
        constexpr std::int16_t kToldSince = 16;
        if (request_.version() < kToldSince ||
            (item.error != Errc::kNotLeaderOrFollower && item.error != Errc::kFencedLeaderEpoch))
            return;
        const metadata::Image& image = request_.shard->image();
        const metadata::Topic* topic = image.find(item.id.topic);
        if (topic == nullptr) return;
        answer.current_leader = {image.broker().node_id, image.leader_epoch(*topic)};
        names_leader_ = true;
    }
    std::span<FetchResponse::NodeEndpoint> own_address() {
        const config::BrokerConfig& broker = request_.shard->image().broker();
        const admin::Endpoint& endpoint = request_.connection->endpoint;
        const auto out = request_.arena.array<FetchResponse::NodeEndpoint>(1);
        out[0] = {broker.node_id, endpoint.host, endpoint.port, std::nullopt};
        if (broker.rack) out[0].rack = request_.arena.copy(std::string_view{*broker.rack});
        return out;
    }

    std::span<FetchResponse::AbortedTransaction> aborted(
        const std::vector<storage::AbortedTransaction>& from) {
        const auto out = request_.arena.array<FetchResponse::AbortedTransaction>(from.size());
        for (std::size_t i = 0; i < from.size(); ++i)
            out[i] = {from[i].producer_id, from[i].first_offset.value};
        return out;
    }

    Request& request_;
    const FetchLimits& limits_;
    std::size_t bytes_ = 0;
    bool names_leader_ = false;
};

/// Whether those with the same limit have used so much that the sender has to wait; then he is
/// told.
bool must_rest(Request& request, const FetchPlan& plan) {
    const auto debt = debt_of(request, auth::QuotaKind::kFetch);
    if (debt.count() <= 0 || plan.error != Errc::kNone) return false;
    request.throttle = std::max(request.throttle, debt);
    return true;
}

/// The sender asks again, in a session from where it was. One that is new would be nobody's: of a
/// full request that is answered with nothing clients remember no session.
Answer answer_without_a_byte(Request& request, FetchPlan& plan) {
    FetchResponse empty;
    finish_fetch(request, plan);
    if (plan.is_incremental)
        empty.session_id = plan.answered_session_id;
    else if (plan.session != nullptr)
        request.shard->fetch_sessions().erase(plan.answered_session_id);
    return answer_with(request, empty);
}

}  // namespace

rt::Task<Answer> handle_fetch(Request* request, const FetchRequest* message) {
    const FetchLimits limits = limits_of(*message, *request);
    FetchPlan plan = plan_fetch(*request, *message);
    if (must_rest(*request, plan)) co_return answer_without_a_byte(*request, plan);
    co_await read_items(request, &plan.items, limits);
    for (const FetchItem& item : plan.items) request->busy += item.result.busy;
    // Many may have waited for the same records, and come at once: as in Kafka those for whom it is
    // too much get none, and none is counted.
    const bool has_some = std::ranges::any_of(
        plan.items, [](const FetchItem& item) { return item.result.size_bytes > 0; });
    if (has_some && must_rest(*request, plan)) co_return answer_without_a_byte(*request, plan);
    std::vector<FetchItem*> items = answered_items(plan);
    Writer writer{*request, limits};
    Answer answer = writer.write(plan, items);
    finish_fetch(*request, plan);
    co_return answer;
}

}  // namespace leat::broker
