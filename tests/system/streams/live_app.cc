// SPDX-License-Identifier: Apache-2.0
//
// Small topologies for streams_live_test.py, which writes commands to standard input, one a line,
// and reads one line for each; states come in between.
//
//     streams_live_app HOST:PORT TOPOLOGY [name=value]...
// Names that are no settings: uncaught=replace|application, batch_pause=MS (of the listener that
// hears what is restored), throws=state,uncaught,restore,processing (of the listeners), hang=MS
// (numbers).
//     streams_live_app settings          prints docs/reference/streams-settings.md
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "leat/streams/query.h"
#include "leat/streams/restore_listener.h"
#include "streams/settings_reference.h"
#include "streams/testing/own_stores.h"

namespace {

using namespace leat::streams;  // NOLINT(google-build-using-namespace): a program.
using leat::Errc;
using leat::Error;
using leat::Result;
using std::string;

/// Numbers as text, so that a shell can write them and not all bytes are one.
class NumberText final : public Codec<std::int64_t> {
  public:
    Result<void> encode(std::string_view, const std::int64_t& value, string& out) const override {
        out += std::to_string(value);
        return {};
    }
    Result<std::int64_t> decode(std::string_view, std::string_view bytes) const override {
        std::int64_t out = 0;
        const auto [end, failure] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), out);
        if (failure != std::errc{} || end != bytes.data() + bytes.size())
            return Error{Errc::kInvalidRecord, "no number"};
        return out;
    }
};
Serde<std::int64_t> number_text() {
    return std::make_shared<NumberText>();
}

/// Set once, taken once.
std::atomic<int> hang_ms{0};
std::atomic<bool> throws_once{true};

/// Throws at the first 12 and at 13, makes 100 kB of 14, hangs at the first 15.
Topology numbers() {
    Builder b;
    b.stream<string, std::int64_t>("in", {.value = number_text(), .name = "reads"})
        .map_values(
            [](std::int64_t v) {
                // A call of another service that does not come back is under test.
                if (v == 15)
                    std::this_thread::sleep_for(std::chrono::milliseconds{hang_ms.exchange(0)});
                if (v == 12 && throws_once.exchange(false)) throw std::runtime_error("twelve");
                if (v == 13) throw std::runtime_error("thirteen");
                return v == 14 ? string(100'000, 'x') : "v" + std::to_string(v);
            },
            {.name = "works"})
        .to("out", {.name = "writes"});
    return *b.build();
}

Topology pattern() {
    Builder b;
    b.stream<string, string>(TopicPattern{"in(-[a-z]+)?"}).to("out");
    return *b.build();
}

/// Each topic is read from another place when there is no committed position.
Topology resets() {
    Builder b;
    const auto from = [&](const string& topic, OffsetReset reset) {
        b.stream<string, string>(topic, {.reset = reset}).to("out");
    };
    from("in-earliest", OffsetReset::earliest());
    from("in-latest", OffsetReset::latest());
    from("in-hour", OffsetReset::by_duration(std::chrono::hours{1}));
    return *b.build();
}

Topology reset_none() {
    Builder b;
    b.stream<string, string>("in", {.reset = OffsetReset::none()}).to("out");
    return *b.build();
}

Topology global() {
    Builder b;
    const auto names = b.global_table<string, string>("names");
    b.stream<string, string>("in")
        .left_join(
            names, [](const string& key, const string&) { return key; },
            [](const string& value, const string* name) {
                return value + ":" + (name == nullptr ? "nobody" : *name);
            })
        .to("out");
    return *b.build();
}

/// A line by each clock: how often and of how many records.
class Ticker final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        const auto tick = [this, &context](const char* clock) {
            return [this, &context, clock](Timestamp now) {
                return context.forward(
                    {.key = clock, .value = std::to_string(seen_), .timestamp = now});
            };
        };
        for (const auto& [type, clock] : {std::pair{PunctuationType::kStreamTime, "stream"},
                                          std::pair{PunctuationType::kWallClockTime, "wall"}}) {
            auto made = context.schedule(Duration{1'000}, type, tick(clock));
            if (!made) return std::move(made).error();
        }
        return {};
    }
    Result<void> process(const Record<string, string>& /*record*/) override {
        ++seen_;
        return {};
    }

  private:
    int seen_ = 0;
};

Topology ticks() {
    Builder b;
    b.stream<string, string>("in").process([] { return std::make_unique<Ticker>(); }).to("out");
    return *b.build();
}

Topology counts() {
    Builder b;
    b.stream<string, string>("in")
        .group_by_key()
        .count({.store = "counts"})
        .to_stream()
        .map_values([](const std::int64_t& count) { return std::to_string(count); })
        .to("out");
    return *b.build();
}

/// The same in a store that keeps its rows in a file.
Topology own_counts() {
    Builder b;
    const KeyValueBytesStoreSupplier file{
        .name = "counts",
        .get = testing_own::maker<testing_own::FileStore>(std::make_shared<testing_own::Diary>()),
        .traits = {.persistent = true, .timestamped = true}};
    b.stream<string, string>("in")
        .group_by_key()
        .count(Materialized<string, std::int64_t>::as(file))
        .to_stream()
        .map_values([](const std::int64_t& count) { return std::to_string(count); })
        .to("out");
    return *b.build();
}

Topology joined() {
    Builder b;
    const auto right = b.stream<string, string>("right");
    b.stream<string, string>("left")
        .join(right, [](const string& l, const string& r) { return l + "&" + r; },
              within(Duration{4'000}).grace(Duration{0}), {.store = "joined"})
        .to("out");
    return *b.build();
}

/// Two sub-topologies, so that there is a repartition topic.
Topology repartitioned() {
    Builder b;
    b.stream<string, string>("in").repartition({.name = "by-key"}).to("out");
    return *b.build();
}

/// Orders, whose value is their customer, with what customers are.
Topology foreign() {
    Builder b;
    const auto right = b.table<string, string>("customers");
    b.table<string, string>("in")
        .join_on(
            right, [](const string& customer) { return customer; },
            [](const string& customer, const string& name) { return customer + "=" + name; },
            {.name = "by"})
        .to_stream()
        .to("out");
    return *b.build();
}

const std::map<string, std::function<Topology()>> kTopologies{
    {"foreign", foreign},       {"counts", counts},         {"repartitioned", repartitioned},
    {"own-counts", own_counts}, {"numbers", numbers},       {"pattern", pattern},
    {"resets", resets},         {"reset-none", reset_none}, {"global", global},
    {"ticks", ticks},           {"joined", joined},
};

void say(const string& line) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock{one_at_a_time};
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

string outcome(const Result<void>& done) {
    return done ? "ok" : "error " + string{done.error().detail()};
}
string outcome(const Result<int>& done) {
    return done ? "ok " + std::to_string(*done) : "error " + string{done.error().detail()};
}

string text_of(const std::vector<ThreadMetadata>& threads) {
    string out = "ok";
    for (const auto& thread : threads) {
        out += " " + thread.name.substr(thread.name.rfind('-') + 1) + ":";
        for (const auto& task : thread.active) {
            out += task.task_id + "(";
            for (const auto& [where, offset] : task.committed)
                out += where.first + "-" + std::to_string(where.second) + "=" +
                       std::to_string(offset) + ";";
            out += task.is_running ? ")" : "!)";
        }
        for (const auto& task : thread.standby) out += "s" + task.task_id;
    }
    return out;
}

string text_of(const Application& app, const string& store) {
    string out = "ok";
    for (const auto& one : app.streams_metadata_for_store(store)) {
        out += " " + one.endpoint;
        for (const auto& task : one.tasks) out += "+" + task;
        for (const auto& task : one.standby_tasks) out += "~" + task;
    }
    return out;
}

string where_is(const Application& app, const string& key) {
    const auto found = app.query_metadata_for_key("counts", key);
    if (!found) return "error " + string{found.error().detail()};
    string out = "ok " + std::to_string(found->partition) + " " + found->active;
    for (const auto& one : found->standby) out += " ~" + one;
    return out;
}

string value_of(const Application& app, const string& key) {
    const auto got = query(app, "counts", KeyQuery<string, std::int64_t>{key});
    if (!got) return "error " + string{got.error().detail()};
    string out = "ok";
    for (const auto& one : got->partitions)
        if (one.value && *one.value) out += " " + std::to_string((*one.value)->value);
    return out;
}

/// A query of one's own: all counts together.
struct SumOfCounts {
    using Store = ReadOnlyKeyValueStore<string, std::int64_t>;
    using Value = std::int64_t;
    [[nodiscard]] static Result<Value> run(const Store& store) {
        Value out = 0;
        auto done = store.all([&](const string&, const Timed<std::int64_t>& one) {
            out += one.value;
            return true;
        });
        if (!done) return std::move(done).error();
        return out;
    }
};
string sums_of(const Application& app) {
    const auto got = query(app, "counts", SumOfCounts{}, {.require_active = true});
    if (!got) return "error " + string{got.error().detail()};
    string out = "ok";
    for (const auto& one : got->partitions)
        out += " " + (one.value ? std::to_string(*one.value) : name_of(*one.failure));
    return out;
}

string lags_of(const Application& app) {
    const auto lags = app.all_local_store_partition_lags();
    if (!lags) return "error " + string{lags.error().detail()};
    string out = "ok";
    for (const auto& [store, partitions] : *lags)
        for (const auto& [partition, lag] : partitions)
            out += " " + store + "-" + std::to_string(partition) + "=" +
                   std::to_string(lag.position) + "/" + std::to_string(lag.end);
    return out;
}

class SayRestores final : public RestoreListener {
  public:
    /// A listener that takes its time holds up the thread that restores, and no other.
    SayRestores(int pause_ms, bool throws) : pause_(pause_ms), throws_(throws) {}
    void on_restore_start(const RestoringStore& of, std::int64_t start, std::int64_t end) override {
        say("restore start " + text_of(of) + " " + std::to_string(start) + " " +
            std::to_string(end));
        if (throws_) throw std::runtime_error("no restore");
    }
    void on_batch_restored(const RestoringStore& of, std::int64_t next,
                           std::int64_t restored) override {
        say("restore batch " + text_of(of) + " " + std::to_string(next) + " " +
            std::to_string(restored));
        std::this_thread::sleep_for(pause_);  // The slowness itself is under test.
    }
    void on_restore_end(const RestoringStore& of, std::int64_t restored) override {
        say("restore end " + text_of(of) + " " + std::to_string(restored));
    }
    void on_restore_suspended(const RestoringStore& of, std::int64_t restored) override {
        say("restore suspended " + text_of(of) + " " + std::to_string(restored));
    }

  private:
    static string text_of(const RestoringStore& of) {
        return of.store + " " + of.topic + "-" + std::to_string(of.partition);
    }
    std::chrono::milliseconds pause_;
    bool throws_;
};

/// False: it was told to end.
bool obey(Application& app, const string& command) {
    if (command == "pause") app.pause();
    if (command == "resume") app.resume();
    if (command == "pause" || command == "resume")
        say("ok");
    else if (command == "add")
        say(outcome(app.add_thread()));
    else if (command == "remove")
        say(outcome(app.remove_thread()));
    else if (command == "leave" || command == "stay")
        say(outcome(app.close(Duration{30'000}, command == "leave")));
    else if (command == "clean")
        say(outcome(app.clean_up()));
    else if (command == "failure")
        say(app.failure() ? "ok " + string{app.failure()->detail()} : "ok none");
    else if (command == "threads")
        say(text_of(app.thread_metadata()));
    else if (command == "lags")
        say(lags_of(app));
    else if (command == "sums")
        say(sums_of(app));
    else if (command.starts_with("store "))
        say(text_of(app, command.substr(6)));
    else if (command.starts_with("get "))
        say(value_of(app, command.substr(4)));
    else if (command.starts_with("key "))
        say(where_is(app, command.substr(4)));
    else
        say("error no such command");
    return command != "leave" && command != "stay";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && string{argv[1]} == "settings") {
        std::fputs(settings_reference().c_str(), stdout);
        return 0;
    }
    if (argc < 3 || !kTopologies.contains(argv[2])) {
        std::fprintf(stderr, "usage: streams_live_app HOST:PORT TOPOLOGY [name=value]...\n");
        return 2;
    }
    const Topology topology = kTopologies.at(argv[2])();
    Application::Options options{.application_id = "live", .bootstrap_servers = argv[1]};
    string uncaught;
    string throws;
    int batch_pause_ms = 0;
    for (int i = 3; i < argc; ++i) {
        const string setting{argv[i]};
        const string name = setting.substr(0, setting.find('='));
        const string value = setting.substr(name.size() + 1);
        if (name == "uncaught")
            uncaught = value;
        else if (name == "hang")
            hang_ms = std::stoi(value);
        else if (name == "throws")
            throws = value;
        else if (name == "batch_pause")
            batch_pause_ms = std::stoi(value);
        else
            options.properties[name] = value;
    }
    const auto is_to_throw = [&](const char* where) { return throws.find(where) != string::npos; };
    options.on_state = [&](auto now, auto) {
        say("state " + name_of(now));
        if (is_to_throw("state")) throw std::runtime_error("no state");
    };
    options.on_uncaught = [&](const Error& error) {
        say("uncaught " + string{error.detail()});
        if (is_to_throw("uncaught")) throw std::runtime_error("no answer");
        if (uncaught == "replace") return UncaughtResponse::kReplaceThread;
        if (uncaught == "application") return UncaughtResponse::kShutdownApplication;
        return UncaughtResponse::kShutdownClient;
    };
    if (is_to_throw("processing"))
        options.handlers.processing = [](const ErrorContext&, const Error&) -> ErrorAnswer {
            throw std::runtime_error("no answer");
        };
    options.restore_listener =
        std::make_shared<SayRestores>(batch_pause_ms, is_to_throw("restore"));
    auto app = Application::open(topology, options);
    if (!app) {
        std::fprintf(stderr, "streams_live_app: %s\n", string{app.error().detail()}.c_str());
        return 1;
    }
    if (auto started = (*app)->start(); !started) return 1;
    for (string command; std::getline(std::cin, command);)
        if (!obey(**app, command)) break;
    return (*app)->close() && (*app)->state() == ApplicationState::kNotRunning ? 0 : 1;
}
