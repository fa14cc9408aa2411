// SPDX-License-Identifier: Apache-2.0
//
// Duration::max() as a span or a grace period: "never over", and no sum with it is wrong.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using Stream = KStream<string, string>;

/// What counts of the records of one key at these times come to; nothing: refused.
std::optional<std::int64_t> last_count(
    const std::function<KStream<string, std::int64_t>(const Stream&)>& declare) {
    Builder b;
    declare(b.stream<string, string>("in")).to("out");
    const auto topology = b.build();
    if (!topology) {
        ADD_FAILURE() << topology.error().detail();
        return {};
    }
    auto driver = *TestDriver::open(*topology);
    for (const std::int64_t at : {1'700'000'000'000, 1'800'000'000'000, 1'700'000'000'001})
        EXPECT_TRUE((driver->pipe<string, string>("in", "k", "v", Timestamp{at})));
    EXPECT_EQ(driver->dropped(), 0U);
    const auto out = driver->read<string, std::int64_t>("out");
    std::int64_t last = 0;
    for (const auto& record : *out)
        if (record.value) last = std::max(last, *record.value);
    return last;
}
template <class Windows>
std::optional<std::int64_t> count_in(Windows windows) {
    return last_count([=](const Stream& in) {
        return in.group_by_key().windowed(windows).count().to_stream().select_key(
            [](const Windowed<string>& key, const std::int64_t*) { return key.key; });
    });
}

constexpr Duration kMax = Duration::max();

TEST(LongestSpan, NothingIsLateForAGraceOfIt) {
    EXPECT_EQ(count_in(tumbling(Duration{3'600'000}).grace(kMax)), 2);
    EXPECT_EQ(count_in(hopping(Duration{3'600'000}, Duration{3'600'000}).grace(kMax)), 2);
    EXPECT_EQ(count_in(sliding(Duration{1'000}).grace(kMax)), 2);
    EXPECT_EQ(count_in(session(Duration{1'000}).grace(kMax)), 2);
}

TEST(LongestSpan, AllIsInOneWindowOfIt) {
    EXPECT_EQ(count_in(tumbling(kMax)), 3);
    EXPECT_EQ(count_in(tumbling(kMax).grace(kMax)), 3);
    EXPECT_EQ(count_in(session(kMax)), 3);
    EXPECT_EQ(count_in(session(kMax).grace(kMax)), 3);
    EXPECT_EQ(count_in(sliding(kMax)), 3);
    EXPECT_EQ(count_in(sliding(kMax).grace(kMax)), 3);
}

TEST(LongestSpan, JoinsMeetWhateverTheirTimes) {
    for (const JoinWindows& windows :
         {within(kMax), within(kMax).grace(kMax), within(Duration{0}).before(kMax).after(kMax)}) {
        Builder b;
        b.stream<string, string>("left")
            .join(
                b.stream<string, string>("right"),
                [](const string& l, const string& r) { return l + r; }, windows)
            .to("out");
        const auto topology = b.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        auto driver = *TestDriver::open(*topology);
        EXPECT_TRUE((driver->pipe<string, string>("left", "k", "a", {1'700'000'000'000})));
        EXPECT_TRUE((driver->pipe<string, string>("right", "k", "b", {1'000})));
        EXPECT_EQ(driver->read("out").size(), 1U);
    }
}

}  // namespace
}  // namespace leat::streams
