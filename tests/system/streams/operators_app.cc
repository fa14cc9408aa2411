// SPDX-License-Identifier: Apache-2.0
//
// One topology of many operators for streams_operators_test.py, and what must come of its input.
//
//     streams_operators_app run HOST:PORT [name=value]...
// runs it until standard input closes; a line there is a key, whose rows in the stores are told.
//     streams_operators_app expect KEY...
// reads the input, a record a line (topic, partition, time, key, value, with tabs between; no value
// is null), gives each partition's to a test driver of its own, and prints what it writes and, of
// the keys, what the stores have.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "leat/streams/cogrouped_kstream.h"
#include "leat/streams/query.h"
#include "leat/streams/restore_listener.h"
#include "leat/streams/test_driver.h"

namespace {

using namespace leat::streams;  // NOLINT(google-build-using-namespace): a program.
using leat::Result;
using std::string;

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
/// No record comes later than this, so that nothing depends on when stream time was known.
constexpr Duration kGrace{1'000};

string start_of(const Windowed<string>& key) {
    return key.key + "@" + std::to_string(key.window.start);
}
string digits(const std::int64_t& count) {
    return std::to_string(count);
}

/// Counts of windows as text, one key a window.
void tell(const KTable<Windowed<string>, std::int64_t>& counts, const string& topic) {
    counts.to_stream([](const Windowed<string>& key, const std::int64_t*) { return start_of(key); })
        .map_values(digits)
        .to(topic);
}

void add_windows(const KGroupedStream<string, string>& grouped) {
    tell(grouped.windowed(hopping(ms(5'000), ms(2'000)).grace(kGrace)).count({.store = "hopping"}),
         "out-hopping");
    tell(grouped.windowed(sliding(ms(3'000)).grace(kGrace)).count({.store = "sliding"}),
         "out-sliding");
    tell(grouped.windowed(unlimited(5)).count({.store = "unlimited"}), "out-unlimited");
    tell(grouped.windowed(session(ms(2'000)).grace(kGrace)).count({.store = "sessions"}),
         "out-sessions");
    tell(grouped.windowed(tumbling(ms(5'000)).grace(kGrace))
             .count({.store = "waiting"})
             .suppress(until_window_closes(unbounded(), {.name = "until-close"})),
         "out-suppressed");
    tell(grouped.windowed(tumbling(ms(5'000)).grace(kGrace))
             .emit(Emit::kOnWindowClose)
             .count({.store = "closing"}),
         "out-closed");
}

Topology operators() {
    Builder b;
    const auto left = b.stream<string, string>("left");
    const auto right = b.stream<string, string>("right");
    const auto prices =
        b.table<string, string>("prices", {}, {.store = "prices", .history = ms(20'000)});
    const auto names = b.table<string, string>("names", {}, {.store = "names"});
    const auto places = b.table<string, string>("places", {}, {.store = "places"});
    const auto pair = [](const string* l, const string* r) {
        return (l != nullptr ? *l : "-") + "&" + (r != nullptr ? *r : "-");
    };
    left.outer_join(right, pair, within(ms(1'500)).grace(kGrace), {.name = "both"}).to("out-outer");
    left.left_join(prices,
                   [](const string& value, const string* price) {
                       return value + "*" + (price != nullptr ? *price : "-");
                   },
                   {.name = "priced", .grace = kGrace})
        .to("out-priced");
    names.outer_join(places, pair, {.store = "directory"}).to_stream().to("out-directory");
    const auto collect = [](const string&, const string& value, const string& all) {
        return all.substr(all.size() > 40 ? all.size() - 40 : 0) + value;
    };
    left.group_by_key()
        .cogroup<string>(collect)
        .cogroup(right.group_by_key(), collect)
        .aggregate([] { return string{}; }, {.store = "collected"})
        .to_stream()
        .to("out-collected");
    add_windows(left.group_by_key());
    return *b.build();
}

void say(const string& line) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock{one_at_a_time};
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

template <class V>
std::vector<V> rows_of(const std::vector<V>& rows) {
    return rows;
}
template <class V>
std::vector<V> rows_of(const std::optional<V>& row) {
    return row ? std::vector<V>{*row} : std::vector<V>{};
}

/// What all partitions answer.
template <class Where, class Query>
auto ask(Where& where, const string& store, const Query& question) {
    decltype(rows_of(typename Query::Value{})) out;
    const auto answers = query(where, store, question);
    if (!answers) {
        say("error " + store + ": " + string{answers.error().detail()});
        return out;
    }
    for (const auto& one : answers->partitions) {
        if (one.failure) say("error " + store + ": " + one.reason);
        if (one.value)
            for (const auto& row : rows_of(*one.value)) out.push_back(row);
    }
    return out;
}

/// Lines "row STORE KEY ...", of a key in stores of each kind.
template <class Where>
void tell_rows(Where& where, const string& key) {
    const auto row = [&](const string& store, const string& rest) {
        say("row " + store + " " + key + " " + rest);
    };
    const Timestamp first{0};
    const Timestamp last{std::int64_t{1} << 60};
    for (const auto& one :
         ask(where, "prices", MultiVersionedKeyQuery<string, string>{key, std::nullopt, {}})) {
        row("prices", std::to_string(one.from.ms) + " " + one.value);
        for (const auto& then :
             ask(where, "prices", VersionedKeyQuery<string, string>{key, one.from}))
            row("prices-as-of", std::to_string(then.from.ms) + " " + then.value);
    }
    for (const auto& one : ask(where, "sessions", SessionQuery<string, std::int64_t>{key}))
        row("sessions", std::to_string(one.window.start) + " " + std::to_string(one.window.end) +
                            " " + digits(one.value.value));
    for (const string store : {"unlimited", "hopping", "sliding"})
        for (const auto& one :
             ask(where, store, WindowKeyQuery<string, std::int64_t>{key, first, last}))
            row(store, std::to_string(one.window.start) + " " + std::to_string(one.window.end) +
                           " " + digits(one.value.value));
    for (const string store : {"names", "directory", "collected"})
        for (const auto& one : ask(where, store, KeyQuery<string, string>{key}))
            row(store, std::to_string(one.timestamp.ms) + " " + one.value);
    say("rows of " + key);
}

/// An input topic's partition: records in the order of their offsets.
using Log = std::deque<RawRecord>;
using Logs = std::map<string, Log>;

std::map<int, Logs> read_input() {
    std::map<int, Logs> out;
    for (string line; std::getline(std::cin, line);) {
        std::vector<string> fields{""};
        for (const char c : line) {
            if (c == '\t')
                fields.emplace_back();
            else
                fields.back().push_back(c);
        }
        RawRecord record{.key = fields.at(3), .timestamp = std::stoll(fields.at(2))};
        if (fields.size() > 4) record.value = fields[4];
        out[std::stoi(fields.at(1))][fields[0]].push_back(std::move(record));
    }
    return out;
}

/// As a task does: the topic whose next record is oldest comes next. No two are of one time.
Result<void> play(TestDriver& driver, Logs logs) {
    while (true) {
        Logs::value_type* next = nullptr;
        for (auto& log : logs)
            if (!log.second.empty() &&
                (next == nullptr || log.second.front().timestamp < next->second.front().timestamp))
                next = &log;
        if (next == nullptr) return {};
        LEAT_TRY_VOID(driver.pipe(next->first, next->second.front()));
        next->second.pop_front();
    }
}

int expect(const std::vector<string>& keys) {
    const Topology topology = operators();
    for (auto& [partition, logs] : read_input()) {
        auto driver = TestDriver::open(topology, {.application_id = "operators"});
        if (!driver || !play(**driver, std::move(logs))) return 1;
        for (const auto& topic : (*driver)->produced_topics()) {
            if (!topic.starts_with("out-")) continue;
            for (const RawRecord& record : (*driver)->read(topic))
                say("out\t" + topic + "\t" + std::to_string(record.timestamp) + "\t" +
                    record.key.value_or("") + (record.value ? "\t" + *record.value : ""));
        }
        for (const auto& key : keys) tell_rows(**driver, key);
    }
    return 0;
}

class SayRestores final : public RestoreListener {
  public:
    void on_restore_start(const RestoringStore&, std::int64_t, std::int64_t) override {}
    void on_batch_restored(const RestoringStore&, std::int64_t, std::int64_t) override {}
    void on_restore_end(const RestoringStore& of, std::int64_t restored) override {
        say("restored " + of.topic + " " + std::to_string(restored));
    }
    void on_restore_suspended(const RestoringStore&, std::int64_t) override {}
};

int run(const string& bootstrap, const std::vector<string>& settings) {
    Application::Options options{.application_id = "operators", .bootstrap_servers = bootstrap};
    for (const auto& setting : settings) {
        const auto at = setting.find('=');
        options.properties[setting.substr(0, at)] = setting.substr(at + 1);
    }
    options.on_state = [](auto now, auto) { say("state " + name_of(now)); };
    options.on_uncaught = [](const leat::Error& error) {
        say("uncaught " + string{error.detail()});
        return UncaughtResponse::kShutdownClient;
    };
    options.restore_listener = std::make_shared<SayRestores>();
    const Topology topology = operators();
    auto app = Application::open(topology, options);
    if (!app) {
        std::fprintf(stderr, "streams_operators_app: %s\n", string{app.error().detail()}.c_str());
        return 1;
    }
    if (auto started = (*app)->start(); !started) return 1;
    for (string key; std::getline(std::cin, key);) tell_rows(**app, key);
    return (*app)->close() && (*app)->state() == ApplicationState::kNotRunning ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments[0] == "expect")
        return expect({arguments.begin() + 1, arguments.end()});
    if (arguments.size() >= 2 && arguments[0] == "run")
        return run(arguments[1], {arguments.begin() + 2, arguments.end()});
    std::fprintf(stderr,
                 "usage: streams_operators_app run HOST:PORT [name=value]... | expect KEY...\n");
    return 2;
}
