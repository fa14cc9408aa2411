// SPDX-License-Identifier: Apache-2.0
#include "rt/fault_disk.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace leat::rt {
namespace {

constexpr std::array<std::pair<std::string_view, FaultAction>, 11> kActions{{
    {"kill-before", FaultAction::kKillBefore},
    {"kill-after", FaultAction::kKillAfter},
    {"io-error", FaultAction::kIoError},
    {"io-errors", FaultAction::kIoErrors},
    {"no-space", FaultAction::kNoSpace},
    {"no-spaces", FaultAction::kNoSpaces},
    {"no-file", FaultAction::kNoFile},
    {"no-files", FaultAction::kNoFiles},
    {"skip", FaultAction::kSkip},
    {"delay", FaultAction::kDelay},
    {"trace", FaultAction::kTrace},
}};
constexpr std::array<std::string_view, 14> kCalls{"open",
                                                  "create",
                                                  "read",
                                                  "write",
                                                  "sync",
                                                  "truncate",
                                                  "rename",
                                                  "remove",
                                                  "any",
                                                  "make-directory",
                                                  "remove-directory",
                                                  "list",
                                                  "sync-directory",
                                                  "sync-file-system"};

[[noreturn]] void end_process() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

/// Straight to the descriptor: the process may end right after.
void tell(std::string_view what, std::string_view kind, const std::string& path) {
    std::string line = "fault-disk: ";
    line.append(what).append(" ").append(kind).append(" ").append(path).append("\n");
    // A message of a test: when it cannot be written, the test finds that nothing struck.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

/// Paths that differ in numbers only are of one kind.
std::string without_numbers(std::string_view kind, const std::string& path) {
    std::string out{kind};
    out += ' ';
    for (const char c : path) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit)
            out += c;
        else if (out.back() != '#')
            out += '#';
    }
    return out;
}

Result<FaultPoint> parse_one(std::string_view text) {
    std::array<std::string_view, 4> parts;
    std::string_view rest = text;
    for (std::size_t i = 0; i < 3; ++i) {
        const std::size_t colon = rest.find(':');
        if (colon == std::string_view::npos)
            return Error{Errc::kInvalidSetting,
                         "'" + std::string{text} + "' is no ACTION:CALL:PATTERN:N"};
        parts[i] = rest.substr(0, colon);
        rest.remove_prefix(colon + 1);
    }
    parts[3] = rest;
    FaultPoint out{.call = std::string{parts[1]}, .pattern = std::string{parts[2]}};
    const auto* action =
        std::ranges::find(kActions, parts[0], &std::pair<std::string_view, FaultAction>::first);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out.nth);
    if (action == kActions.end() || std::ranges::find(kCalls, parts[1]) == kCalls.end() ||
        error != std::errc{} || end != rest.data() + rest.size() || out.nth == 0)
        return Error{Errc::kInvalidSetting,
                     "'" + std::string{text} + "' is no ACTION:CALL:PATTERN:N"};
    out.action = action->second;
    return out;
}

}  // namespace

Result<std::vector<FaultPoint>> parse_fault_points(std::string_view text) {
    std::vector<FaultPoint> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        LEAT_TRY(FaultPoint point, parse_one(text.substr(0, comma)));
        out.push_back(std::move(point));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

/// Counts the calls and decides. Threading: thread-safe.
class FaultDisk::Trigger {
  public:
    explicit Trigger(std::vector<FaultPoint> points)
        : points_(std::move(points)), counts_(points_.size()) {}

    /// Runs `call` unless a point says otherwise.
    template <class Call>
    auto run(std::string_view kind, const std::string& path, Call call) -> decltype(call()) {
        bool kill_after = false;
        for (std::size_t i = 0; i < points_.size(); ++i) {
            const FaultPoint& point = points_[i];
            if ((point.call != "any" && point.call != kind) || !path.contains(point.pattern))
                continue;
            const std::uint64_t count = counts_[i].fetch_add(1) + 1;
            if (count < point.nth) continue;
            if (point.action == FaultAction::kTrace) {
                trace(kind, path);
                continue;
            }
            if (count == point.nth && point.action != FaultAction::kDelay)
                tell("struck", kind, path);
            // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the error is in `failed`.
            if (auto failed = fault<decltype(call())>(point, count, kind, path))
                return std::move(*failed);
            kill_after |= point.action == FaultAction::kKillAfter && count == point.nth;
        }
        auto result = call();
        if (kill_after) end_process();
        return result;
    }

  private:
    void trace(std::string_view kind, const std::string& path) {
        const std::scoped_lock lock{mutex_};
        if (met_.insert(without_numbers(kind, path)).second) tell("met", kind, path);
    }

    template <class R>
    static std::optional<R> fault(const FaultPoint& point, std::uint64_t count,
                                  std::string_view kind, const std::string& path) {
        const bool now = count == point.nth;
        const auto error = [&](Errc code) {
            return R{Error{code, std::string{kind} + " " + path + ": injected"}};
        };
        switch (point.action) {
            case FaultAction::kKillBefore:
                if (now) end_process();
                return std::nullopt;
            case FaultAction::kKillAfter:
            case FaultAction::kTrace:
                return std::nullopt;
            case FaultAction::kIoError:
                return now ? std::optional<R>{error(Errc::kIoError)} : std::nullopt;
            case FaultAction::kIoErrors:
                return error(Errc::kIoError);
            case FaultAction::kNoSpace:
                return now ? std::optional<R>{error(Errc::kNoSpace)} : std::nullopt;
            case FaultAction::kNoSpaces:
                return error(Errc::kNoSpace);
            case FaultAction::kNoFile:
                return now ? std::optional<R>{error(Errc::kTooManyOpenFiles)} : std::nullopt;
            case FaultAction::kNoFiles:
                return error(Errc::kTooManyOpenFiles);
            case FaultAction::kDelay:
                std::this_thread::sleep_for(kFaultDelay);
                return std::nullopt;
            case FaultAction::kSkip:
                if constexpr (std::is_same_v<R, Result<void>>) return R{};
                return std::nullopt;
        }
        return std::nullopt;
    }

    std::vector<FaultPoint> points_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::mutex mutex_;
    std::set<std::string> met_;  ///< Of traces.
};

namespace {

/// Threading: as File.
class FaultFile final : public File {
  public:
    FaultFile(std::shared_ptr<File> under, std::string path,
              std::shared_ptr<FaultDisk::Trigger> trigger)
        : under_(std::move(under)), path_(std::move(path)), trigger_(std::move(trigger)) {}

    Result<std::size_t> read_at(FilePos at, MutableBytes to) override {
        return trigger_->run("read", path_, [&] { return under_->read_at(at, to); });
    }
    [[nodiscard]] bool is_cached(FilePos at, std::size_t bytes) const override {
        return under_->is_cached(at, bytes);
    }
    Result<void> write_at(FilePos at, std::span<const Bytes> parts) override {
        return trigger_->run("write", path_, [&] { return under_->write_at(at, parts); });
    }
    Result<void> sync() override {
        return trigger_->run("sync", path_, [&] { return under_->sync(); });
    }
    Result<void> truncate(FilePos size) override {
        return trigger_->run("truncate", path_, [&] { return under_->truncate(size); });
    }
    Result<std::int64_t> size() override { return under_->size(); }
    [[nodiscard]] int descriptor() const override { return under_->descriptor(); }

  private:
    std::shared_ptr<File> under_;
    std::string path_;
    std::shared_ptr<FaultDisk::Trigger> trigger_;
};

}  // namespace

FaultDisk::FaultDisk(Disk& under, std::vector<FaultPoint> points)
    : under_(under), trigger_(std::make_shared<Trigger>(std::move(points))) {}

FaultDisk::~FaultDisk() = default;

Result<std::shared_ptr<File>> FaultDisk::open(const std::string& path, OpenMode mode) {
    const bool makes = mode == OpenMode::kCreate || mode == OpenMode::kCreateNew;
    LEAT_TRY(std::shared_ptr<File> file, trigger_->run(makes ? "create" : "open", path,
                                                       [&] { return under_.open(path, mode); }));
    return std::shared_ptr<File>{std::make_shared<FaultFile>(std::move(file), path, trigger_)};
}

Result<void> FaultDisk::rename(const std::string& from, const std::string& to) {
    return trigger_->run("rename", from + " " + to, [&] { return under_.rename(from, to); });
}

Result<void> FaultDisk::remove_file(const std::string& path) {
    return trigger_->run("remove", path, [&] { return under_.remove_file(path); });
}

Result<void> FaultDisk::remove_directory(const std::string& path) {
    return trigger_->run("remove-directory", path, [&] { return under_.remove_directory(path); });
}

Result<void> FaultDisk::make_directory(const std::string& path) {
    return trigger_->run("make-directory", path, [&] { return under_.make_directory(path); });
}

Result<std::vector<DirEntry>> FaultDisk::list(const std::string& path) {
    return trigger_->run("list", path, [&] { return under_.list(path); });
}

Result<bool> FaultDisk::exists(const std::string& path) {
    return under_.exists(path);
}

Result<void> FaultDisk::sync_directory(const std::string& path) {
    return trigger_->run("sync-directory", path, [&] { return under_.sync_directory(path); });
}

Result<void> FaultDisk::sync_file_system(const std::string& path) {
    return trigger_->run("sync-file-system", path, [&] { return under_.sync_file_system(path); });
}

Result<DiskSpace> FaultDisk::space(const std::string& path) {
    return under_.space(path);
}

Result<std::shared_ptr<void>> FaultDisk::lock_file(const std::string& path) {
    return under_.lock_file(path);
}

}  // namespace leat::rt
