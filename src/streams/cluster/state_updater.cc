// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/state_updater.h"

#include <algorithm>
#include <utility>

#include "leat/streams/detail/guarded.h"
#include "obs/log.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kRetryPause{100};
/// With nothing to do; whoever brings something wakes it.
constexpr milliseconds kIdlePause{1'000};
constexpr milliseconds kTellInterval{100};
constexpr milliseconds kProgressInterval{10'000};
constexpr milliseconds kLimitsPauseMin{1'000};
constexpr milliseconds kPositionsPauseMin{1'000};
constexpr milliseconds kPositionsPauseMax{5'000};
/// How often in a row a task may meet damage in what it has just restored.
constexpr int kDamagesMax = 3;

}  // namespace

StateUpdater::StateUpdater(const Environment& environment, std::unique_ptr<RestoreClients> clients)
    : environment_(environment), clients_(std::move(clients)) {}

StateUpdater::~StateUpdater() {
    environment_.desk->remove(-environment_.index);
    stopping_ = true;
    poke();
    thread_ = {};
    close_all();
}

void StateUpdater::start() {
    // Doors of owners have the numbers above 0. From here and not from our thread: the owner may
    // wait for that inside its own gate.
    environment_.desk->add(-environment_.index, gate_,
                           [this](const detail::QueryDesk::Visit& visit) {
                               for (const auto& [id, entry] : entries_)
                                   if (entry.is_open) visit(entry.task->view());
                               const std::lock_guard lock{mutex_};
                               for (const auto& task : restored_) visit(task->view());
                           });
    thread_ = rt::NamedThread{"updater-" + std::to_string(environment_.index), [this] { run(); }};
}

void StateUpdater::add(std::unique_ptr<LiveTask> task, bool is_active,
                       std::vector<client::TopicPartition> inputs) {
    {
        const std::lock_guard lock{mutex_};
        const TaskId id = task->id();
        commands_.push_back({id, std::move(task), is_active, std::move(inputs)});
    }
    poke();
}

void StateUpdater::promote(const TaskId& id, std::vector<client::TopicPartition> inputs) {
    {
        const std::lock_guard lock{mutex_};
        commands_.push_back({id, nullptr, true, std::move(inputs)});
    }
    poke();
}

void StateUpdater::poke() {
    const std::lock_guard lock{mutex_};
    is_poked_ = true;
    moved_.notify_all();
    clients_->wake();
}

std::vector<std::unique_ptr<LiveTask>> StateUpdater::take(const std::vector<TaskId>& ids) {
    if (ids.empty()) return {};
    {
        const std::lock_guard lock{mutex_};
        asked_ = ids;
    }
    poke();
    std::unique_lock lock{mutex_};
    moved_.wait(lock, [&] { return !asked_ || is_over_; });
    asked_.reset();
    return std::exchange(given_, {});
}

std::vector<std::unique_ptr<LiveTask>> StateUpdater::take_restored() {
    const std::lock_guard lock{mutex_};
    has_news_ = failure_.has_value();
    return std::exchange(restored_, {});
}

std::optional<Error> StateUpdater::failure() const {
    const std::lock_guard lock{mutex_};
    if (!failure_) return std::nullopt;
    return Error{failure_->code(), failure_->detail()};
}

void StateUpdater::tell(ThreadMetadata& to) const {
    const std::lock_guard lock{mutex_};
    to.active.insert(to.active.end(), told_active_.begin(), told_active_.end());
    to.standby.insert(to.standby.end(), told_standby_.begin(), told_standby_.end());
}

std::vector<StorePlace> StateUpdater::store_places() const {
    const std::lock_guard lock{mutex_};
    return told_places_;
}

void StateUpdater::run() {
    while (!stopping_) {
        bool worked = false;
        Result<void> done = detail::guarded("restoring", [&] { return turn(worked); });
        if (done) done = wait(worked);
        if (!done) fail(done.error());
    }
    close_all();
}

Result<void> StateUpdater::wait(bool worked) {
    if (has_failed_) {
        std::unique_lock lock{mutex_};
        moved_.wait(lock, [&] { return is_poked_; });
        is_poked_ = false;
        return {};
    }
    milliseconds pause = worked ? milliseconds{0} : kIdlePause;
    if (!worked && !entries_.empty())
        pause = std::clamp(environment_.settings->poll, milliseconds{1}, kRetryPause);
    return clients_->wait(pause);
}

void StateUpdater::close_all() {
    for (auto& [id, entry] : entries_) entry.task->close();
    entries_.clear();
    const std::lock_guard lock{mutex_};
    for (auto& command : commands_)
        if (command.task != nullptr) command.task->close();
    commands_.clear();
    for (auto& task : restored_) task->close();
    restored_.clear();
    is_over_ = true;
    moved_.notify_all();
}

Result<void> StateUpdater::turn(bool& worked) {
    follow(worked);
    if (has_failed_) return {};
    LEAT_TRY(const bool is_connected, connect());
    if (is_connected) {
        LEAT_TRY_VOID(ask_positions(worked));
        tell_positions();
        LEAT_TRY_VOID(restore(worked));
    }
    publish(worked);
    return {};
}

void StateUpdater::follow(bool& worked) {
    std::vector<Command> commands;
    bool is_asked = false;
    {
        // Both at once: what was given before the question is here then.
        const std::lock_guard lock{mutex_};
        commands = std::exchange(commands_, {});
        is_asked = asked_.has_value();
    }
    if (commands.empty() && !is_asked) return;
    worked = true;
    const detail::WorkInside inside{gate_};
    for (Command& command : commands) obey(std::move(command));
    if (is_asked) hand_over();
}

void StateUpdater::obey(Command command) {
    if (command.task != nullptr) {
        Entry& fresh = entries_[command.id];
        fresh = {.task = std::move(command.task),
                 .inputs = std::move(command.inputs),
                 .is_active = command.is_active,
                 .patience = {}};
        return;
    }
    const auto found = entries_.find(command.id);
    if (found == entries_.end()) return;
    found->second.is_active = true;
    found->second.has_positions = false;
    found->second.inputs = std::move(command.inputs);
}

void StateUpdater::hand_over() {
    std::vector<TaskId> ids;
    {
        const std::lock_guard lock{mutex_};
        ids = *asked_;
    }
    std::vector<std::unique_ptr<LiveTask>> out;
    for (const TaskId& id : ids) {
        const auto found = entries_.find(id);
        if (found == entries_.end()) continue;
        // The reader is ours.
        found->second.task->changelogs().close();
        out.push_back(std::move(found->second.task));
        entries_.erase(found);
    }
    const std::lock_guard lock{mutex_};
    for (auto& task : restored_)
        if (std::ranges::find(ids, task->id()) != ids.end()) out.push_back(std::move(task));
    std::erase(restored_, nullptr);
    given_ = std::move(out);
    asked_.reset();
    moved_.notify_all();
}

Result<bool> StateUpdater::connect() {
    if (is_connected_) return true;
    const Instant now = environment_.clock->now();
    if (now < connect_at_) return false;
    Result<void> done = clients_->connect();
    is_connected_ = done.has_value();
    if (done) return true;
    if (!may_pass(done.error().code()) ||
        !connects_.lasts(now, environment_.settings->task_timeout))
        return std::move(done).error();
    kLog.warn("cluster not reached to restore", {{"thread", environment_.index},
                                                 {"code", done.error().code()},
                                                 {"why", done.error().detail()}});
    connect_at_ = now + kRetryPause;
    return false;
}

Result<void> StateUpdater::ask_positions(bool& worked) {
    const Instant now = environment_.clock->now();
    for (auto& [id, entry] : entries_) {
        if (!entry.is_open || now < entry.not_before) continue;
        if (entry.is_active && !entry.has_positions) {
            const Result<void> done = ask_positions(entry);
            if (!done) LEAT_TRY_VOID(judge(entry, done.error()));
            worked = worked || done.has_value();
        } else if (!entry.is_active && now >= entry.next_limits) {
            entry.next_limits =
                now + std::max(environment_.settings->commit_interval, kLimitsPauseMin);
            const auto sources = entry.task->changelogs().sources();
            if (sources.empty()) continue;
            const auto committed = clients_->committed(sources);
            if (!committed) continue;  // It follows as far as was known.
            std::map<client::TopicPartition, std::int64_t> ends;
            for (const auto& one : *committed)
                if (one.offset >= 0) ends[one.where] = one.offset;
            entry.task->changelogs().set_limits(ends);
        }
    }
    return {};
}

Result<void> StateUpdater::ask_positions(Entry& entry) {
    // Waits until transactions of whoever ran the task before are over.
    LEAT_TRY(auto committed, clients_->committed(entry.inputs));
    const detail::WorkInside inside{gate_};
    LEAT_TRY_VOID(entry.task->activate(std::move(committed)));
    entry.has_positions = true;
    return {};
}

void StateUpdater::tell_positions() {
    const Instant now = environment_.clock->now();
    if (now < positions_at_) return;
    positions_at_ = now + std::clamp(environment_.settings->commit_interval, kPositionsPauseMin,
                                     kPositionsPauseMax);
    std::vector<client::TopicPartition> changelogs;
    bool any = false;
    for (const auto& [id, entry] : entries_) {
        if (entry.is_active || !entry.is_open) continue;
        any = true;
        auto more = entry.task->changelogs().own_topics();
        changelogs.insert(changelogs.end(), std::make_move_iterator(more.begin()),
                          std::make_move_iterator(more.end()));
    }
    if (!any) return;
    // In this order: what was committed is in the changelogs already. Without an answer copies know
    // what they knew before.
    const auto committed = clients_->all_committed();
    if (!committed) return;
    std::map<client::TopicPartition, std::int64_t> ends;
    if (!changelogs.empty()) {
        const auto found = clients_->changelogs().offsets_of(changelogs, client::kLatest);
        if (!found) return;
        for (std::size_t i = 0; i < changelogs.size(); ++i) ends[changelogs[i]] = (*found)[i];
    }
    const detail::WorkInside inside{gate_};
    for (const auto& [id, entry] : entries_)
        if (!entry.is_active && entry.is_open) entry.task->follow(*committed, ends);
}

Result<void> StateUpdater::restore(bool& worked) {
    const bool has_urgent =
        std::ranges::any_of(entries_, [](const auto& one) { return one.second.is_active; });
    std::vector<TaskId> done;
    for (auto& [id, entry] : entries_) {
        // Copies wait while a task that is to run is not there yet.
        if (environment_.clock->now() < entry.not_before || (has_urgent && !entry.is_active))
            continue;
        const Result<void> stepped = step(entry, worked);
        if (!stepped) LEAT_TRY_VOID(judge(entry, stepped.error()));
        if (stepped) {
            entry.patience.restore();
            entry.is_waiting = false;
        }
        if (entry.is_open) environment_.board->note_lag(id, entry.task->changelogs().remaining());
        if (entry.is_restored) done.push_back(id);
    }
    for (const TaskId& id : done) pass_on(id);
    tell_progress(environment_.clock->now());
    return {};
}

Result<void> StateUpdater::step(Entry& entry, bool& worked) {
    if (!entry.is_open) {
        // Queries do not see it yet.
        LEAT_TRY_VOID(entry.task->open());
        const detail::WorkInside inside{gate_};
        entry.is_open = worked = true;
        return {};
    }
    if ((entry.is_active && !entry.has_positions) || *environment_.paused) return {};
    const detail::WorkInside inside{gate_};
    // A stream of work must not keep readers out.
    gate_.breathe();
    const std::int64_t before = entry.task->changelogs().taken();
    LEAT_TRY(entry.is_restored, entry.task->restore());
    worked = worked || entry.is_restored || entry.task->changelogs().taken() > before;
    return {};
}

Result<void> StateUpdater::judge(Entry& entry, const Error& why) {
    const Instant now = environment_.clock->now();
    const bool is_damaged = entry.task->is_damaged();
    // A thread of this process that does not get on has it still: however long that takes.
    const bool is_held = why.code() == Errc::kDataDirInUse;
    const bool goes_on =
        is_damaged ? ++entry.damages <= kDamagesMax
                   : is_held || (may_pass(why.code()) &&
                                 entry.patience.lasts(now, environment_.settings->task_timeout));
    if (!goes_on) return Error{why.code(), why.detail()};
    if (is_damaged || !std::exchange(entry.is_waiting, true))
        kLog.warn(is_damaged ? "state is damaged and restored whole" : "restoring has to wait",
                  {{"task", entry.task->id().text()}, {"code", why.code()}, {"why", why.detail()}});
    entry.not_before = is_damaged ? now : now + kRetryPause;
    if (entry.is_open && !is_damaged) return {};
    const detail::WorkInside inside{gate_};
    entry.task->close();
    entry.is_open = entry.has_positions = false;
    return {};
}

void StateUpdater::pass_on(const TaskId& id) {
    {
        const detail::WorkInside inside{gate_};
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(id);
        restored_.push_back(std::move(found->second.task));
        entries_.erase(found);
        has_news_ = true;
    }
    environment_.on_news();
}

void StateUpdater::fail(const Error& why) {
    if (std::exchange(has_failed_, true)) return;
    {
        const std::lock_guard lock{mutex_};
        failure_.emplace(why.code(), why.detail());
        has_news_ = true;
    }
    environment_.on_news();
}

void StateUpdater::tell_progress(Instant now) {
    if (now < progress_at_) return;
    const bool is_first = progress_at_ == Instant{};
    progress_at_ = now + kProgressInterval;
    std::int64_t tasks = 0;
    std::int64_t remaining = 0;
    for (const auto& [id, entry] : entries_) {
        if (!entry.is_active || !entry.is_open) continue;
        ++tasks;
        remaining += entry.task->changelogs().remaining();
    }
    if (tasks > 0 && !is_first)
        kLog.info("restoring",
                  {{"thread", environment_.index}, {"tasks", tasks}, {"records_left", remaining}});
}

void StateUpdater::publish(bool changed) {
    const Instant now = environment_.clock->now();
    if (now < tell_at_ && !(changed && entries_.size() != told_entries_)) return;
    tell_at_ = now + kTellInterval;
    told_entries_ = entries_.size();
    std::vector<TaskMetadata> active;
    std::vector<TaskMetadata> standby;
    std::vector<StorePlace> places;
    for (const auto& [id, entry] : entries_) {
        (entry.is_active ? active : standby).push_back(entry.task->metadata());
        if (!entry.is_open) continue;
        for (const auto& mark : entry.task->changelogs().marks())
            places.push_back(
                {.store = mark->store->name(), .changelog = mark->where, .next = mark->next});
    }
    const std::lock_guard lock{mutex_};
    told_active_ = std::move(active);
    told_standby_ = std::move(standby);
    told_places_ = std::move(places);
}

}  // namespace leat::streams
