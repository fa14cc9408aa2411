// SPDX-License-Identifier: Apache-2.0
//
// The group coordinators of one shard, and how a handler calls the one of a group.
// Layer: broker (L6).
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "broker/group_partition.h"
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
    explicit GroupHost(Shard& shard) : shard_(shard) {}
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

/// `T` as the answer to a call that could not be made.
template <class T>
[[nodiscard]] T refused_with(Errc error) {
    if constexpr (std::same_as<T, Errc>) {
        return error;
    } else {
        T out{};
        out.error = error;
        return out;
    }
}

/// An answer that a coroutine waits for on the coordinator's shard. The first one counts.
template <class T>
struct ParkedAnswer {
    rt::Completion<T> done;
    void settle(T value) {
        if (!done.is_set()) done.set(std::move(value));
    }
};

/// What a coordinator is given to answer with. Dropped without an answer, because the coordinator
/// is gone, it says so.
/// Threading: shard-local.
template <class T>
class Ticket {
  public:
    explicit Ticket(std::shared_ptr<ParkedAnswer<T>> parked) noexcept
        : parked_(std::move(parked)) {}
    Ticket(Ticket&& other) noexcept : parked_(std::exchange(other.parked_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
        if (parked_) answer(refused_with<T>(Errc::kNotCoordinator));
    }
    void operator()(T value) { answer(std::move(value)); }

  private:
    void answer(T value) {
        const std::shared_ptr<ParkedAnswer<T>> parked = std::exchange(parked_, nullptr);
        if (parked) parked->settle(std::move(value));
    }
    std::shared_ptr<ParkedAnswer<T>> parked_;
};

/// Runs `call(coordinator, now, ticket)` on the shard of the group and resumes on the request's
/// with what the ticket was given. `call` is a plain function object; what it refers to outlives
/// the await. Errors: those of the call, kNotCoordinator, kCoordinatorLoadInProgress,
/// kCoordinatorNotAvailable.
template <class T, class Call>
rt::Task<T> ask_group(Request& request, std::string_view group_id, Call call,
                      std::shared_ptr<ParkedAnswer<T>> parked = nullptr) {
    const std::optional<GroupPlace> place = place_of_group(*request.shard, group_id);
    if (!place) co_return refused_with<T>(Errc::kNotCoordinator);
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
    T out = co_await parked->done;
    co_await rt::hop(request.shard->executor());
    co_return out;
}

/// As ask_group(), for answers that may take minutes: when nobody wants the request to wait any
/// longer it is kNotCoordinator, and the coordinator's own answer is dropped.
template <class T, class Call>
rt::Task<T> wait_for_group(Request& request, std::string_view group_id, Call call) {
    const std::optional<GroupPlace> place = place_of_group(*request.shard, group_id);
    if (!place) co_return refused_with<T>(Errc::kNotCoordinator);
    auto parked = std::make_shared<ParkedAnswer<T>>();
    request.when_hurried([parked, shard = place->shard] {
        shard->executor().post(
            [parked] { parked->settle(refused_with<T>(Errc::kNotCoordinator)); });
    });
    const Instant began = request.shard->executor().now();
    T out = co_await ask_group<T>(request, group_id, std::move(call), parked);
    request.clear_hurry();
    // Members wait for each other, which is not slow.
    request.asked_wait = request.shard->executor().now() - began;
    co_return out;
}

}  // namespace leat::broker
