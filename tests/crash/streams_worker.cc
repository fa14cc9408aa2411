// SPDX-License-Identifier: Apache-2.0
//
// The application that the crash harness runs, stops and kills: one instance of it.
//
//     streams_worker HOST:PORT [name=value]...   settings under Kafka Streams' names
//     streams_worker steps                       the steps at which it can be killed or stopped
//     streams_worker faults                      the wrongs that it can do
//
//     in        KEY "NUMBER"; the numbers of a key count from 1                in
//     names     KEY "VERSION"; the versions of a key count from 1              in
//     joined    KEY "NUMBER VERSION", "NUMBER nobody" when the table lacks it  out, one for each in
//     totals    tKEY "NUMBER COUNT GAPS": the highest number, how many came,   out, one for each in
//               how often some were left out before one
//     kept      as totals, out of a store of one's own                         out
//     windows   tKEY@START "LOWEST HIGHEST COUNT"                              out
//     also      KEY "NUMBER"; the numbers of a key count from 1                in
//     met       KEY "NUMBER OF_ALSO" of those at most a second apart           out
//     either    so too; and those that nothing met, with 0 for the other one   out
//     sessions  tKEY@FIRST-LAST "LOWEST HIGHEST COUNT" of numbers of in, each  out
//               at most two seconds of its own time after the one before; null
//               when it has become a longer one
//     closed    KEY@START as windows, of also, and once: when nothing more can  out
//               come
//     referred  tKEY "NUMBER VERSION": the key's last number, and the version  out
//               of the row of names that it refers to
//
// Behind the repartition topic keys begin with "t", so that they lie in other partitions there.
// What an aggregate is that counts twice what came twice, while its highest number does not: at
// least once may differ in the one, never in the other.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"
#include "leat/streams/kgrouped_stream.h"
#include "leat/streams/ktable.h"
#include "leat/streams/suppress.h"
#include "leat/streams/windows.h"
#include "streams/failpoints.h"
#include "streams/testing/own_stores.h"

namespace {

using leat::Result;
using leat::streams::Application;
using leat::streams::Builder;
using leat::streams::KeyValue;
using leat::streams::KeyValueBytesStoreSupplier;
using leat::streams::KGroupedStream;
using leat::streams::KStream;
using leat::streams::KTable;
using leat::streams::Materialized;
using leat::streams::session;
using leat::streams::Topology;
using leat::streams::tumbling;
using leat::streams::until_window_closes;
using leat::streams::Windowed;
using leat::streams::within;
using std::string;

constexpr std::chrono::seconds kWindow{5};
/// Partitions that lag behind are never too late.
constexpr std::chrono::hours kGrace{24};
constexpr std::chrono::seconds kApart{1};
/// Short enough that what nothing met is told, and rows grow too old, while the run lasts.
constexpr std::chrono::seconds kJoinGrace{30};
constexpr std::chrono::seconds kCloses{1};
constexpr std::chrono::seconds kGap{2};
/// Rows of names that are referred to.
constexpr std::int64_t kRows = 20;

string add_to_total(const string& /*key*/, const string& value, const string& total) {
    std::int64_t highest = 0;
    std::int64_t count = 0;
    std::int64_t gaps = 0;
    std::istringstream{total} >> highest >> count >> gaps;
    const std::int64_t number = std::stoll(value);
    if (number > highest + 1) ++gaps;
    return std::to_string(std::max(highest, number)) + " " + std::to_string(count + 1) + " " +
           std::to_string(gaps);
}

/// Of numbers.
struct Span {
    std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
    std::int64_t highest = 0;
    std::int64_t count = 0;
};

Span span_of(const string& text) {
    Span out;
    if (!text.empty()) std::istringstream{text} >> out.lowest >> out.highest >> out.count;
    return out;
}

string both(const Span& one, const Span& other) {
    return std::to_string(std::min(one.lowest, other.lowest)) + " " +
           std::to_string(std::max(one.highest, other.highest)) + " " +
           std::to_string(one.count + other.count);
}

string add_to_window(const string& /*key*/, const string& value, const string& window) {
    const std::int64_t number = std::stoll(value);
    return both(span_of(window), {number, number, 1});
}

string unite(const string& /*key*/, const string& one, const string& other) {
    // Of nothing and a session the session: what both() makes of two that are empty is no span.
    return one.empty() ? other : both(span_of(one), span_of(other));
}

KeyValue<string, string> at_start(const Windowed<string>& key, const string& window) {
    return {key.key + "@" + std::to_string(key.window.start), window};
}

/// A null value tells that the session has become another one.
KeyValue<string, string> from_first_to_last(const Windowed<string>& key, const string* span) {
    const auto [first, last] = key.window;
    KeyValue<string, string> out{key.key + "@" + std::to_string(first) + "-" +
                                 std::to_string(last)};
    if (span != nullptr) out.value = *span;
    return out;
}

/// A map that each flush() writes to a file whole.
Materialized<string, string> in_own_store() {
    namespace own = leat::streams::testing_own;
    auto out = Materialized<string, string>::as(KeyValueBytesStoreSupplier{
        .name = "kept",
        .get = [] { return std::make_unique<own::FileStore>(std::make_shared<own::Diary>()); },
        .traits = {.persistent = true}});
    out.caching = false;
    return out;
}

using Numbers = KStream<string, string>;

/// Their newest rows are in memory and in the changelogs. Those of the second may not rely on a
/// changelog for long, so that they are written at commits too: the broker of the harness deletes
/// nothing of it, but the application does not know that.
void add_joins(const Numbers& in, const Numbers& also) {
    const auto windows = within(kApart).grace(kJoinGrace);
    in.join(also, [](const string& number, const string& other) { return number + " " + other; },
            windows, {.store = "met"})
        .to("met");
    const auto either = [](const string* number, const string* other) {
        return (number == nullptr ? "0" : *number) + " " + (other == nullptr ? "0" : *other);
    };
    in.outer_join(also, either, windows,
                  {.store = "either", .changelog = {{"retention.ms", "60000"}}})
        .to("either");
}

/// In sessions, and in windows whose results a cache holds back: they go out with a commit.
void add_windows(const KGroupedStream<string, string>& turned) {
    turned.windowed(tumbling(kWindow).grace(kGrace))
        .aggregate([] { return string{}; }, add_to_window, {.store = "windows"})
        .to_stream()
        .map(at_start)
        .to("windows");
    turned.windowed(session(kGap).grace(kGrace))
        .aggregate([] { return string{}; }, add_to_window, unite, {.store = "sessions"})
        .to_stream()
        .map(from_first_to_last)
        .to("sessions");
}

/// Each window once, when it is over. Records of a partition come in the order of their times.
void add_closed_windows(const Numbers& also) {
    also.group_by_key()
        .windowed(tumbling(kWindow).grace(kCloses))
        .aggregate([] { return string{}; }, add_to_window, {.store = "closing"})
        .suppress(until_window_closes())
        .to_stream()
        .map(at_start)
        .to("closed");
}

/// The last number of each key refers to a row of names.
void add_references(const Numbers& turned, const KTable<string, string>& names) {
    turned.to_table({.store = "numbers"})
        .join_on(
            names,
            [](const string& number) { return "k" + std::to_string(std::stoll(number) % kRows); },
            [](const string& number, const string& version) { return number + " " + version; })
        .to_stream()
        .to("referred");
}

Result<Topology> topology() {
    Builder builder;
    const auto names = builder.table<string, string>("names", {}, {.store = "names"});
    const auto in = builder.stream<string, string>("in");
    in.left_join(names, [](const string& number, const string* version) {
          return number + " " + (version == nullptr ? "nobody" : *version);
      }).to("joined");
    const auto also = builder.stream<string, string>("also");
    add_joins(in, also);
    add_closed_windows(also);
    const auto turned = in.select_key([](const string& key, const string& /*number*/) {
                              return "t" + key;
                          }).repartition({.name = "turned"});
    const auto grouped = turned.group_by_key();
    grouped
        .aggregate([] { return string{"0 0 0"}; }, add_to_total,
                   {.store = "totals", .caching = false})
        .to_stream()
        .to("totals");
    grouped.aggregate([] { return string{"0 0 0"}; }, add_to_total, in_own_store())
        .to_stream()
        .to("kept");
    add_windows(grouped);
    add_references(turned, names);
    return builder.build();
}

Result<void> run(int argc, char** argv) {
    LEAT_TRY(const Topology made, topology());
    Application::Options options{.application_id = "proof", .bootstrap_servers = argv[1]};
    for (int i = 2; i < argc; ++i) {
        const string setting{argv[i]};
        const std::size_t at = std::min(setting.find('='), setting.size());
        options.properties[setting.substr(0, at)] =
            setting.substr(std::min(at + 1, setting.size()));
    }
    options.on_state = [](auto now, auto) {
        std::printf("%s\n", name_of(now).c_str());
        std::fflush(stdout);
    };
    LEAT_TRY(const auto application, Application::open(made, options));
    return application->run_until_signal();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first.empty()) {
        std::fputs("usage: streams_worker HOST:PORT [name=value]... | steps | faults\n", stderr);
        return 2;
    }
    if (first == "steps" || first == "faults") {
        if (!leat::streams::can_fail()) {
            std::fputs("streams_worker: this build has no faults\n", stderr);
            return 1;
        }
        for (const auto name :
             first == "steps" ? leat::streams::step_names() : leat::streams::fault_names())
            std::puts(string{name}.c_str());
        return 0;
    }
    const Result<void> done = run(argc, argv);
    if (done) return 0;
    std::fprintf(stderr, "streams_worker: %s\n", string{done.error().detail()}.c_str());
    return 1;
}
