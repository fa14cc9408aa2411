// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/node.h"

#include <algorithm>
#include <charconv>

#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/task.h"
#include "obs/log.h"
#include "streams/task_meters.h"

namespace leat::streams::detail {

namespace {
constexpr obs::Logger kLog{"streams"};
}

Result<std::int32_t> checked_partition(std::int32_t chosen, std::int32_t partitions) {
    if (chosen >= 0 && chosen < partitions) return chosen;
    return Error{Errc::kInvalidRequest, "a partitioner chose partition " + std::to_string(chosen) +
                                            " of " + std::to_string(partitions)};
}

std::int32_t TaskIdentity::partition() const {
    const std::string_view text{task_id};
    const std::size_t at = text.find('_');
    std::int32_t out = 0;
    if (at != std::string_view::npos)
        std::from_chars(text.data() + at + 1, text.data() + text.size(), out);
    return out;
}

Result<void> deliver(Task& task, const Outgoing& record, const Flow& flow) {
    Result<void> sent = task.send(record);
    if (sent || task.failed()) return sent;
    return task.survive_unsent(flow, record, std::move(sent).error());
}

Result<void> Node::open(Task& task) {
    task_ = &task;
    return {};
}

void Node::note_close(const Result<void>& done) {
    if (!done) kLog.warn("a processor's close() failed", {{"why", done.error().detail()}});
}

void Node::count(const Flow& flow) const {
    if (meter_ != nullptr) meter_->note(flow);
}

void Node::count_emitted() const {
    if (meter_ != nullptr) meter_->emitted();
}

std::int64_t Node::begin_final() const {
    return meter_ == nullptr ? 0 : meter_->begin_final();
}

void Node::count_final(std::int64_t begin, std::size_t windows) const {
    if (meter_ != nullptr) meter_->told_final(begin, windows);
}

Result<void> Node::run(const Flow& flow) {
    if (meter_ != nullptr) meter_->note(flow);
    return judged(guarded([&] { return process(flow); }), flow);
}

Result<void> Node::run(const std::function<Result<void>()>& call, std::int64_t now) {
    return judged(guarded(call), {.timestamp = now});
}

Error Node::unseen_null() const {
    return {Errc::kInvalidRecord,
            name_ +
                ": the value is null and the function takes it by reference: take it by "
                "pointer to const or as std::optional, or filter such records out before"};
}

Result<void> Node::judged(Result<void> done, const Flow& flow) {
    // The node that failed has asked the handler already; those above it only pass the error on.
    if (done || task_->failed()) return done;
    return task_->survive(*this, flow, std::move(done).error());
}

Result<void> Node::forward(const Flow& flow, std::string_view child) {
    const auto found = std::ranges::find(children_, child, &Node::name);
    if (found != children_.end()) return (*found)->run(flow);
    return Error{Errc::kInvalidRequest, name_ + ": it has no child " + std::string{child}};
}

StateStore* Node::find_store(std::string_view name) const {
    const auto found = std::ranges::find(stores_, name, &StateStore::name);
    return found == stores_.end() ? nullptr : *found;
}

bool Node::may_write(const StateStore& store) const {
    return std::ranges::find(given_, &store) == given_.end();
}

}  // namespace leat::streams::detail
