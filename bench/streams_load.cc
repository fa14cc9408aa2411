// SPDX-License-Identifier: Apache-2.0
//
// streams_load: the application that `bench/run --table streams` measures; java/StreamsLoad.java is
// its twin. Layer: bench.
//
//     streams_load run TOPOLOGY HOST:PORT APPLICATION [name=value]...    until standard input ends
//     streams_load engine TOPOLOGY RECORDS KEYS [name=value]...          without clients, stores in
//     memory
//
// TOPOLOGY: map-filter, count, tumbling, join, table. Of the names, bench.in, bench.right,
// bench.out and bench.memory are this program's, others are settings. `run` prints each state and,
// with RUNNING, how many records were restored before.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "leat/streams/restore_listener.h"
#include "leat/streams/windowed_serde.h"
#include "streams_engine.h"
#include "streams_records.h"

namespace {

using namespace leat::streams;  // NOLINT(google-build-using-namespace): a program.
using leat::Result;
using std::string;

struct Topics {
    string in = "in";
    string right = "right";
    string out = "out";
    bool persistent = true;
};

void map_filter(Builder& b, const Topics& topics) {
    b.stream<string, string>(topics.in)
        .filter([](const string&, const string& value) { return value[7] != '0'; })
        .map([](const string& key, const string& value) {
            return KeyValue{value.substr(0, 8), key + value.substr(8)};
        })
        .to(topics.out);
}

void count(Builder& b, const Topics& topics) {
    b.stream<string, string>(topics.in)
        .group_by_key()
        .count({.store = "counts", .persistent = topics.persistent})
        .to_stream()
        .to(topics.out);
}

void tumbling_count(Builder& b, const Topics& topics) {
    const Duration size{leat::bench::kWindowMs};
    b.stream<string, string>(topics.in)
        .group_by_key()
        .windowed(tumbling(size).grace(Duration{leat::bench::kGraceMs}))
        .count({.store = "windows", .persistent = topics.persistent})
        .to_stream()
        .to(topics.out, {.key = time_windowed<string>(size)});
}

void join(Builder& b, const Topics& topics) {
    const auto right = b.stream<string, string>(topics.right);
    b.stream<string, string>(topics.in)
        .join(right,
              [](const string& mine, const string& theirs) {
                  return mine.substr(0, 8) + theirs.substr(0, 8);
              },
              within(Duration{leat::bench::kApartMs}).grace(Duration{leat::bench::kGraceMs}),
              {.store = "joined", .persistent = topics.persistent})
        .to(topics.out);
}

void table(Builder& b, const Topics& topics) {
    b.table<string, string>(topics.in, {}, {.store = "table", .persistent = topics.persistent});
}

const std::map<string, void (*)(Builder&, const Topics&)> kTopologies{
    {"map-filter", map_filter}, {"count", count}, {"tumbling", tumbling_count}, {"join", join},
    {"table", table},
};

int fail(const leat::Error& error) {
    std::fprintf(stderr, "streams_load: %s\n", string{error.detail()}.c_str());
    return 1;
}

class Restored final : public RestoreListener {
  public:
    void on_restore_end(const RestoringStore& /*of*/, std::int64_t restored) override {
        sum += restored;
    }
    std::atomic<std::int64_t> sum = 0;
};

struct Wanted {
    Topics topics;
    Application::Options options;
};

/// "name=value".
std::pair<string, string> split(const string& word) {
    const string name = word.substr(0, word.find('='));
    return {name, word.substr(std::min(name.size() + 1, word.size()))};
}

Wanted read_words(int argc, char** argv) {
    Wanted out{.topics = {}, .options = {.application_id = argv[4], .bootstrap_servers = argv[3]}};
    for (int i = 5; i < argc; ++i) {
        const auto [name, value] = split(argv[i]);
        if (name == "bench.in")
            out.topics.in = value;
        else if (name == "bench.right")
            out.topics.right = value;
        else if (name == "bench.out")
            out.topics.out = value;
        else if (name == "bench.memory")
            out.topics.persistent = value != "true";
        else
            out.options.properties[name] = value;
    }
    return out;
}

int run(int argc, char** argv) {
    Wanted wanted = read_words(argc, argv);
    Builder builder;
    kTopologies.at(argv[2])(builder, wanted.topics);
    auto topology = builder.build();
    if (!topology) return fail(topology.error());
    const auto restored = std::make_shared<Restored>();
    wanted.options.restore_listener = restored;
    wanted.options.on_state = [&](ApplicationState now, ApplicationState) {
        std::printf("%s %lld\n", name_of(now).c_str(), static_cast<long long>(restored->sum));
        std::fflush(stdout);
    };
    auto app = Application::open(*topology, wanted.options);
    if (!app) return fail(app.error());
    if (auto started = (*app)->start(); !started) return fail(started.error());
    for (string line; std::getline(std::cin, line);) continue;
    if (auto closed = (*app)->close(); !closed) return fail(closed.error());
    return (*app)->state() == ApplicationState::kNotRunning ? 0 : 1;
}

int engine(int argc, char** argv) {
    const string name = argv[2];
    leat::bench::Given given{.base_ms = leat::bench::kWindowMs * 170'000'000};
    for (const auto& [word, into] :
         {std::pair{std::string_view{argv[3]}, &given.records}, {argv[4], &given.keys}})
        if (std::from_chars(word.data(), word.data() + word.size(), *into).ec != std::errc{} ||
            *into <= 0)
            return 2;
    std::vector<leat::config::Property> settings{{"application.id", "engine"},
                                                 {"bootstrap.servers", "nowhere:1"}};
    for (int i = 5; i < argc; ++i) {
        const auto [setting, value] = split(argv[i]);
        settings.push_back({setting, value});
    }
    Builder builder;
    kTopologies.at(name)(builder, {.persistent = false});
    const auto topology = builder.build();
    if (!topology) return fail(topology.error());
    const auto done = leat::bench::run_engine(*topology, name, given, settings);
    if (!done) return fail(done.error());
    std::printf(
        "{\"records\":%lld,\"cpu_s\":%.6f,\"outputs\":%lld,\"expected\":%lld,\"wrong\":%lld}\n",
        static_cast<long long>(done->records), done->cpu_seconds,
        static_cast<long long>(done->outputs), static_cast<long long>(done->expected),
        static_cast<long long>(done->wrong));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 2 && kTopologies.contains(argv[2]) ? argv[1] : "";
    if (mode == "run" && argc > 4) return run(argc, argv);
    if (mode == "engine" && argc > 4 && std::string_view{argv[2]} != "table")
        return engine(argc, argv);
    std::fputs(
        "usage: streams_load run TOPOLOGY HOST:PORT APPLICATION [name=value]...\n"
        "       streams_load engine TOPOLOGY RECORDS KEYS [name=value]...\n",
        stderr);
    return 2;
}
