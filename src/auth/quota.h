// SPDX-License-Identifier: Apache-2.0
//
// Limits of clients: whom they are for, and which of them holds for a connection.
// Layer: auth (L2). Pure.
// Spec:  KIP-13, KIP-546 (names, filters), KIP-599 (mutations), KIP-612 (connections).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace leat::auth {

enum class QuotaKind : std::uint8_t {
    kProduce,      ///< producer_byte_rate.
    kFetch,        ///< consumer_byte_rate.
    kRequest,      ///< request_percentage: of one thread's time.
    kMutation,     ///< controller_mutation_rate: partitions made or deleted, per second.
    kConnections,  ///< connection_creation_rate: of an address, per second.
};
inline constexpr std::size_t kQuotaKinds = 5;

[[nodiscard]] std::string_view name_of(QuotaKind kind);
[[nodiscard]] std::optional<QuotaKind> quota_named(std::string_view name);

// Types of entities.
inline constexpr std::string_view kUserEntity = "user";
inline constexpr std::string_view kClientEntity = "client-id";
inline constexpr std::string_view kIpEntity = "ip";

/// Whom a limit is for: a name for each type; nullopt is the default of the type.
using QuotaEntity = std::map<std::string, std::optional<std::string>, std::less<>>;
/// Limits by name.
using QuotaValues = std::map<std::string, double, std::less<>>;

/// What is wrong with an entity, in Kafka's words; "" when nothing is.
[[nodiscard]] std::string entity_error(const QuotaEntity& entity);
/// What is wrong with one limit for `entity`, which is a good one.
[[nodiscard]] std::string value_error(const QuotaEntity& entity, std::string_view name,
                                      double value);

/// "user=alice,client-id=<default>".
[[nodiscard]] std::string text_of(const QuotaEntity& entity);

/// The limit that holds, and who shares it.
struct QuotaFound {
    double limit = 0;
    std::string holder;  ///< The same for all that share one limit; unique within a kind.
};

/// Threading: not synchronised; one shard's own.
class QuotaTable {
  public:
    using All = std::map<QuotaEntity, QuotaValues>;

    /// Sets all limits of an entity; none take it away.
    void set(const QuotaEntity& entity, const QuotaValues& values);
    [[nodiscard]] QuotaValues values_of(const QuotaEntity& entity) const;
    [[nodiscard]] const All& all() const noexcept { return all_; }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }

    /// The most specific of user and client id, user and default client, user, default user and
    /// client id, both defaults, default user, client id, default client. `user` has no "User:".
    [[nodiscard]] std::optional<QuotaFound> find(QuotaKind kind, std::string_view user,
                                                 std::string_view client_id) const;
    /// Of an address as canonical_address() spells it, else of the host that `name` has found for
    /// it, else the default's. Connections per second.
    [[nodiscard]] std::optional<double> connection_rate(std::string_view ip,
                                                        std::string_view name = {}) const;
    /// Entities by address that are told by the name of a host.
    [[nodiscard]] const std::set<std::string>& host_names() const noexcept { return host_names_; }

    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  private:
    [[nodiscard]] const double* value(const QuotaEntity& entity, std::string_view name) const;

    All all_;
    std::map<std::string, std::string, std::less<>> spelled_;  ///< Addresses told in another form.
    std::set<std::string> host_names_;
    std::uint64_t version_ = 1;
};

}  // namespace leat::auth
