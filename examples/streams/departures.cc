// SPDX-License-Identifier: Apache-2.0
//
// Flights with the city and state that they leave from: a stream joined with a table.
//
//     flights      the origin; {"origin": "LAX", "destination": "JFK", "delay": 66, ...}     in
//     airports     the airport; {"name": "Los Angeles International", "city": ..., "state": ...} in
//     departures   the origin; origin, city, state, destination, delay                       out
//
// A flight meets the airport as it is known at the flight's time; flights from an airport that is
// not known are left out.
// departures HOST:PORT [setting=value]..., or departures --try: see example.h.
#include <cstdint>
#include <string>

#include "example.h"
#include "leat/streams/json.h"

namespace {

struct Flight {
    std::string origin;
    std::string destination;
    std::int64_t delay = 0;
};
struct Airport {
    std::string city;
    std::string state;
};
struct Departure {
    std::string origin;
    std::string city;
    std::string state;
    std::string destination;
    std::int64_t delay = 0;
};

}  // namespace

template <>
struct leat::streams::Members<Flight> {
    static constexpr auto list =
        members_of(member("origin", &Flight::origin), member("destination", &Flight::destination),
                   member("delay", &Flight::delay));
};
template <>
struct leat::streams::Members<Airport> {
    static constexpr auto list =
        members_of(member("city", &Airport::city), member("state", &Airport::state));
};
template <>
struct leat::streams::Members<Departure> {
    static constexpr auto list = members_of(
        member("origin", &Departure::origin), member("city", &Departure::city),
        member("state", &Departure::state), member("destination", &Departure::destination),
        member("delay", &Departure::delay));
};

namespace {

leat::Result<leat::streams::Topology> departures() {
    leat::streams::Builder builder;
    const auto flights = builder.stream<std::string, Flight>("flights");
    const auto airports = builder.table<std::string, Airport>("airports");
    flights
        .join(airports,
              [](const Flight& flight, const Airport& airport) {
                  return Departure{flight.origin, airport.city, airport.state, flight.destination,
                                   flight.delay};
              })
        .to("departures");
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(argc, argv, departures, {.application_id = "departures"});
}
