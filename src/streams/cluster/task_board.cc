// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/task_board.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace leat::streams {

void TaskBoard::set_wanted(const TaskShare& share, std::set<client::TopicPartition> partitions) {
    const std::lock_guard lock{mutex_};
    wanted_ = share;
    const bool reads_others = partitions_ != partitions;
    partitions_ = std::move(partitions);
    distribute();
    // The same tasks may have other inputs.
    for (auto& [id, thread] : threads_)
        if (reads_others && !thread.active.empty()) thread.news = true;
}

void TaskBoard::lose_all() {
    const std::lock_guard lock{mutex_};
    wanted_ = {};
    for (auto& [id, thread] : threads_) {
        // What it is still closing is not to be committed either.
        const bool closes = std::ranges::any_of(closing_, [by = id](const auto& one) {
            return one.second.thread == by && one.second.was_active;
        });
        if (closes || !thread.active.empty()) thread.lost = thread.news = true;
    }
    distribute();
}

void TaskBoard::expect_thread(int thread) {
    const std::lock_guard lock{mutex_};
    expected_.insert(thread);
}

void TaskBoard::add_thread(int thread) {
    const std::lock_guard lock{mutex_};
    expected_.erase(thread);
    threads_[thread] = {};
    distribute();
}

void TaskBoard::retire_thread(int thread) {
    const std::lock_guard lock{mutex_};
    expected_.erase(thread);
    if (const auto found = threads_.find(thread); found != threads_.end())
        found->second.retired = true;
    distribute();
}

void TaskBoard::thread_gone(int thread) {
    const std::lock_guard lock{mutex_};
    expected_.erase(thread);
    forget(thread);
    threads_.erase(thread);
    distribute();
}

void TaskBoard::abandon_thread(int thread) {
    const std::lock_guard lock{mutex_};
    const auto found = threads_.find(thread);
    if (found == threads_.end()) return;
    forget(thread);
    found->second = {.active = {}, .standby = {}, .retired = true, .news = true, .lost = true};
    distribute();
}

void TaskBoard::forget(int thread) {
    if (const auto found = threads_.find(thread); found != threads_.end())
        for (const auto* held : {&found->second.active, &found->second.standby})
            for (const TaskId& task : *held) lags_.erase(task);
    std::erase_if(closing_, [&](const auto& one) {
        if (one.second.thread != thread) return false;
        lags_.erase(one.first);
        return true;
    });
}

void TaskBoard::take_thread_back(int thread) {
    const std::lock_guard lock{mutex_};
    const auto found = threads_.find(thread);
    if (found == threads_.end()) return;
    found->second.retired = false;
    distribute();
}

bool TaskBoard::has_no_thread() const {
    const std::lock_guard lock{mutex_};
    return expected_.empty() &&
           std::ranges::all_of(threads_, [](const auto& one) { return one.second.retired; });
}

bool TaskBoard::has_news(int thread) const {
    const std::lock_guard lock{mutex_};
    const auto found = threads_.find(thread);
    return found != threads_.end() && found->second.news;
}

bool TaskBoard::has_any_news() const {
    const std::lock_guard lock{mutex_};
    // A task that no thread has yet, because none is there or another has not let go of it.
    const auto waits = [this](const TaskId& task) {
        return std::ranges::none_of(
            threads_, [&](const auto& one) { return one.second.active.contains(task); });
    };
    return std::ranges::any_of(threads_, [](const auto& one) { return one.second.news; }) ||
           std::ranges::any_of(wanted_.active, waits);
}

TaskBoard::Orders TaskBoard::take(int thread) {
    const std::lock_guard lock{mutex_};
    Thread& of = threads_[thread];
    of.news = false;
    Orders out{.active = of.active,
               .standby = of.standby,
               .partitions = partitions_,
               .closing = {},
               .lost = std::exchange(of.lost, false)};
    for (const auto& [task, by] : closing_)
        if (by.thread == thread) out.closing.insert(task);
    return out;
}

void TaskBoard::renew(int thread) {
    const std::lock_guard lock{mutex_};
    threads_[thread].news = true;
}

bool TaskBoard::is_lost(int thread) const {
    const std::lock_guard lock{mutex_};
    const auto found = threads_.find(thread);
    return found != threads_.end() && found->second.lost;
}

void TaskBoard::note_lag(const TaskId& task, std::int64_t lag) {
    const std::lock_guard lock{mutex_};
    lags_[task] = lag;
}

void TaskBoard::released(int thread, const TaskId& task) {
    const std::lock_guard lock{mutex_};
    const auto found = closing_.find(task);
    if (found == closing_.end() || found->second.thread != thread) return;
    closing_.erase(found);
    lags_.erase(task);
    distribute();
}

bool TaskBoard::is_settled() const {
    const std::lock_guard lock{mutex_};
    return closing_.empty();
}

MemberState TaskBoard::held() const {
    const std::lock_guard lock{mutex_};
    MemberState out;
    const auto serving =
        std::ranges::count_if(threads_, [](const auto& one) { return !one.second.retired; });
    out.threads = static_cast<std::int32_t>(static_cast<std::size_t>(serving) + expected_.size());
    for (const auto& [id, thread] : threads_) {
        out.active.insert(thread.active.begin(), thread.active.end());
        out.standby.insert(thread.standby.begin(), thread.standby.end());
    }
    // A follower never had the task: whoever runs it must not lose it to this claim.
    for (const auto& [task, by] : closing_)
        if (by.was_active) out.active.insert(task);
    // Of others it may have been forgotten long ago how far they were.
    for (const auto& [task, lag] : lags_)
        if (out.active.contains(task) || out.standby.contains(task) || closing_.contains(task))
            out.lags.emplace(task, lag);
    return out;
}

void TaskBoard::distribute() {
    // First what must go: given up by its thread, and only then free for another one.
    for (auto& [id, thread] : threads_) {
        take_back(id, thread, true);
        take_back(id, thread, false);
    }
    for (const TaskId& task : wanted_.active) give(task, true);
    for (const TaskId& task : wanted_.standby) give(task, false);
    even_out();
}

void TaskBoard::take_back(int id, Thread& thread, bool is_active) {
    std::set<TaskId>& held = is_active ? thread.active : thread.standby;
    const std::set<TaskId>& wanted = is_active ? wanted_.active : wanted_.standby;
    for (auto at = held.begin(); at != held.end();) {
        if (!thread.retired && wanted.contains(*at)) {
            ++at;
            continue;
        }
        const bool changes_role = !is_active && !thread.retired && wanted_.active.contains(*at);
        thread.news = true;
        if (changes_role)
            thread.active.insert(*at);  // Its state is here already.
        else
            closing_.insert_or_assign(*at, Closing{id, is_active});
        at = held.erase(at);
    }
}

void TaskBoard::even_out() {
    while (true) {
        std::map<int, Thread>::iterator fullest = threads_.end();
        std::map<int, Thread>::iterator emptiest = threads_.end();
        for (auto at = threads_.begin(); at != threads_.end(); ++at) {
            if (at->second.retired) continue;
            const auto size = at->second.active.size();
            if (fullest == threads_.end() || size > fullest->second.active.size()) fullest = at;
            if (emptiest == threads_.end() || size < emptiest->second.active.size()) emptiest = at;
        }
        if (fullest == threads_.end()) return;
        // What is being closed already will go to whoever has least.
        const auto coming = static_cast<std::size_t>(std::ranges::count_if(
            closing_, [&](const auto& one) { return wanted_.active.contains(one.first); }));
        if (fullest->second.active.size() <= emptiest->second.active.size() + coming + 1) return;
        const TaskId task = *fullest->second.active.rbegin();
        fullest->second.active.erase(task);
        fullest->second.news = true;
        closing_.insert_or_assign(task, Closing{fullest->first, true});
    }
}

TaskBoard::Thread* TaskBoard::holder(const TaskId& task) {
    for (auto& [id, thread] : threads_)
        if (thread.active.contains(task) || thread.standby.contains(task)) return &thread;
    return nullptr;
}

void TaskBoard::give(const TaskId& task, bool is_active) {
    if (closing_.contains(task) || holder(task) != nullptr) return;
    Thread* best = nullptr;
    const auto load = [&](const Thread& thread) {
        const auto& same = is_active ? thread.active : thread.standby;
        const auto of_kind = std::ranges::count(same, task.subtopology, &TaskId::subtopology);
        return std::pair{same.size(), of_kind};
    };
    for (auto& [id, thread] : threads_)
        if (!thread.retired && (best == nullptr || load(thread) < load(*best))) best = &thread;
    if (best == nullptr) return;
    (is_active ? best->active : best->standby).insert(task);
    best->news = true;
}

}  // namespace leat::streams
