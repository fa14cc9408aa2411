// SPDX-License-Identifier: Apache-2.0
#include "broker/quotas.h"

#include <algorithm>

#include "base/bounded_time.h"
#include "broker/broker.h"
#include "broker/request.h"

namespace leat::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// A percentage of one thread's time is nanoseconds a second.
double per_second(auth::QuotaKind kind, double limit) {
    return kind == auth::QuotaKind::kRequest ? limit * 1e7 : limit;
}

/// Waits that somebody may owe beyond the one that he is told. Many connections can owe more in a
/// second than a second pays, and one whose limit is raised is not to wait for hours of before.
constexpr int kWindowsOwed = 60;

nanoseconds now_of(const Request& request) {
    return request.shard->executor().now().time_since_epoch();
}

milliseconds rounded_up(nanoseconds wait) {
    return std::chrono::ceil<milliseconds>(wait);
}

}  // namespace

nanoseconds burst_of(const config::BrokerConfig& config, auth::QuotaKind kind) {
    if (kind != auth::QuotaKind::kMutation) return bounded_ms(config.quota_burst_ms);
    const std::int64_t seconds =
        std::int64_t{config.mutation_window_count} * config.mutation_window_seconds;
    return bounded_ms(std::min(seconds, kLongestMs / 1'000) * 1'000);
}

nanoseconds longest_wait(const config::BrokerConfig& config, auth::QuotaKind kind) {
    if (kind != auth::QuotaKind::kRequest) return auth::RateLimit::kNoBound;
    return bounded_ms(std::min(std::int64_t{config.quota_window_seconds}, kLongestMs / 1'000) *
                      1'000);
}

std::shared_ptr<auth::RateLimit> QuotaLimits::of(auth::QuotaKind kind, const std::string& holder) {
    const std::lock_guard lock{mutex_};
    if (limits_.size() >= forget_at_) forget_unused();
    std::shared_ptr<auth::RateLimit>& limit = limits_[{kind, holder}];
    if (!limit) limit = std::make_shared<auth::RateLimit>();
    return limit;
}

/// Who has no connection any more begins anew when he comes back.
void QuotaLimits::forget_unused() {
    std::erase_if(limits_, [](const auto& entry) { return entry.second.use_count() == 1; });
    forget_at_ = std::max<std::size_t>(1'024, limits_.size() * 2);
}

const ConnectionQuotas::Share* ConnectionQuotas::find(const Request& request,
                                                      auth::QuotaKind kind) {
    const auth::QuotaTable& table = request.shard->image().quotas();
    if (table.empty()) return nullptr;
    const std::uint64_t version = table.version() << 32 | request.connection->session.generation;
    if (version != version_ || client_id_ != request.client_id()) {
        shares_ = {};
        is_known_ = {};
        version_ = version;
        client_id_ = request.client_id();
    }
    const auto at = static_cast<std::size_t>(kind);
    if (!std::exchange(is_known_[at], true)) {
        const auto found = table.find(kind, request.principal().name(), client_id_);
        if (found)
            shares_[at] = {.limit = request.shard->broker().quota_limits().of(kind, found->holder),
                           .per_second = per_second(kind, found->limit)};
    }
    return shares_[at] ? &*shares_[at] : nullptr;
}

void charge(Request& request, auth::QuotaKind kind, double amount) {
    const auto* share = request.connection->quotas.find(request, kind);
    if (share == nullptr) return;
    const config::BrokerConfig& config = request.shard->config();
    const nanoseconds longest = longest_wait(config, kind);
    const nanoseconds owed_max = longest < auth::RateLimit::kNoBound / kWindowsOwed
                                     ? longest * kWindowsOwed
                                     : auth::RateLimit::kNoBound;
    const nanoseconds wait = share->limit->charge(amount, share->per_second, now_of(request),
                                                  burst_of(config, kind), owed_max);
    request.throttle = std::max(request.throttle, rounded_up(std::min(wait, longest)));
}

std::optional<double> most_at_once(const Request& request, auth::QuotaKind kind) {
    const auto* share = request.connection->quotas.find(request, kind);
    if (share == nullptr) return std::nullopt;
    const std::chrono::duration<double> burst = burst_of(request.shard->config(), kind);
    return share->per_second * burst.count();
}

milliseconds debt_of(const Request& request, auth::QuotaKind kind) {
    const auto* share = request.connection->quotas.find(request, kind);
    if (share == nullptr) return milliseconds{0};
    return rounded_up(share->limit->debt(share->per_second, now_of(request),
                                         burst_of(request.shard->config(), kind)));
}

bool may_mutate(Request& request, std::int64_t partitions, bool hears_of_it) {
    if (hears_of_it) {
        const milliseconds debt = debt_of(request, auth::QuotaKind::kMutation);
        request.throttle = std::max(request.throttle, debt);
        if (debt.count() > 0) return false;
    }
    charge(request, auth::QuotaKind::kMutation, static_cast<double>(partitions));
    return true;
}

}  // namespace leat::broker
