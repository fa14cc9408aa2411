// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/stream_thread.h"

#include <algorithm>
#include <utility>

#include "leat/streams/detail/guarded.h"
#include "obs/log.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
/// Records of one task before the next one's turn.
constexpr int kTurnRecords = 256;
constexpr milliseconds kRetryPause{100};
thread_local const StreamThread* current_thread = nullptr;

std::string name_of(int index, const ThreadEnvironment& environment) {
    const Settings& settings = *environment.settings;
    return (settings.client_id.empty() ? settings.application_id + "-" + environment.process
                                       : settings.client_id) +
           "-StreamThread-" + std::to_string(index);
}

}  // namespace

StreamThread::StreamThread(int index, const ThreadEnvironment& environment)
    : index_(index),
      environment_(environment),
      settings_(*environment.settings),
      name_(name_of(index, environment)),
      cache_(std::make_shared<detail::CacheBudget>()),
      report_(name_, environment.metrics, *environment.clock),
      output_(output_environment()),
      restarts_({.shared = &environment,
                 .thread = index,
                 .gate = &gate_,
                 .tasks = &tasks_,
                 .output = &output_,
                 .report = &report_}),
      committer_(committer_environment()),
      manager_(manager_environment()) {}

ThreadOutput::Environment StreamThread::output_environment() {
    return {
        .settings = &settings_,
        .handlers = environment_.handlers,
        .clock = environment_.clock,
        .client_id = name_ + "-producer",
        .transactional_id =
            settings_.application_id + "-" + environment_.process + "-" + std::to_string(index_),
        .has_changelogs =
            std::ranges::any_of(environment_.layout->subtopologies(), &Subtopology::is_stateful),
        .on_step = [this] { step(); },
        .is_stopping = [this] { return stopping_.load(); },
        .task_of_change = [this](const ChangelogMark& of) { return tasks_.owner_of(of); },
        .on_dropped = [this](const ErrorContext& source) { tasks_.count_dropped(source.task_id); }};
}

Committer::Environment StreamThread::committer_environment() {
    return {.shared = &environment_,
            .thread = index_,
            .gate = &gate_,
            .clients = &clients_,
            .tasks = &tasks_,
            .output = &output_,
            .restarts = &restarts_,
            .report = &report_,
            .is_stopping = &stopping_,
            .commit_offsets =
                [this](const auto& as, const auto& positions) {
                    return clients_.offsets->commit(as, positions);
                },
            .on_step = [this] { step(); }};
}

TaskManager::Environment StreamThread::manager_environment() {
    return {.shared = &environment_,
            .thread = index_,
            .name = name_,
            .gate = &gate_,
            .tasks = &tasks_,
            .output = &output_,
            .committer = &committer_,
            .restarts = &restarts_,
            .report = &report_,
            .environment_of_tasks = [this] { return task_environment(); },
            .on_news = [this] { wake(); }};
}

TaskEnvironment StreamThread::task_environment() {
    TaskEnvironment out{
        .settings = &settings_,
        .parts = environment_.parts,
        .layout = environment_.layout,
        .reader = clients_.reader.get(),
        .clock = environment_.clock,
        .handlers = environment_.handlers,
        .globals = environment_.globals,
        .send = [this](auto topic, const auto& record) { return output_.send(topic, record); },
        .deliver = [this](milliseconds wait) { return committer_.deliver(wait); },
        .partitions_of = [this](std::string_view topic) { return output_.partitions_of(topic); },
        .states = environment_.states,
        .cache = cache_,
        .listener = environment_.restore_listener,
        .metrics = environment_.metrics,
        .thread = name_,
        .on_punctuated =
            [this](std::chrono::nanoseconds took) {
                punctuated_ += took;
                report_.note_punctuation(took);
            },
        .offset_at = [this](const client::TopicPartition& where,
                            std::int64_t time_ms) -> Result<std::int64_t> {
            // The end of what is committed: what is under way is still to be read.
            if (time_ms == client::kLatest) return end_of(where, settings_.exactly_once);
            LEAT_TRY(const auto found, clients_.admin->list_offsets({&where, 1}, time_ms));
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

Result<std::int64_t> StreamThread::end_of(const client::TopicPartition& where,
                                          bool committed_only) {
    LEAT_TRY(const auto ends,
             clients_.admin->list_offsets({&where, 1}, client::kLatest, committed_only));
    if (ends.front().code != Errc::kNone) return Error{ends.front().code, where.topic};
    return ends.front().offset;
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
                                  end(detail::guarded(name_, [this] { return run(); }));
                              }};
}

void StreamThread::end(const Result<void>& done) {
    if (!done || settings_.exactly_once) send_last_words();
    {
        const std::lock_guard lock{waker_mutex_};
        waker_ = nullptr;
    }
    environment_.desk->remove(index_);
    manager_.close();
    tasks_.close_all();
    output_.close();
    report_.end();
    tasks_.forget_closed();
    clients_.close();
    environment_.watch->remove(index_);
    environment_.board->thread_gone(index_);
    environment_.on_end(index_, done ? nullptr : &done.error());
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
    LEAT_TRY_VOID(clients_.open(settings_, name_));
    LEAT_TRY_VOID(manager_.open());
    LEAT_TRY_VOID(output_.open());
    const std::lock_guard lock{waker_mutex_};
    waker_ = clients_.reader.get();
    return {};
}

Result<void> StreamThread::run() {
    report_.note(ThreadReport::State::kStarting);
    LEAT_TRY(const bool is_open, open_clients());
    if (!is_open) return {};
    committer_.start();
    environment_.board->add_thread(index_);
    steps_ = environment_.watch->add(index_);
    environment_.desk->add(index_, gate_, [this](const detail::QueryDesk::Visit& visit) {
        for (const auto& [id, task] : tasks_) visit(task->view());
    });
    while (!stopping_) LEAT_TRY_VOID(turn());
    report_.note(ThreadReport::State::kPendingShutdown);
    const detail::WorkInside inside{gate_};
    Result<void> done = committer_.commit_at_last();
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
    report_.note(manager_.is_restoring() ? ThreadReport::State::kPartitionsAssigned
                                         : ThreadReport::State::kRunning);
    report_.tick();
    if (worked) report_.note_time(SensorId::kThreadProcess, begin);
    return wait(worked);
}

Result<void> StreamThread::wait(bool worked) {
    const Instant begin = environment_.clock->now();
    const auto left = std::chrono::duration_cast<milliseconds>(committer_.next() - begin);
    const milliseconds most =
        std::clamp(left, milliseconds{1}, std::max(settings_.poll, milliseconds{1}));
    Result<void> waited = clients_.reader->wait(worked ? milliseconds{0} : most);
    if (!worked) report_.note_time(SensorId::kThreadPoll, begin);
    report_.note_share(SensorId::kThreadPollShare, begin);
    report_.note_share(SensorId::kThreadBlocked, begin);
    return waited;
}

Result<void> StreamThread::work(bool& worked) {
    cache_->bytes_max = *environment_.cache_bytes;
    LEAT_TRY_VOID(manager_.follow_orders());
    LEAT_TRY_VOID(manager_.start_restored(worked));
    const bool has_globals = environment_.globals->is_whole();
    if (!*environment_.paused && has_globals) {
        const Instant begin = environment_.clock->now();
        punctuated_ = std::chrono::nanoseconds{0};
        LEAT_TRY_VOID(process(worked));
        report_.note_share(SensorId::kThreadProcessShare, begin, punctuated_);
    }
    output_.poll();
    LEAT_TRY_VOID(output_.send_letters());
    if (output_.has_failed() && !settings_.exactly_once) return *output_.take_failure();
    if (output_.has_failed()) committer_.ask();  // It is judged there.
    const Instant now = environment_.clock->now();
    // What caches tell at a commit may meet global stores: it waits with them.
    if (committer_.is_due(now) && has_globals) {
        LEAT_TRY_VOID(committer_.commit());
        report_.note_share(SensorId::kThreadCommitShare, now);
    } else if (!worked) {
        LEAT_TRY_VOID(committer_.write_early());
    }
    if (report_.is_due(now)) publish();
    if (output_.is_delivered()) tasks_.forget_closed();
    return {};
}

Result<void> StreamThread::process(bool& worked) {
    records_ = 0;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        Result<void> done = process_some(*task, worked);
        if (task->is_damaged()) {
            LEAT_TRY(const bool with_all, restarts_.restart_damaged(id, done));
            return with_all ? restarts_.restart_all() : Result<void>{};
        }
        // The producer took nothing more because of what it could not deliver: that counts.
        if (!done && settings_.exactly_once && output_.has_failed()) return {};
        if (!done) return done;
        if (output_.has_failed()) return {};
    }
    if (records_ > 0) report_.note_round(records_, tasks_);
    return {};
}

Result<void> StreamThread::process_some(LiveTask& task, bool& worked) {
    const Instant begin = environment_.clock->now() - punctuated_;  // These count elsewhere.
    if (committer_.is_waiting() && task.is_full()) {
        // No more rows before the commit that has to wait, unless they can be written without.
        LEAT_TRY(const bool has_no_room, task.relieve());
        if (has_no_room) return {};
    }
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
    if (task.take_commit_request() || is_full) committer_.ask();
    return {};
}

void StreamThread::publish() {
    ThreadMetadata told{.name = name_, .is_stopping = stopping_};
    manager_.tell(told);
    report_.publish(std::move(told), manager_.store_places(), tasks_);
}

}  // namespace leat::streams
