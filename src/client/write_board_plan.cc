// SPDX-License-Identifier: Apache-2.0
//
// What is sent next, and under which numbers.
#include <algorithm>
#include <utility>

#include "client/write_board.h"

namespace leat::client {

std::optional<WritePlan> WriteBoard::plan(std::int32_t node, bool is_connected) {
    Lock lock{mutex_};
    Desk& desk = desks_[node];
    while (!stopped_) {
        Steady again = Steady::max();
        if (auto out = try_plan(node, desk, is_connected, steady_now(), again)) return out;
        desk.wakes = again;
        if (again == Steady::max())
            desk.work.wait(lock);
        else
            desk.work.wait_until(lock, again);
        desk.wakes = Steady::min();
    }
    return std::nullopt;
}

/// Whether the lane has a batch to send now; `again`: when it will.
bool WriteBoard::make_ready(WriteLane& lane, Steady now, Steady& again) {
    expire(lane, now, again);
    if (lane.is_asked || is_halted_) return false;
    if (lane.closed.empty()) {
        // A little early, so that what was begun together goes in one request.
        if (lane.due == Steady::max()) return false;
        if (lane.due > now + settings_.linger / 8) {
            again = std::min(again, lane.due);
            return false;
        }
    }
    if (lane.not_before > now) {
        again = std::min(again, lane.not_before);
        return false;
    }
    if (lane.closed.empty()) close(lane);
    return !lane.closed.empty();
}

std::optional<WritePlan> WriteBoard::try_plan(std::int32_t node, Desk& desk, bool is_connected,
                                              Steady now, Steady& again) {
    WritePlan out;
    out.node = node;
    std::size_t bytes = 0;
    const std::size_t count = desk.lanes.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = (desk.turn + i) % count;
        WriteLane& lane = *desk.lanes[at];
        if (lane.leader != node || !make_ready(lane, now, again)) continue;
        if (!is_connected) {
            out.wants_connection = true;
            return out;
        }
        if (settings_.is_idempotent && identity_.id < 0 && lane.identity.id < 0) {
            // What is taken already goes first.
            if (!out.parts.empty() || std::exchange(is_identity_asked_, true)) continue;
            out.wants_identity = true;
            return out;
        }
        bytes += lane.closed.front()->size_bytes();
        if (bytes > settings_.request_bytes_max && !out.parts.empty()) {
            desk.turn = at;
            break;
        }
        add_part(lane, out);
    }
    if (out.parts.empty()) return std::nullopt;
    ++asking_;
    std::ranges::sort(out.parts, {}, [](const WritePlan::Part& part) -> const TopicPartition& {
        return part.lane->where;
    });
    return out;
}

void WriteBoard::add_part(WriteLane& lane, WritePlan& plan) {
    WriteBatch& batch = *lane.closed.front();
    if (settings_.is_idempotent && batch.base_sequence == wire::kNoSequence) number(lane, batch);
    ++batch.tries;
    lane.is_asked = true;
    plan.first_end = std::min(plan.first_end, end_of(batch));
    plan.deadline = std::max(plan.deadline, end_of(batch));
    plan.parts.push_back({&lane, &batch, lane.topic_id});
    if (settings_.transactional_id.empty()) return;
    transaction_.has_sent = true;
    plan.identity = identity_;
    if (lane.enrolled_in != transaction_number_) plan.enrol.push_back(lane.where);
}

void WriteBoard::number(WriteLane& lane, WriteBatch& batch) {
    // Of a transaction all are the same; else each lane has its own epochs, which broken ones
    // raise.
    const bool is_other =
        settings_.transactional_id.empty() ? lane.identity.id < 0 : lane.identity != identity_;
    if (is_other) {
        lane.identity = identity_;
        lane.next_sequence = 0;
    }
    batch.identity = lane.identity;
    batch.base_sequence = lane.next_sequence;
    // They begin again at 0 behind the largest.
    lane.next_sequence = static_cast<std::int32_t>((static_cast<std::uint32_t>(lane.next_sequence) +
                                                    static_cast<std::uint32_t>(batch.count())) &
                                                   0x7FFF'FFFFU);
}

void WriteBoard::set_identity(std::optional<ProducerIdentity> as) {
    const Lock lock{mutex_};
    is_identity_asked_ = false;
    if (as) identity_ = *as;
    for (auto& [node, desk] : desks_) desk.work.notify_all();
}

void WriteBoard::enrolled(const WritePlan& plan) {
    const Lock lock{mutex_};
    for (const auto& part : plan.parts) part.lane->enrolled_in = transaction_number_;
}

bool WriteBoard::pause(std::chrono::milliseconds wait) {
    Lock lock{mutex_};
    look_.wait_for(lock, wait, [this] { return stopped_.load(); });
    return !stopped_;
}

}  // namespace leat::client
