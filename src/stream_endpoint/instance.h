// SPDX-License-Identifier: Apache-2.0
//
// An application as its endpoint sees it, and the other instances. Layer: stream_endpoint (L7).
// Threading: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/application.h"

namespace leat::stream_endpoint {

/// This instance. Errors: those of Application's calls.
class Instance {
  public:
    Instance() = default;
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    virtual ~Instance() = default;
    [[nodiscard]] virtual streams::ApplicationState state() const = 0;
    /// application.server; empty when it is not set.
    [[nodiscard]] virtual std::string address() const = 0;
    [[nodiscard]] virtual std::vector<streams::MetricValue> metrics() const = 0;
    [[nodiscard]] virtual Result<std::vector<streams::detail::RawAnswer>> ask(
        std::string_view store, const streams::detail::RawQuery& query,
        const streams::QueryOptions& options) const = 0;
    /// Who has each partition of the store, in their order.
    [[nodiscard]] virtual Result<std::vector<streams::KeyQueryMetadata>> owners(
        std::string_view store) const = 0;
    [[nodiscard]] virtual Result<std::int32_t> partition_of(std::string_view store,
                                                            std::string_view key) const = 0;
};

class ApplicationInstance final : public Instance {
  public:
    ApplicationInstance(const streams::Application& application, std::string address)
        : application_(application), address_(std::move(address)) {}
    [[nodiscard]] streams::ApplicationState state() const override { return application_.state(); }
    [[nodiscard]] std::string address() const override { return address_; }
    [[nodiscard]] std::vector<streams::MetricValue> metrics() const override {
        return application_.metrics();
    }
    [[nodiscard]] Result<std::vector<streams::detail::RawAnswer>> ask(
        std::string_view store, const streams::detail::RawQuery& query,
        const streams::QueryOptions& options) const override {
        return application_.ask(store, query, options);
    }
    [[nodiscard]] Result<std::vector<streams::KeyQueryMetadata>> owners(
        std::string_view store) const override {
        return application_.query_metadata_for_store(store);
    }
    [[nodiscard]] Result<std::int32_t> partition_of(std::string_view store,
                                                    std::string_view key) const override {
        LEAT_TRY(const auto where, application_.query_metadata_for_bytes(store, key));
        return where.partition;
    }

  private:
    const streams::Application& application_;
    std::string address_;
};

/// An answer of another instance.
struct Fetched {
    std::int16_t status = 0;
    std::string body{};
};

/// The way to other instances.
class Peers {
  public:
    Peers() = default;
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;
    virtual ~Peers() = default;
    /// `address`: HOST:PORT; `target`: path and query. It must not pass the question on.
    /// Errors: kTimedOut; kNetworkException, kClosed, kMalformed, kLimitExceeded and others: no
    /// answer.
    virtual Result<Fetched> get(const std::string& address, const std::string& target) = 0;
};

/// The name of the header by which a question that was passed on is known.
inline constexpr std::string_view kForwardedHeader = "leat-forwarded";

}  // namespace leat::stream_endpoint
