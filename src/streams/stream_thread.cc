// SPDX-License-Identifier: Apache-2.0
//
// The loop and its tasks; commits are in commit.cc, what it tells of itself in thread_report.cc.
#include "streams/stream_thread.h"

#include <algorithm>
#include <array>
#include <utility>

#include "leat/streams/detail/guarded.h"
#include "obs/log.h"
#include "streams/failpoints.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
/// Records of one task before the next one's turn.
constexpr int kTurnRecords = 256;
constexpr milliseconds kRetryPause{100};
constexpr std::array kThreadSensors{
    SensorId::kThreadCommit,         SensorId::kThreadPoll,           SensorId::kThreadProcess,
    SensorId::kThreadRoundRecords,   SensorId::kThreadProcessRecords, SensorId::kTaskCreated,
    SensorId::kTaskClosed,           SensorId::kThreadPunctuate,      SensorId::kThreadProcessShare,
    SensorId::kThreadPunctuateShare, SensorId::kThreadPollShare,      SensorId::kThreadCommitShare,
    SensorId::kThreadStart,          SensorId::kThreadBlocked,        SensorId::kThreadState};
thread_local const StreamThread* current_thread = nullptr;

}  // namespace

/// Kafka Streams' numbers.
enum class StreamThread::State : std::uint8_t {
    kStarting = 1,
    kPartitionsAssigned = 3,
    kRunning = 4,
    kPendingShutdown = 5,
    kDead = 6,
};

void StreamThread::note_state(State state) {
    if (Sensor* at = metrics_.find(SensorId::kThreadState))
        at->set(static_cast<std::int64_t>(state));
}

StreamThread::StreamThread(int index, const ThreadEnvironment& environment)
    : index_(index),
      environment_(environment),
      settings_(*environment.settings),
      name_((settings_.client_id.empty() ? settings_.application_id + "-" + environment.process
                                         : settings_.client_id) +
            "-StreamThread-" + std::to_string(index)),
      cache_(std::make_shared<detail::CacheBudget>()),
      metrics_(environment.metrics, {{"thread-id", name_}}, kThreadSensors),
      reading_(environment.metrics, {{"client-id", name_ + "-consumer"}}, kReadingSensors),
      output_(output_environment()) {
    told_.name = name_;
    tick_metrics();
    if (Sensor* start = metrics_.find(SensorId::kThreadStart))
        start->set(environment.clock->wall_now().value);
}

ThreadOutput::Environment StreamThread::output_environment() {
    return {.settings = &settings_,
            .handlers = environment_.handlers,
            .clock = environment_.clock,
            .client_id = name_ + "-producer",
            .transactional_id = settings_.application_id + "-" + environment_.process + "-" +
                                std::to_string(index_),
            .has_changelogs = std::ranges::any_of(environment_.layout->subtopologies(),
                                                  &Subtopology::is_stateful),
            .on_step = [this] { step(); },
            .is_stopping = [this] { return stopping_.load(); },
            .task_of_change = [this](const ChangelogMark& of) -> std::string {
                for (const auto& [id, task] : tasks_)
                    for (const auto& mark : task->changelogs().marks())
                        if (mark.get() == &of) return id.text();
                return "";
            },
            .on_dropped =
                [this](const ErrorContext& source) {
                    for (const auto& [id, task] : tasks_)
                        if (id.text() == source.task_id) task->count_dropped();
                }};
}

StreamThread::~StreamThread() {
    stop();
}

bool StreamThread::is_current() const noexcept {
    return current_thread == this;
}

void StreamThread::start() {
    environment_.board->expect_thread(index_);
    thread_ = rt::NamedThread{"stream-" + std::to_string(index_), [this] {
                                  current_thread = this;
                                  const Result<void> done =
                                      detail::guarded(name_, [this] { return run(); });
                                  if (!done) send_last_words();
                                  {
                                      const std::lock_guard lock{waker_mutex_};
                                      waker_ = nullptr;
                                  }
                                  environment_.desk->remove(index_);
                                  updater_.reset();
                                  for (auto& [id, task] : tasks_) task->close();
                                  tasks_.clear();
                                  output_.close();
                                  note_state(State::kDead);
                                  buried_.clear();
                                  reader_.reset();
                                  offsets_.reset();
                                  admin_.reset();
                                  environment_.watch->remove(index_);
                                  environment_.board->thread_gone(index_);
                                  environment_.on_end(index_, done ? nullptr : &done.error());
                              }};
}

void StreamThread::send_last_words() {
    const Result<void> done = output_.send_last_words();
    if (!done)
        kLog.warn("output is left behind", {{"thread", index_}, {"why", done.error().detail()}});
}

void StreamThread::stop() {
    {
        const std::lock_guard lock{waker_mutex_};
        stopping_ = true;
        stopped_.notify_all();
    }
    environment_.gate->nudge();
    wake();
}

void StreamThread::wake() {
    // Under the lock, so that the reader is there until it is woken.
    const std::lock_guard lock{waker_mutex_};
    if (waker_ != nullptr) waker_->wake();
}

Result<bool> StreamThread::open_clients() {
    Patience patience;
    for (;;) {
        Result<void> done = try_open_clients();
        if (done) return true;
        if (stopping_) return false;
        if (!may_pass(done.error().code()) ||
            !patience.lasts(environment_.clock->now(), settings_.task_timeout))
            return std::move(done).error();
        kLog.warn(
            "cluster not reached",
            {{"thread", index_}, {"code", done.error().code()}, {"why", done.error().detail()}});
        std::unique_lock lock{waker_mutex_};
        stopped_.wait_for(lock, kRetryPause, [&] { return stopping_.load(); });
    }
}

Result<void> StreamThread::try_open_clients() {
    if (reader_ == nullptr) {
        std::vector<config::Property> properties = settings_.consumer;
        client::set_property(properties, "client.id", name_ + "-consumer");
        LEAT_TRY(reader_, client::PartitionReader::open(properties));
    }
    if (offsets_ == nullptr) {
        std::vector<config::Property> properties = settings_.admin;
        client::set_property(properties, "client.id", name_ + "-admin");
        LEAT_TRY(offsets_, client::GroupOffsets::connect(properties));
    }
    if (admin_ == nullptr) {
        std::vector<config::Property> properties = settings_.admin;
        client::set_property(properties, "client.id", name_ + "-admin");
        LEAT_TRY(admin_, client::Admin::connect(properties));
    }
    LEAT_TRY_VOID(open_updater());
    LEAT_TRY_VOID(output_.open());
    const std::lock_guard lock{waker_mutex_};
    waker_ = reader_.get();
    return {};
}

Result<void> StreamThread::open_updater() {
    if (updater_ != nullptr) return {};
    const bool reads =
        std::ranges::any_of(environment_.layout->subtopologies(), &Subtopology::is_stateful);
    LEAT_TRY(auto clients, open_restore_clients(settings_, name_, reads));
    updater_ =
        std::make_unique<StateUpdater>(StateUpdater::Environment{.settings = &settings_,
                                                                 .clock = environment_.clock,
                                                                 .board = environment_.board,
                                                                 .desk = environment_.desk,
                                                                 .paused = environment_.paused,
                                                                 .index = index_,
                                                                 .on_news = [this] { wake(); }},
                                       std::move(clients));
    updater_->start();
    return {};
}

Result<void> StreamThread::run() {
    note_state(State::kStarting);
    LEAT_TRY(const bool is_open, open_clients());
    if (!is_open) return {};
    next_commit_ = environment_.clock->now() + settings_.commit_interval;
    next_purge_ = environment_.clock->now() + settings_.purge_interval;
    environment_.board->add_thread(index_);
    steps_ = environment_.watch->add(index_);
    environment_.desk->add(index_, gate_, [this](const detail::QueryDesk::Visit& visit) {
        for (const auto& [id, task] : tasks_)
            if (task != nullptr) visit(task->view());
    });
    while (!stopping_) LEAT_TRY_VOID(turn());
    note_state(State::kPendingShutdown);
    const detail::WorkInside inside{gate_};
    Result<void> done = commit_at_last();
    if (done || !may_pass(done.error().code())) return done;
    kLog.warn("ended without a last commit: what it would have covered is done again",
              {{"thread", index_}, {"code", done.error().code()}, {"why", done.error().detail()}});
    return {};
}

Result<void> StreamThread::turn() {
    bool worked = false;
    step();
    const Instant begin = environment_.clock->now();
    {
        const detail::WorkInside inside{gate_};
        // A stream of work must not keep readers out.
        gate_.breathe();
        LEAT_TRY_VOID(work(worked));
    }
    note_state(restoring_ ? State::kPartitionsAssigned : State::kRunning);
    tick_metrics();
    const Instant now = environment_.clock->now();
    if (worked) {
        note_time(SensorId::kThreadProcess, begin);
        Result<void> looked = reader_->wait(milliseconds{0});
        note_share(SensorId::kThreadPollShare, now);
        note_share(SensorId::kThreadBlocked, now);
        return looked;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(next_commit_ - now);
    Result<void> waited =
        reader_->wait(std::clamp(left, milliseconds{1}, std::max(settings_.poll, milliseconds{1})));
    note_time(SensorId::kThreadPoll, now);
    note_share(SensorId::kThreadPollShare, now);
    note_share(SensorId::kThreadBlocked, now);
    return waited;
}

Result<void> StreamThread::work(bool& worked) {
    cache_->bytes_max = *environment_.cache_bytes;
    LEAT_TRY_VOID(follow_orders());
    LEAT_TRY_VOID(start_restored(worked));
    const bool has_globals = environment_.globals->is_whole();
    if (!*environment_.paused && has_globals) {
        const Instant begin = environment_.clock->now();
        punctuated_ = std::chrono::nanoseconds{0};
        LEAT_TRY_VOID(process(worked));
        note_share(SensorId::kThreadProcessShare, begin, punctuated_);
    }
    output_.poll();
    LEAT_TRY_VOID(output_.send_letters());
    if (output_.has_failed() && !settings_.exactly_once) return *output_.take_failure();
    if (output_.has_failed()) commit_asked_ = true;  // It is judged there.
    const Instant now = environment_.clock->now();
    // What caches tell at a commit may meet global stores: it waits with them.
    if ((commit_asked_ || now >= next_commit_) && has_globals) {
        LEAT_TRY_VOID(commit_or_reset());
        note_share(SensorId::kThreadCommitShare, now);
    } else if (!worked) {
        LEAT_TRY_VOID(write_early());
    }
    publish(now);
    if (output_.is_delivered()) buried_.clear();
    return {};
}

Result<void> StreamThread::follow_orders() {
    if (!environment_.board->has_news(index_)) return {};
    restoring_ = true;  // Before the news are gone: both together say whether all runs.
    const TaskBoard::Orders orders = environment_.board->take(index_);
    reach(FailStep::kRebalanceOrdered);
    if (orders.lost) LEAT_TRY_VOID(lose_tasks());
    LEAT_TRY_VOID(drop_tasks(unwanted_by(orders)));
    // Those too that a reset took away: the board waits for each of them.
    for (const TaskId& id : orders.closing) environment_.board->released(index_, id);
    if (!orders.closing.empty()) {
        environment_.on_progress();
        reach(FailStep::kRevokeReleased);
    }
    open_new(orders);
    return {};
}

Result<void> StreamThread::lose_tasks() {
    if (output_.in_transaction()) {
        // What was sent is not ours to commit any more.
        const detail::WorkOutside outside{gate_};
        LEAT_TRY_VOID(output_.abort());
    }
    std::vector<TaskId> lost;
    lost.reserve(tasks_.size() + waiting_.size());
    for (const auto& [id, task] : tasks_) lost.push_back(id);
    for (const auto& [id, waiting] : waiting_)
        if (waiting.is_active) lost.push_back(id);
    close_tasks(lost);
    return {};
}

std::vector<TaskId> StreamThread::unwanted_by(const TaskBoard::Orders& orders) const {
    std::vector<TaskId> out;
    // Topics that a pattern matches have come or gone: opened again, with those of now.
    const auto stays = [&](const TaskId& id, const std::vector<client::TopicPartition>& inputs) {
        return orders.active.contains(id) && inputs == inputs_of(id, orders);
    };
    for (const auto& [id, task] : tasks_)
        if (!stays(id, task->inputs())) out.push_back(id);
    for (const auto& [id, waiting] : waiting_) {
        const bool is_wanted = waiting.is_active
                                   ? stays(id, waiting.inputs)
                                   : orders.standby.contains(id) || orders.active.contains(id);
        if (!is_wanted) out.push_back(id);
    }
    return out;
}

void StreamThread::close_tasks(const std::vector<TaskId>& ids) {
    std::vector<TaskId> elsewhere;
    for (const TaskId& id : ids) {
        if (waiting_.erase(id) > 0) elsewhere.push_back(id);
        const auto found = tasks_.find(id);
        if (found == tasks_.end()) continue;
        found->second->close();
        if (Sensor* closed = metrics_.find(SensorId::kTaskClosed)) closed->count();
        buried_.push_back(std::move(found->second));
        tasks_.erase(found);
    }
    for (const auto& task : updater_->take(elsewhere)) {
        task->close();
        if (Sensor* closed = metrics_.find(SensorId::kTaskClosed)) closed->count();
    }
}

void StreamThread::open_new(const TaskBoard::Orders& orders) {
    for (const auto* wanted : {&orders.active, &orders.standby})
        for (const TaskId& id : *wanted) {
            if (tasks_.contains(id)) continue;
            const bool is_active = wanted == &orders.active;
            const auto [at, is_new] = waiting_.try_emplace(id);
            if (!is_new && at->second.is_active == is_active) continue;
            at->second = {is_active, inputs_of(id, orders)};
            if (!is_new) {
                updater_->promote(id, at->second.inputs);
                continue;
            }
            if (Sensor* created = metrics_.find(SensorId::kTaskCreated)) created->count();
            updater_->add(std::make_unique<LiveTask>(id, at->second.inputs, task_environment()),
                          is_active, at->second.inputs);
        }
}

std::vector<client::TopicPartition> StreamThread::inputs_of(const TaskId& id,
                                                            const TaskBoard::Orders& orders) const {
    std::vector<client::TopicPartition> out;
    for (const auto& where : orders.partitions)
        if (where.partition == id.partition &&
            environment_.layout->reads(id.subtopology, where.topic))
            out.push_back(where);
    return out;
}

Result<std::int64_t> StreamThread::end_of(const client::TopicPartition& where,
                                          bool committed_only) {
    LEAT_TRY(const auto ends, admin_->list_offsets({&where, 1}, client::kLatest, committed_only));
    if (ends.front().code != Errc::kNone) return Error{ends.front().code, where.topic};
    return ends.front().offset;
}

TaskEnvironment StreamThread::task_environment() {
    TaskEnvironment out{
        .settings = &settings_,
        .parts = environment_.parts,
        .layout = environment_.layout,
        .reader = reader_.get(),
        .clock = environment_.clock,
        .handlers = environment_.handlers,
        .globals = environment_.globals,
        .send = [this](auto topic, const auto& record) { return output_.send(topic, record); },
        .deliver = [this](milliseconds wait) { return deliver(wait); },
        .partitions_of = [this](std::string_view topic) { return output_.partitions_of(topic); },
        .cluster = updater_->changelogs(),
        .states = environment_.states,
        .cache = cache_,
        .listener = environment_.restore_listener,
        .metrics = environment_.metrics,
        .thread = name_,
        .on_punctuated =
            [this](std::chrono::nanoseconds took) {
                punctuated_ += took;
                if (Sensor* share = metrics_.find(SensorId::kThreadPunctuateShare))
                    share->record(took.count());
                if (Sensor* call = metrics_.find(SensorId::kThreadPunctuate))
                    call->record(std::chrono::duration_cast<milliseconds>(took).count());
            },
        .offset_at = [this](const client::TopicPartition& where,
                            std::int64_t time_ms) -> Result<std::int64_t> {
            // The end of what is committed: what is under way is still to be read.
            if (time_ms == client::kLatest) return end_of(where, settings_.exactly_once);
            LEAT_TRY(const auto found, admin_->list_offsets({&where, 1}, time_ms));
            if (found.front().code != Errc::kNone) return Error{found.front().code, where.topic};
            if (found.front().offset < 0) return end_of(where, settings_.exactly_once);
            return found.front().offset;
        }};
    if (detail::ErrorJudge::asks_about_output(*environment_.handlers))
        out.keep_source = [this](ErrorContext context) {
            return output_.keep_source(std::move(context));
        };
    return out;
}

Result<void> StreamThread::start_restored(bool& worked) {
    if (updater_->has_news()) {
        if (auto why = updater_->failure()) return *std::move(why);
        for (auto& task : updater_->take_restored()) {
            waiting_.erase(task->id());
            tasks_.insert_or_assign(task->id(), std::move(task));
        }
    }
    bool any = std::ranges::any_of(waiting_, [](const auto& one) { return one.second.is_active; });
    for (const auto& [id, task] : tasks_) {
        if (task->is_running()) continue;
        if (!environment_.globals->is_whole()) {
            any = true;
            continue;
        }
        Result<void> done = task->start();
        if (task->is_damaged()) {
            LEAT_TRY_VOID(heal(id, done));
            return {};
        }
        if (!done) {
            if (!may_pass(done.error().code()) ||
                !restores_.lasts(environment_.clock->now(), settings_.task_timeout))
                return done;
            kLog.warn("task has to wait", {{"task", id.text()},
                                           {"code", done.error().code()},
                                           {"why", done.error().detail()}});
            any = true;
            continue;
        }
        restores_.restore();
        worked = true;
        tell_at_ = {};
        kLog.info(
            "task runs",
            {{"task", id.text()}, {"thread", index_}, {"restored", task->changelogs().restored()}});
        environment_.on_progress();
    }
    if (restoring_.exchange(any) != any) environment_.on_progress();
    return {};
}

Result<void> StreamThread::process(bool& worked) {
    records_ = 0;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        Result<void> done = process_some(*task, worked);
        if (task->is_damaged()) {
            LEAT_TRY(const Committed next, heal(id, done));
            return next == Committed::kMustReset ? reset_tasks() : Result<void>{};
        }
        // The producer took nothing more because of what it could not deliver: that counts.
        if (!done && settings_.exactly_once && output_.has_failed()) return {};
        if (!done) return done;
        if (output_.has_failed()) return {};
    }
    if (records_ > 0) note_round();
    return {};
}

Result<void> StreamThread::process_some(LiveTask& task, bool& worked) {
    const Instant begin = environment_.clock->now() - punctuated_;  // These count elsewhere.
    for (int i = 0; i < kTurnRecords; ++i) {
        gate_.breathe();
        step();
        LEAT_TRY(const bool any, task.process());
        if (!any) break;
        worked = true;
        ++records_;
    }
    task.meters().took(environment_.clock->now() - punctuated_ - begin);
    LEAT_TRY(const bool is_full, task.relieve());
    if (task.take_commit_request() || is_full) commit_asked_ = true;
    return {};
}

}  // namespace leat::streams
