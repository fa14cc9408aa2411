// SPDX-License-Identifier: Apache-2.0
#include "client/fetched.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/endian.h"
#include "client/testing/batches.h"
#include "codec/crc32.h"

namespace leat::client {
namespace {

using testing::bytes_of;
using testing::joined;
using testing::marker;
using testing::records_at;
using Aborted = wire::FetchResponse::AbortedTransaction;

constexpr FetchRules kAll{.committed_only = false, .inflated_bytes_max = 1 << 20};
constexpr FetchRules kCommitted{.committed_only = true, .inflated_bytes_max = 1 << 20};

class FetchedTest : public ::testing::Test {
  protected:
    /// `others`: bytes of other partitions in the same answer.
    Fetched read(std::vector<std::byte> range, std::int64_t from, FetchRules rules,
                 std::vector<Aborted> aborted = {}, std::size_t others = 0) {
        aborted_ = std::move(aborted);
        const std::size_t size = range.size();
        range.resize(size + others);
        const KeptRef memory = KeptRef::of(std::move(range));
        wire::FetchResponse::PartitionData data;
        data.aborted_transactions = aborted_;
        data.records = memory.view().first(size);
        return read_fetched(data, memory, Offset{from}, rules);
    }
    /// "offset=value" of each record, and what stopped it.
    static std::string text(const Fetched& fetched) {
        std::string out;
        RecordCursor cursor;
        for (const wire::BatchView& batch : fetched.batches) {
            if (const auto opened = cursor.open(batch, fetched.memory, 1 << 20); !opened)
                return out + "!" + std::string{info(opened.error().code()).name};
            wire::RecordView view;
            while (cursor.left() > 0) {
                if (const char* why = cursor.take(view)) return out + "!" + why;
                if (!out.empty()) out += ' ';
                out += std::to_string(cursor.header().offset(view.offset_delta).value) + "=";
                out.append(reinterpret_cast<const char*>(view.value->data()), view.value->size());
            }
        }
        return out;
    }

  private:
    std::vector<Aborted> aborted_;
};

TEST_F(FetchedTest, ReadsBatchesInPlaceAndGoesOnBehindTheLast) {
    auto range = joined({records_at(5, {"a", "b"}), records_at(9, {"c"})});
    const Fetched got = read(range, 5, kAll);
    EXPECT_EQ(text(got), "5=a 6=b 9=c");
    EXPECT_EQ(got.next.value, 10);
    EXPECT_EQ(got.records, 3U);
    EXPECT_EQ(got.bytes, range.size());
    EXPECT_FALSE(got.failure);
}

TEST_F(FetchedTest, KeepsAtMostTwiceWhatItGives) {
    const auto range = joined({records_at(5, {"a", "b"}), records_at(9, {"c"})});
    for (const std::size_t others : {std::size_t{0}, range.size(), 5 * range.size()}) {
        const Fetched got = read(range, 5, kAll, {}, others);
        EXPECT_LE(got.memory.view().size(), 2 * got.bytes);
        EXPECT_EQ(text(got), "5=a 6=b 9=c");
    }
    // Of one partition, most of which was aborted.
    const auto lost =
        joined({records_at(0, {std::string(1000, 'x')}, {.producer = 7}), marker(1, 7, false),
                records_at(2, {"a"}), records_at(3, {std::string(1000, 'y')}, {.producer = 7}),
                records_at(4, {"b"}), marker(5, 7, false)});
    const Fetched got =
        read(lost, 0, kCommitted,
             {{.producer_id = 7, .first_offset = 0}, {.producer_id = 7, .first_offset = 3}});
    EXPECT_EQ(text(got), "2=a 4=b");
    EXPECT_EQ(got.next.value, 6);
    EXPECT_LE(got.memory.view().size(), 2 * got.bytes);
}

TEST_F(FetchedTest, LeavesOutWhatLiesBeforeAndWhatIsCutOff) {
    auto range = joined({records_at(0, {"old"}), records_at(1, {"a"}), records_at(2, {"cut"})});
    range.pop_back();
    const Fetched got = read(range, 1, kAll);
    EXPECT_EQ(text(got), "1=a");
    EXPECT_EQ(got.next.value, 2);
    EXPECT_FALSE(got.failure);
}

TEST_F(FetchedTest, StepsOverBatchesThatCompactionEmptied) {
    wire::BatchBuilder empty{{.base_offset = Offset{3}}};
    const Fetched got = read(*empty.finish({.last_offset_delta = 6}), 3, kAll);
    EXPECT_TRUE(got.batches.empty());
    EXPECT_EQ(got.next.value, 10);
    EXPECT_EQ(got.memory.get(), nullptr);  // Nothing keeps the answer.
}

TEST_F(FetchedTest, CommittedOnlyLeavesOutAbortedTransactionsAndAllMarkers) {
    const auto log =
        joined({records_at(0, {"lost"}, {.producer = 7}), records_at(1, {"kept"}, {.producer = 8}),
                marker(2, 7, false), records_at(3, {"next"}, {.producer = 7}), marker(4, 7, true),
                records_at(5, {"plain"}), marker(6, 8, true)});
    const Fetched committed = read(log, 0, kCommitted, {{.producer_id = 7, .first_offset = 0}});
    EXPECT_EQ(text(committed), "1=kept 3=next 5=plain");
    EXPECT_EQ(committed.next.value, 7);
    EXPECT_EQ(text(read(log, 0, kAll, {{.producer_id = 7, .first_offset = 0}})),
              "0=lost 1=kept 3=next 5=plain");
    // In whatever order the broker tells them; the second one of 7 begins later.
    EXPECT_EQ(
        text(read(log, 0, kCommitted,
                  {{.producer_id = 7, .first_offset = 3}, {.producer_id = 7, .first_offset = 0}})),
        "1=kept 5=plain");
}

TEST_F(FetchedTest, GivesWhatIsWholeBeforeWhatIsBroken) {
    auto bad = records_at(1, {"b"});
    bad[16] = std::byte{9};  // A magic that does not exist.
    const Fetched got = read(joined({records_at(0, {"a"}), bad}), 0, kAll);
    EXPECT_EQ(text(got), "0=a");
    EXPECT_EQ(got.next.value, 1);
    ASSERT_TRUE(got.failure);
    EXPECT_EQ(got.failure->code(), Errc::kUnsupportedForMessageFormat);
}

TEST_F(FetchedTest, LooksAtTheChecksumOnlyIfAsked) {
    auto bad = records_at(0, {"abc"});
    bad.back() ^= std::byte{1};  // Of the header count: zero, negative once it is decoded.
    bad[bad.size() - 2] ^= std::byte{1};
    FetchRules checked = kAll;
    checked.checks_crc = true;
    const Fetched got = read(bad, 0, checked);
    ASSERT_TRUE(got.failure);
    EXPECT_EQ(got.failure->code(), Errc::kCorruptMessage);
    EXPECT_EQ(got.next.value, 0);
    const Fetched unchecked = read(bad, 0, kAll);
    EXPECT_FALSE(unchecked.failure);
    EXPECT_NE(text(unchecked).find('!'), std::string::npos);
}

TEST_F(FetchedTest, RefusesOffsetsAndCountsThatCannotBe) {
    const auto with = [](std::size_t at, std::int32_t number) {
        auto out = records_at(0, {"a"});
        store_be(out.data() + at, number);
        return out;
    };
    for (const auto& bad : {with(0, -1), with(23, -1), with(57, -1)}) {
        const Fetched got = read(bad, 0, kAll);
        EXPECT_TRUE(got.batches.empty());
        ASSERT_TRUE(got.failure);
        EXPECT_EQ(got.failure->code(), Errc::kCorruptMessage);
    }
}

TEST_F(FetchedTest, CountsThatAreLiesAreNoticed) {
    auto more = records_at(0, {"a", "b"});
    store_be(more.data() + 57, std::int32_t{3});
    EXPECT_NE(text(read(more, 0, kAll)).find('!'), std::string::npos);
    store_be(more.data() + 57, std::int32_t{1});
    EXPECT_NE(text(read(more, 0, kAll)).find("more records"), std::string::npos);
}

TEST_F(FetchedTest, UnpacksCompressedBatchesUpToABound) {
    for (const auto codec :
         {codec::Codec::kGzip, codec::Codec::kSnappy, codec::Codec::kLz4, codec::Codec::kZstd}) {
        const std::string big(10'000, 'x');
        const Fetched got = read(records_at(4, {big, "b"}, {.codec = codec}), 4, kAll);
        EXPECT_EQ(text(got), "4=" + big + " 5=b");
        RecordCursor cursor;
        const auto opened = cursor.open(got.batches.front(), got.memory, 9'000);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code(), Errc::kLimitExceeded);
        EXPECT_EQ(cursor.left(), 0);
    }
}

TEST_F(FetchedTest, ReadsMessagesOfBeforeRecordBatches) {
    const auto old = [](std::int64_t offset, std::string_view value) {
        std::vector<std::byte> out(12 + 22 + value.size());
        store_be(out.data(), offset);
        store_be(out.data() + 8, static_cast<std::int32_t>(out.size() - 12));
        out[16] = std::byte{1};
        store_be(out.data() + 18, std::int64_t{1'000});
        store_be(out.data() + 26, std::int32_t{-1});
        store_be(out.data() + 30, static_cast<std::int32_t>(value.size()));
        std::ranges::copy(bytes_of(value), out.begin() + 34);
        store_be(out.data() + 12, static_cast<std::int32_t>(codec::crc32(Bytes{out}.subspan(16))));
        return out;
    };
    auto range = joined({old(2, "before"), old(3, "a"), old(7, "b"), records_at(8, {"new"})});
    const Fetched got = read(range, 3, kAll);
    EXPECT_EQ(text(got), "3=a 7=b 8=new");
    EXPECT_EQ(got.next.value, 9);
    // No more is made of them at once than is to be unpacked; the rest is fetched again.
    FetchRules narrow = kAll;
    narrow.inflated_bytes_max = 100;
    const Fetched some = read(range, 2, narrow);
    EXPECT_EQ(text(some), "2=before 3=a");
    EXPECT_EQ(some.next.value, 4);
    EXPECT_FALSE(some.failure);
    auto cut = joined({old(3, "a"), old(4, "cut")});
    cut.pop_back();
    EXPECT_EQ(text(read(cut, 3, kAll)), "3=a");
    auto bad = joined({old(3, "a"), old(4, "bad")});
    bad.back() ^= std::byte{1};
    const Fetched broken = read(bad, 3, kAll);
    EXPECT_EQ(text(broken), "3=a");
    EXPECT_EQ(broken.next.value, 4);
    ASSERT_TRUE(broken.failure);
}

}  // namespace
}  // namespace leat::client
