// SPDX-License-Identifier: Apache-2.0
#include "broker/apis.h"

#include <algorithm>
#include <array>

#include "broker/broker.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/fetch.h"
#include "broker/handlers/produce.h"
#include "broker/metrics.h"

namespace leat::broker {
namespace {

using enum wire::ApiKey;

// By key. Versions: schemas/.
constexpr auto kTable = std::to_array<Api>({
    {.key = kProduce,
     .handle = call<handle_produce>,
     .quota = QuotaClass::kProduce,
     .runs_ahead = true},
    {.key = kFetch, .handle = call<handle_fetch>, .quota = QuotaClass::kFetch},
    {.key = kApiVersions, .handle = call<handle_api_versions>, .rights = Rights::kNone},
});

static_assert(std::ranges::is_sorted(kTable, {}, &Api::key));

}  // namespace

std::span<const Api> apis() noexcept {
    return kTable;
}

const Api* find_served(wire::ApiKey key) noexcept {
    const auto at = std::ranges::lower_bound(kTable, key, {}, &Api::key);
    return at == kTable.end() || at->key != key ? nullptr : &*at;
}

void count_error(const Request& request, std::int16_t code) {
    if (code != 0) request.shard->broker().metrics().count_error(code);
}

}  // namespace leat::broker
