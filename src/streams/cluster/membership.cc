// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/membership.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "client/client_properties.h"
#include "client/member_assignment.h"
#include "obs/log.h"
#include "streams/cluster/state_lags.h"
#include "streams/cluster/trouble.h"
#include "streams/failpoints.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kRetryPause{500};
/// Before the group is tried again after it could not go on.
constexpr milliseconds kReplacePause{1'000};

bool is_loss(Errc code) {
    return code == Errc::kIllegalGeneration || code == Errc::kUnknownMemberId;
}

}  // namespace

Membership::Membership(Environment environment, MembershipEvents events)
    : environment_(std::move(environment)),
      events_(std::move(events)),
      shape_(environment_.layout->shape()),
      leader_({.settings = environment_.settings,
               .parts = environment_.parts,
               .layout = environment_.layout,
               .clock = environment_.clock,
               .topology = environment_.topology}),
      leaves_(environment_.settings->instance_id.empty()) {}

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
    while (step != Step::kEnd && !is_stopping()) {
        if (member_ == nullptr) {
            if (const Result<void> done = connect(); !done) {
                step = not_connected(done.error());
                continue;
            }
        }
        if (step == Step::kJoin) {
            step = join();
            continue;
        }
        pause(environment_.settings->heartbeat_interval);
        const bool has_other_threads = look_after_threads();
        if (must_rest()) {
            step = rest();
            continue;
        }
        step = heart_beat();
        if (step == Step::kGoOn &&
            (has_other_threads || wants_to_join() || leader_.sources_changed(*admin_)))
            step = Step::kJoin;
    }
    wait_for_stop();
    environment_.gate->end();
    const auto closed = environment_.gate->close();
    environment_.gate->set_identity({});
    bool leaves = false;
    {
        const std::lock_guard lock{mutex_};
        leaves = leaves_;
    }
    if (member_ != nullptr && leaves)
        ignore(member_->leave(), "without a goodbye the session's time has to pass");
}

bool Membership::look_after_threads() {
    const milliseconds at_most = environment_.settings->rebalance_timeout;
    const ThreadWatch::News news = environment_.watch->look(environment_.clock->now(), at_most);
    // What a thread commits just now comes before others begin where it is.
    GroupGate::Closed closed;
    if (!news.stuck.empty()) closed = environment_.gate->close();
    for (const int thread : news.stuck) {
        kLog.error("a thread makes no step within max.poll.interval.ms: others get its tasks",
                   {{"thread", thread}, {"ms", at_most.count()}});
        environment_.board->abandon_thread(thread);
    }
    for (const int thread : news.back) {
        kLog.warn("a thread that made no step goes on: it gives up what it had",
                  {{"thread", thread}});
        environment_.board->take_thread_back(thread);
    }
    has_stuck_ = news.is_any_stuck;
    return !news.stuck.empty() || !news.back.empty();
}

bool Membership::must_rest() const {
    if (wants_shutdown_) return false;
    return rests_ || (has_stuck_ && environment_.board->has_no_thread());
}

Membership::Step Membership::rest() {
    kLog.warn("no thread can run anything: the group is left until one can",
              {{"group", environment_.settings->application_id}});
    {
        const auto closed = environment_.gate->close();
        environment_.board->lose_all();
        // A static member's tasks go to others when its session is over, as always.
        if (environment_.settings->instance_id.empty())
            ignore(member_->leave(), "without a goodbye the session's time has to pass");
        environment_.gate->set_identity({});
    }
    events_.on_assigned();  // Nothing.
    while (must_rest() && !is_stopping()) {
        pause(environment_.settings->heartbeat_interval);
        look_after_threads();
    }
    return Step::kJoin;
}

void Membership::rest(bool rests) {
    rests_ = rests;
    wake();
}

void Membership::wait_for_stop() {
    std::unique_lock lock{mutex_};
    const milliseconds interval = environment_.settings->heartbeat_interval;
    while (!changed_.wait_for(lock, interval, [&] { return stopping_; })) {
        lock.unlock();
        if (member_ != nullptr && member_->identity().generation >= 0)
            ignore(member_->heartbeat(), "whoever commits hears it from the coordinator too");
        lock.lock();
    }
}

bool Membership::goes_on_to_tell() const {
    return wants_shutdown_ && environment_.clock->now() < tell_until_;
}

bool Membership::is_stopping() {
    const std::lock_guard lock{mutex_};
    return stopping_ && !goes_on_to_tell();
}

void Membership::pause(milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time, [&] { return (stopping_ && !goes_on_to_tell()) || woken_; });
    woken_ = false;
}

void Membership::wait_out(milliseconds time) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, time, [&] { return stopping_ && !goes_on_to_tell(); });
}

void Membership::stop(bool leave) {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    tell_until_ = environment_.clock->now() + environment_.settings->session_timeout;
    leaves_ = leave;
    changed_.notify_all();
}

void Membership::wake() {
    const std::lock_guard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
}

Membership::View Membership::view() const {
    const std::lock_guard lock{mutex_};
    return view_;
}

void Membership::shut_down_application() {
    wants_shutdown_ = true;
    wake();
}

Membership::Step Membership::fail(const Error& why) {
    if (events_.on_failure(why)) {
        wait_out(kReplacePause);
        return Step::kJoin;
    }
    environment_.gate->end();
    return Step::kEnd;
}

Membership::Step Membership::not_connected(const Error& why) {
    member_.reset();
    if (is_permanent(why.code())) return fail(why);
    kLog.warn("cluster not reached", {{"why", why.detail()}});
    wait_out(kRetryPause);
    return Step::kJoin;
}

bool Membership::wants_to_join() {
    if (wants_shutdown_) return true;
    if (must_rejoin_ && environment_.board->is_settled()) return true;
    return probe_at_ && environment_.clock->now() >= *probe_at_;
}

void Membership::lose() {
    kLog.warn("fell out of the group", {{"group", environment_.settings->application_id}});
    environment_.board->lose_all();
    environment_.gate->nudge();
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
    // As in join(). What is held others get when the session is over.
    if (is_permanent(code)) {
        lose();
        if (code != Errc::kFencedInstanceId) return fail(beat.error());
        member_->forget();
        return fail(Error{code, "another process is " + environment_.settings->instance_id});
    }
    kLog.warn("heartbeat failed", {{"code", code}, {"why", beat.error().detail()}});
    return Step::kGoOn;
}

void Membership::add_idle_lags(MemberState& state) {
    const auto idle = environment_.states->idle_states();
    if (idle.empty()) return;
    const auto ends =
        [this](std::span<const client::TopicPartition> where) -> Result<std::vector<std::int64_t>> {
        LEAT_TRY(const auto found, admin_->list_offsets(where, client::kLatest));
        std::vector<std::int64_t> out;
        for (const auto& one : found) {
            if (one.code != Errc::kNone) return Error{one.code, one.where.topic};
            out.push_back(one.offset);
        }
        return out;
    };
    const auto lags = lags_of(idle, *environment_.layout, ends);
    if (!lags) {
        kLog.warn("state on disk is not counted",
                  {{"code", lags.error().code()}, {"why", lags.error().detail()}});
        return;
    }
    // Of a task that is held the thread that holds it knows.
    state.lags.insert(lags->begin(), lags->end());
}

Result<MemberOrders> Membership::join_once(std::vector<client::TopicPartition>& partitions) {
    const Settings& settings = *environment_.settings;
    MemberData me{.process = environment_.process,
                  .endpoint = settings.application_server,
                  .generation = member_->identity().generation,
                  .state = environment_.board->held(),
                  .shape = shape_};
    // All have ended, and others take their places.
    if (me.state.threads == 0) me.state.threads = settings.threads;
    me.state.tags = settings.tags;
    me.state.rack = client::find_property(settings.consumer, "client.rack");
    add_idle_lags(me.state);
    const std::string before = member_->identity().member_id;
    // With what patterns have matched, so that the group keeps its positions there.
    std::vector<std::string> topics = environment_.layout->sources();
    for (const auto& topic : read_)
        if (std::ranges::find(topics, topic) == topics.end()) topics.push_back(topic);
    const auto metadata = encode_member(me, topics, wants_shutdown_);
    Result<client::GroupMember::Joined> joined = member_->join(metadata);
    // The coordinator had forgotten us, and others may have had what we hold, whether or not it has
    // taken us in again.
    if (!before.empty() && member_->identity().member_id != before) lose();
    if (!joined) return std::move(joined).error();
    reach(FailStep::kRebalanceJoined);
    std::vector<client::MemberShare> shares;
    if (joined->leads) {
        shares = leader_.lead(*admin_, joined->members, member_->identity().member_id);
        reach(FailStep::kRebalancePlanned);
    }
    LEAT_TRY(const std::vector<std::byte> mine, member_->sync(shares));
    reach(FailStep::kRebalanceSynced);
    partitions = client::parse_member_assignment(mine);
    return decode_orders(mine);
}

Membership::Step Membership::join() {
    events_.on_rebalance();
    must_rejoin_ = false;
    probe_at_.reset();
    leader_.forget_sources();
    std::vector<client::TopicPartition> partitions;
    Result<MemberOrders> orders = [&] {
        const auto closed = environment_.gate->close();
        reach(FailStep::kRebalanceBegun);
        Result<MemberOrders> out = join_once(partitions);
        // Before anybody can commit again.
        if (!out && (is_loss(out.error().code()) || out.error().code() == Errc::kFencedInstanceId))
            lose();
        if (out && is_foreign(*out)) lose();  // Others have our tasks now.
        if (!out && out.error().code() == Errc::kUnknownMemberId) member_->forget();
        environment_.gate->set_identity(member_->identity());
        return out;
    }();
    if (orders) return obey(*orders, partitions);
    const Errc code = orders.error().code();
    if (code == Errc::kRebalanceInProgress || is_loss(code)) return Step::kJoin;
    if (code == Errc::kFencedInstanceId) member_->forget();
    // A right, a session timeout that the broker does not take, a full group: as in the consumer of
    // Kafka Streams that ends a thread, and the uncaught exception handler is asked.
    if (is_permanent(code)) return fail(orders.error());
    kLog.warn("joining failed", {{"code", code}, {"why", orders.error().detail()}});
    wait_out(kRetryPause);
    return Step::kJoin;
}

bool Membership::is_foreign(const MemberOrders& orders) const {
    return streams::is_foreign(orders, shape_, environment_.layout->subtopologies().size());
}

Membership::Step Membership::obey(const MemberOrders& orders,
                                  const std::vector<client::TopicPartition>& partitions) {
    if (is_foreign(orders))
        return fail(Error{Errc::kStreamsInvalidTopology, std::string{kForeignShape}});
    switch (orders.order) {
        case GroupOrder::kRun:
            break;
        case GroupOrder::kMissingSource:
            return fail(Error{Errc::kUnknownTopicOrPartition, orders.reason});
        case GroupOrder::kBadTopology:
            return fail(Error{Errc::kStreamsInvalidTopology, orders.reason});
        case GroupOrder::kFail:
            return fail(Error{orders.code, orders.reason});
        case GroupOrder::kShutDown:
            events_.on_shutdown();
            return Step::kEnd;
        case GroupOrder::kKeep:
            kLog.warn("no assignment from the leader yet", {{"why", orders.reason}});
            must_rejoin_ = true;
            return Step::kGoOn;
    }
    const MemberState held = environment_.board->held();
    // Who gives something up says so by joining again: only then is it given to another.
    must_rejoin_ = !std::ranges::includes(orders.share.active, held.active);
    if (orders.ask_again)
        probe_at_ = environment_.clock->now() + environment_.settings->probing_interval;
    read_.clear();
    for (const auto& partition : partitions) read_.insert(partition.topic);
    {
        const std::lock_guard lock{mutex_};
        view_ = {.others = orders.others, .task_counts = orders.task_counts};
    }
    environment_.board->set_wanted(orders.share, {partitions.begin(), partitions.end()});
    reach(FailStep::kRebalanceAssigned);
    events_.on_assigned();
    kLog.info("assigned", {{"group", environment_.settings->application_id},
                           {"generation", member_->identity().generation},
                           {"active", orders.share.active.size()},
                           {"standby", orders.share.standby.size()}});
    return Step::kGoOn;
}

}  // namespace leat::streams
