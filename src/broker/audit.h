// SPDX-License-Identifier: Apache-2.0
//
// The audit log: who, from where, what, on which resource, and the verdict. Layer: broker (L6).
// Spec:  docs/reference/audit.md. Never what was sent, never a secret.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/acl.h"
#include "base/result.h"
#include "config/broker_config.h"
#include "rt/disk.h"
#include "rt/executor.h"

namespace leat::broker {

/// Views live as long as the call.
struct AuditEvent {
    std::string_view principal = {};  ///< "User:alice".
    std::string_view mechanism = {};  ///< How that was proved; "" when it was not.
    std::string_view host = {};
    std::string_view client_id = {};
    std::string_view what = {};       ///< An API, or "Authenticate", "Connect".
    std::string_view operation = {};  ///< "WRITE"; "" where there is none.
    std::string_view resource = {};   ///< "TOPIC"; "" where there is none.
    std::string_view name = {};
    std::string_view detail = {};  ///< Why, for what has no operation.
    bool is_allowed = false;
};

/// Writes one JSON object a line to a file of its own, or to the process's log when no file is set.
/// Denials of one kind beyond a number a second are counted in the next line of that kind; those of
/// all kinds beyond another number in a line of their own. A file that is full is put aside under
/// its name and a number, and so many of them are kept.
///
/// Threading: thread-safe. Files are written by one pool job at a time, never on a shard.
/// Memory:    lines that wait are bounded; what does not fit is counted and told.
/// Failure:   a file that cannot be written is reported once; the events go to the process's log.
class AuditLog {
  public:
    /// Errors: those of opening the file.
    static Result<std::unique_ptr<AuditLog>> open(const config::BrokerConfig& config,
                                                  rt::Disk& disk, rt::BlockingPool& pool);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    /// Whether what was allowed is to be recorded. Denials always are.
    [[nodiscard]] bool wants_allowed(auth::Operation operation) const noexcept;
    /// The same of those who proved who they are.
    [[nodiscard]] bool wants_logins() const noexcept { return scope_ != config::AuditScope::kNone; }

    /// `shard` is the caller's.
    void record(rt::Executor& shard, const AuditEvent& event);

  private:
    AuditLog(const config::BrokerConfig& config, rt::Disk& disk, rt::BlockingPool& pool);
    /// False when the event is only counted.
    bool may_write(const AuditEvent& event, WallMs now, std::uint64_t& suppressed);
    void begin_second(std::int64_t second);
    /// About the log itself. Precondition: the lock is held.
    void tell(const std::string& what, WallMs now);
    void write_some(rt::Executor& shard);
    Result<void> append(const std::string& text);
    Result<void> rotate();
    [[nodiscard]] std::string aside(std::int32_t number) const;

    const config::AuditScope scope_;
    const std::uint32_t denials_per_second_;
    const std::uint32_t denials_total_per_second_;
    const std::string path_;
    const std::int64_t file_bytes_max_;
    const std::int32_t files_max_;
    rt::Disk& disk_;
    rt::BlockingPool& pool_;
    std::shared_ptr<rt::File> file_;  ///< The writing job's. Null: the process's log.
    FilePos end_{};                   ///< The writing job's.
    std::mutex mutex_;                ///< Locks: what follows. Held to add a line, not to write it.
    std::string waiting_;
    std::uint64_t lost_ = 0;
    bool is_writing_ = false;
    bool has_failed_ = false;
    struct Count {
        std::uint32_t written = 0;
        std::uint64_t suppressed = 0;
    };
    std::map<std::string, Count, std::less<>> denials_;  ///< Of this second.
    std::map<std::string, std::uint64_t, std::less<>> suppressed_before_;
    std::uint32_t written_ = 0;    ///< Denials of this second.
    std::uint64_t uncounted_ = 0;  ///< Denials beyond the total of a second that is over or this.
    std::int64_t second_ = 0;
};

}  // namespace leat::broker
