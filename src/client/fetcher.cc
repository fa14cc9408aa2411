// SPDX-License-Identifier: Apache-2.0
#include "client/fetcher.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "obs/log.h"

namespace leat::client {
namespace {

constexpr obs::Logger kLog{"client"};
using std::chrono::milliseconds;

/// The first version that knows topics by id alone.
constexpr std::int16_t kTopicIdsFrom = 13;
/// A broker's wish is heeded so far.
constexpr milliseconds kThrottleMax{30'000};

using Part = FetchPlan::Part;

/// The parts of an answer's topic, by partition; `at` is where they are looked for first, and is
/// set to where they are: a broker goes through topics in the order of the request.
std::span<const Part> parts_of(const FetchPlan& plan,
                               const wire::FetchResponse::FetchableTopicResponse& topic, bool by_id,
                               std::size_t& at) {
    const std::span<const Part> all{plan.parts};
    const auto is_topic = [&](const Part& part) {
        return by_id ? part.topic_id == topic.topic_id : part.partition->where.topic == topic.topic;
    };
    auto first = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(), is_topic);
    if (first == all.end()) first = std::ranges::find_if(all, is_topic);
    // What is asked for first need not be the first of its topic.
    while (first != all.begin() && first != all.end() && is_topic(*std::prev(first))) --first;
    at = static_cast<std::size_t>(first - all.begin());
    return {first, std::find_if_not(first, all.end(), is_topic)};
}

/// nullptr: it was not asked for.
const Part* find_part(std::span<const Part> parts, std::int32_t partition) {
    const auto number = [](const Part& part) { return part.partition->where.partition; };
    const auto found = std::ranges::lower_bound(parts, partition, {}, number);
    return found == parts.end() || number(*found) != partition ? nullptr : &*found;
}

}  // namespace

FetchMessage::FetchMessage(const FetchPlan& plan, const FetchSettings& settings) {
    const std::size_t count = plan.parts.size();
    partitions_.reserve(count);  // Spans into it are taken.
    for (std::size_t i = 0; i < count; ++i) {
        const Part& part = plan.parts[(plan.first + i) % count];
        const TopicPartition& where = part.partition->where;
        if (topics_.empty() || topics_.back().topic != where.topic ||
            topics_.back().topic_id != part.topic_id)
            topics_.push_back({.topic = where.topic, .topic_id = part.topic_id, .partitions = {}});
        partitions_.push_back({.partition = where.partition,
                               .current_leader_epoch = part.epoch,
                               .fetch_offset = part.from.value,
                               .partition_max_bytes = settings.partition_bytes_max});
        auto& span = topics_.back().partitions;
        span = {partitions_.data() + partitions_.size() - 1 - span.size(), span.size() + 1};
        if (part.topic_id.is_zero()) version_max_ = kTopicIdsFrom - 1;
    }
    request_ = {.max_wait_ms = static_cast<std::int32_t>(plan.wait.count()),
                .min_bytes = settings.bytes_min,
                .max_bytes = settings.bytes_max,
                .isolation_level = static_cast<std::int8_t>(settings.rules.committed_only ? 1 : 0),
                .topics = topics_,
                .rack_id = settings.rack};
}

void Fetcher::run() {
    while (auto plan = board_.plan(node_)) {
        Result<Answered> answer = ask(*plan);
        if (!answer) {
            note_failure(*plan, answer.error());
            continue;
        }
        if (failures_ > 0) kLog.info("fetching from the broker again", {{"broker", node_}});
        failures_ = 0;
        const milliseconds throttle = take_in(*plan, *std::move(answer));
        if (throttle.count() > 0) board_.pause(std::min(throttle, kThrottleMax));
    }
}

Result<Fetcher::Answered> Fetcher::ask(const FetchPlan& plan) {
    const FetchMessage message{plan, settings_};
    return link_.use([&](Connection& connection) {
        return connection.call<wire::FetchResponse>(message.request(), message.version_max());
    });
}

void Fetcher::note_failure(FetchPlan& plan, const Error& why) {
    if (board_.is_stopped()) return;
    if (is_refused(why.code())) board_.fail(why);
    if (failures_ == 0)
        kLog.warn("cannot fetch from the broker",
                  {{"broker", node_}, {"code", why.code()}, {"why", why.detail()}});
    board_.give_up(plan, settings_.pauses.after(failures_++));
}

milliseconds Fetcher::take_in(FetchPlan& plan, Answered answer) {
    const wire::FetchResponse message = answer.message;
    const bool by_id = answer.version >= kTopicIdsFrom;
    const auto named = endpoints_of(message);  // Before its memory goes to the records.
    std::vector<std::optional<FetchOutcome>> outcomes(plan.parts.size());
    const Errc code = errc_from_wire(message.error_code);
    if (code != Errc::kNone) {
        for (auto& outcome : outcomes) {
            outcome.emplace();
            outcome->is_held_up = true;
            outcome->leader_is_elsewhere = says_leader_is_elsewhere(code);
        }
    }
    {
        const KeptRef memory = KeptRef::of(std::move(answer.frame));  // Its bytes stay in place.
        std::size_t at = plan.first;
        for (const auto& topic : message.responses) {
            const std::span<const Part> parts = parts_of(plan, topic, by_id, at);
            for (const auto& data : topic.partitions) {
                const Part* part = find_part(parts, data.partition_index);
                if (part == nullptr) continue;
                auto& outcome = outcomes[static_cast<std::size_t>(part - plan.parts.data())];
                if (!outcome) outcome = outcome_of(data, memory, part->from);
            }
        }
    }
    board_.deliver(plan, std::move(outcomes), named);
    return milliseconds{message.throttle_time_ms};
}

FetchOutcome Fetcher::outcome_of(const wire::FetchResponse::PartitionData& data,
                                 const KeptRef& memory, Offset from) const {
    FetchOutcome out;
    out.fetched.from = out.fetched.next = from;
    const Errc code = errc_from_wire(data.error_code);
    if (code == Errc::kNone) {
        out.fetched = read_fetched(data, memory, from, settings_.rules);
        out.replica = data.preferred_read_replica;
        out.end =
            Offset{settings_.rules.committed_only ? data.last_stable_offset : data.high_watermark};
        out.is_cut =
            out.fetched.next == from && !out.fetched.failure && !data.records.bytes().empty();
    } else if (code == Errc::kOffsetOutOfRange) {
        out.is_out_of_range = true;
    } else if (says_leader_is_elsewhere(code)) {
        out.leader_is_elsewhere = true;
        out.leader = NamedLeader::of(data.current_leader, code);
    } else if (info(code).retriable && code != Errc::kCorruptMessage) {
        out.is_held_up = true;
    } else {
        out.fetched.failure = Error{code, info(code).doc};
    }
    return out;
}

}  // namespace leat::client
