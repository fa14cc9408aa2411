// SPDX-License-Identifier: Apache-2.0
// Where records go. A task of the test driver has topics of one partition; here a task tells of
// more.
#include "leat/streams/partitioner.h"

#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/detail/edge_nodes.h"
#include "leat/streams/detail/foreign_join.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Partitioner, KeysGoWhereKafkaPutsThem) {
    // Numbers that Kafka's murmur2 has for these: -973932308, -790332482, -985981536, -1486304829,
    // -58897971, 479470107.
    constexpr std::int32_t kPrime = 1'000'003;
    const auto expected = [](std::int32_t hash) { return (hash & 0x7FFFFFFF) % kPrime; };
    EXPECT_EQ(partition_for_key("21", kPrime), expected(-973932308));
    EXPECT_EQ(partition_for_key("foobar", kPrime), expected(-790332482));
    EXPECT_EQ(partition_for_key("a-little-bit-long-string", kPrime), expected(-985981536));
    EXPECT_EQ(partition_for_key("a-little-bit-longer-string", kPrime), expected(-1486304829));
    EXPECT_EQ(partition_for_key("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", kPrime),
              expected(-58897971));
    EXPECT_EQ(partition_for_key("abc", kPrime), expected(479470107));
}

/// Topics of five partitions; what was sent is kept.
class FiveWide final : public detail::Task {
  public:
    detail::StateStore& store(std::string_view /*name*/) override { LEAT_CHECK(false); }
    Result<void> send(const detail::Outgoing& record) override {
        sent.push_back(record.partition.value_or(-1));
        return {};
    }
    Result<void> log_change(const detail::Outgoing& /*record*/) override { return {}; }
    Result<std::int32_t> partitions_of(std::string_view /*topic*/) override { return 5; }
    [[nodiscard]] std::int64_t stream_time() const override { return -1; }
    [[nodiscard]] std::int64_t wall_time() const override { return 0; }
    [[nodiscard]] const detail::Origin& origin() const override { return origin_; }
    void drop(const detail::Node& /*node*/, std::string_view /*reason*/) override { ++dropped; }
    Result<void> survive(const detail::Node& /*node*/, const detail::Flow& /*flow*/,
                         Error error) override {
        return error;
    }
    [[nodiscard]] bool failed() const override { return false; }

    std::vector<std::int32_t> sent;
    int dropped = 0;

  private:
    detail::Origin origin_;
};

template <class K>
Result<void> write(FiveWide& task, const K& key, Partitioner<K, string> partitioner,
                   Serde<K> serde = detail::choose(Serde<K>{}, Serde<K>{})) {
    detail::SinkNode<K, string> sink{"sink",
                                     {.topic = "out",
                                      .key = std::move(serde),
                                      .value = serde_for<string>(),
                                      .partitioner = std::move(partitioner)}};
    LEAT_TRY_VOID(sink.open(task));
    const string value = "v";
    return sink.run({.key = &key, .value = &value, .timestamp = 1});
}

TEST(Partitioner, SinksWriteToEachChosenPartition) {
    FiveWide task;
    const string key = "k";
    ASSERT_TRUE(write<string>(task, key, {}));
    ASSERT_TRUE(write<string>(task, key, [](const Departing<string, string>& record) -> Partitions {
        EXPECT_EQ(record.topic, "out");
        EXPECT_EQ(*record.key + *record.value, "kv");
        return std::vector{3, record.partitions - 1};
    }));
    ASSERT_TRUE(write<string>(task, key, [](const auto&) -> Partitions { return std::nullopt; }));
    EXPECT_THAT(task.sent, ElementsAre(-1, 3, 4, -1));
    EXPECT_EQ(task.dropped, 0);
}

TEST(Partitioner, ChoosingNoneDropsTheRecord) {
    FiveWide task;
    ASSERT_TRUE(write<string>(
        task, "k", [](const auto&) -> Partitions { return std::vector<std::int32_t>{}; }));
    EXPECT_THAT(task.sent, IsEmpty());
    EXPECT_EQ(task.dropped, 1);
}

TEST(Partitioner, APartitionThatIsNotThereIsAnError) {
    FiveWide task;
    const auto done =
        write<string>(task, "k", [](const auto&) -> Partitions { return std::vector{5}; });
    EXPECT_EQ(done.error().code(), Errc::kInvalidRequest);
    EXPECT_THAT(string{done.error().detail()}, testing::HasSubstr("partition 5 of 5"));
}

TEST(Partitioner, WindowedKeysGoByTheKeyAlone) {
    using Key = Windowed<string>;
    const auto serde = time_windowed<string>(Duration{10});
    FiveWide task;
    for (const std::int64_t start : {0, 10, 20})
        ASSERT_TRUE(write<Key>(task, {"k", {start, start + 10}},
                               detail::partitioner_of_windowed<Key, string>(serde), serde));
    const auto expected = partition_for_key("k", 5);
    EXPECT_THAT(task.sent, ElementsAre(expected, expected, expected));
    EXPECT_FALSE((detail::partitioner_of_windowed<string, string>(serde_for<string>())));
}

TEST(Partitioner, SidesOfAForeignKeyJoinMayHaveTheirOwn) {
    const auto by_size = detail::wire_partitioner<string>(
        serde_for<string>(), [](const Departing<string, Void>& record) -> Partitions {
            if (record.key == nullptr) return std::vector{0};
            if (record.key->empty()) return std::nullopt;
            return std::vector(record.key->size() / 9 + 1,
                               static_cast<std::int32_t>(record.key->size()));
        });
    EXPECT_EQ(*by_size("t", "abc", 5), 3);
    EXPECT_EQ(*by_size("t", std::nullopt, 5), 0);
    EXPECT_EQ(*by_size("t", "", 5), std::nullopt);
    EXPECT_EQ(by_size("t", "abcdef", 5).error().code(), Errc::kInvalidRequest);
    EXPECT_EQ(by_size("t", "abcdefghij", 50).error().code(), Errc::kInvalidRequest);
    EXPECT_FALSE(detail::wire_partitioner<string>(serde_for<string>(), {}));
}

/// Cannot write the text "x".
class NoX final : public Codec<string> {
  public:
    Result<void> encode(std::string_view topic, const string& value, string& out) const override {
        if (value == "x") return Error{Errc::kInvalidRecord, "no x"};
        return serde_for<string>()->encode(topic, value, out);
    }
    Result<string> decode(std::string_view topic, std::string_view bytes) const override {
        return serde_for<string>()->decode(topic, bytes);
    }
};

TEST(Partitioner, TheProductionHandlerIsAskedForEachChosenPartition) {
    Builder b;
    b.stream<string, string>("in").to(
        "out", {.value = std::make_shared<NoX>(), .partitioner = [](const auto& record) {
                    if (*record.key == "none") return Partitions{std::vector<std::int32_t>{}};
                    return Partitions{std::vector{record.partitions - 1, 0}};
                }});
    const auto topology = b.build();
    std::vector<std::int32_t> asked;
    ErrorHandlers handlers;
    handlers.production = [&asked](const ErrorContext& context, const Error& /*error*/) {
        asked.push_back(context.output->partition.value_or(-1));
        return ErrorAnswer{ErrorChoice::kContinue, {}};
    };
    const auto driver = *TestDriver::open(*topology, {.handlers = handlers, .partitions = 3});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {1})));
    std::vector<std::int32_t> written;
    for (const auto& record : driver->read("out")) written.push_back(record.partition.value_or(-1));
    EXPECT_THAT(written, ElementsAre(2, 0));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "x", {2})));
    EXPECT_THAT(asked, ElementsAre(2, 0));
    EXPECT_EQ(driver->dropped(), 2U);
    // What goes nowhere is not encoded.
    ASSERT_TRUE((driver->pipe<string, string>("in", "none", "x", {3})));
    EXPECT_EQ(asked.size(), 2U);
    EXPECT_EQ(driver->dropped(), 3U);
    EXPECT_THAT(driver->read("out"), IsEmpty());
}

TEST(Partitioner, OperatorsTakeOne) {
    int asked = 0;
    const auto count = [&asked](const auto& record) -> Partitions {
        EXPECT_EQ(record.partitions, 1);
        ++asked;
        return std::vector{0};
    };
    Builder b;
    b.stream<string, string>("in")
        .repartition({.partitioner = count})
        .to("out", {.partitioner = count});
    b.table<string, string>("left")
        .join_on(
            b.table<string, string>("right"), [](const string& value) { return value; },
            [](const string& left, const string& right) { return left + right; }, {},
            {.partitioner = count, .other_partitioner = count})
        .to_stream()
        .to("joined");
    const auto topology = b.build();
    ASSERT_TRUE(topology);
    const auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {1})));
    EXPECT_EQ(asked, 2);
    ASSERT_TRUE((driver->pipe<string, string>("right", "r", "1", {2})));
    ASSERT_TRUE((driver->pipe<string, string>("left", "l", "r", {3})));
    EXPECT_EQ(asked, 4);
    const auto joined = *driver->read<string, string>("joined");
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(joined[0].value, "r1");
}

}  // namespace
}  // namespace leat::streams
