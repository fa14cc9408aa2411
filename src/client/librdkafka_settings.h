// SPDX-License-Identifier: Apache-2.0
//
// What settings mean to librdkafka, for a reader and a writer of our own that are to take them the
// same way. Layer: client (L3). Internal to client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/cluster.h"

namespace leat::client {

/// Names, aliases, ranges and defaults are librdkafka's. Threading: not synchronised.
class LibrdkafkaSettings {
  public:
    /// Errors: kInvalidSetting, naming setting and line.
    static Result<LibrdkafkaSettings> read(const std::vector<Property>& properties, Role role);
    LibrdkafkaSettings(LibrdkafkaSettings&&) noexcept;
    LibrdkafkaSettings& operator=(LibrdkafkaSettings&&) noexcept;
    ~LibrdkafkaSettings();

    /// Whatever it was called and whether it was set; empty when it has none.
    [[nodiscard]] std::string text(const char* name) const;
    [[nodiscard]] std::int64_t number(const char* name) const;
    [[nodiscard]] bool flag(const char* name) const { return text(name) == "true"; }
    /// Whether it was set, by this name of librdkafka's.
    [[nodiscard]] bool has(std::string_view name) const;

    /// Of connections that are opened again by who needs them: each call is tried once. Without a
    /// server nobody is ever reached, which is no error: librdkafka takes it so.
    /// Errors: kInvalidSetting, kUsage.
    [[nodiscard]] Result<ClusterOptions> cluster_options() const;

  private:
    struct State;
    explicit LibrdkafkaSettings(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Whether `properties` ask for something that only librdkafka's connections have: Kerberos, tokens
/// from an endpoint, revocation lists, cipher suites and the like.
[[nodiscard]] bool needs_librdkafka(const std::vector<Property>& properties);

}  // namespace leat::client
