// SPDX-License-Identifier: Apache-2.0
//
// Earthquakes that follow each other in one region: sessions that end when it has been quiet for an
// hour. From three quakes on it is a swarm.
//
//     quakes   any key; {"place": "4km W of Castaic, CA", "magnitude": 2.0, ...}            in
//     swarms   "CA 1517966773840 1517967000000"; region, first, last, quakes, strongest     out
//
// Times are those of the records, which may come in any order: stations report late. A quake
// between two sessions makes them one; their old keys get a null then, so that the topic's last
// values are the swarms. earthquake_swarms HOST:PORT [setting=value]..., or earthquake_swarms
// --try: see example.h.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "example.h"
#include "leat/streams/json.h"

namespace {

struct Quake {
    std::string place;
    std::optional<double> magnitude;
};
struct Swarm {
    std::string region;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t quakes = 0;
    std::optional<double> strongest;
};

}  // namespace

template <>
struct leat::streams::Members<Quake> {
    static constexpr auto list =
        members_of(member("place", &Quake::place), member("magnitude", &Quake::magnitude));
};
template <>
struct leat::streams::Members<Swarm> {
    static constexpr auto list =
        members_of(member("region", &Swarm::region), member("first", &Swarm::first),
                   member("last", &Swarm::last), member("quakes", &Swarm::quakes),
                   member("strongest", &Swarm::strongest));
};

namespace {

using leat::streams::KeyValue;
using leat::streams::session;
using leat::streams::Windowed;
using std::chrono::hours;

constexpr std::int64_t kSwarm = 3;

/// "CA" of "4km W of Castaic, CA".
std::string region_of(const Quake& quake) {
    const auto comma = quake.place.rfind(", ");
    return comma == std::string::npos ? quake.place : quake.place.substr(comma + 2);
}

std::optional<double> stronger(std::optional<double> a, std::optional<double> b) {
    return std::max(a, b);  // Nothing is less than any number.
}

Swarm quiet() {
    return {};
}

Swarm shaken(const std::string& /*region*/, const Quake& quake, Swarm swarm) {
    ++swarm.quakes;
    swarm.strongest = stronger(swarm.strongest, quake.magnitude);
    return swarm;
}

Swarm together(const Swarm& a, const Swarm& b) {
    Swarm both;
    both.quakes = a.quakes + b.quakes;
    both.strongest = stronger(a.strongest, b.strongest);
    return both;
}

/// A null value tells that a session has become another one.
KeyValue<std::string, Swarm> report(const Windowed<std::string>& key, const Swarm* swarm) {
    const auto [first, last] = key.window;
    KeyValue<std::string, Swarm> out{key.key + " " + std::to_string(first) + " " +
                                     std::to_string(last)};
    if (swarm != nullptr && swarm->quakes >= kSwarm)
        out.value = Swarm{key.key, first, last, swarm->quakes, swarm->strongest};
    return out;
}

leat::Result<leat::streams::Topology> earthquake_swarms() {
    leat::streams::Builder builder;
    builder.stream<std::string, Quake>("quakes")
        .group_by(region_of, {.name = "by-region"})
        .windowed(session(hours{1}).grace(hours{24 * 30}))
        .aggregate(quiet, shaken, together, {.store = "sessions"})
        .to_stream()
        .map(report)
        .to("swarms");
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(argc, argv, earthquake_swarms, {.application_id = "earthquake-swarms"});
}
