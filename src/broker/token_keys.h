// SPDX-License-Identifier: Apache-2.0
//
// The keys that check the tokens of one listener: read from a file or fetched, and read again.
// Layer: broker (L6).
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt.h"
#include "base/result.h"
#include "config/security.h"
#include "rt/executor.h"
#include "rt/named_thread.h"
#include "rt/task.h"

namespace leat::broker {

/// Keys are read on a thread of its own, one fetch at a time: whoever answers slowly holds up the
/// logins that need what he has, and nothing else.
///
/// Threading: thread-safe.
/// Limits:    after a fetch, whoever asked for it, the next waits as
///            sasl.oauthbearer.jwks.endpoint.retry.backoff.ms says, counted from its end. The wait
///            doubles with each fetch that brought nobody the key he needs, up to
///            ...retry.backoff.max.ms: anybody can make a token with an unknown key.
class TokenKeys {
  public:
    using Clock = std::function<Instant()>;
    using Reader = std::function<Result<std::string>()>;

    /// Runs on: a thread that may block.
    /// Errors: kInvalidSetting: a URL of another kind than file:, https: or, on this machine,
    ///         http:; a file that cannot be read, of keys or of who vouches for the server. A
    ///         server that does not answer is asked again later.
    static Result<std::shared_ptr<TokenKeys>> open(const config::OAuthSettings& settings);
    /// With another way to read, for tests. Reads nothing yet.
    TokenKeys(const config::OAuthSettings& settings, Reader reader, Clock clock);
    /// Ends a fetch, and waits for that.
    ~TokenKeys();
    TokenKeys(const TokenKeys&) = delete;
    TokenKeys& operator=(const TokenKeys&) = delete;

    /// Has the keys read that `token` needs, if they are not here and may be asked for now; waits
    /// for a fetch that runs. Keys that are only old are read without waiting. Begins and ends on
    /// `here`; `token` outlives it.
    rt::Task<void> prepare(std::string_view token, rt::Executor* here);

    /// By the keys that are here. Does not block.
    /// Errors: those of auth::verify_jwt(); kIoError: there are no keys.
    Result<auth::Identity> verify(std::string_view token, WallMs now) const;

    /// Whom a token that was refused says it stands for; not to be believed. Does not block.
    [[nodiscard]] std::string claimed(std::string_view token) const {
        return auth::claimed_subject(token, rules_);
    }

    /// No more fetches; one that runs ends soon. For the end of the process.
    void stop() noexcept { is_stopping_ = true; }

  private:
    using Keys = std::shared_ptr<const auth::JwkSet>;
    struct Waiter {
        rt::Executor* home;
        std::coroutine_handle<> handle;
        std::string_view token;  ///< Lives until `handle` is resumed.
    };
    /// Begins a fetch, or joins one, as far as that may be; false: nothing to wait for.
    bool begin_fetch(const Waiter* waiter);
    /// Runs on: the thread of the fetch.
    void fetch();
    [[nodiscard]] Result<void> read_now();
    [[nodiscard]] Keys known(bool& is_old) const;
    /// Whether somebody who waits for the fetch that has just ended has his key now.
    [[nodiscard]] bool was_of_use() const;
    /// Locks: mutex_ is held.
    [[nodiscard]] std::chrono::milliseconds pause() const;

    const config::OAuthSettings settings_;
    const auth::JwtRules rules_;
    Reader reader_;
    const Clock clock_;
    std::atomic<bool> is_stopping_{false};
    mutable std::mutex mutex_;  ///< Locks: what follows. Never held while keys are read.
    Keys keys_;
    Instant read_at_{};
    Instant tried_at_{};
    bool was_tried_ = false;
    std::int32_t useless_ = 0;  ///< Fetches since the last that was of use.
    bool is_fetching_ = false;
    std::vector<Waiter> waiters_;
    std::mutex thread_mutex_;  ///< Locks: thread_. The one that was there has done its work.
    rt::NamedThread thread_;
};

}  // namespace leat::broker
