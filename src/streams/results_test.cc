// SPDX-License-Identifier: Apache-2.0
//
// Users' functions that answer a Result: its value counts, its error is the operator's.
#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

using Stream = KStream<string, string>;
using Declare = std::function<void(Builder&, const Stream&)>;

/// `value`, unless it is "bad".
template <class T>
Result<T> good(const string& given, T value) {
    if (given == "bad") return Error{Errc::kInvalidRecord, "it is bad"};
    return value;
}
Result<string> same(const string& value) {
    return good(value, value);
}
Result<void> only_good(const string& value) {
    if (value == "bad") return Error{Errc::kInvalidRecord, "it is bad"};
    return {};
}

struct Verb {
    string name;
    Declare declare;
};

std::vector<Verb> stream_verbs() {
    return {
        {"filter",
         [](Builder&, const Stream& in) {
             in.filter([](const string& v) { return good(v, v != "no"); }).to("out");
         }},
        {"filter_not",
         [](Builder&, const Stream& in) {
             in.filter_not([](const string& v) { return good(v, v == "no"); }).to("out");
         }},
        {"split",
         [](Builder&, const Stream& in) {
             in.split({"s-"})
                 .branch([](const string& v) { return good(v, v != "no"); }, {.name = "yes"})
                 .no_default_branch()
                 .at("s-yes")
                 .to("out");
         }},
        {"map_values", [](Builder&, const Stream& in) { in.map_values(same).to("out"); }},
        {"flat_map_values",
         [](Builder&, const Stream& in) {
             in.flat_map_values([](const string& v) { return good(v, std::vector{v}); }).to("out");
         }},
        {"map",
         [](Builder&, const Stream& in) {
             in.map([](const string& v) { return good(v, KeyValue{v, v}); }).to("out");
         }},
        {"select_key", [](Builder&, const Stream& in) { in.select_key(same).to("out"); }},
        {"peek", [](Builder&, const Stream& in) { in.peek(only_good).to("out"); }},
        {"foreach",
         [](Builder&, const Stream& in) {
             in.foreach (only_good);
             in.to("out");
         }},
    };
}

std::vector<Verb> table_verbs() {
    const auto last = [](const string&, const string& v) { return same(v); };
    return {
        {"group_by",
         [](Builder&, const Stream& in) {
             in.group_by(same)
                 .reduce([](const string&, const string& v) { return v; })
                 .to_stream()
                 .to("out");
         }},
        {"reduce",
         [last](Builder&, const Stream& in) {
             in.group_by_key().reduce(last).to_stream().to("out");
         }},
        {"aggregate",
         [](Builder&, const Stream& in) {
             in.group_by_key()
                 .aggregate([] { return Result<string>{""}; },
                            [](const string&, const string& v, const string&) { return same(v); })
                 .to_stream()
                 .to("out");
         }},
        {"table",
         [](Builder&, const Stream& in) {
             in.to_table()
                 .filter([](const string& v) { return good(v, v != "no"); })
                 .map_values(same)
                 .to_stream()
                 .to("out");
         }},
        {"joiner",
         [](Builder& b, const Stream& in) {
             in.left_join(b.table<string, string>("t"), [](const string& v, const string*) {
                   return same(v);
               }).to("out");
         }},
    };
}

std::vector<Verb> verbs() {
    auto all = stream_verbs();
    for (auto& verb : table_verbs()) all.push_back(std::move(verb));
    return all;
}

class Results : public testing::TestWithParam<Verb> {
  protected:
    void open(const ErrorHandlers& handlers) {
        Builder b;
        GetParam().declare(b, b.stream<string, string>("in"));
        auto topology = b.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        topology_ = *std::move(topology);
        auto driver = TestDriver::open(*topology_, {.application_id = "a", .handlers = handlers});
        ASSERT_TRUE(driver) << driver.error().detail();
        driver_ = *std::move(driver);
    }
    std::vector<string> values() {
        std::vector<string> out;
        for (const auto& record : driver_->read("out")) out.push_back(record.value.value_or(""));
        return out;
    }
    std::optional<Topology> topology_;
    std::unique_ptr<TestDriver> driver_;
};

TEST_P(Results, ThatHaveAValueAreThatValue) {
    open({});
    ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "yes", {1})));
    EXPECT_THAT(values(), ElementsAre("yes"));
    if (GetParam().name.starts_with("filter") || GetParam().name == "split") {
        ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "no", {2})));
        EXPECT_THAT(values(), IsEmpty());
    }
}

TEST_P(Results, ThatHaveAnErrorEndTheTaskWithIt) {
    open({});
    ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "yes", {1})));
    const auto done = driver_->pipe<string, string>("in", "k", "bad", {2});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kInvalidRecord);
    EXPECT_THAT(string{done.error().detail()}, EndsWith(": it is bad"));
}

TEST_P(Results, ThatHaveAnErrorAreTheProcessingHandlersBusiness) {
    std::vector<string> asked;
    open({.processing = [&](const ErrorContext& at, const Error& error) {
        asked.push_back(at.node + ": it is bad" == error.detail() ? "by its node" : at.node);
        return continue_on_error(at, error);
    }});
    ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "yes", {1})));
    ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "bad", {2})));
    ASSERT_TRUE((driver_->pipe<string, string>("in", "k", "yes", {3})));
    EXPECT_THAT(asked, ElementsAre("by its node"));
    if (GetParam().name != "foreach") EXPECT_THAT(values(), ElementsAre("yes", "yes"));
}

INSTANTIATE_TEST_SUITE_P(Verbs, Results, testing::ValuesIn(verbs()),
                         [](const auto& verb) { return verb.param.name; });

}  // namespace
}  // namespace leat::streams
