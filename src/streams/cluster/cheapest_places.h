// SPDX-License-Identifier: Apache-2.0
//
// Things change their places so that all of them together cost least, and each place keeps as many
// as it had. Layer: streams (L6). Pure.
// Spec:  the flow of least cost by which Kafka Streams' RackAwareTaskAssignor lays out tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::streams {

/// Things and places are told by their indexes. Threading: a plain value.
struct PlacesProblem {
    std::size_t places = 0;
    std::vector<std::size_t> at{};                   ///< By thing: where it is.
    std::vector<std::size_t> kinds{};                ///< By thing.
    std::vector<std::vector<std::int64_t>> costs{};  ///< By thing and place; from 0.
    /// By kind and place: as many of a kind may be there. What each place has may be more.
    std::vector<std::vector<std::size_t>> limits{};
};

/// The work for which a rebalance may be held up; 1'000 things of 10 kinds at 200 places are less.
inline constexpr std::size_t kPlacesStepsMax = 500'000'000;

/// Where each thing is then. Of what costs the same, that which moves fewest; `at` itself when the
/// limits leave no room for all, or when it takes more than `steps_max`: things * kinds * places^2.
[[nodiscard]] std::vector<std::size_t> cheapest_places(const PlacesProblem& problem,
                                                       std::size_t steps_max = kPlacesStepsMax);

}  // namespace leat::streams
