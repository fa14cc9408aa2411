// SPDX-License-Identifier: Apache-2.0
//
// The group coordinators of one shard, and how a handler calls the one of a group.
// Layer: broker (L6).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "broker/group_partition.h"
#include "broker/parked_answer.h"
#include "broker/request.h"
#include "broker/shard.h"
#include "broker/shard_service.h"

namespace leat::broker {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

/// One GroupPartition for each partition of __consumer_offsets that is this shard's.
///
/// Threading: shard-local.
class GroupHost final : public ShardService {
  public:
    explicit GroupHost(Shard& shard, const groups::Faults& faults = {})
        : shard_(shard), faults_(faults) {}
    ~GroupHost() override;

    void opened(const PartitionPtr& partition) override;
    void closing(const PartitionPtr& partition) override;
    void applied(const metadata::Delta& delta) override;
    void add_samples(std::vector<obs::Sample>& out) const override;
    rt::Task<void> stop() override;

    /// The partition's coordinator; null when it is not here.
    [[nodiscard]] std::shared_ptr<GroupPartition> find(const storage::PartitionId& id) const;
    using Hosted =
        std::unordered_map<storage::PartitionId, std::shared_ptr<GroupPartition>, PartitionIdHash>;
    [[nodiscard]] const Hosted& hosted() const noexcept { return hosted_; }

  private:
    Shard& shard_;
    groups::Faults faults_;
    Hosted hosted_;
};

/// Where a group lives.
struct GroupPlace {
    Shard* shard = nullptr;
    storage::PartitionId partition;

    /// The coordinator, on `shard`; null with a reason in `error` when it cannot be called.
    [[nodiscard]] std::shared_ptr<GroupPartition> host(Errc& error) const;
};

/// nullopt while __consumer_offsets does not exist. On `shard`.
[[nodiscard]] std::optional<GroupPlace> place_of_group(const Shard& shard,
                                                       std::string_view group_id);

/// To be told after Partition::end_transaction() has answered kNone: offsets that wait for the end
/// of the transaction take effect or are dropped. Nothing for partitions of other topics.
/// Runs on: the shard of the partition.
void group_marker_written(const Shard& shard, const storage::PartitionId& partition,
                          const storage::EndTransaction& end);

/// Runs `call(coordinator, now, ticket)` on the shard of the group and resumes on the request's
/// with what the ticket was given. `call` is a plain function object; what it refers to outlives
/// the await. Errors: those of the call, kNotCoordinator, kCoordinatorLoadInProgress,
/// kCoordinatorNotAvailable; the last also when what the answer depends on is not durable after
/// offsets.commit.timeout.ms, and may become so later. Not with `parked`: those may take long.
template <class T, class Call>
rt::Task<T> ask_group(Request* request, std::string_view group_id, Call call,
                      std::shared_ptr<ParkedAnswer<T>> parked = nullptr) {
    const std::optional<GroupPlace> place = place_of_group(*request->shard, group_id);
    if (!place) co_return refused_with<T>(Errc::kNotCoordinator);
    const std::chrono::milliseconds patience{
        parked ? 0 : request->shard->config().offsets_commit_timeout_ms};
    if (!parked) parked = std::make_shared<ParkedAnswer<T>>();
    co_await rt::hop(place->shard->executor());
    Errc error = Errc::kNone;
    if (const std::shared_ptr<GroupPartition> host = place->host(error)) {
        host->run([&](groups::Coordinator& coordinator, groups::Now now) {
            call(coordinator, now, Ticket<T>{parked});
        });
    } else {
        parked->settle(refused_with<T>(error));
    }
    rt::TimerId timer;
    rt::Executor& there = place->shard->executor();
    if (patience.count() > 0 && !parked->done.is_set())
        timer = there.schedule(there.now() + patience, [parked] {
            parked->settle(refused_with<T>(Errc::kCoordinatorNotAvailable));
        });
    T out = co_await parked->done;
    if (timer != rt::TimerId{}) there.cancel(timer);
    co_await rt::hop(request->shard->executor());
    co_return out;
}

/// As ask_group(), for answers that may take minutes: when nobody wants the request to wait any
/// longer it is kNotCoordinator, and the coordinator's own answer is dropped.
template <class T, class Call>
rt::Task<T> wait_for_group(Request* request, std::string_view group_id, Call call) {
    const std::optional<GroupPlace> place = place_of_group(*request->shard, group_id);
    if (!place) co_return refused_with<T>(Errc::kNotCoordinator);
    auto parked = std::make_shared<ParkedAnswer<T>>();
    request->when_hurried([parked, shard = place->shard] {
        shard->executor().post(
            [parked] { parked->settle(refused_with<T>(Errc::kNotCoordinator)); });
    });
    const Instant began = request->shard->executor().now();
    T out = co_await ask_group<T>(request, group_id, std::move(call), parked);
    request->clear_hurry();
    // Members wait for each other, which is not slow.
    request->asked_wait = request->shard->executor().now() - began;
    co_return out;
}

}  // namespace leat::broker
