// SPDX-License-Identifier: Apache-2.0
//
// The keys that check the tokens of one listener: read from a file or fetched, and read again.
// Layer: broker (L6).
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/jwt.h"
#include "base/result.h"
#include "config/security.h"

namespace leat::broker {

/// Threading: thread-safe; verify() may wait for a file or a server: it belongs on a pool.
class TokenKeys {
  public:
    /// Errors: kInvalidSetting: a URL of another kind than file:, https: or, on this machine,
    ///         http:; a file that cannot be read. A server that does not answer is asked again
    ///         later.
    static Result<std::shared_ptr<TokenKeys>> open(const config::OAuthSettings& settings);

    /// Errors: those of auth::verify_jwt(); kIoError: there are no keys.
    Result<auth::Identity> verify(std::string_view token, WallMs now);

  private:
    using Clock = std::chrono::steady_clock;
    explicit TokenKeys(const config::OAuthSettings& settings);
    [[nodiscard]] Result<std::shared_ptr<const auth::JwkSet>> read() const;
    /// The keys, read again when they are old or `wants_newer` and that was not just done.
    Result<std::shared_ptr<const auth::JwkSet>> keys(bool wants_newer);

    config::OAuthSettings settings_;
    auth::JwtRules rules_;
    std::mutex mutex_;  ///< Locks: all below, while they are fetched too.
    std::shared_ptr<const auth::JwkSet> keys_;
    Clock::time_point read_at_{};
    Clock::time_point tried_at_{};
    bool was_tried_ = false;
};

}  // namespace leat::broker
