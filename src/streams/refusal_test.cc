// SPDX-License-Identifier: Apache-2.0
// What a Builder refuses at build(), and what looks alike and is right. Kafka Streams 4.2.1 refuses
// two stores of one name too ("A different StateStore has already been added"); where it ignores an
// option or fails only when it runs, we refuse.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::HasSubstr;
using testing::StartsWith;
using Text = Record<string, string>;

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
string mistake(Builder& b) {
    const auto topology = b.build();
    return topology ? "built" : string{topology.error().detail()};
}
KStream<string, string> stream(Builder& b, const string& topic = "in") {
    return b.stream<string, string>(topic);
}
KGroupedStream<string, string> grouped(Builder& b, const string& topic = "in") {
    return stream(b, topic).group_by_key();
}
string first(const string& one, const string&) {
    return one;
}
string append(const string&, const string& value, string sum) {
    return sum += value;
}
string empty() {
    return {};
}
void held(Builder& b, const UntilTimeLimit& until) {
    b.table<string, string>("in").suppress(until).to_stream().to("out");
}
bool any(const string&) {
    return true;
}

class Pass final : public Processor<string, string> {
    Result<void> process(const Text& record) override { return context().forward(record); }
};
/// A supplier that brings a store along.
struct Brings {
    detail::StoreSpec spec;
    std::unique_ptr<Pass> operator()() const { return std::make_unique<Pass>(); }
    [[nodiscard]] std::vector<detail::StoreSpec> stores() const { return {spec}; }
};
std::unique_ptr<Pass> pass() {
    return std::make_unique<Pass>();
}
detail::StoreSpec rows(const string& name) {
    return key_value_store<string, string>(name).spec;
}
auto windows(Duration retention, Duration window) {
    return window_store<string, string>("st", retention, window);
}

struct Refusal {
    const char* what;
    void (*act)(Builder& b);
    const char* message;
};
class BuildRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(BuildRefuses, AndNamesTheOperator) {
    Builder b;
    GetParam().act(b);
    EXPECT_THAT(mistake(b), StartsWith(GetParam().message));
}

const Refusal kStores[] = {
    {"AggregatesOfOneStore",
     [](Builder& b) {
         const auto g = grouped(b);
         g.count({.store = "st"});
         g.count({.store = "st"});
     },
     "KSTREAM-AGGREGATE-0000000002: two stores have this name: st"},
    {"AggregateAndTable",
     [](Builder& b) {
         grouped(b).count({.store = "st"});
         b.table<string, string>("t", {}, {.store = "st"});
     },
     "KTABLE-SOURCE-0000000003: two stores have this name: st"},
    {"FiltersOfOneStore",
     [](Builder& b) {
         const auto t = b.table<string, string>("in");
         t.filter(any, {.store = "st"});
         t.filter(any, {.store = "st"});
     },
     "KTABLE-FILTER-0000000004: two stores have this name: st"},
    {"AggregateAndStoreOfProcessors",
     [](Builder& b) {
         b.add_state_store(timestamped_key_value_store<string, std::int64_t>("st"));
         grouped(b).count({.store = "st"});
     },
     "KSTREAM-AGGREGATE-0000000001: two stores have this name: st"},
    {"SuppliersOfOtherStores",
     [](Builder& b) {
         stream(b).process(Brings{rows("st")}).process(Brings{windows(ms(9), ms(5)).spec});
     },
     "KSTREAM-PROCESSOR-0000000002: two stores have this name: st"},
    {"RetentionBelowTheWindow", [](Builder& b) { b.add_state_store(windows(ms(5), ms(10))); },
     "st: the retention of the store st must not be shorter than its windows"},
    {"NegativeWindow", [](Builder& b) { b.add_state_store(windows(ms(-5), ms(-10))); },
     "st: the retention of the store st must not be shorter than its windows"},
    {"RetentionOfASuppliersStore",
     [](Builder& b) { stream(b).process(Brings{windows(ms(5), ms(10)).spec}); },
     "KSTREAM-PROCESSOR-0000000001: the retention of the store st must not be shorter"},
    {"DuplicatesByKey",
     [](Builder& b) {
         b.add_state_store(key_value_store<string, string>("st", {.retain_duplicates = true}));
     },
     "st: only a plain window store retains duplicates"},
    {"DuplicatesInAGlobalStore",
     [](Builder& b) {
         b.add_global_store<string, string>(
             key_value_store<string, string>("st", {.retain_duplicates = true}), "g", {}, pass);
     },
     "st: only a plain window store retains duplicates"},
};

const Refusal kOthersNodes[] = {
    {"MergeWithAnother",
     [](Builder& b) {
         Builder other;
         stream(b).merge(stream(other));
     },
     "KSTREAM-MERGE-0000000001: its inputs must come from one Builder"},
    {"JoinWithAnother",
     [](Builder& b) {
         Builder other;
         stream(b).join(stream(other), first, within(ms(5)));
     },
     "KSTREAM-WINDOWED-0000000002: its inputs must come from one Builder"},
    {"CogroupWithAnother",
     [](Builder& b) {
         Builder other;
         grouped(b).cogroup<string>(append).cogroup(grouped(other), append).aggregate(empty);
     },
     "COGROUPKSTREAM-AGGREGATE-0000000003: its inputs must come from one Builder"},
};

const Refusal kOptions[] = {
    {"HistoryOfWindows",
     [](Builder& b) {
         grouped(b).windowed(tumbling(ms(5))).count({.history = ms(5), .name = "wide"});
     },
     "wide: a history needs a store of a table"},
    {"HistoryOfSessions",
     [](Builder& b) {
         grouped(b).windowed(session(ms(5))).count({.history = ms(5), .name = "wide"});
     },
     "wide: a history needs a store of a table"},
    {"HistoryWithoutAStore",
     [](Builder& b) { b.table<string, string>("in").filter(any, {.history = ms(5)}); },
     "KTABLE-FILTER-0000000004: a history needs a store of a table"},
    {"NegativeHistory",
     [](Builder& b) { b.table<string, string>("in", {}, {.store = "st", .history = ms(-1)}); },
     "KTABLE-SOURCE-0000000001: a history is not negative"},
    {"RetentionOfACount", [](Builder& b) { grouped(b).count({.retention = ms(5), .name = "n"}); },
     "n: a retention is for windows"},
    {"RetentionOfACogroup",
     [](Builder& b) {
         grouped(b).cogroup<string>(append).aggregate(empty, {.retention = ms(5), .name = "both"});
     },
     "both: a retention is for windows"},
    {"RetentionOfATable",
     [](Builder& b) { b.table<string, string>("in", {}, {.store = "st", .retention = ms(5)}); },
     "KTABLE-SOURCE-0000000001: a retention is for windows"},
    {"RetentionOfAGroupedTable",
     [](Builder& b) {
         b.table<string, string>("in")
             .group_by([](const string& k, const string& v) { return KeyValue{k, v}; })
             .count({.retention = ms(5), .name = "n"});
     },
     "n: a retention is for windows"},
    {"RetentionOfAJoin",
     [](Builder& b) {
         const auto t = b.table<string, string>("in");
         t.join(b.table<string, string>("in2"), first, {.retention = ms(5), .name = "n"});
     },
     "n: a retention is for windows"},
    {"NegativeRecords", [](Builder& b) { held(b, until_time_limit(ms(5), max_records(-1))); },
     "KTABLE-SUPPRESS-0000000003: a limit of its buffer is not negative"},
    {"NegativeBytes",
     [](Builder& b) {
         held(b, until_time_limit(ms(5), max_bytes(-1).shut_down_when_full(), {"held"}));
     },
     "held: a limit of its buffer is not negative"},
    {"SuppressOfAHistory",
     [](Builder& b) {
         b.table<string, string>("in", {}, {.store = "st", .history = ms(5)})
             .filter(any)
             .suppress(until_time_limit(ms(5), unbounded(), {"held"}))
             .to_stream()
             .to("out");
     },
     "held: suppress() is only for tables without a history"},
    {"BranchOfTwoKinds",
     [](Builder& b) {
         stream(b).split({"s-"}).branch(any, {.name = "one",
                                              .function = [](auto s) { return std::optional{s}; },
                                              .consumer = [](auto) {}});
     },
     "s-one: a branch has a function or a consumer, not both"},
};

const Refusal kNames[] = {
    {"StoreOfAnAggregate", [](Builder& b) { grouped(b).count({.store = "a/b"}); },
     "KSTREAM-AGGREGATE-0000000001: the store a/b: a name has letters"},
    {"StoreOfATable", [](Builder& b) { b.table<string, string>("in", {}, {.store = "a/b"}); },
     "KTABLE-SOURCE-0000000001: the store a/b: a name has letters"},
    {"StoresOfAJoin",
     [](Builder& b) { stream(b).join(stream(b, "in2"), first, within(ms(5)), {.store = "a/b"}); },
     "KSTREAM-WINDOWED-0000000002: the store a/b-this-join-store: a name has letters"},
    {"AddedStore", [](Builder& b) { b.add_state_store(key_value_store<string, string>("a/b")); },
     "a/b: a name has letters"},
    {"StoreWithoutAName",
     [](Builder& b) { b.add_state_store(key_value_store<string, string>("")); },
     ": a name has letters"},
    {"BroughtStore", [](Builder& b) { stream(b).process(Brings{rows("a/b")}); },
     "KSTREAM-PROCESSOR-0000000001: the store a/b: a name has letters"},
    {"GlobalStore",
     [](Builder& b) {
         b.add_global_store<string, string>(key_value_store<string, string>("a/b"), "g", {}, pass);
     },
     "a/b: the store a/b: a name has letters"},
    {"Process", [](Builder& b) { stream(b).process(pass, {.name = "a/b"}); },
     "a/b: a name has letters"},
    {"Suppress", [](Builder& b) { held(b, until_time_limit(ms(5), unbounded(), {"a/b"})); },
     "a/b: a name has letters"},
    {"Repartition", [](Builder& b) { stream(b).repartition({.name = "a/b"}); },
     "a/b-repartition-source: a name has letters"},
    {"Grouping", [](Builder& b) { stream(b).group_by_key({.name = "a/b"}).count(); },
     "a/b: a name has letters"},
};

string called(const testing::TestParamInfo<Refusal>& each) {
    return each.param.what;
}
INSTANTIATE_TEST_SUITE_P(Stores, BuildRefuses, testing::ValuesIn(kStores), called);
INSTANTIATE_TEST_SUITE_P(OthersNodes, BuildRefuses, testing::ValuesIn(kOthersNodes), called);
INSTANTIATE_TEST_SUITE_P(Options, BuildRefuses, testing::ValuesIn(kOptions), called);
INSTANTIATE_TEST_SUITE_P(Names, BuildRefuses, testing::ValuesIn(kNames), called);

TEST(Refusal, JoinedRepartitionTopicsOfDifferentWidth) {
    const auto joined = [](std::optional<std::int32_t> left, std::optional<std::int32_t> right) {
        Builder b;
        Repartitioned<string, string> one{.partitions = left};
        Repartitioned<string, string> two{.partitions = right};
        stream(b, "l")
            .repartition(one)
            .join(
                stream(b, "r").repartition(two),
                [](const string& l, const string& r) { return l + r; }, JoinWindows{ms(1), ms(1)})
            .to("out");
        return mistake(b);
    };
    EXPECT_THAT(joined(3, 1), HasSubstr("must have as many partitions"));
    EXPECT_EQ(joined(3, 3), "built");
    EXPECT_EQ(joined(3, std::nullopt), "built");
}

TEST(Build, ProcessorsMayShareAStore) {
    Builder b;
    b.add_state_store(key_value_store<string, string>("st"));
    stream(b).process(Brings{rows("st")}).process(Brings{rows("st")}).to("out");
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    EXPECT_EQ(topology->parts().stores().size(), 1U);
}

TEST(Build, ACogroupsAggregatesShareAStore) {
    Builder b;
    grouped(b)
        .cogroup<string>(append)
        .cogroup(grouped(b, "in2"), append)
        .aggregate(empty, {.store = "st"});
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    EXPECT_EQ(topology->parts().stores().size(), 1U);
}

TEST(Build, AGlobalTableOfATopicWithALongNameHasAStore) {
    Builder b;
    b.global_table<string, string>(string(249, 't'));
    stream(b).to("out");
    EXPECT_EQ(mistake(b), "built");
}

TEST(Build, IsCalledOnce) {
    Builder b;
    stream(b).to("out");
    ASSERT_TRUE(b.build());
    const auto again = b.build();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Errc::kStreamsInvalidTopology);
    EXPECT_THAT(string{again.error().detail()}, HasSubstr("build() was called before"));
}

}  // namespace
}  // namespace leat::streams
