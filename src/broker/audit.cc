// SPDX-License-Identifier: Apache-2.0
#include "broker/audit.h"

#include <algorithm>
#include <array>
#include <utility>

#include "obs/log.h"
#include "obs/log_line.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"audit"};
constexpr std::size_t kWaitingBytesMax = std::size_t{4} * 1024 * 1024;

std::string_view verdict_of(const AuditEvent& event) {
    return event.is_allowed ? "allowed" : "denied";
}

std::string line_of(const AuditEvent& event, WallMs now, std::uint64_t suppressed) {
    std::string out = "{\"time_ms\":" + std::to_string(now.value) + ",";
    obs::append_json(out, "audit", verdict_of(event),
                     {{"principal", event.principal},
                      {"mechanism", event.mechanism},
                      {"host", event.host},
                      {"client_id", event.client_id},
                      {"what", event.what},
                      {"operation", event.operation},
                      {"resource", event.resource},
                      {"name", event.name},
                      {"detail", event.detail}},
                     suppressed);
    return out + "}\n";
}

/// Lines that did not come to the file: as many as the log takes at once, and the number of others.
void tell_lines(std::string_view text, std::uint64_t lost) {
    constexpr std::uint64_t kTold = 2'000;
    std::uint64_t count = 0;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (++count <= kTold)
            kLog.log_each(obs::Level::kInfo, "not in the file", {{"line", text.substr(0, end)}});
        else
            ++lost;
        text.remove_prefix(end + 1);
    }
    if (lost > 0) kLog.error("audit events lost", {{"events", lost}});
}

std::string kind_of(const AuditEvent& event) {
    std::string out;
    for (const std::string_view part :
         {event.principal, event.host, event.what, event.operation, event.resource, event.name})
        out.append(part).push_back('\0');
    return out;
}

}  // namespace

AuditLog::AuditLog(const config::BrokerConfig& config, rt::Disk& disk, rt::BlockingPool& pool)
    : scope_(config.audit_allowed),
      denials_per_second_(static_cast<std::uint32_t>(config.audit_denials_per_second)),
      denials_total_per_second_(static_cast<std::uint32_t>(config.audit_denials_total_per_second)),
      path_(config.audit_path),
      file_bytes_max_(config.audit_file_bytes_max),
      files_max_(config.audit_files_max),
      disk_(disk),
      pool_(pool) {}

Result<std::unique_ptr<AuditLog>> AuditLog::open(const config::BrokerConfig& config, rt::Disk& disk,
                                                 rt::BlockingPool& pool) {
    std::unique_ptr<AuditLog> log{new AuditLog{config, disk, pool}};
    if (config.audit_path.empty()) return log;
    LEAT_TRY(log->file_, disk.open(config.audit_path, rt::OpenMode::kCreate));
    LEAT_TRY(const std::int64_t size, log->file_->size());
    log->end_ = FilePos{size};
    return log;
}

/// After the pool has ended: what still waits is written here.
AuditLog::~AuditLog() {
    if (file_ && !waiting_.empty()) ignore(append(waiting_), "there is nobody left to tell");
}

bool AuditLog::wants_allowed(auth::Operation operation) const noexcept {
    using enum auth::Operation;
    if (scope_ == config::AuditScope::kAll) return true;
    if (scope_ == config::AuditScope::kNone) return false;
    constexpr std::array kChanges{kCreate,        kDelete,       kAlter,
                                  kClusterAction, kAlterConfigs, kCreateTokens};
    return std::ranges::find(kChanges, operation) != kChanges.end();
}

void AuditLog::begin_second(std::int64_t second) {
    suppressed_before_.clear();
    for (const auto& [kind, count] : denials_)
        if (count.suppressed > 0) suppressed_before_.emplace(kind, count.suppressed);
    denials_.clear();
    written_ = 0;
    second_ = second;
}

bool AuditLog::may_write(const AuditEvent& event, WallMs now, std::uint64_t& suppressed) {
    if (event.is_allowed) return true;
    if (const std::int64_t second = now.value / 1'000; second != second_) begin_second(second);
    const std::string kind = kind_of(event);
    const auto known = denials_.find(kind);
    if (known != denials_.end() && known->second.written >= denials_per_second_) {
        ++known->second.suppressed;
        return false;
    }
    // Kinds are made by peers, who can make up as many names as they like.
    if (written_ >= denials_total_per_second_) {
        ++uncounted_;
        return false;
    }
    ++written_;
    ++denials_[kind].written;
    if (const auto before = suppressed_before_.find(kind); before != suppressed_before_.end()) {
        suppressed = before->second;
        suppressed_before_.erase(before);
    }
    return true;
}

void AuditLog::tell(const std::string& what, WallMs now) {
    if (!path_.empty() && !has_failed_)
        waiting_ += line_of({.what = "Audit", .detail = what}, now, 0);
    else
        kLog.warn("denied", {{"what", "Audit"}, {"detail", what}});
}

void AuditLog::record(rt::Executor& shard, const AuditEvent& event) {
    const WallMs now = shard.wall_now();
    const std::lock_guard lock{mutex_};
    std::uint64_t suppressed = 0;
    if (!may_write(event, now, suppressed)) return;
    const bool is_told = uncounted_ > 0 && written_ <= 1;  // The first of another second.
    if (is_told) tell("denials not written: " + std::to_string(std::exchange(uncounted_, 0)), now);
    if (path_.empty() || has_failed_) {
        // Denials are bounded here: the log's own limit would count all of them as one. What is
        // allowed has that limit.
        const obs::Fields fields{{"principal", event.principal}, {"mechanism", event.mechanism},
                                 {"host", event.host},           {"client_id", event.client_id},
                                 {"what", event.what},           {"operation", event.operation},
                                 {"resource", event.resource},   {"name", event.name},
                                 {"detail", event.detail},       {"suppressed", suppressed}};
        if (event.is_allowed)
            kLog.info(verdict_of(event), fields);
        else
            kLog.log_each(obs::Level::kInfo, verdict_of(event), fields);
        return;
    }
    if (waiting_.size() >= kWaitingBytesMax) {
        ++lost_;
        return;
    }
    if (lost_ > 0) {
        tell("events lost: " + std::to_string(std::exchange(lost_, 0)), now);
    }
    waiting_ += line_of(event, now, suppressed);
    if (!std::exchange(is_writing_, true)) write_some(shard);
}

/// One job writes all that waits; what comes meanwhile is the next one's. Precondition: the lock is
/// held.
void AuditLog::write_some(rt::Executor& shard) {
    auto text = std::make_shared<std::string>(std::exchange(waiting_, {}));
    pool_.submit(
        shard,
        [this, text] {
            Result<void> done = append(*text);
            if (done.has_value()) return;
            kLog.error("the audit log cannot be written; events go to this log",
                       {{"error", done.error().code()}, {"detail", done.error().detail()}});
            std::uint64_t lost = 0;
            {
                const std::lock_guard lock{mutex_};
                has_failed_ = true;
                *text += std::exchange(waiting_, {});
                lost = std::exchange(lost_, 0);
            }
            tell_lines(*text, lost);
        },
        [this, &shard] {
            const std::lock_guard lock{mutex_};
            is_writing_ = !waiting_.empty() && !has_failed_;
            if (is_writing_) write_some(shard);
        });
}

std::string AuditLog::aside(std::int32_t number) const {
    return path_ + "." + std::to_string(number);
}

/// The file becomes number 1, number 1 becomes 2, and the last one goes.
Result<void> AuditLog::rotate() {
    for (std::int32_t number = files_max_ - 1; number > 0; --number) {
        const std::string from = number == 1 ? path_ : aside(number - 1);
        Result<void> done = disk_.rename(from, aside(number));
        if (!done.has_value() && done.error().code() != Errc::kNotFound) return done;
    }
    if (files_max_ == 1) LEAT_TRY_VOID(disk_.remove_file(path_));
    LEAT_TRY(file_, disk_.open(path_, rt::OpenMode::kCreate));
    end_ = {};
    return {};
}

Result<void> AuditLog::append(const std::string& text) {
    const auto size = static_cast<std::int64_t>(text.size());
    if (end_.value > 0 && end_.value + size > file_bytes_max_) LEAT_TRY_VOID(rotate());
    const Bytes bytes = std::as_bytes(std::span{text});
    LEAT_TRY_VOID(file_->write_at(end_, {&bytes, 1}));
    end_ = FilePos{end_.value + size};
    return {};
}

}  // namespace leat::broker
