// SPDX-License-Identifier: Apache-2.0
//
// What happens to the requests that brokers of a test are sent: as queued, and noted.
// Layer: client (L3), tests only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errc.h"
#include "client/testing/played_sockets.h"
#include "wire/frame.h"

namespace leat::client::testing {

/// Threading: thread-safe.
class PlayedScript {
  public:
    /// What may happen to a request instead of being answered.
    static constexpr Errc kHangUp = Errc::kNetworkException;  ///< Nothing was done.
    static constexpr Errc kLoseAnswer = Errc::kClosed;        ///< It was done.
    static constexpr Errc kSilence = Errc::kTimedOut;

    /// The next request of this API is answered so, and those after it by what was queued later.
    void queue(wire::ApiKey api, Errc code) {
        const std::lock_guard lock{mutex_};
        queued_[api].push_back(code);
    }
    /// What was asked since the last time, each as "API version@node what".
    [[nodiscard]] std::vector<std::string> take_log() {
        const std::lock_guard lock{mutex_};
        return std::exchange(log_, {});
    }

  protected:
    static std::int16_t number(Errc code) { return static_cast<std::int16_t>(code); }
    /// `make` gives the response for a code; it runs under the lock.
    template <class Make>
    PlayedAnswer answer(int node, const wire::RequestHeader& header, const std::string& what,
                        Make make) {
        const std::lock_guard lock{mutex_};
        log_.push_back(std::string{header.api->name} + " " + std::to_string(header.version) + "@" +
                       std::to_string(node) + " " + what);
        Errc code = Errc::kNone;
        if (auto& queued = queued_[header.api->key]; !queued.empty()) {
            code = queued.front();
            queued.pop_front();
        }
        if (code == kHangUp) return std::nullopt;
        if (code == kSilence) return wire::Frame{};
        const auto out = make(code == kLoseAnswer ? Errc::kNone : code);
        if (code == kLoseAnswer) return std::nullopt;
        return wire::response_frame(out, header.version, header.correlation_id);
    }

    std::mutex mutex_;

  private:
    std::map<wire::ApiKey, std::deque<Errc>> queued_;
    std::vector<std::string> log_;
};

}  // namespace leat::client::testing
