// SPDX-License-Identifier: Apache-2.0
//
// Counts words and answers over HTTP, for stream_endpoint_test.py; ends when standard input does.
//
//     stream_endpoint_app HOST:PORT [name=value]...     settings under Kafka Streams' names
#include <cstdio>
#include <iostream>
#include <string>

#include "leat/stream_endpoint/endpoint.h"
#include "leat/streams/application.h"
#include "leat/streams/builder.h"

namespace {

namespace streams = leat::streams;
namespace endpoint = leat::stream_endpoint;
using std::chrono::milliseconds;

int failed(const leat::Error& why) {
    std::fprintf(stderr, "%s\n", std::string{why.detail()}.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    streams::Builder builder;
    const auto words = builder.stream<std::string, std::string>("lines").group_by(
        [](const std::string& word) { return word; }, {.name = "by-word"});
    static_cast<void>(words.count({.store = "counts"}));
    static_cast<void>(words.windowed(streams::tumbling(milliseconds{60'000}))
                          .count({.store = "minutes", .persistent = false}));
    const auto topology = builder.build();
    if (!topology) return failed(topology.error());
    streams::Application::Options options{
        .application_id = "lookup", .bootstrap_servers = argc > 1 ? argv[1] : "127.0.0.1:9092"};
    for (int i = 2; i < argc; ++i) {
        const std::string setting{argv[i]};
        const auto at = setting.find('=');
        if (at != std::string::npos)
            options.properties[setting.substr(0, at)] = setting.substr(at + 1);
    }
    auto app = streams::Application::open(*topology, options);
    if (!app) return failed(app.error());
    const auto opened = endpoint::Endpoint::open(
        **app, {.stores = {endpoint::expose<std::string, std::int64_t>("counts"),
                           endpoint::expose<std::string, std::int64_t>("minutes")}});
    if (!opened) return failed(opened.error());
    if (const auto started = (*app)->start(); !started) return failed(started.error());
    for (std::string line; std::getline(std::cin, line);) {
    }
    const auto closed = (*app)->close();
    return closed ? 0 : failed(closed.error());
}
