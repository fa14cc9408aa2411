// SPDX-License-Identifier: Apache-2.0
// Method: small random problems against all ways there are.
#include "streams/cluster/cheapest_places.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "testkit/random.h"

namespace leat::streams {
namespace {

using Indexes = std::vector<std::size_t>;

bool fits(const PlacesProblem& problem, const Indexes& to) {
    Indexes room(problem.places);
    for (const std::size_t place : problem.at) ++room[place];
    auto limits = problem.limits;
    for (std::size_t thing = 0; thing < to.size(); ++thing) {
        std::size_t& limit = limits[problem.kinds[thing]][to[thing]];
        if (room[to[thing]] == 0 || limit == 0) return false;
        --room[to[thing]];
        --limit;
    }
    return true;
}

/// Costs, and then moves.
std::pair<std::int64_t, std::int64_t> price_of(const PlacesProblem& problem, const Indexes& to) {
    std::pair<std::int64_t, std::int64_t> out;
    for (std::size_t thing = 0; thing < to.size(); ++thing) {
        out.first += problem.costs[thing][to[thing]];
        if (to[thing] != problem.at[thing]) ++out.second;
    }
    return out;
}

/// The next of all ways; false when they are through.
bool advance(const PlacesProblem& problem, Indexes& to) {
    for (std::size_t& place : to) {
        if (++place < problem.places) return true;
        place = 0;
    }
    return false;
}

PlacesProblem random_problem(testkit::Random& random) {
    const auto below = [&](std::int32_t count) {
        return static_cast<std::size_t>(random.between(0, count - 1));
    };
    PlacesProblem out;
    out.places = 1 + below(3);
    const std::size_t kinds = 1 + below(3);
    const std::size_t things = below(7);
    for (std::size_t thing = 0; thing < things; ++thing) {
        out.at.push_back(below(static_cast<std::int32_t>(out.places)));
        out.kinds.push_back(below(static_cast<std::int32_t>(kinds)));
        auto& costs = out.costs.emplace_back();
        for (std::size_t place = 0; place < out.places; ++place)
            costs.push_back(random.between(0, 3) * (place == out.at.back() ? 1 : 2));
    }
    const bool is_bounded = random.between(0, 1) == 1;
    for (std::size_t kind = 0; kind < kinds; ++kind) {
        auto& limits = out.limits.emplace_back();
        for (std::size_t place = 0; place < out.places; ++place)
            limits.push_back(is_bounded ? 1 + below(3) : things);
    }
    return out;
}

TEST(CheapestPlaces, NoOtherWayCostsLessOrMovesFewer) {
    testkit::Random random;
    for (int i = 0; i < 2'000; ++i) {
        const PlacesProblem problem = random_problem(random);
        const Indexes found = cheapest_places(problem);
        ASSERT_EQ(found.size(), problem.at.size());
        std::pair best{std::numeric_limits<std::int64_t>::max(), std::int64_t{0}};
        Indexes to(problem.at.size());
        do {
            if (fits(problem, to)) best = std::min(best, price_of(problem, to));
        } while (advance(problem, to));
        if (best.first == std::numeric_limits<std::int64_t>::max()) {
            EXPECT_EQ(found, problem.at) << "there is no way";
            continue;
        }
        ASSERT_TRUE(fits(problem, found)) << i;
        ASSERT_EQ(price_of(problem, found), best) << i;
    }
}

TEST(CheapestPlaces, WhatCostsTheSameEverywhereStays) {
    PlacesProblem problem;
    problem.places = 3;
    problem.at = {2, 0, 1, 2, 1};
    problem.kinds = {0, 0, 0, 0, 0};
    problem.costs.assign(5, {7, 7, 7});
    problem.limits.assign(1, {5, 5, 5});
    EXPECT_EQ(cheapest_places(problem), problem.at);
}

TEST(CheapestPlaces, WhatWouldTakeTooLongStays) {
    PlacesProblem problem;
    problem.places = 2;
    problem.at = {0, 1, 1};
    problem.kinds = {0, 1, 1};
    problem.costs = {{9, 0}, {0, 9}, {9, 9}};
    problem.limits.assign(2, {3, 3});
    const Indexes swapped{1, 0, 1};
    constexpr std::size_t kSteps = std::size_t{3} * 2 * 2 * 2;
    EXPECT_EQ(cheapest_places(problem), swapped);
    EXPECT_EQ(cheapest_places(problem, kSteps), swapped);
    EXPECT_EQ(cheapest_places(problem, kSteps - 1), problem.at);
}

}  // namespace
}  // namespace leat::streams
