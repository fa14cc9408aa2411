// SPDX-License-Identifier: Apache-2.0
//
// streams_load: the application that `bench/run --table streams` measures; java/StreamsLoad.java is
// its twin. Layer: bench.
//
//     streams_load run TOPOLOGY HOST:PORT APPLICATION [name=value]...    until standard input ends
//     streams_load engine TOPOLOGY RECORDS KEYS                          in the test driver, stores
//     in memory
//
// TOPOLOGY: map-filter, count, tumbling, join, table. Of the names, bench.in, bench.right,
// bench.out and bench.memory are this program's, others are settings. `run` prints each state and,
// with RUNNING, how many records were restored before.
#include <atomic>
#include <charconv>
#include <cstdio>
#include <ctime>
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
#include "leat/streams/test_driver.h"
#include "leat/streams/windowed_serde.h"
#include "streams_check.h"
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

Wanted read_words(int argc, char** argv) {
    Wanted out{.topics = {}, .options = {.application_id = argv[4], .bootstrap_servers = argv[3]}};
    for (int i = 5; i < argc; ++i) {
        const string word{argv[i]};
        const string name = word.substr(0, word.find('='));
        const string value = word.substr(std::min(name.size() + 1, word.size()));
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

/// Of this thread: the driver has no other.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Pipes records in pieces; what makes them and checks what comes of them is not measured.
class Engine {
  public:
    Engine(string topology, const leat::bench::Given& given)
        : topology_(std::move(topology)),
          given_(given),
          checker_(leat::bench::make_checker(topology_, given)) {}

    Result<void> run() {
        Builder builder;
        kTopologies.at(topology_)(builder, {.persistent = false});
        LEAT_TRY(const auto topology, builder.build());
        // As the settings of the application: updates are held back in 10 MB, and told at commits.
        LEAT_TRY(driver_, TestDriver::open(topology, {.cache_bytes = std::size_t{10} << 20U,
                                                      .commit_each_record = false}));
        for (std::int64_t first = 0; first < given_.records; first += kPiece)
            LEAT_TRY_VOID(piece(first, std::min(first + kPiece, given_.records)));
        return {};
    }

    void tell() const {
        std::printf(
            "{\"records\":%lld,\"cpu_s\":%.6f,\"outputs\":%lld,\"expected\":%lld,\"wrong\":%lld}\n",
            static_cast<long long>(measured_), cpu_, static_cast<long long>(outputs_),
            static_cast<long long>(checker_->expected()),
            static_cast<long long>(checker_->wrong()));
    }

  private:
    static constexpr std::int64_t kPiece = 50'000;

    Result<void> piece(std::int64_t first, std::int64_t end) {
        using leat::bench::Stream;
        std::vector<std::pair<const char*, RawRecord>> records;
        for (std::int64_t i = first; i < end; ++i) {
            records.emplace_back("in", record(i, Stream::kLeft));
            if (topology_ == "join") records.emplace_back("right", record(i, Stream::kRight));
        }
        const double begin = cpu_seconds();
        for (const auto& [topic, one] : records) LEAT_TRY_VOID(driver_->pipe(topic, one));
        LEAT_TRY_VOID(driver_->commit());
        // The first part warms caches, as the application's warm-up does.
        if (first >= given_.records * 2 / 5) {
            cpu_ += cpu_seconds() - begin;
            measured_ += static_cast<std::int64_t>(records.size());
        }
        for (const string& topic : driver_->produced_topics())
            for (const RawRecord& out : driver_->read(topic)) {
                if (topic != "out") continue;  // Changelogs.
                ++outputs_;
                checker_->take(out.key.value_or(""), out.value.value_or(""));
            }
        return {};
    }

    [[nodiscard]] RawRecord record(std::int64_t number, leat::bench::Stream stream) const {
        using namespace leat::bench;
        return {.key = key_text(key_number(number, given_.keys, stream)),
                .value = value_text(number),
                .timestamp = time_of(number, given_.base_ms)};
    }

    string topology_;
    leat::bench::Given given_;
    std::unique_ptr<leat::bench::Checker> checker_;
    std::unique_ptr<TestDriver> driver_;
    double cpu_ = 0;
    std::int64_t measured_ = 0;
    std::int64_t outputs_ = 0;
};

int engine(char** argv) {
    leat::bench::Given given{.base_ms = leat::bench::kWindowMs * 170'000'000};
    for (const auto& [word, into] :
         {std::pair{std::string_view{argv[3]}, &given.records}, {argv[4], &given.keys}})
        if (std::from_chars(word.data(), word.data() + word.size(), *into).ec != std::errc{} ||
            *into <= 0)
            return 2;
    Engine one{argv[2], given};
    if (auto done = one.run(); !done) return fail(done.error());
    one.tell();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 2 && kTopologies.contains(argv[2]) ? argv[1] : "";
    if (mode == "run" && argc > 4) return run(argc, argv);
    if (mode == "engine" && argc == 5 && std::string_view{argv[2]} != "table") return engine(argv);
    std::fputs(
        "usage: streams_load run TOPOLOGY HOST:PORT APPLICATION [name=value]...\n"
        "       streams_load engine TOPOLOGY RECORDS KEYS\n",
        stderr);
    return 2;
}
