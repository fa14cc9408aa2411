// SPDX-License-Identifier: Apache-2.0
//
// How late flights leave: by airport in windows of 15 minutes, and live the ten worst airports of
// each day.
//
//     flights          the origin; {"origin": "LAX", "delay": 66, ...}, delay in minutes    in
//     airport-delays   "LAX 978308100000"; airport, start, flights, average                 out
//     worst-airports   the day's start, 8 bytes; ten of the above, the worst first          out
//
// Times are those of the records. What both have in common is grouped once; the ranking is an
// aggregate over a table, so that an airport whose average changes leaves its old place.
// flight_delays HOST:PORT [setting=value]..., or flight_delays --try: see example.h.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "example.h"
#include "leat/streams/json.h"

namespace {

struct Flight {
    std::string origin;
    std::int64_t delay = 0;
};
struct Sum {
    std::int64_t flights = 0;
    std::int64_t minutes = 0;
};
struct Delays {
    std::string airport;
    std::int64_t start = 0;
    std::int64_t flights = 0;
    double average = 0;
};
using Ranking = std::map<std::string, Delays>;

}  // namespace

template <>
struct leat::streams::Members<Flight> {
    static constexpr auto list =
        members_of(member("origin", &Flight::origin), member("delay", &Flight::delay));
};
template <>
struct leat::streams::Members<Sum> {
    static constexpr auto list =
        members_of(member("flights", &Sum::flights), member("minutes", &Sum::minutes));
};
template <>
struct leat::streams::Members<Delays> {
    static constexpr auto list =
        members_of(member("airport", &Delays::airport), member("start", &Delays::start),
                   member("flights", &Delays::flights), member("average", &Delays::average));
};

namespace {

using leat::streams::json;
using leat::streams::KeyValue;
using leat::streams::tumbling;
using leat::streams::Windowed;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kWorst = 10;

Sum nothing() {
    return {};
}

Sum add(const std::string& /*airport*/, const Flight& flight, Sum sum) {
    return {sum.flights + 1, sum.minutes + flight.delay};
}

/// Of what has no flight yet too: that is what the first update of a table replaces.
Delays delays_of(const Windowed<std::string>& key, const Sum& sum) {
    if (sum.flights == 0) return {key.key, key.window.start};
    return {key.key, key.window.start, sum.flights,
            static_cast<double>(sum.minutes) / static_cast<double>(sum.flights)};
}

std::vector<Delays> worst(const Ranking& ranking) {
    std::vector<Delays> all;
    all.reserve(ranking.size());
    for (const auto& [airport, delays] : ranking) all.push_back(delays);
    std::ranges::sort(all, [](const Delays& a, const Delays& b) {
        return std::tie(b.average, a.airport) < std::tie(a.average, b.airport);
    });
    all.resize(std::min(all.size(), kWorst));
    return all;
}

leat::Result<leat::streams::Topology> flight_delays() {
    leat::streams::Builder builder;
    const auto flights = builder.stream<std::string, Flight>("flights").group_by_key();
    flights.windowed(tumbling(minutes{15}).grace(hours{1}))
        .aggregate(nothing, add, {.store = "quarters"})
        .to_stream()
        .map([](const Windowed<std::string>& key, const Sum& sum) {
            return KeyValue{key.key + " " + std::to_string(key.window.start), delays_of(key, sum)};
        })
        .to("airport-delays");
    flights.windowed(tumbling(hours{24}).grace(hours{1}))
        .aggregate(nothing, add, {.store = "days"})
        .group_by([](const Windowed<std::string>& key,
                     const Sum& sum) { return KeyValue{key.window.start, delays_of(key, sum)}; },
                  {.name = "by-day"})
        .aggregate([] { return Ranking{}; },
                   [](std::int64_t /*day*/, const Delays& delays, Ranking ranking) {
                       ranking[delays.airport] = delays;
                       return ranking;
                   },
                   [](std::int64_t /*day*/, const Delays& delays, Ranking ranking) {
                       ranking.erase(delays.airport);
                       return ranking;
                   },
                   {.store = "rankings", .value = json<Ranking>()})
        .map_values(worst)
        .to_stream()
        .to("worst-airports", {.value = json<std::vector<Delays>>()});
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(argc, argv, flight_delays, {.application_id = "flight-delays"});
}
