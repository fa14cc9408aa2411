// SPDX-License-Identifier: Apache-2.0
//
// Counts words and answers about them: a word a line on stdin, one line for each partition out.
//
//     stream_query_app HOST:PORT [name=value]...     settings under Kafka Streams' names
//
// "?" asks for metrics in Prometheus' text, ended by an empty line; "!KEY" asks the global table of
// the topic "names"; "@PARTITION WORD" asks that partition alone, and tells whom else to ask.
#include <cstdio>
#include <iostream>
#include <string>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "leat/streams/query.h"

namespace {

namespace streams = leat::streams;

void print(const std::string& word, streams::Application& app) {
    const auto found =
        streams::query(app, "counts", streams::KeyQuery<std::string, std::int64_t>{word},
                       {.require_active = true});
    if (!found) {
        std::printf("error %s\n", std::string{found.error().detail()}.c_str());
    } else {
        for (const auto& one : found->partitions) {
            std::printf("%s %d ", word.c_str(), one.partition);
            if (one.failure)
                std::printf("%s\n", name_of(*one.failure).c_str());
            else
                std::printf("%lld\n",
                            *one.value ? static_cast<long long>((*one.value)->value) : 0LL);
        }
        std::printf(".\n");
    }
    std::fflush(stdout);
}

void print_of_partition(const std::string& asked, streams::Application& app) {
    const std::size_t space = asked.find(' ');
    const auto found = streams::query(
        app, "counts", streams::KeyQuery<std::string, std::int64_t>{asked.substr(space + 1)},
        {.partitions = {std::stoi(asked.substr(0, space))}, .require_active = true});
    if (!found) {
        std::printf("error %s\n", std::string{found.error().detail()}.c_str());
    } else {
        const auto& one = found->partitions.front();
        std::string line = "here";
        if (one.failure) line = name_of(*one.failure) + " owner " + one.owner;
        for (const std::string& standby : one.standbys) line += " standby " + standby;
        std::printf("%s\n.\n", line.c_str());
    }
    std::fflush(stdout);
}

void print_name(const std::string& key, streams::Application& app) {
    const auto found =
        streams::query(app, "names", streams::KeyQuery<std::string, std::string>{key});
    if (!found) {
        std::printf("error %s\n", std::string{found.error().detail()}.c_str());
    } else {
        const auto& one = found->partitions.front();
        const std::string shown = one.failure               ? name_of(*one.failure)
                                  : one.value && *one.value ? (*one.value)->value
                                                            : "nothing";
        std::printf("%d %s\n.\n", one.partition, shown.c_str());
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    streams::Builder builder;
    static_cast<void>(
        builder.stream<std::string, std::string>("lines")
            .group_by([](const std::string& word) { return word; }, {.name = "by-word"})
            .count({.store = "counts"}));
    static_cast<void>(
        builder.global_table<std::string, std::string>("names", {}, {.store = "names"}));
    const auto topology = builder.build();
    streams::Application::Options options{
        .application_id = "lookup", .bootstrap_servers = argc > 1 ? argv[1] : "127.0.0.1:9092"};
    for (int i = 2; i < argc; ++i) {
        const std::string setting{argv[i]};
        const auto at = setting.find('=');
        if (at != std::string::npos)
            options.properties[setting.substr(0, at)] = setting.substr(at + 1);
    }
    auto app = streams::Application::open(*topology, options);
    if (!app || !(*app)->start()) return 1;
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "?")
            std::printf("%s\n", streams::prometheus_text((*app)->metrics()).c_str()),
                std::fflush(stdout);
        else if (line.starts_with('!'))
            print_name(line.substr(1), **app);
        else if (line.starts_with('@'))
            print_of_partition(line.substr(1), **app);
        else
            print(line, **app);
    }
    return (*app)->close() ? 0 : 1;
}
