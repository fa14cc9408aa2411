// SPDX-License-Identifier: Apache-2.0
//
// The loop and its tasks; commits are in commit.cc.
#include "streams/stream_thread.h"

#include <algorithm>
#include <array>
#include <utility>

#include "obs/log.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
/// Records of one task before the next one's turn.
constexpr int kTurnRecords = 256;
constexpr milliseconds kRetryPause{100};
constexpr milliseconds kInitSlice{1'000};
constexpr milliseconds kTellInterval{100};
constexpr milliseconds kLimitsPauseMin{1'000};
constexpr std::array kThreadSensors{
    SensorId::kThreadCommit,       SensorId::kThreadPoll,           SensorId::kThreadProcess,
    SensorId::kThreadRoundRecords, SensorId::kThreadProcessRecords, SensorId::kTaskCreated,
    SensorId::kTaskClosed};

}  // namespace

StreamThread::StreamThread(int index, const ThreadEnvironment& environment)
    : index_(index),
      environment_(environment),
      settings_(*environment.settings),
      name_((settings_.client_id.empty() ? settings_.application_id + "-" + environment.process
                                         : settings_.client_id) +
            "-StreamThread-" + std::to_string(index)),
      cache_(std::make_shared<detail::CacheBudget>()),
      metrics_(environment.metrics, {{"thread-id", name_}}, kThreadSensors) {
    told_.name = name_;
    metrics_.tick(environment.clock->wall_now().value);
}

StreamThread::~StreamThread() {
    stop();
}

void StreamThread::start() {
    thread_ = rt::NamedThread{"stream-" + std::to_string(index_), [this] {
                                  const Result<void> done = run();
                                  if (!done) say_last_words();
                                  {
                                      const std::lock_guard lock{waker_mutex_};
                                      waker_ = nullptr;
                                  }
                                  environment_.desk->remove(index_);
                                  for (auto& [id, task] : tasks_) task->close();
                                  tasks_.clear();
                                  writer_.reset();
                                  bury();
                                  reader_.reset();
                                  offsets_.reset();
                                  admin_.reset();
                                  environment_.board->thread_gone(index_);
                                  environment_.on_end(index_, done ? nullptr : &done.error());
                              }};
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
    LEAT_TRY_VOID(open_writer());
    const std::lock_guard lock{waker_mutex_};
    waker_ = reader_.get();
    return {};
}

Result<void> StreamThread::open_writer() {
    std::vector<config::Property> properties = settings_.producer;
    client::set_property(properties, "client.id", name_ + "-producer");
    if (settings_.exactly_once)
        client::set_property(
            properties, "transactional.id",
            settings_.application_id + "-" + environment_.process + "-" + std::to_string(index_));
    writer_.reset();
    sources_.clear();
    letters_.clear();
    delivery_failure_.reset();
    in_transaction_ = false;
    LEAT_TRY(writer_, client::RecordWriter::open(
                          properties, [this](const client::Delivery& d) { note_delivery(d); }));
    if (!settings_.exactly_once) return {};
    Patience patience;
    for (;;) {
        // In slices, so that closing does not wait for a broker that is away.
        Result<void> done =
            writer_->init_transactions(std::min(kInitSlice, settings_.task_timeout));
        if (done || stopping_ || writer_->is_fatal() || !may_pass(done.error().code()) ||
            !patience.lasts(environment_.clock->now(), settings_.task_timeout))
            return done;
    }
}

Result<void> StreamThread::run() {
    LEAT_TRY(const bool is_open, open_clients());
    if (!is_open) return {};
    next_commit_ = environment_.clock->now() + settings_.commit_interval;
    next_purge_ = environment_.clock->now() + settings_.purge_interval;
    environment_.board->add_thread(index_);
    environment_.desk->add(index_, gate_, [this](const detail::QueryDesk::Visit& visit) {
        for (const auto& [id, task] : tasks_)
            if (task != nullptr) visit(task->view());
    });
    while (!stopping_) LEAT_TRY_VOID(turn());
    const detail::WorkInside inside{gate_};
    Result<void> done = commit_at_last();
    if (done || !may_pass(done.error().code())) return done;
    kLog.warn("ended without a last commit: what it would have covered is done again",
              {{"thread", index_}, {"code", done.error().code()}, {"why", done.error().detail()}});
    return {};
}

Result<void> StreamThread::turn() {
    bool worked = false;
    const Instant begin = environment_.clock->now();
    {
        const detail::WorkInside inside{gate_};
        // A stream of work must not keep readers out.
        gate_.breathe();
        LEAT_TRY_VOID(work(worked));
    }
    metrics_.tick(environment_.clock->wall_now().value);
    const Instant now = environment_.clock->now();
    if (worked) {
        note_time(SensorId::kThreadProcess, begin);
        return reader_->wait(milliseconds{0});
    }
    const auto left = std::chrono::duration_cast<milliseconds>(next_commit_ - now);
    const milliseconds pause = orders_ ? kRetryPause : settings_.poll;
    Result<void> waited =
        reader_->wait(std::clamp(left, milliseconds{1}, std::max(pause, milliseconds{1})));
    note_time(SensorId::kThreadPoll, now);
    return waited;
}

Result<void> StreamThread::work(bool& worked) {
    cache_->bytes_max = *environment_.cache_bytes;
    LEAT_TRY_VOID(follow_orders());
    LEAT_TRY_VOID(restore(worked));
    if (!*environment_.paused) LEAT_TRY_VOID(process(worked));
    writer_->poll(milliseconds{0});
    LEAT_TRY_VOID(send_letters());
    if (delivery_failure_ && !settings_.exactly_once) return *std::exchange(delivery_failure_, {});
    if (delivery_failure_) commit_asked_ = true;  // It is judged there.
    const Instant now = environment_.clock->now();
    if (commit_asked_ || now >= next_commit_) LEAT_TRY_VOID(commit_or_reset());
    publish(now);
    if (writer_->in_flight() == 0) bury();
    return {};
}

void StreamThread::note_time(SensorId sensor, Instant begin) {
    if (Sensor* at = metrics_.find(sensor))
        at->record(
            std::chrono::duration_cast<milliseconds>(environment_.clock->now() - begin).count());
}

void StreamThread::publish(Instant now) {
    if (now < tell_at_) return;
    tell_at_ = now + kTellInterval;
    ThreadMetadata told{.name = name_, .is_stopping = stopping_};
    std::vector<StorePlace> places;
    for (const auto& [id, task] : tasks_) {
        (task->is_active() ? told.active : told.standby).push_back(task->metadata());
        for (const auto& mark : task->changelogs().marks())
            places.push_back({.store = mark->store->name(),
                              .changelog = mark->where,
                              .next = mark->next,
                              .is_running = task->is_running()});
    }
    const std::lock_guard lock{told_mutex_};
    told_ = std::move(told);
    told_places_ = std::move(places);
}

ThreadMetadata StreamThread::metadata() const {
    const std::lock_guard lock{told_mutex_};
    return told_;
}

std::vector<StreamThread::StorePlace> StreamThread::store_places() const {
    const std::lock_guard lock{told_mutex_};
    return told_places_;
}

Result<void> StreamThread::follow_orders() {
    if (environment_.board->has_news(index_)) {
        restoring_ = true;  // Before the news are gone: both together say whether all runs.
        orders_ = environment_.board->take(index_);
        orders_since_ = environment_.clock->now();
        if (orders_->lost) {
            if (in_transaction_) {
                // What was sent is not ours to commit any more.
                in_transaction_ = false;
                if (!writer_->abort(settings_.task_timeout)) LEAT_TRY_VOID(open_writer());
            }
            std::vector<TaskId> lost;
            for (const auto& [id, task] : tasks_)
                if (task->is_active()) lost.push_back(id);
            for (const TaskId& id : lost) close_task(id);
        }
        std::vector<TaskId> unwanted;
        for (const auto& [id, task] : tasks_)
            if (!(task->is_active() ? orders_->active : orders_->standby).contains(id) &&
                !(orders_->active.contains(id) && !task->is_active()))
                unwanted.push_back(id);
        // Topics that a pattern matches have come or gone: opened again, with those of now.
        for (const auto& [id, task] : tasks_)
            if (task->is_active() && orders_->active.contains(id) &&
                task->inputs() != inputs_of(id, *orders_))
                unwanted.push_back(id);
        LEAT_TRY_VOID(drop_tasks(unwanted));
        // Those too that a reset or a failed opening took away: the board waits for each of them.
        for (const TaskId& id : orders_->closing) environment_.board->released(index_, id);
        if (!orders_->closing.empty()) environment_.on_progress();
    }
    if (!orders_) return {};
    return open_new(*orders_);
}

Result<void> StreamThread::drop_tasks(const std::vector<TaskId>& ids) {
    const bool must_commit =
        std::ranges::any_of(ids, [&](const TaskId& id) { return tasks_.at(id)->needs_commit(); });
    if (must_commit) {
        // The next owner starts where this commit ends. Without one it does the work again.
        LEAT_TRY_VOID(commit_at_last());
    }
    for (const TaskId& id : ids) close_task(id);
    return {};
}

void StreamThread::close_task(const TaskId& id) {
    const auto found = tasks_.find(id);
    if (found == tasks_.end()) return;
    found->second->close();
    if (Sensor* closed = metrics_.find(SensorId::kTaskClosed)) closed->count();
    buried_.push_back(std::move(found->second));
    tasks_.erase(found);
}

void StreamThread::bury() {
    buried_.clear();
}

Result<void> StreamThread::open_new(const TaskBoard::Orders& orders) {
    bool all = true;
    for (const auto* wanted : {&orders.active, &orders.standby})
        for (const TaskId& id : *wanted) {
            const bool is_active = wanted == &orders.active;
            const auto found = tasks_.find(id);
            if (found != tasks_.end() && found->second->is_active() == is_active) continue;
            Result<bool> done = try_open(id, is_active, orders);
            if (!done && (!may_pass(done.error().code()) ||
                          environment_.clock->now() - *orders_since_ > settings_.task_timeout))
                return std::move(done).error();
            if (!done) {
                kLog.info("task not opened yet",
                          {{"task", id.text()}, {"why", done.error().detail()}});
                if (const auto half = tasks_.find(id); half != tasks_.end()) {
                    half->second->close();
                    tasks_.erase(half);
                }
                all = false;
            }
        }
    if (all) orders_.reset();
    return {};
}

ChangelogReader::Cluster StreamThread::cluster() {
    return {
        .offsets_of = [this](std::span<const client::TopicPartition> where,
                             std::int64_t timestamp) -> Result<std::vector<std::int64_t>> {
            LEAT_TRY(const auto found, admin_->list_offsets(where, timestamp));
            std::vector<std::int64_t> out;
            for (const auto& one : found) {
                if (one.code != Errc::kNone) return Error{one.code, one.where.topic};
                out.push_back(one.offset);
            }
            return out;
        },
        .ids_of = [this](std::span<const std::string> topics) -> Result<std::vector<std::string>> {
            LEAT_TRY(const auto known, admin_->describe_cluster(topics));
            std::vector<std::string> out;
            for (const std::string& name : topics) {
                const auto at = std::ranges::find(known.topics, name, &client::TopicInfo::name);
                if (at == known.topics.end() || at->code != Errc::kNone)
                    return Error{
                        at == known.topics.end() ? Errc::kUnknownTopicOrPartition : at->code, name};
                out.push_back(at->id.is_zero() ? std::string{} : at->id.text());
            }
            return out;
        }};
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
        .send = [this](std::string_view topic,
                       const client::OutgoingRecord& record) { return send(topic, record); },
        .partitions_of = [this](std::string_view topic) { return partitions_of(topic); },
        .cluster = cluster(),
        .states = environment_.states,
        .cache = cache_,
        .listener = environment_.restore_listener,
        .metrics = environment_.metrics,
        .thread = name_,
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
            const std::uint64_t tag = (++last_source_ << 1U) | kSourceTag;
            sources_.emplace(tag, std::move(context));
            return tag;
        };
    return out;
}

Result<bool> StreamThread::try_open(const TaskId& id, bool is_active,
                                    const TaskBoard::Orders& orders) {
    const std::vector<client::TopicPartition> inputs = inputs_of(id, orders);
    std::unique_ptr<LiveTask>& task = tasks_[id];
    if (task == nullptr) {
        task = std::make_unique<LiveTask>(id, inputs, task_environment());
        restoring_ = true;
        if (Sensor* created = metrics_.find(SensorId::kTaskCreated)) created->count();
        LEAT_TRY_VOID(task->open());
    }
    if (is_active) {
        // Waits until transactions of whoever ran the task before are over.
        LEAT_TRY(auto committed, offsets_->committed(settings_.application_id, inputs));
        LEAT_TRY_VOID(task->activate(std::move(committed)));
    }
    return true;
}

Result<void> StreamThread::restore(bool& worked) {
    bool any = orders_.has_value();
    bool is_well = true;
    const bool has_urgent = std::ranges::any_of(tasks_, [](const auto& one) {
        return one.second->is_active() && !one.second->is_running();
    });
    raise_limits();
    for (const auto& [id, task] : tasks_) {
        // Copies wait while a task that is to run is not there yet.
        if (task->is_running() || (has_urgent && !task->is_active())) continue;
        const std::int64_t before = task->changelogs().taken();
        Result<bool> done = task->restore();
        if (task->changelogs().taken() > before) worked = true;
        if (!done) {
            if (!may_pass(done.error().code()) ||
                !restores_.lasts(environment_.clock->now(), settings_.task_timeout))
                return std::move(done).error();
            kLog.warn("restoring has to wait", {{"task", id.text()},
                                                {"code", done.error().code()},
                                                {"why", done.error().detail()}});
            is_well = false;
        }
        environment_.board->note_lag(id, task->changelogs().remaining());
        if (task->is_active()) any = any || !done || !*done;
        if (done && *done) {
            worked = true;
            kLog.info("task runs", {{"task", id.text()},
                                    {"thread", index_},
                                    {"restored", task->changelogs().restored()}});
            environment_.on_progress();
        }
    }
    if (is_well) restores_.restore();
    if (restoring_.exchange(any) != any) environment_.on_progress();
    return {};
}

void StreamThread::raise_limits() {
    const Instant now = environment_.clock->now();
    if (now < next_limits_) return;
    next_limits_ = now + std::max(settings_.commit_interval, kLimitsPauseMin);
    for (const auto& [id, task] : tasks_) {
        const std::vector<client::TopicPartition> sources = task->changelogs().sources();
        if (task->is_active() || sources.empty()) continue;
        auto committed = offsets_->committed(settings_.application_id, sources);
        if (!committed) continue;  // It follows as far as was known.
        std::map<client::TopicPartition, std::int64_t> ends;
        for (const auto& one : *committed)
            if (one.offset >= 0) ends[one.where] = one.offset;
        task->changelogs().set_limits(ends);
    }
}

Result<void> StreamThread::process(bool& worked) {
    records_ = 0;
    for (const auto& [id, task] : tasks_) {
        if (!task->is_running()) continue;
        for (int i = 0; i < kTurnRecords; ++i) {
            gate_.breathe();
            Result<bool> done = task->process();
            // The producer took nothing more because of what it could not deliver: that counts.
            if (!done && settings_.exactly_once && delivery_failure_) return {};
            if (!done) return std::move(done).error();
            if (!*done) break;
            worked = true;
            ++records_;
        }
        LEAT_TRY(const bool is_full, task->relieve());
        if (task->take_commit_request() || is_full) commit_asked_ = true;
        if (delivery_failure_) return {};
    }
    if (records_ == 0) return {};
    if (Sensor* all = metrics_.find(SensorId::kThreadProcessRecords))
        all->count(static_cast<std::uint64_t>(records_));
    if (Sensor* round = metrics_.find(SensorId::kThreadRoundRecords)) round->record(records_);
    return {};
}

}  // namespace leat::streams
