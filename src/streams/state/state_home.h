// SPDX-License-Identifier: Apache-2.0
//
// All state of one application in this process: its folder with the lock, one budget of memory, the
// id by which a process that comes back is known. Layer: streams (L6).
// Spec:  Kafka Streams' StateDirectory: kafka-streams-process-metadata, the cleaner, cleanUp().
// Threading: thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/named_thread.h"
#include "streams/state/state_directory.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

/// A task's state that is open. `state` goes before the lock does.
struct OpenState {
    TaskDirectory directory;  ///< Without a path: all is in memory.
    std::unique_ptr<TaskState> state;
};

class StateHome {
  public:
    struct Options {
        std::string state_dir{};
        std::string application_id{};
        std::string fresh_id{};   ///< The process's, unless it was here before.
        bool persistent = false;  ///< False: nothing is on disk, and no folder is made.
        bool exactly_once = false;
        bool statistics = false;  ///< As TaskState's.
        std::size_t memory_bytes = std::size_t{256} << 20U;
        std::chrono::milliseconds cleanup_delay{600'000};
        std::string rocksdb_options{};  ///< As TaskState's.
    };
    /// Errors: kDataDirInUse (another process, or another application object, has the folder),
    /// kInvalidSetting, kIoError.
    static Result<std::unique_ptr<StateHome>> open(rt::Disk& disk, const rt::Clock& clock,
                                                   Options options);
    StateHome(const StateHome&) = delete;
    StateHome& operator=(const StateHome&) = delete;
    /// As close().
    ~StateHome();

    [[nodiscard]] const std::string& process_id() const noexcept { return process_id_; }
    [[nodiscard]] StateMemory& memory() const noexcept { return *memory_; }

    /// `persistent`: some store of the task is on disk. Errors: kIoError, kNoSpace, kDataDirFormat.
    Result<OpenState> open_task(const std::string& task, bool persistent);
    /// What was not committed is gone.
    void close_task(const std::string& task, OpenState open);
    /// Changelog offsets, by store, of tasks whose state is here and that nobody has open.
    std::map<std::string, TaskState::Offsets> idle_states();

    /// From now on state that was not used for the delay is removed, until close().
    void start_cleaning();
    /// Gives the folder free for another process. No task may be open.
    void close();
    /// Removes the state of all tasks. Errors: kUsage (a task is open), those of open().
    Result<void> clean_up();

  private:
    StateHome(rt::Disk& disk, const rt::Clock& clock, Options options);
    Result<void> lock_directory();
    Result<void> know_process();
    void clean_when_due();

    rt::Disk& disk_;
    const rt::Clock& clock_;
    Options options_;
    std::string process_id_;
    std::shared_ptr<StateMemory> memory_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::unique_ptr<StateDirectory> directory_;  ///< Null: closed, or all is in memory.
    std::set<std::string> open_;
    std::map<std::string, TaskState::Offsets> idle_;  ///< As far as they were looked at.
    rt::NamedThread cleaner_;
};

}  // namespace leat::streams::detail
