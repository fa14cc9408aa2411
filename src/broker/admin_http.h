// SPDX-License-Identifier: Apache-2.0
//
// /metrics, /healthz and /readyz. Layer: broker (L6).
// Spec:  Prometheus text format 0.0.4.
#pragma once

#include <string>

#include "broker/broker.h"
#include "http/session.h"

namespace leat::broker {

/// Answers on the first shard.
///
/// Threading: shard-local. Outlives the HTTP server that calls it.
class AdminHttp {
  public:
    explicit AdminHttp(Broker& broker) : broker_(broker) {}

    [[nodiscard]] http::Handler handler();
    /// Requests of Kafka clients are served from now on, or not any more.
    void set_ready(bool is_ready) noexcept { is_ready_ = is_ready; }

  private:
    void route(const http::Request& request, http::Respond respond);
    [[nodiscard]] http::Response health() const;
    [[nodiscard]] http::Response readiness() const;

    Broker& broker_;
    bool is_ready_ = false;
};

/// The text of /metrics: what was counted, and what is looked up on every shard now. Begins and
/// ends on the first shard.
rt::Task<std::string> scrape(Broker* broker);

}  // namespace leat::broker
