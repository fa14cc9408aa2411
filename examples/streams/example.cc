// SPDX-License-Identifier: Apache-2.0
#include "example.h"

#include <cstdio>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>

#include "leat/streams/json.h"
#include "leat/streams/test_driver.h"

namespace example {

namespace {

struct Line {
    std::string topic;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::int64_t timestamp = 0;
};

}  // namespace

}  // namespace example

template <>
struct leat::streams::Members<example::Line> {
    static constexpr auto list = members_of(
        member("topic", &example::Line::topic), member("key", &example::Line::key),
        member("value", &example::Line::value), member("timestamp", &example::Line::timestamp));
};

namespace example {

namespace {

namespace streams = leat::streams;
using leat::Result;

std::optional<std::string> hex(const std::optional<std::string>& bytes) {
    if (!bytes) return std::nullopt;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : *bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += {kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    }
    return out;
}

Result<void> try_out(const streams::Topology& topology, const std::string& application_id) {
    LEAT_TRY(const auto driver,
             streams::TestDriver::open(topology, {.application_id = application_id}));
    const auto lines = streams::json<Line>();
    for (std::string text; std::getline(std::cin, text);) {
        LEAT_TRY(Line line, lines->decode("", text));
        LEAT_TRY_VOID(driver->pipe(line.topic, {.key = std::move(line.key),
                                                .value = std::move(line.value),
                                                .timestamp = line.timestamp}));
    }
    for (const std::string& topic : driver->produced_topics()) {
        // Repartition topics and changelogs are the topology's own.
        if (topic.starts_with(application_id + "-")) continue;
        for (const auto& record : driver->read(topic)) {
            std::string out;
            LEAT_TRY_VOID(lines->encode(
                "", {topic, hex(record.key), hex(record.value), record.timestamp}, out));
            std::puts(out.c_str());
        }
    }
    return {};
}

Result<void> run_on_cluster(const streams::Topology& topology,
                            const streams::Application::Options& options) {
    LEAT_TRY(const auto application, streams::Application::open(topology, options));
    return application->run_until_signal();
}

}  // namespace

int run(int argc, char** argv, MakeTopology* topology, streams::Application::Options options) {
    const bool trial = argc == 2 && std::string_view{argv[1]} == "--try";
    options.bootstrap_servers = argc > 1 ? argv[1] : "127.0.0.1:9092";
    for (int i = 2; i < argc; ++i) {
        const std::string setting{argv[i]};
        const auto at = setting.find('=');
        if (at != std::string::npos)
            options.properties[setting.substr(0, at)] = setting.substr(at + 1);
    }
    options.on_state = [](auto now, auto) {
        std::printf("%s\n", name_of(now).c_str()), std::fflush(stdout);
    };
    const auto built = topology();
    const auto done = !built
                          ? Result<void>{leat::Error{built.error().code(), built.error().detail()}}
                      : trial ? try_out(*built, options.application_id)
                              : run_on_cluster(*built, options);
    if (done) return 0;
    std::fprintf(stderr, "%s: %s\n", options.application_id.c_str(),
                 std::string{done.error().detail()}.c_str());
    return 1;
}

}  // namespace example
