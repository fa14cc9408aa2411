// SPDX-License-Identifier: Apache-2.0
//
// Where an application keeps the state of its tasks: <state.dir>/<application.id>/<task>/.
// Layer: streams (L6).
// Spec:  the layout and the cleaner of Kafka Streams' StateDirectory; what is inside a task's
// folder is our own.
// Threading: thread-safe, but for what clean() removes: a task's folder is locked by its owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"

namespace leat::streams::detail {

/// A task's folder, locked until the handle goes.
struct TaskDirectory {
    std::string path;
    std::shared_ptr<void> lock;
};

class StateDirectory {
  public:
    /// Makes the folders and locks the application's: two processes do not share one. Errors:
    /// kDataDirInUse, kInvalidSetting (an application id that cannot name a folder), kIoError.
    static Result<std::unique_ptr<StateDirectory>> open(rt::Disk& disk,
                                                        const std::string& state_dir,
                                                        std::string_view application_id);
    StateDirectory(const StateDirectory&) = delete;
    StateDirectory& operator=(const StateDirectory&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// The folder of a task ("0_3", "global"), made when missing. `now_ms` is noted as the time of
    /// its last use. Errors: kDataDirInUse (another thread or process has the task).
    Result<TaskDirectory> task(std::string_view task, std::int64_t now_ms);
    /// Notes the time of its last use. Errors: kIoError.
    Result<void> note_use(const TaskDirectory& task, std::int64_t now_ms) {
        return note_use(task.path, now_ms);
    }
    /// Tasks that have a folder, in the order of their names.
    Result<std::vector<std::string>> tasks() const;
    /// Removes the folders of tasks that nobody has locked and that were not used for `delay_ms`;
    /// notes `now_ms` for those in use. Returns the tasks whose state is gone.
    Result<std::vector<std::string>> clean(std::int64_t now_ms, std::int64_t delay_ms);

  private:
    StateDirectory(rt::Disk& disk, std::string path, std::shared_ptr<void> lock);
    Result<void> note_use(const std::string& task_path, std::int64_t now_ms);
    Result<std::int64_t> last_use(const std::string& task_path);

    rt::Disk& disk_;
    std::string path_;
    std::shared_ptr<void> lock_;
};

/// Removes a folder and all below it.
Result<void> remove_tree(rt::Disk& disk, const std::string& path);

}  // namespace leat::streams::detail
