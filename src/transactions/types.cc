// SPDX-License-Identifier: Apache-2.0
#include "transactions/types.h"

#include <algorithm>
#include <array>

namespace leat::transactions {
namespace {

/// By number.
constexpr auto kNames = std::to_array<std::string_view>({
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
});

}  // namespace

std::string_view name_of(State state) noexcept {
    return kNames[static_cast<std::size_t>(state)];
}

std::optional<State> state_named(std::string_view name) noexcept {
    const auto at = std::ranges::find(kNames, name);
    if (at == kNames.end()) return std::nullopt;
    return static_cast<State>(at - kNames.begin());
}

}  // namespace leat::transactions
