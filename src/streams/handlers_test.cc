// SPDX-License-Identifier: Apache-2.0
// Outcomes are those of Kafka Streams 4.2.1 with its handlers LogAndFail and LogAndContinue.
#include <gmock/gmock.h>

#include <stdexcept>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/error_judge.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Big-endian, as an int32 in a topic.
string number(char last) {
    return {'\0', '\0', '\0', last};
}

void fail(const char* why) {
    throw std::runtime_error(why);  // tidy: right here, a user's function may throw.
}

/// Numbers from "in" to "out" and "out2"; the way to "out" throws at 13.
Topology numbers() {
    Builder b;
    const auto s = b.stream<string, std::int32_t>("in");
    s.map_values([](std::int32_t v) {
         if (v == 13) fail("thirteen");
         return "v" + std::to_string(v);
     }).to("out");
    s.map_values([](std::int32_t v) { return "w" + std::to_string(v); }).to("out2");
    return *b.build();
}

struct Ran {
    std::vector<string> out;
    std::vector<string> out2;
    std::vector<RawRecord> dead;
    std::vector<string> failures;
    std::uint64_t dropped = 0;
};

std::vector<string> values(TestDriver& driver, const string& topic) {
    std::vector<string> out;
    for (const auto& record : driver.read(topic)) out.push_back(*record.value);
    return out;
}

Ran run(const Topology& topology, const ErrorHandlers& handlers,
        const std::vector<RawRecord>& records) {
    auto driver = *TestDriver::open(topology, {.application_id = "a", .handlers = handlers});
    Ran ran;
    for (const auto& record : records) {
        const auto done = driver->pipe("in", record);
        if (!done) ran.failures.emplace_back(done.error().detail());
    }
    ran.out = values(*driver, "out");
    ran.out2 = values(*driver, "out2");
    ran.dead = driver->read("dlq");
    ran.dropped = driver->dropped();
    return ran;
}

const std::vector<RawRecord> kRecords{{"k", number(1), 5, {}},
                                      {"k", "bad", 6, {{"t", "7"}}},
                                      {"k", number(13), 7, {}},
                                      {"k", number(2), 8, {}}};
const ErrorHandlers kContinue{.deserialization = continue_on_error,
                              .processing = continue_on_error};

TEST(Handlers, WhatCannotBeDecodedMovesNoClock) {
    Builder b;
    b.stream<string, std::int32_t>("in")
        .group_by_key()
        .windowed(tumbling(Duration{10}))
        .count()
        .to_stream()
        .map([](const Windowed<string>& window, std::int64_t count) {
            return KeyValue<string, std::int64_t>{window.key, count};
        })
        .to("out");
    const auto topology = *b.build();
    auto driver = *TestDriver::open(topology, {.application_id = "a", .handlers = kContinue});
    ASSERT_TRUE(driver->pipe("in", {"k", number(1), 5, {}}));
    ASSERT_TRUE(driver->pipe("in", {"k", "bad", 5000, {}}));
    ASSERT_TRUE(driver->pipe("in", {"k", number(2), 8, {}}));
    EXPECT_EQ(driver->read("out").size(), 2);
}

string header(const RawRecord& record, const string& name) {
    for (const auto& header : record.headers)
        if (header.name == name) return header.value.value_or("null");
    return "none";
}

TEST(Handlers, ContinueDropsTheRecordAtTheNodeThatFails) {
    const auto ran = run(numbers(), kContinue, kRecords);
    EXPECT_THAT(ran.failures, IsEmpty());
    EXPECT_THAT(ran.out, ElementsAre("v1", "v2"));
    EXPECT_THAT(ran.out2, ElementsAre("w1", "w13", "w2"));
    EXPECT_THAT(ran.dead, IsEmpty());
    EXPECT_EQ(ran.dropped, 2U);
}

TEST(Handlers, DeadLettersHoldTheRecordAndWhatWasWrong) {
    auto handlers = kContinue;
    handlers.dead_letter_topic = "dlq";
    const auto ran = run(numbers(), handlers, kRecords);
    ASSERT_EQ(ran.dead.size(), 2U);
    const auto& undecodable = ran.dead[0];
    EXPECT_EQ(undecodable.key, "k");
    EXPECT_EQ(undecodable.value, "bad");
    EXPECT_EQ(undecodable.timestamp, 6);
    EXPECT_EQ(undecodable.headers.front(), (Header{"t", "7"}));
    EXPECT_EQ(header(undecodable, "__streams.errors.topic"), "in");
    EXPECT_EQ(header(undecodable, "__streams.errors.partition"), "0");
    EXPECT_EQ(header(undecodable, "__streams.errors.offset"), "1");
    const auto& thrown = ran.dead[1];
    EXPECT_EQ(thrown.value, number(13));
    EXPECT_EQ(thrown.timestamp, 7);
    EXPECT_THAT(header(thrown, "__streams.errors.message"), HasSubstr("thirteen"));
    EXPECT_EQ(header(thrown, "__streams.errors.stacktrace"), "KSTREAM-MAPVALUES-0000000001");
    EXPECT_EQ(header(thrown, "__streams.errors.offset"), "2");
}

TEST(Handlers, FailEndsWithTheError) {
    const auto ran = run(numbers(), {}, kRecords);
    ASSERT_EQ(ran.failures.size(), 2U);
    EXPECT_THAT(ran.failures[1], HasSubstr("KSTREAM-MAPVALUES-0000000001: thirteen"));
    EXPECT_EQ(ran.dropped, 0U);
}

TEST(Handlers, AHandlerOfOnesOwnChoosesAndWritesItsLetters) {
    std::vector<string> seen;
    ErrorHandlers handlers;
    handlers.processing = [&seen](const ErrorContext& context, const Error&) {
        seen.push_back(context.node + " " + context.task_id + " " + context.origin->topic);
        return ErrorAnswer{ErrorChoice::kContinue,
                           {{DeadLetter{.topic = "dlq", .key = "mine", .timestamp = {1}}}}};
    };
    const auto ran = run(numbers(), handlers, {{"k", number(13), 7, {}}});
    EXPECT_THAT(seen, ElementsAre("KSTREAM-MAPVALUES-0000000001 0_0 in"));
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(ran.dead[0].key, "mine");
}

TEST(Handlers, BehindARepartitionTopicTheLetterNamesThat) {
    Builder b;
    b.stream<string, string>("in")
        .repartition({.name = "r"})
        .map_values([](const string&) -> string {
            fail("boom");
            return {};
        })
        .to("out");
    auto handlers = kContinue;
    handlers.dead_letter_topic = "dlq";
    const auto ran = run(*b.build(), handlers, {{"k", "v", 5, {}}});
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.topic"), "a-r-repartition");
    EXPECT_EQ(ran.dropped, 1U);
}

/// Text that has no bytes when it says "no".
class Picky final : public Codec<string> {
  public:
    Result<void> encode(std::string_view, const string& value, string& out) const override {
        if (value == "no") return Error{Errc::kInvalidRecord, "no such text"};
        out += value;
        return {};
    }
    Result<string> decode(std::string_view, std::string_view bytes) const override {
        return string{bytes};
    }
};

/// What a driver with these handlers says of 13, and how many errors the handlers saw.
std::pair<string, int> said_of(const Topology& topology, ErrorHandlers handlers,
                               const RawRecord& record) {
    int asked = 0;
    const auto throws = [&asked](const ErrorContext&, const Error&) -> ErrorAnswer {
        ++asked;
        fail("no idea");
        return {ErrorChoice::kContinue, {}};
    };
    for (ErrorHandler* one :
         {&handlers.deserialization, &handlers.processing, &handlers.production})
        if (!*one) *one = throws;
    handlers.dead_letter_topic = "dlq";
    auto driver = *TestDriver::open(topology, {.handlers = handlers});
    const auto done = driver->pipe("in", record);
    EXPECT_FALSE(done);
    EXPECT_THAT(driver->read("dlq"), IsEmpty());
    EXPECT_EQ(driver->dropped(), 0U);
    return {string{done ? "" : done.error().detail()}, asked};
}

TEST(Handlers, WhatAHandlerThrowsEndsTheTaskWithBothTexts) {
    const auto processing = said_of(numbers(), {}, {"k", number(13), 7, {}});
    EXPECT_EQ(processing.first,
              "the processing exception handler failed: no idea; it was about "
              "UNKNOWN_SERVER_ERROR: KSTREAM-MAPVALUES-0000000001: thirteen");
    EXPECT_EQ(processing.second, 1);
    const auto undecodable = said_of(numbers(), {}, {"k", "bad", 7, {}});
    EXPECT_THAT(undecodable.first,
                HasSubstr("the deserialization exception handler failed: no idea; "
                          "it was about INVALID_RECORD: "));
    EXPECT_EQ(undecodable.second, 1);
}

TEST(Handlers, TheProcessingHandlerIsNotAskedAboutWhatTheProductionHandlerThrew) {
    Builder b;
    b.stream<string, string>("in")
        .map_values([](const string& v) { return v; })
        .to("out", {.value = std::make_shared<Picky>()});
    const auto said = said_of(*b.build(), {.processing = continue_on_error}, {"k", "no", 7, {}});
    EXPECT_EQ(said.first,
              "the production exception handler failed: no idea; it was about INVALID_RECORD: no "
              "such text");
    EXPECT_EQ(said.second, 1);
}

/// Forwards each record with the time that its value says.
class SetsTime final : public Processor<string, std::int32_t> {
  public:
    Result<void> process(const Record<string, std::int32_t>& record) override {
        auto out = record;
        out.timestamp = {*record.value};
        return context().forward(out);
    }
};

TEST(Handlers, ANegativeTimestampIsForwardedToNobody) {
    Builder b;
    b.stream<string, std::int32_t>("in")
        .process([] { return std::make_unique<SetsTime>(); }, {.name = "sets"})
        .to("out");
    const auto topology = *b.build();
    const std::vector<RawRecord> records{{"k", string(4, '\xff'), 5, {}}, {"k", number(6), 5, {}}};
    std::vector<string> seen;
    const ErrorHandler notes = [&seen](const ErrorContext& context, const Error& error) {
        seen.push_back(context.node + " " + string{info(error.code()).name});
        return ErrorAnswer{ErrorChoice::kContinue, {}};
    };
    const auto ran = run(topology, {.processing = notes}, records);
    EXPECT_THAT(ran.failures, IsEmpty());
    EXPECT_THAT(ran.out, ElementsAre(number(6)));
    EXPECT_THAT(seen, ElementsAre("sets INVALID_TIMESTAMP"));
    // It is the processor's, not the sink's.
    EXPECT_THAT(run(topology, {.production = continue_on_error}, records).failures,
                ElementsAre(HasSubstr("sets: ")));
}

TEST(Handlers, ALetterWithoutATimeGetsTheClocks) {
    const ErrorHandlers handlers{.processing = [](const ErrorContext&, const Error&) {
        return ErrorAnswer{ErrorChoice::kContinue, {{DeadLetter{.topic = "dlq", .value = "v"}}}};
    }};
    auto driver = *TestDriver::open(numbers(), {.wall_time_ms = 99, .handlers = handlers});
    ASSERT_TRUE(driver->pipe("in", {"k", number(13), 7, {}}));
    EXPECT_EQ(driver->read("dlq").at(0).timestamp, 99);
}

class FailsAtTimes final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(Processor::init(c));
        LEAT_TRY_VOID(c.schedule(
            Duration{10}, PunctuationType::kStreamTime,
            [](Timestamp) -> Result<void> { return Error{Errc::kUnknownServerError, "punct"}; }));
        return {};
    }
    Result<void> process(const Record<string, string>& record) override {
        return context().forward(record);
    }
};

TEST(Handlers, AFailedPunctuationHasALetterWithoutRecord) {
    Builder b;
    b.stream<string, string>("in")
        .process([] { return std::make_unique<FailsAtTimes>(); })
        .to("out");
    auto handlers = kContinue;
    handlers.dead_letter_topic = "dlq";
    const auto ran = run(*b.build(), handlers, {{"k", "v", 5, {}}, {"k", "v", 6, {}}});
    EXPECT_THAT(ran.failures, IsEmpty());
    EXPECT_THAT(ran.out, ElementsAre("v", "v"));
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(ran.dead[0].key, nullopt);
    EXPECT_EQ(ran.dead[0].value, nullopt);
    EXPECT_EQ(ran.dead[0].timestamp, 5);
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.topic"), "null");
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.partition"), "-1");
    EXPECT_EQ(ran.dropped, 1U);
}

TEST(Handlers, WhatCannotBeEncodedIsTheProductionHandlersBusiness) {
    Builder b;
    b.stream<string, string>("in").to("out", {.value = std::make_shared<Picky>()});
    const auto topology = b.build();
    const std::vector<RawRecord> records{{"k", "no", 5, {}}, {"k", "yes", 6, {}}};
    EXPECT_THAT(run(*topology, kContinue, records).failures, ElementsAre("no such text"));
    const auto ran = run(*topology, {.production = continue_on_error}, records);
    EXPECT_THAT(ran.failures, IsEmpty());
    EXPECT_THAT(ran.out, ElementsAre("yes"));
}

/// The last value of each key, after it has waited for 10 ms.
KStream<string, string> held_back(const KStream<string, string>& in) {
    return in.group_by_key()
        .reduce([](const string&, const string& value) { return value; })
        .suppress(until_time_limit(Duration{10}, unbounded()))
        .to_stream();
}

TEST(Handlers, AnUpdateThatWasHeldBackIsSkippedWithTheRecordThatMadeIt) {
    Builder b;
    held_back(b.stream<string, string>("in")).to("out", {.value = std::make_shared<Picky>()});
    const auto ran = run(*b.build(), {.production = continue_on_error, .dead_letter_topic = "dlq"},
                         {{"k", "yes", 1, {}}, {"k", "no", 2, {{"h", "1"}}}, {"j", "yes", 20, {}}});
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(ran.dead[0].key, "k");
    EXPECT_EQ(ran.dead[0].value, "no");
    EXPECT_EQ(ran.dead[0].timestamp, 2);
    EXPECT_EQ(header(ran.dead[0], "h"), "1");
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.offset"), "1");
}

TEST(Handlers, BehindASuppressionTheRecordThatIsReadIsTheOriginAgain) {
    Builder b;
    const auto in = b.stream<string, string>("in");
    held_back(in).to("out");
    in.to("out2", {.value = std::make_shared<Picky>()});
    const auto ran = run(*b.build(), {.production = continue_on_error, .dead_letter_topic = "dlq"},
                         {{"k", "yes", 1, {}}, {"j", "no", 20, {}}});
    EXPECT_THAT(ran.out, ElementsAre("yes"));
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(ran.dead[0].key, "j");
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.offset"), "1");
}

/// Its buffer keeps where a record came from, not its bytes.
TEST(Handlers, ARecordThatWaitedForATableIsSkippedWithItsOriginAndHeaders) {
    Builder b;
    b.stream<string, string>("in")
        .left_join(b.table<string, string>("t", {}, {.store = "v", .history = Duration{10}}),
                   [](const string& left, const string*) { return left; },
                   {.name = "j", .grace = Duration{5}})
        .to("out", {.value = std::make_shared<Picky>()});
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    const auto ran = run(*topology, {.production = continue_on_error, .dead_letter_topic = "dlq"},
                         {{"k", "no", 1, {{"h", "1"}}}, {"j", "yes", 20, {}}});
    ASSERT_EQ(ran.dead.size(), 1U);
    EXPECT_EQ(ran.dead[0].key, nullopt);
    EXPECT_EQ(ran.dead[0].value, nullopt);
    EXPECT_EQ(header(ran.dead[0], "h"), "1");
    EXPECT_EQ(header(ran.dead[0], "__streams.errors.offset"), "0");
}

/// The last value of each key behind a cache of so many bytes, with a commit behind each record.
std::vector<RawRecord> letters_behind_a_cache(std::size_t bytes) {
    Builder b;
    b.stream<string, string>("in")
        .group_by_key()
        .reduce([](const string&, const string& value) { return value; }, {.store = "st"})
        .to_stream()
        .to("out", {.value = std::make_shared<Picky>()});
    const auto topology = *b.build();
    const ErrorHandlers handlers{.production = continue_on_error, .dead_letter_topic = "dlq"};
    auto driver = *TestDriver::open(topology, {.handlers = handlers, .cache_bytes = bytes});
    EXPECT_TRUE(driver->pipe("in", {"k", "no", 1, {}}));
    EXPECT_TRUE(driver->commit());
    return driver->read("dlq");
}

TEST(Handlers, BehindACacheTheRecordIsKnownAtOnceAndLater) {
    for (const std::size_t bytes : {1U, 1000U}) {
        const auto letters = letters_behind_a_cache(bytes);
        ASSERT_EQ(letters.size(), 1U);
        EXPECT_EQ(letters[0].key, "k");
        EXPECT_EQ(letters[0].value, "no");
        EXPECT_EQ(header(letters[0], "__streams.errors.offset"), "0");
    }
}

/// Says where each record came from.
class SaysFrom final : public Processor<string, string> {
  public:
    Result<void> process(const Record<string, string>& record) override {
        auto out = record;
        out.value = *record.value + "@" + std::to_string(context().record_metadata()->offset);
        return context().forward(out);
    }
};

TEST(Handlers, BehindASuppressionAProcessorSeesWhereTheUpdateCameFrom) {
    Builder b;
    held_back(b.stream<string, string>("in"))
        .process([] { return std::make_unique<SaysFrom>(); })
        .to("out");
    const auto ran =
        run(*b.build(), {}, {{"j", "a", 1, {}}, {"k", "b", 2, {}}, {"l", "c", 20, {}}});
    EXPECT_THAT(ran.out, ElementsAre("a@0", "b@1"));
}

TEST(Handlers, TheProductionHandlerSeesWhatWasNotWritten) {
    Builder b;
    b.stream<string, string>("in").to("out", {.value = std::make_shared<Picky>()});
    b.stream<string, string>("in2").to("out", {.key = std::make_shared<Picky>()});
    const auto topology = b.build();
    std::vector<ErrorContext> seen;
    std::optional<Record<string, string>> taken;
    const ErrorHandlers handlers{.production = [&](const ErrorContext& context, const Error&) {
        seen.push_back(context);
        taken = context.record.as<string, string>();
        EXPECT_FALSE((context.record.as<string, std::int32_t>()));
        return ErrorAnswer{ErrorChoice::kContinue, {}};
    }};
    auto driver = *TestDriver::open(*topology, {.handlers = handlers});
    ASSERT_TRUE(driver->pipe("in", {"k", "no", 5, {{"h", "1"}}}));
    EXPECT_EQ(taken, (Record<string, string>{"k", "no", {5}, {{"h", "1"}}}));
    ASSERT_TRUE(driver->pipe("in2", {"no", "v", 6, {}}));
    ASSERT_EQ(seen.size(), 2U);
    const UnwrittenRecord& first = *seen[0].output;
    EXPECT_EQ(first.topic, "out");
    EXPECT_EQ(first.key, "k");
    EXPECT_EQ(first.value, nullopt);
    EXPECT_EQ(first.unencodable, RecordPart::kValue);
    EXPECT_EQ(first.timestamp, Timestamp{5});
    EXPECT_EQ(first.headers, (Headers{{"h", "1"}}));
    EXPECT_EQ(seen[0].origin->topic, "in");
    EXPECT_EQ(seen[1].output->unencodable, RecordPart::kKey);
    EXPECT_EQ(seen[1].output->key, nullopt);
}

/// Takes `good` texts and then none.
class Tired final : public Codec<string> {
  public:
    explicit Tired(int good) : good_(good) {}
    Result<void> encode(std::string_view, const string& text, string& out) const override {
        if (good_-- <= 0) return Error{Errc::kInvalidRecord, "tired"};
        out += text;
        return {};
    }
    Result<string> decode(std::string_view, std::string_view bytes) const override {
        return string{bytes};
    }

  private:
    mutable int good_;
};

TEST(Handlers, TheProductionHandlerSeesNothingOfThePartitionBefore) {
    const Partitioner<string, string> everywhere = [](const Departing<string, string>&) {
        return std::vector{0, 0};
    };
    for (const bool is_key : {false, true}) {
        Builder b;
        const Serde<string> one = std::make_shared<Tired>(1);
        Produced<string, string> produced{.partitioner = everywhere};
        (is_key ? produced.key : produced.value) = one;
        b.stream<string, string>("in").to("out", produced);
        std::vector<UnwrittenRecord> seen;
        const ErrorHandlers handlers{.production = [&](const ErrorContext& context, const Error&) {
            seen.push_back(*context.output);
            return ErrorAnswer{ErrorChoice::kContinue, {}};
        }};
        auto driver = *TestDriver::open(*b.build(), {.handlers = handlers});
        ASSERT_TRUE(driver->pipe("in", {"k", "v", 5, {}}));
        EXPECT_EQ(driver->read("out").size(), 1U);
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_EQ(seen[0].key, is_key ? nullopt : std::optional<string>{"k"});
        EXPECT_EQ(seen[0].value, nullopt);
    }
}

TEST(Handlers, TheProcessingHandlerSeesTheRecordAtTheNode) {
    Builder b;
    b.stream<string, std::int32_t>("in")
        .map_values([](std::int32_t v) { return "v" + std::to_string(v); })
        .filter([](const string& v) {
            if (v == "v13") fail("thirteen");
            return true;
        })
        .to("out");
    std::optional<Record<string, string>> at_node;
    ErrorHandlers handlers;
    handlers.processing = [&](const ErrorContext& context, const Error&) {
        at_node = context.record.as<string, string>();
        EXPECT_EQ(context.value, number(13));  // The source's, as bytes.
        EXPECT_FALSE(context.output);
        return ErrorAnswer{ErrorChoice::kContinue, {}};
    };
    run(*b.build(), handlers, {{"k", number(13), 7, {}}});
    EXPECT_EQ(at_node, (Record<string, string>{"k", "v13", {7}, {}}));
}

TEST(Handlers, AreAskedAboutUndecodableUpdatesOfAGroupedTable) {
    Builder b;
    b.table<string, std::int32_t>("in")
        .group_by([](const string& k, std::int32_t v) { return KeyValue{k, v}; },
                  {.name = "groups"})
        .reduce([](std::int32_t a, std::int32_t v) { return a + v; },
                [](std::int32_t a, std::int32_t v) { return a - v; })
        .to_stream()
        .to("out");
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    ErrorHandlers handlers;
    auto failing = *TestDriver::open(*topology, {.handlers = handlers});
    EXPECT_FALSE(failing->pipe("groups-repartition", {"k", "bad", 5, {}}));
    handlers.deserialization = continue_on_error;
    auto driver = *TestDriver::open(*topology, {.handlers = handlers});
    EXPECT_TRUE(driver->pipe("groups-repartition", {"k", "bad", 5, {}}));
    EXPECT_TRUE(driver->pipe("groups-repartition", {nullopt, number(1) + '\1', 5, {}}));
    EXPECT_TRUE(driver->pipe("groups-repartition", {"k", number(7) + '\1', 6, {}}));
    EXPECT_THAT(values(*driver, "out"), ElementsAre(number(7)));
}

TEST(Handlers, WhatIsNotGivenIsAsTheSettingsSay) {
    Settings settings;
    settings.dead_letter_topic = "dlq";
    settings.continue_undecodable = true;
    settings.continue_processing = true;
    const ErrorContext at;
    const Error error{Errc::kInvalidRecord, "bad"};
    const auto from_settings = detail::ErrorJudge::complete({}, settings);
    EXPECT_EQ(from_settings.deserialization(at, error).choice, ErrorChoice::kContinue);
    EXPECT_EQ(from_settings.processing(at, error).choice, ErrorChoice::kContinue);
    EXPECT_EQ(from_settings.production(at, error).choice, ErrorChoice::kFail);
    EXPECT_EQ(from_settings.dead_letter_topic, "dlq");
    const auto given = detail::ErrorJudge::complete(
        {.processing = fail_on_error, .dead_letter_topic = "letters"}, settings);
    EXPECT_EQ(given.deserialization(at, error).choice, ErrorChoice::kContinue);
    EXPECT_EQ(given.processing(at, error).choice, ErrorChoice::kFail);
    EXPECT_EQ(given.dead_letter_topic, "letters");
}

/// Numbers from "in" to "out" first, and then to where 13 throws; what the dead letter of 13 holds.
std::pair<std::optional<string>, Headers> letter_after_output(bool lose_as_kafka) {
    Builder b;
    const auto s = b.stream<string, std::int32_t>("in");
    s.to("out");
    s.foreach ([](std::int32_t v) {
        if (v == 13) fail("thirteen");
    });
    const auto topology = *b.build();
    ErrorHandlers handlers{.processing = continue_on_error};
    handlers.dead_letter_topic = "dlq";
    auto driver = *TestDriver::open(
        topology, {.application_id = "a", .handlers = handlers, .lose_as_kafka = lose_as_kafka});
    EXPECT_TRUE(driver->pipe("in", {"k", number(13), 7, {{"h", "1"}}}));
    const auto dead = driver->read("dlq");
    EXPECT_EQ(dead.size(), 1U);
    return {dead.at(0).key, dead.at(0).headers};
}

TEST(Handlers, WhatWasWrittenBeforeItFailedStaysInItsLetterUnlessLostAsByKafka) {
    const auto kept = letter_after_output(false);
    EXPECT_EQ(kept.first, "k");
    const auto lost = letter_after_output(true);
    EXPECT_EQ(lost.first, nullopt);
    EXPECT_EQ(lost.second.at(0).name, "h");
    EXPECT_EQ(kept.second.size(), lost.second.size());
}

}  // namespace
}  // namespace leat::streams
