// SPDX-License-Identifier: Apache-2.0
//
// Asks other instances over HTTP. Layer: stream_endpoint (L7).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "rt/tls_context.h"
#include "stream_endpoint/instance.h"

namespace leat::stream_endpoint {

/// A connection a question: instances are asked seldom, and one that has gone is noticed at once.
/// Threading: thread-safe; get() blocks.
class HttpPeers final : public Peers {
  public:
    struct Options {
        std::chrono::milliseconds timeout{5'000};  ///< From connecting to the last byte.
        std::size_t body_bytes_max = std::size_t{16} << 20U;
        /// A client's: by HTTPS, from those alone whose certificate is for the address's host.
        std::shared_ptr<const rt::TlsContext> tls = nullptr;
        std::string authorization{};  ///< The header's value; empty: none.
    };
    explicit HttpPeers(Options options) : options_(std::move(options)) {}
    Result<Fetched> get(const std::string& address, const std::string& target) override;

  private:
    Options options_;
};

}  // namespace leat::stream_endpoint
