// SPDX-License-Identifier: Apache-2.0
#include "metadata/authority.h"

#include "base/check.h"

namespace leat::metadata {
namespace {

Result<void> copy_of(const Result<void>& result) {
    if (result.has_value()) return {};
    return Error{result.error().code(), result.error().detail()};
}

/// The front of `batch` that can be applied together: nothing is made after a topic was deleted. A
/// new topic never meets the folders of an old one with its name; and since deletions take their
/// time on the shards that have the partitions, what is made would be known on the others long
/// before, so that a coordinator on a slow one would leave out partitions that were written to.
std::size_t wave_length(std::span<const Delta> batch) {
    bool has_deletion = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const bool makes = std::holds_alternative<TopicCreated>(batch[i]) ||
                           std::holds_alternative<PartitionsAdded>(batch[i]);
        if (has_deletion && makes) return i;
        has_deletion = has_deletion || std::holds_alternative<TopicDeleted>(batch[i]);
    }
    return batch.size();
}

}  // namespace

Authority::Authority(Controller controller, MetadataStore& store, rt::BlockingPool& pool,
                     std::vector<ShardReplica> replicas)
    : controller_(std::move(controller)),
      replicas_(std::move(replicas)),
      committer_(store, home(), pool) {
    LEAT_CHECK(!replicas_.empty());
}

rt::Task<Result<std::int64_t>> Authority::new_producer_id(rt::Executor* caller) {
    co_await rt::hop(home());
    if (next_id_ == ids_end_) {
        std::vector<Delta> deltas;
        const std::int64_t first = controller_.allocate_producer_ids(deltas);
        Result<void> durable = co_await publish(std::move(deltas));
        if (!durable.has_value()) {
            co_await rt::hop(*caller);
            co_return std::move(durable).error();
        }
        // Others may have waited for blocks of their own meanwhile: the last one's is used up, ids
        // of the earlier ones are never given out.
        next_id_ = first;
        ids_end_ = first + Controller::kProducerIdBlock;
    }
    const std::int64_t id = next_id_++;
    co_await rt::hop(*caller);
    co_return id;
}

rt::Task<Result<void>> Authority::publish(std::vector<Delta> deltas) {
    Call call{.deltas = std::move(deltas), .done = {}};
    waiting_.push_back(&call);
    if (!is_pumping_) rt::start(pump());
    co_return co_await call.done;
}

rt::Task<void> Authority::pump() {
    is_pumping_ = true;
    while (!waiting_.empty()) {
        std::vector<Call*> calls = std::exchange(waiting_, {});
        Batch batch;
        for (const Call* call : calls)
            batch.insert(batch.end(), call->deltas.begin(), call->deltas.end());
        Result<void> durable;
        if (!batch.empty()) durable = co_await commit(&batch);
        if (durable.has_value()) {
            co_await distribute(&batch);
        } else {
            controller_.restore(replicas_.front().image->clone());
            // What waits was validated against changes that are not there now: it fails too.
            for (Call* call : std::exchange(waiting_, {})) calls.push_back(call);
        }
        for (Call* call : calls) call->done.set(copy_of(durable));
    }
    is_pumping_ = false;
}

rt::Task<Result<void>> Authority::commit(const Batch* batch) {
    rt::Completion<Result<void>> done;
    committer_.commit(*batch, [&done](const Result<void>& result) { done.set(copy_of(result)); });
    co_return co_await done;
}

rt::Task<void> Authority::distribute(const Batch* batch) {
    for (Wave rest{*batch}; !rest.empty();) {
        const std::size_t length = wave_length(rest);
        co_await distribute_wave(rest.first(length));
        rest = rest.subspan(length);
    }
}

rt::Task<void> Authority::distribute_wave(Wave wave) {
    // Partitions exist on their shards before any shard tells clients of them.
    rt::Countdown prepared{replicas_.size()};
    for (ShardReplica& replica : replicas_) rt::start(prepare_on(&replica, wave, &prepared));
    co_await prepared;
    rt::Countdown applied{replicas_.size()};
    for (ShardReplica& replica : replicas_) rt::start(apply_on(&replica, wave, &applied));
    co_await applied;
}

rt::Task<void> Authority::prepare_on(ShardReplica* replica, Wave wave, rt::Countdown* left) {
    co_await rt::hop(*replica->executor);
    for (const Delta& delta : wave) co_await replica->listener->prepare(&delta);
    co_await rt::hop(home());
    left->arrive();
}

rt::Task<void> Authority::apply_on(ShardReplica* replica, Wave wave, rt::Countdown* left) {
    co_await rt::hop(*replica->executor);
    for (const Delta& delta : wave) {
        replica->image->apply(delta);
        co_await replica->listener->applied(&delta);
    }
    co_await rt::hop(home());
    left->arrive();
}

}  // namespace leat::metadata
