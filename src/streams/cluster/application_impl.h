// SPDX-License-Identifier: Apache-2.0
//
// The parts of a running application and the state they are in together. Layer: streams (L6).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/application.h"
#include "rt/named_thread.h"
#include "streams/cluster/global_state.h"
#include "streams/cluster/global_thread.h"
#include "streams/cluster/group_gate.h"
#include "streams/cluster/layout.h"
#include "streams/cluster/membership.h"
#include "streams/cluster/stream_thread.h"
#include "streams/cluster/task_board.h"
#include "streams/settings.h"
#include "streams/state/state_home.h"

namespace leat::streams {

/// Threading: thread-safe.
class Application::Impl {
  public:
    Impl(const Topology& topology, Options options, Settings settings,
         std::unique_ptr<detail::StateHome> states);
    ~Impl();

    Result<void> start();
    [[nodiscard]] ApplicationState state() const;
    bool wait_for(ApplicationState state, Duration at_most);
    Result<void> close(Duration at_most, std::optional<bool> leave_group);
    void pause(bool paused) { paused_ = paused; }
    [[nodiscard]] bool is_paused() const { return paused_; }
    Result<void> clean_up();
    [[nodiscard]] std::vector<MetricValue> metrics() const;
    [[nodiscard]] Result<std::vector<detail::RawAnswer>> ask(std::string_view store,
                                                             const detail::RawQuery& query,
                                                             const QueryOptions& options) const;
    Result<int> add_thread();
    Result<int> remove_thread(Duration at_most);
    [[nodiscard]] std::vector<ThreadMetadata> thread_metadata() const;
    [[nodiscard]] std::vector<StreamsMetadata> all_metadata() const;
    [[nodiscard]] Result<KeyQueryMetadata> query_metadata(std::string_view store,
                                                          std::string_view key) const;
    [[nodiscard]] Result<std::vector<KeyQueryMetadata>> query_metadata(
        std::string_view store) const;
    [[nodiscard]] const EndpointSettings& endpoint_settings() const { return settings_.endpoint; }
    using Lags = std::map<std::string, std::map<std::int32_t, LagInfo>>;
    [[nodiscard]] Result<Lags> lags() const;
    /// What ended it; null when nothing did.
    [[nodiscard]] std::optional<Error> failure() const;

  private:
    /// The number of the sub-topology that has the store. Errors: kNotFound.
    [[nodiscard]] Result<std::size_t> subtopology_of(std::string_view store) const;
    /// Under the lock; tell() follows once it is released.
    void set_state(ApplicationState next);
    /// Delivers changes of state in their order, without the lock. Whoever is at it takes along
    /// what others add meanwhile.
    void tell();
    [[nodiscard]] bool is_told() const { return news_.empty() && !telling_; }
    /// Running or not, by what threads and membership do.
    void look();
    void end_thread(int index, const Error* why);
    /// Of the group or of global stores. True: it is tried again.
    bool fail(const Error& why, bool can_go_on);
    /// The user's word; and the error, with what the user's function threw.
    [[nodiscard]] std::pair<UncaughtResponse, Error> ask_uncaught(const Error& why) const;
    /// Ends threads, then the membership; on the closing thread.
    void shut_down();
    void begin_shutdown(ApplicationState pending, std::optional<bool> leave_group = std::nullopt);
    void start_thread_locked(int index);
    void start_another_locked(int index);  ///< While the application runs.
    /// Threads and membership, when global stores are there. Under the lock.
    void begin_work_locked();
    /// Under the lock; whenever there are more threads, or fewer.
    void share_cache();
    /// From `index` on. Under the lock.
    [[nodiscard]] int free_index(int index) const;
    void replace_thread(std::unique_lock<std::mutex>& lock, int index);

    Topology topology_;
    Options options_;
    Settings settings_;
    ErrorHandlers handlers_;
    GlobalState globals_;  ///< Outlives the threads that read it.
    MetricRoom room_;
    Layout layout_;
    std::unique_ptr<detail::StateHome> states_;
    TaskBoard board_;
    GroupGate gate_;
    ThreadWatch watch_;
    detail::QueryDesk desk_;
    std::atomic<bool> paused_ = false;
    std::atomic<std::size_t> cache_bytes_ = 0;  ///< Of each thread.
    ThreadEnvironment environment_;
    std::unique_ptr<Membership> membership_;
    std::unique_ptr<GlobalThread> global_thread_;  ///< Absent: no global stores.

    MetricSet metrics_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    /// Written under the lock.
    std::atomic<ApplicationState> state_ = ApplicationState::kCreated;
    bool joining_ = true;  ///< The group has not given its word yet.
    bool closing_ = false;
    bool works_ = false;  ///< Threads were started.
    bool rests_ = false;  ///< All of them were removed.
    bool leaves_;
    std::deque<std::pair<ApplicationState, ApplicationState>> news_;  ///< Now, before.
    bool telling_ = false;
    std::optional<std::pair<Errc, std::string>> failure_;
    std::map<int, std::unique_ptr<StreamThread>> threads_;
    std::vector<std::unique_ptr<StreamThread>> ended_;  ///< The last ones; the next to end joins.
    std::size_t alive_ = 0;
    rt::NamedThread member_thread_;
    rt::NamedThread closer_;
};

}  // namespace leat::streams
