// SPDX-License-Identifier: Apache-2.0
#include "streams/state/state_home.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "obs/log.h"

namespace leat::streams::detail {

namespace {

constexpr obs::Logger kLog{"streams"};
constexpr std::string_view kProcessFile = "/kafka-streams-process-metadata";
constexpr std::int64_t kProcessFileBytesMax = 4096;
constexpr std::size_t kUuidLength = 36;
/// Between two looks, however short the delay is.
constexpr std::chrono::milliseconds kCleanIntervalMin{1'000};

/// The id in {"processId":"..."}; empty when there is none.
std::string id_in(std::string_view text) {
    const auto name = text.find("\"processId\"");
    if (name == std::string_view::npos) return {};
    const auto colon = text.find(':', name);
    const auto open = colon == std::string_view::npos ? colon : text.find('"', colon);
    if (open == std::string_view::npos) return {};
    const std::string_view id = text.substr(open + 1, kUuidLength);
    const bool is_id = id.size() == kUuidLength &&
                       id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos &&
                       text.substr(open + 1 + kUuidLength).starts_with('"');
    return is_id ? std::string{id} : std::string{};
}

}  // namespace

StateHome::StateHome(rt::Disk& disk, const rt::Clock& clock, Options options)
    : disk_(disk),
      clock_(clock),
      options_(std::move(options)),
      process_id_(options_.fresh_id),
      memory_(std::make_shared<StateMemory>(options_.memory_bytes)) {}

StateHome::~StateHome() {
    close();
}

Result<std::unique_ptr<StateHome>> StateHome::open(rt::Disk& disk, const rt::Clock& clock,
                                                   Options options) {
    std::unique_ptr<StateHome> home{
        new StateHome{disk, clock, std::move(options)}};  // tidy: private
    if (!home->options_.persistent) return home;
    LEAT_TRY_VOID(home->lock_directory());
    LEAT_TRY_VOID(home->know_process());
    return home;
}

Result<void> StateHome::lock_directory() {
    auto opened = StateDirectory::open(disk_, options_.state_dir, options_.application_id);
    if (opened) {
        directory_ = *std::move(opened);
        return {};
    }
    const Error& why = opened.error();
    if (why.code() != Errc::kDataDirInUse)
        return Error{why.code(),
                     "state.dir " + options_.state_dir + ": " + std::string{why.detail()}};
    return Error{why.code(), "state.dir " + options_.state_dir + ": application '" +
                                 options_.application_id +
                                 "' runs with it already; give each instance on a machine a "
                                 "state.dir of its own"};
}

Result<void> StateHome::know_process() {
    const std::string path = directory_->path() + std::string{kProcessFile};
    auto bytes = rt::read_file(disk_, path, kProcessFileBytesMax);
    if (!bytes && bytes.error().code() != Errc::kNotFound) return std::move(bytes).error();
    if (bytes) {
        std::string text;
        for (const std::byte c : *bytes) text.push_back(static_cast<char>(c));
        if (std::string id = id_in(text); !id.empty()) {
            process_id_ = std::move(id);
            return {};
        }
        kLog.warn("process id not readable: a new one is made", {{"file", path}});
    }
    const std::string text = "{\"processId\":\"" + process_id_ + "\"}";
    return rt::replace_file(disk_, path, std::as_bytes(std::span{text}));
}

Result<OpenState> StateHome::open_task(const std::string& task, bool persistent) {
    const std::lock_guard lock{mutex_};
    OpenState out;
    if (persistent) {
        if (!directory_) return Error{Errc::kUsage, "the state is closed"};
        LEAT_TRY(out.directory, directory_->task(task, clock_.wall_now().value));
    }
    LEAT_TRY(out.state, TaskState::open({.directory = out.directory.path,
                                         .memory = memory_,
                                         .exactly_once = options_.exactly_once,
                                         .statistics = options_.statistics,
                                         .rocksdb_options = options_.rocksdb_options}));
    if (!out.state->damage().empty())
        kLog.error("state was damaged and is restored whole",
                   {{"task", task}, {"why", out.state->damage()}});
    open_.insert(task);
    idle_.erase(task);
    return out;
}

void StateHome::close_task(const std::string& task, OpenState open) {
    if (!open.state) return;
    const bool persistent = !open.directory.path.empty();
    TaskState::Offsets offsets = open.state->changelog_offsets();
    open.state.reset();
    const std::lock_guard lock{mutex_};
    // Under the lock, so that the cleaner never sees a folder that is free and looks unused.
    if (persistent && directory_)
        ignore(directory_->note_use(open.directory, clock_.wall_now().value),
               "it is only removed sooner");
    open.directory.lock.reset();
    open_.erase(task);
    if (persistent) idle_.insert_or_assign(task, std::move(offsets));
}

std::map<std::string, TaskState::Offsets> StateHome::idle_states() {
    const std::lock_guard lock{mutex_};
    if (!directory_) return {};
    auto tasks = directory_->tasks();
    if (!tasks) {
        kLog.warn("state folders not listed", {{"why", tasks.error().detail()}});
        return {};
    }
    for (const std::string& task : *tasks) {
        if (open_.contains(task) || idle_.contains(task)) continue;
        auto offsets = TaskState::peek(directory_->path() + "/" + task);
        if (offsets) {
            idle_.emplace(task, *std::move(offsets));
        } else {
            idle_.emplace(task, TaskState::Offsets{});
            kLog.warn("state not looked at", {{"task", task}, {"why", offsets.error().detail()}});
        }
    }
    std::map<std::string, TaskState::Offsets> out;
    for (const auto& [task, offsets] : idle_)
        if (!offsets.empty()) out.emplace(task, offsets);
    return out;
}

void StateHome::start_cleaning() {
    if (!options_.persistent) return;
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    cleaner_ = rt::NamedThread{"stream-cleaner", [this] { clean_when_due(); }};
}

void StateHome::clean_when_due() {
    const auto interval = std::max(options_.cleanup_delay, kCleanIntervalMin);
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, interval, [&] { return stopping_; })) {
        auto gone = directory_->clean(clock_.wall_now().value, options_.cleanup_delay.count());
        if (!gone) {
            kLog.warn("old state not removed", {{"why", gone.error().detail()}});
            continue;
        }
        for (const std::string& task : *gone) {
            idle_.erase(task);
            kLog.info("old state removed", {{"task", task}});
        }
    }
}

void StateHome::close() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        changed_.notify_all();
    }
    cleaner_ = {};
    const std::lock_guard lock{mutex_};
    directory_.reset();
}

Result<void> StateHome::clean_up() {
    if (!options_.persistent) return {};
    const std::lock_guard lock{mutex_};
    if (!open_.empty()) return Error{Errc::kUsage, "the application runs"};
    const bool was_open = directory_ != nullptr;
    if (!was_open) LEAT_TRY_VOID(lock_directory());
    constexpr std::int64_t kAll = -(std::int64_t{1} << 60U);  // Also what was used in the future.
    auto gone = directory_->clean(clock_.wall_now().value, kAll);
    idle_.clear();
    if (!was_open) directory_.reset();
    if (!gone) return std::move(gone).error();
    return {};
}

}  // namespace leat::streams::detail
