// SPDX-License-Identifier: Apache-2.0
#include "auth/quota.h"

#include <array>
#include <cmath>
#include <utility>

#include "auth/address.h"

namespace leat::auth {
namespace {

constexpr std::array<std::string_view, kQuotaKinds> kNames{
    "producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate",
    "connection_creation_rate"};

bool is_ip(const QuotaEntity& entity) {
    return entity.contains(kIpEntity);
}

using Part = std::optional<std::optional<std::string>>;

QuotaEntity entity_of(const Part& user, const Part& client) {
    QuotaEntity out;
    if (user) out.emplace(kUserEntity, *user);
    if (client) out.emplace(kClientEntity, *client);
    return out;
}

}  // namespace

std::string_view name_of(QuotaKind kind) {
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<QuotaKind> quota_named(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == name) return static_cast<QuotaKind>(i);
    return std::nullopt;
}

std::string entity_error(const QuotaEntity& entity) {
    if (entity.empty()) return "Invalid empty client quota entity";
    for (const auto& [type, name] : entity) {
        if (type != kUserEntity && type != kClientEntity && type != kIpEntity)
            return "Unhandled client quota entity type: " + type;
        if (name && name->empty()) return "Empty " + type + " not supported";
    }
    if (is_ip(entity) && entity.size() > 1)
        return "Invalid quota entity combination, IP entity should not be combined with User or "
               "ClientId";
    return "";
}

std::string value_error(const QuotaEntity& entity, std::string_view name, double value) {
    const auto kind = quota_named(name);
    if (!kind || (*kind == QuotaKind::kConnections) != is_ip(entity))
        return "Invalid configuration key " + std::string{name};
    if (!(value > 0)) return "Quota " + std::string{name} + " must be greater than 0";
    const bool is_whole = *kind == QuotaKind::kProduce || *kind == QuotaKind::kFetch ||
                          *kind == QuotaKind::kConnections;
    if (is_whole && (std::floor(value) != value || !std::isfinite(value)))
        return "Quota " + std::string{name} + " must be a whole number";
    return "";
}

std::string text_of(const QuotaEntity& entity) {
    std::string out;
    for (const auto& [type, name] : entity) {
        if (!out.empty()) out += ',';
        out.append(type).append("=").append(name ? *name : "<default>");
    }
    return out;
}

void QuotaTable::set(const QuotaEntity& entity, const QuotaValues& values) {
    ++version_;
    if (values.empty())
        all_.erase(entity);
    else
        all_[entity] = values;
    const auto ip = entity.find(kIpEntity);
    if (ip == entity.end() || !ip->second) return;
    // Found by the address that connections have, told as it was set.
    const auto address = canonical_address(*ip->second);
    if (!address) {
        if (values.empty())
            host_names_.erase(*ip->second);
        else
            host_names_.insert(*ip->second);
    } else if (*address != *ip->second) {
        // Of several spellings the last one counts; one that goes must not take another's place.
        const auto known = spelled_.find(*address);
        if (!values.empty())
            spelled_.insert_or_assign(*address, *ip->second);
        else if (known != spelled_.end() && known->second == *ip->second)
            spelled_.erase(known);
    }
}

QuotaValues QuotaTable::values_of(const QuotaEntity& entity) const {
    const auto found = all_.find(entity);
    return found != all_.end() ? found->second : QuotaValues{};
}

const double* QuotaTable::value(const QuotaEntity& entity, std::string_view name) const {
    const auto found = all_.find(entity);
    if (found == all_.end()) return nullptr;
    const auto value = found->second.find(name);
    return value != found->second.end() ? &value->second : nullptr;
}

std::optional<QuotaFound> QuotaTable::find(QuotaKind kind, std::string_view user,
                                           std::string_view client_id) const {
    if (all_.empty()) return std::nullopt;
    const Part named_user{std::string{user}};
    const Part named_client{std::string{client_id}};
    const Part fallback{std::optional<std::string>{}};
    const std::array<std::pair<Part, Part>, 8> order{{{named_user, named_client},
                                                      {named_user, fallback},
                                                      {named_user, std::nullopt},
                                                      {fallback, named_client},
                                                      {fallback, fallback},
                                                      {fallback, std::nullopt},
                                                      {std::nullopt, named_client},
                                                      {std::nullopt, fallback}}};
    for (const auto& [user_part, client_part] : order) {
        const double* limit = value(entity_of(user_part, client_part), name_of(kind));
        if (limit == nullptr) continue;
        // Each user that a default is for has the whole of it.
        std::string holder = user_part ? "u" + std::string{user} : "-";
        holder.push_back('\0');
        holder += client_part ? "c" + std::string{client_id} : "-";
        return QuotaFound{.limit = *limit, .holder = std::move(holder)};
    }
    return std::nullopt;
}

std::optional<double> QuotaTable::connection_rate(std::string_view ip,
                                                  std::string_view name) const {
    if (all_.empty()) return std::nullopt;
    const auto of = [this](std::optional<std::string> told) {
        return value(QuotaEntity{{std::string{kIpEntity}, std::move(told)}},
                     name_of(QuotaKind::kConnections));
    };
    if (const double* limit = of(std::string{ip})) return *limit;
    if (const auto told = spelled_.find(ip); told != spelled_.end())
        if (const double* limit = of(told->second)) return *limit;
    if (!name.empty())
        if (const double* limit = of(std::string{name})) return *limit;
    if (const double* limit = of(std::nullopt)) return *limit;
    return std::nullopt;
}

}  // namespace leat::auth
