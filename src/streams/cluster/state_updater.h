// SPDX-License-Identifier: Apache-2.0
//
// The thread beside a stream thread that opens tasks, restores them until they can run, and keeps
// copies up to their changelogs; tasks that run are not held up by it. Layer: streams (L6).
// Spec:  Kafka Streams' state updater.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "leat/streams/metadata.h"
#include "rt/clock.h"
#include "rt/named_thread.h"
#include "streams/cluster/live_task.h"
#include "streams/cluster/restore_clients.h"
#include "streams/cluster/task_board.h"
#include "streams/cluster/trouble.h"
#include "streams/settings.h"
#include "streams/store_query.h"
#include "streams/task_id.h"

namespace leat::streams {

/// Where a store stands in its changelog.
struct StorePlace {
    std::string store;
    client::TopicPartition changelog;
    std::int64_t next = 0;
    bool is_running = false;  ///< It has all there is.
};

/// Invariant: tasks are added and taken by one other thread, their owner.
/// Threading: thread-safe.
class StateUpdater {
  public:
    struct Environment {
        const Settings* settings = nullptr;
        const rt::Clock* clock = nullptr;
        TaskBoard* board = nullptr;                 ///< Hears how far tasks are behind.
        detail::QueryDesk* desk = nullptr;          ///< Where queries find copies.
        const std::atomic<bool>* paused = nullptr;  ///< Nothing is restored meanwhile.
        int index = 0;                              ///< The owner's.
        /// has_news() is true from now on. Called by the updater's thread.
        std::function<void()> on_news;
    };
    StateUpdater(const Environment& environment, std::unique_ptr<RestoreClients> clients);
    StateUpdater(const StateUpdater&) = delete;
    StateUpdater& operator=(const StateUpdater&) = delete;
    /// Joins, and closes the tasks that are here. As start(), not inside a gate of queries.
    ~StateUpdater();

    void start();

    /// What tasks that come here read their changelogs with.
    [[nodiscard]] ChangelogReader::Cluster changelogs() { return clients_->changelogs(); }
    /// `inputs`: of an active one, those whose committed positions it goes on from.
    void add(std::unique_ptr<LiveTask> task, bool is_active,
             std::vector<client::TopicPartition> inputs);
    /// A copy that is here is to run.
    void promote(const TaskId& id, std::vector<client::TopicPartition> inputs);
    /// Gives back those of the tasks that are here, which read no changelog any more. Waits until
    /// what is being done has come to an end: a batch, or a question to the cluster.
    std::vector<std::unique_ptr<LiveTask>> take(const std::vector<TaskId>& ids);

    /// Tasks are restored, or it has failed.
    [[nodiscard]] bool has_news() const noexcept { return has_news_; }
    /// Tasks that can start().
    std::vector<std::unique_ptr<LiveTask>> take_restored();
    /// What none of the next steps would mend; nothing is restored any more.
    [[nodiscard]] std::optional<Error> failure() const;

    /// Appends what is here, as it was a moment ago.
    void tell(ThreadMetadata& to) const;
    [[nodiscard]] std::vector<StorePlace> store_places() const;

  private:
    struct Entry {
        std::unique_ptr<LiveTask> task;
        std::vector<client::TopicPartition> inputs;
        bool is_active = false;
        bool is_open = false;
        bool has_positions = false;
        bool is_restored = false;
        bool is_waiting = false;  ///< It was told that it has to.
        int damages = 0;
        Instant not_before{};
        Instant next_limits{};  ///< Of a copy: when it is asked how far its sources are processed.
        Patience patience;
    };
    struct Command {
        TaskId id;
        std::unique_ptr<LiveTask> task;  ///< Absent: promote the one that is here.
        bool is_active = false;
        std::vector<client::TopicPartition> inputs;
    };

    void poke();
    void run();
    Result<void> turn(bool& worked);
    Result<void> wait(bool worked);
    /// Commands and what was asked for.
    void follow(bool& worked);
    void obey(Command command);
    void hand_over();
    /// True once all clients are there.
    Result<bool> connect();
    /// Of active tasks that are open, and how far sources of copies were processed.
    Result<void> ask_positions(bool& worked);
    Result<void> ask_positions(Entry& entry);
    /// Copies hear how far the tasks' input is committed, for queries.
    void tell_positions();
    Result<void> restore(bool& worked);
    /// One step of a task. Errors: of that task.
    Result<void> step(Entry& entry, bool& worked);
    /// Whether the step may be tried again. Errors: `why`, when it may not.
    Result<void> judge(Entry& entry, const Error& why);
    void pass_on(const TaskId& id);
    void fail(const Error& why);
    /// For who asks from other threads.
    void publish(bool changed);
    void tell_progress(Instant now);
    void close_all();

    Environment environment_;
    std::unique_ptr<RestoreClients> clients_;
    // Of its own thread; changed inside the gate, so that queries see it at rest.
    detail::QueryGate gate_;
    std::map<TaskId, Entry> entries_;
    bool is_connected_ = false;
    bool has_failed_ = false;
    Patience connects_;
    Instant connect_at_{};
    Instant tell_at_{};
    Instant progress_at_{};
    Instant positions_at_{};
    std::size_t told_entries_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable moved_;
    bool is_poked_ = false;
    std::vector<Command> commands_;
    std::optional<std::vector<TaskId>> asked_;  ///< By take().
    std::vector<std::unique_ptr<LiveTask>> given_;
    std::vector<std::unique_ptr<LiveTask>> restored_;
    std::optional<Error> failure_;
    std::vector<TaskMetadata> told_active_;
    std::vector<TaskMetadata> told_standby_;
    std::vector<StorePlace> told_places_;
    bool is_over_ = false;
    std::atomic<bool> has_news_ = false;
    std::atomic<bool> stopping_ = false;
    rt::NamedThread thread_;
};

}  // namespace leat::streams
