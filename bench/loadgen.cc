// SPDX-License-Identifier: Apache-2.0
//
// loadgen: raw-protocol load for any Kafka broker; see --help. Layer: bench.
#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include "load.h"

namespace {

using leat::bench::Plan;

constexpr const char* kHelp =
    R"(usage: loadgen MODE --broker HOST:PORT [--name value]...
modes: produce     closed loop; --connections --in-flight --partitions --batch-bytes (0: one record) --seconds
       latency     open loop at --rate records/s, end to end from the intended send time
       fetch       catch-up read from offset 0; --connections --max-bytes
       create      one topic; --partitions --config name=value
       topics      --count topics one after the other
       partitions  one topic of --partitions, timed until each has taken a record
       offsets     sum of the log ends of --topic
       logins      SCRAM-SHA-256 logins, --connections at a time; --config user=NAME --config password=TEXT
       first-ack   connect and produce until the first acknowledgement; --seconds is the patience
others: --topic --threads --cpu N (pin thread i to N+i) --acks --record-bytes
Prints one line of JSON. Times are CLOCK_MONOTONIC.
)";

bool set_number(Plan& plan, std::string_view name, const char* value) {
    const auto number = std::strtod(value, nullptr);
    const auto whole = static_cast<std::int32_t>(number);
    const std::map<std::string_view, std::int32_t*> wholes = {
        {"--partitions", &plan.partitions},
        {"--connections", &plan.connections},
        {"--threads", &plan.threads},
        {"--in-flight", &plan.in_flight},
        {"--cpu", &plan.first_cpu},
        {"--record-bytes", &plan.record_bytes},
        {"--batch-bytes", &plan.batch_bytes},
        {"--max-bytes", &plan.max_bytes},
        {"--count", &plan.count}};
    if (const auto found = wholes.find(name); found != wholes.end()) {
        *found->second = whole;
    } else if (name == "--seconds") {
        plan.seconds = number;
    } else if (name == "--rate") {
        plan.rate = number;
    } else if (name == "--acks") {
        plan.acks = static_cast<std::int16_t>(whole);
    } else {
        return false;
    }
    return true;
}

bool set_option(Plan& plan, std::string_view name, const char* value) {
    if (name == "--broker") {
        plan.broker = leat::bench::parse_address(value);
    } else if (name == "--topic") {
        plan.topic = value;
    } else if (name == "--config") {
        const char* equals = std::strchr(value, '=');
        if (equals == nullptr) {
            return false;
        }
        plan.configs.emplace_back(std::string(value, equals), equals + 1);
    } else {
        return set_number(plan, name, value);
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace leat::bench;
    const std::map<std::string_view, void (*)(const Plan&)> modes = {
        {"produce", run_produce}, {"latency", run_latency},     {"fetch", run_fetch},
        {"create", run_create},   {"topics", run_topics},       {"partitions", run_partitions},
        {"offsets", run_offsets}, {"first-ack", run_first_ack}, {"logins", run_logins}};
    const auto mode = argc > 1 ? modes.find(argv[1]) : modes.end();
    if (mode == modes.end()) {
        std::fputs(kHelp, argc > 1 && std::strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc > 1 && std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    Plan plan;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 >= argc || !set_option(plan, argv[i], argv[i + 1])) {
            std::fprintf(stderr, "loadgen: bad option %s\n%s", argv[i], kHelp);
            return 2;
        }
    }
    prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 us would be part of every latency
    mode->second(plan);
    return 0;
}
