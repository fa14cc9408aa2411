// SPDX-License-Identifier: Apache-2.0
//
// Metrics that clients push: who is asked for which, and their last values. Layer: broker (L6).
// Spec:  KIP-714.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "base/uuid.h"
#include "broker/otlp.h"
#include "metadata/image.h"
#include "obs/metrics.h"

namespace leat::broker {

/// The metric under which they are shown.
[[nodiscard]] const obs::Metric& client_metric();

/// Who pushes, as subscriptions match it.
struct TelemetryClient {
    Uuid instance;
    std::string client_id;
    std::string software_name;
    std::string software_version;
    std::string address;
    std::string port;
};

/// What a client is asked for.
struct Subscription {
    std::int32_t id = 0;
    std::vector<std::string> metrics;  ///< Prefixes; one empty prefix: all.
    std::int32_t interval_ms = 300'000;
};

/// What a client said stays for three of its intervals of silence, a minute at least, whether it
/// told that it ends or not: the last values of one that ran shortly can be read, too.
///
/// Threading: thread-safe.
/// Memory:    bounded by the number of clients and of values each.
class Telemetry {
  public:
    /// Errors: kThrottlingQuotaExceeded: asked again before the interval was over.
    Result<Subscription> subscribe(const metadata::Image& image, const TelemetryClient& client,
                                   Instant now);

    struct Push {
        std::int32_t subscription_id = 0;
        bool is_last = false;
        std::int8_t compression = 0;
        Bytes metrics;
    };
    /// Errors: kUnknownSubscriptionId, kThrottlingQuotaExceeded, kTelemetryTooLarge,
    ///         kUnsupportedCompressionType, kInvalidRecord (no metrics; too many).
    Result<void> push(const metadata::Image& image, const TelemetryClient& client, const Push& push,
                      Instant now);

    /// The last values of all clients that were heard of lately.
    void add_samples(std::vector<obs::Sample>& out, Instant now);
    [[nodiscard]] std::size_t size();

  private:
    struct Known {
        std::string client_id;
        Instant last_get = Instant::min();
        Instant last_push = Instant::min();
        std::int32_t interval_ms = 300'000;
        bool may_ask_again = true;  ///< The last answer told it to.
        bool has_ended = false;     ///< It said so with its last push.
        std::map<std::pair<std::string, std::string>, double> values;
    };
    Known& known(const metadata::Image& image, const TelemetryClient& client, Instant now);
    void drop_silent(Instant now);
    static Result<void> check(const config::BrokerConfig& config, const Push& push);

    std::mutex mutex_;  ///< Locks: clients_. Held while a few hundred values are copied.
    std::map<Uuid, Known> clients_;
};

/// What `client` is asked for by the subscriptions of `image`; its id is the same as long as these
/// are.
[[nodiscard]] Subscription subscription_of(const metadata::Image& image,
                                           const TelemetryClient& client);

}  // namespace leat::broker
