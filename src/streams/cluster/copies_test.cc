// SPDX-License-Identifier: Apache-2.0
// An aggregate may be large: nobody copies it while nobody asks for old values.
#include <gmock/gmock.h>

#include <utility>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

/// A number that counts its copies.
struct Sum {
    std::int64_t value = 0;
    Sum() = default;
    explicit Sum(std::int64_t from) : value(from) {}
    Sum(const Sum& from) : value(from.value) { ++copies; }
    Sum(Sum&&) = default;
    Sum& operator=(const Sum& from) {
        value = from.value;
        ++copies;
        return *this;
    }
    Sum& operator=(Sum&&) = default;
    ~Sum() = default;
    static inline int copies = 0;
};
class SumCodec final : public Codec<Sum> {
  public:
    Result<void> encode(std::string_view topic, const Sum& sum, std::string& out) const override {
        return serde_for<std::int64_t>()->encode(topic, sum.value, out);
    }
    Result<Sum> decode(std::string_view topic, std::string_view bytes) const override {
        LEAT_TRY(const std::int64_t value, serde_for<std::int64_t>()->decode(topic, bytes));
        return Sum{value};
    }
};

}  // namespace

template <>
struct SerdeFor<Sum> {
    static Serde<Sum> get() { return std::make_shared<SumCodec>(); }
};

namespace {

using std::string;

Sum nothing() {
    return Sum{};
}
Sum longer(const string&, const string& value, Sum sum) {
    sum.value += static_cast<std::int64_t>(value.size());
    return sum;
}

/// Copies that three records of a key make, two of them in one window.
int copies_of(Builder& b) {
    const auto topology = b.build();
    EXPECT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    Sum::copies = 0;
    for (const std::int64_t at : {100, 100, 105})
        EXPECT_TRUE((driver->pipe<string, string>("in", "k", "abc", {at})));
    const auto kept = driver->read("test-st-changelog");
    EXPECT_EQ(kept.size() >= 3 ? kept[1].value : std::nullopt, string({0, 0, 0, 0, 0, 0, 0, 6}));
    return Sum::copies;
}
auto grouped(Builder& b) {
    return b.stream<string, string>("in").group_by_key();
}

TEST(PlainAggregate, IsNotCopied) {
    Builder b;
    grouped(b).aggregate(nothing, longer, {.store = "st"});
    EXPECT_EQ(copies_of(b), 0);
}

TEST(WindowAggregate, IsNotCopied) {
    Builder b;
    grouped(b).windowed(tumbling(Duration{10})).aggregate(nothing, longer, {.store = "st"});
    EXPECT_EQ(copies_of(b), 0);
}

TEST(SlidingAggregate, IsNotCopied) {
    Builder b;
    grouped(b).windowed(sliding(Duration{10})).aggregate(nothing, longer, {.store = "st"});
    EXPECT_EQ(copies_of(b), 0);
}

}  // namespace
}  // namespace leat::streams
