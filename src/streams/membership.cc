// SPDX-License-Identifier: Apache-2.0
#include "streams/membership.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "client/member_assignment.h"
#include "obs/log.h"
#include "streams/internal_topics.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kRetryPause{500};

bool is_loss(Errc code) {
    return code == Errc::kIllegalGeneration || code == Errc::kUnknownMemberId;
}

}  // namespace

Membership::Membership(Environment environment, MembershipEvents events)
    : environment_(std::move(environment)), events_(std::move(events)) {}

Result<void> Membership::connect() {
    const Settings& settings = *environment_.settings;
    LEAT_TRY(member_, client::GroupMember::connect(
                          settings.admin, {.group = settings.application_id,
                                           .instance_id = settings.instance_id,
                                           .protocol = "leat-stream",
                                           .session_timeout = settings.session_timeout,
                                           .rebalance_timeout = settings.rebalance_timeout}));
    LEAT_TRY(admin_, client::Admin::connect(settings.admin));
    return {};
}

void Membership::run() {
    Step step = Step::kJoin;
    while (step != Step::kEnd) {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) break;
        }
        if (member_ == nullptr) {
            if (const Result<void> done = connect(); !done) {
                kLog.warn("cluster not reached", {{"why", done.error().detail()}});
                member_.reset();
                pause(kRetryPause);
                continue;
            }
        }
        if (step == Step::kJoin) {
            step = join();
            continue;
        }
        pause(environment_.settings->heartbeat_interval);
        step = heart_beat();
        if (step == Step::kGoOn && wants_to_join()) step = Step::kJoin;
    }
    const auto closed = environment_.gate->close();
    environment_.gate->set_identity({});
    if (member_ != nullptr && leaves_)
        ignore(member_->leave(), "without a goodbye the session's time has to pass");
}

void Membership::pause(milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time, [&] { return stopping_ || woken_; });
    woken_ = false;
}

void Membership::stop(bool leave) {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    leaves_ = leave;
    changed_.notify_all();
}

void Membership::wake() {
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
}

void Membership::shut_down_application() {
    wants_shutdown_ = true;
    wake();
}

std::map<std::string, TaskShare> Membership::others() const {
    const std::lock_guard lock{mutex_};
    return others_;
}

bool Membership::wants_to_join() {
    if (wants_shutdown_) return true;
    if (must_rejoin_ && environment_.board->is_settled()) return true;
    return probe_at_ && environment_.clock->now() >= *probe_at_;
}

void Membership::lose() {
    kLog.warn("fell out of the group", {{"group", environment_.settings->application_id}});
    environment_.board->lose_all();
}

Membership::Step Membership::heart_beat() {
    const Result<void> beat = member_->heartbeat();
    if (beat) return Step::kGoOn;
    const Errc code = beat.error().code();
    if (code == Errc::kRebalanceInProgress) return Step::kJoin;
    if (is_loss(code)) {
        lose();
        if (code == Errc::kUnknownMemberId) member_->forget();
        return Step::kJoin;
    }
    if (code == Errc::kFencedInstanceId) {
        lose();
        events_.on_failure(Error{code, "another process is " + environment_.settings->instance_id});
        return Step::kEnd;
    }
    kLog.warn("heartbeat failed", {{"code", code}, {"why", beat.error().detail()}});
    return Step::kGoOn;
}

Result<MemberOrders> Membership::join_once(std::vector<client::TopicPartition>& partitions) {
    const Settings& settings = *environment_.settings;
    const MemberData me{.process = environment_.process,
                        .endpoint = settings.application_server,
                        .generation = member_->identity().generation,
                        .state = environment_.board->held()};
    const auto metadata = encode_member(me, environment_.layout->sources(), wants_shutdown_);
    LEAT_TRY(const client::GroupMember::Joined joined, member_->join(metadata));
    std::vector<client::MemberShare> shares;
    if (joined.leads) shares = lead(joined.members);
    LEAT_TRY(const std::vector<std::byte> mine, member_->sync(shares));
    partitions = client::parse_member_assignment(mine);
    return decode_orders(mine);
}

Membership::Step Membership::join() {
    events_.on_rebalance();
    must_rejoin_ = false;
    probe_at_.reset();
    std::vector<client::TopicPartition> partitions;
    Result<MemberOrders> orders = [&] {
        const auto closed = environment_.gate->close();
        Result<MemberOrders> out = join_once(partitions);
        environment_.gate->set_identity(member_->identity());
        return out;
    }();
    if (orders) return obey(*orders, std::move(partitions));
    const Errc code = orders.error().code();
    if (is_loss(code)) lose();
    if (code == Errc::kUnknownMemberId) member_->forget();
    if (code == Errc::kFencedInstanceId || code == Errc::kGroupAuthorizationFailed ||
        code == Errc::kInconsistentGroupProtocol || code == Errc::kUnsupportedVersion ||
        code == Errc::kMalformed) {
        events_.on_failure(std::move(orders).error());
        return Step::kEnd;
    }
    if (code != Errc::kRebalanceInProgress && !is_loss(code)) {
        kLog.warn("joining failed", {{"code", code}, {"why", orders.error().detail()}});
        pause(kRetryPause);
    }
    return Step::kJoin;
}

Membership::Step Membership::obey(const MemberOrders& orders,
                                  std::vector<client::TopicPartition> partitions) {
    switch (orders.order) {
        case GroupOrder::kRun:
            break;
        case GroupOrder::kMissingSource:
            events_.on_failure(Error{Errc::kUnknownTopicOrPartition, orders.reason});
            return Step::kEnd;
        case GroupOrder::kBadTopology:
            events_.on_failure(Error{Errc::kStreamsInvalidTopology, orders.reason});
            return Step::kEnd;
        case GroupOrder::kShutDown:
            events_.on_shutdown();
            return Step::kEnd;
        case GroupOrder::kKeep:
            must_rejoin_ = true;
            return Step::kGoOn;
    }
    const MemberState held = environment_.board->held();
    // Who gives something up says so by joining again: only then is it given to another.
    must_rejoin_ = !std::ranges::includes(orders.share.active, held.active);
    if (orders.ask_again)
        probe_at_ = environment_.clock->now() + environment_.settings->probing_interval;
    {
        const std::lock_guard lock{mutex_};
        others_ = orders.others;
    }
    environment_.board->set_wanted(orders.share, {partitions.begin(), partitions.end()});
    events_.on_assigned();
    kLog.info("assigned", {{"group", environment_.settings->application_id},
                           {"generation", member_->identity().generation},
                           {"active", orders.share.active.size()},
                           {"standby", orders.share.standby.size()}});
    return Step::kGoOn;
}

std::vector<client::MemberShare> Membership::all_get(
    const std::vector<client::JoinedMember>& members, GroupOrder order,
    const std::string& reason) const {
    std::vector<client::MemberShare> out;
    const auto bytes =
        encode_orders({.order = order, .reason = reason, .share = {}, .others = {}}, {});
    for (const auto& member : members) out.push_back({member.id, bytes});
    return out;
}

std::vector<client::MemberShare> Membership::lead(
    const std::vector<client::JoinedMember>& members) {
    std::map<std::string, DecodedMember> known;
    for (const auto& member : members) {
        Result<DecodedMember> decoded = decode_member(member.metadata);
        if (!decoded)
            return all_get(members, GroupOrder::kBadTopology,
                           "member " + member.id + ": " + std::string{decoded.error().detail()});
        if (decoded->wants_shutdown) return all_get(members, GroupOrder::kShutDown, "");
        known.emplace(member.id, *std::move(decoded));
    }
    settle_claims(known);
    Result<std::vector<client::MemberShare>> shares = plan(known);
    if (shares) return *std::move(shares);
    const Errc code = shares.error().code();
    kLog.error("no assignment", {{"code", code}, {"why", shares.error().detail()}});
    const GroupOrder order = code == Errc::kUnknownTopicOrPartition  ? GroupOrder::kMissingSource
                             : code == Errc::kStreamsInvalidTopology ? GroupOrder::kBadTopology
                                                                     : GroupOrder::kKeep;
    return all_get(members, order, std::string{shares.error().detail()});
}

Result<std::vector<client::MemberShare>> Membership::plan(
    const std::map<std::string, DecodedMember>& members) {
    const Settings& settings = *environment_.settings;
    const Layout& layout = *environment_.layout;
    LEAT_TRY(Layout::Counts counts, count_partitions(*admin_, layout.external_sources()));
    LEAT_TRY(counts, layout.with_repartition(std::move(counts)));
    LEAT_TRY_VOID(ensure_topics(
        *admin_, layout.internal_topics(counts, settings.window_extra_retention_ms), settings));
    const auto inputs = layout.tasks(counts);
    std::map<TaskId, bool> tasks;
    for (const auto& [task, partitions] : inputs)
        tasks[task] =
            layout.subtopologies()[static_cast<std::size_t>(task.subtopology)].is_stateful();
    std::map<std::string, MemberState> states;
    for (const auto& [id, member] : members) states[id] = member.data.state;
    const Plan made = assign_tasks(tasks, states,
                                   {.standbys = settings.standbys,
                                    .warmups_max = settings.warmups_max,
                                    .acceptable_lag = settings.acceptable_lag});
    MemberOrders orders;
    orders.ask_again = made.warms_up;
    for (const auto& [id, share] : made.shares)
        if (const std::string& endpoint = members.at(id).data.endpoint; !endpoint.empty())
            orders.others[endpoint] = share;
    std::vector<client::MemberShare> out;
    for (const auto& [id, share] : made.shares) {
        orders.share = share;
        std::vector<client::TopicPartition> partitions;
        for (const TaskId& task : share.active)
            partitions.insert(partitions.end(), inputs.at(task).begin(), inputs.at(task).end());
        out.push_back({id, encode_orders(orders, partitions)});
    }
    return out;
}

}  // namespace leat::streams
