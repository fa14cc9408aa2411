// SPDX-License-Identifier: Apache-2.0
// Joins of two streams. Each text is what Kafka Streams 4.2.1 (its TopologyTestDriver, caches off)
// printed for the same topology and records; see testing/play.h for the notation.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::told;

/// As on a cluster, where the first record looks for those without a match, and then the first one
/// of each second. The texts of these tests are thought out by that rule.
const TestDriver::Options kEachSecond{.emit_interval = Duration{1000}};
/// The wall clock, and two jumps of time, one beyond what the stores keep.
constexpr const char* kUnmatched =
    "l k a 100; r j B 101; l m c 130; +999; l m d 131; +1; l m e 132; l z f 5000; +1000; l z g "
    "5001; +1000; r z G 5001";
/// Matches, null keys, null values, out of order, late, no match.
constexpr const char* kMixed =
    "l k a 100; r k A 105; r k B 90; l k b 98; l j c 100; r - N 100; l - n 101; l k - 102; r k - "
    "103; "
    "l k d 130; r j C 130; l k e 104; r k D 119; l m f 150; r m F 170; l z g 200; l z h 300";
constexpr const char* kAsymmetric =
    "l k a 100; r k A 95; r k B 100; r k C 110; r k D 111; l k b 111; l k c 92; r k E 92; l k d "
    "91; "
    "r k F 200; r k G 189; r k H 90; l k z 300; r k z 400";
constexpr const char* kNegative =
    "l k a 100; r k A 95; r k B 105; r k C 110; r k D 111; l k b 111; l k c 92; r k F 200; l k z "
    "300; "
    "r k z 400";
constexpr const char* kSelf = "l k a 100; l k b 105; l k c 95; l - x 100; l k - 100; l k d 130";

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
/// What a Java lambda makes of a null.
string text(const string* value) {
    return value != nullptr ? *value : "null";
}
string both(const string& left, const string& right) {
    return left + right;
}
string left_and(const string& left, const string* right) {
    return left + text(right);
}
string either(const string* left, const string* right) {
    return text(left) + text(right);
}

class StreamJoin : public testing::Test {
  protected:
    using Text = KStream<string, string>;
    using As = StreamJoined<string, string, string>;
    Text stream(const string& topic) { return builder_.stream<string, string>(topic); }
    void inner(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.join(r, both, w, as).to("out");
    }
    void left(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.left_join(r, left_and, w, as).to("out");
    }
    void outer(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.outer_join(r, either, w, as).to("out");
    }
    string description() {
        const auto topology = builder_.build();
        return topology ? topology->describe() : string{topology.error().detail()};
    }
    Builder builder_;
    JoinWindows ten_and_five_ = within(ms(10)).grace(ms(5));
    JoinWindows up_to_ten_later_ = within(ms(0)).after(ms(10));
    JoinWindows five_to_ten_later_ = within(ms(10)).grace(ms(3)).before(ms(-5));
};

TEST_F(StreamJoin, InnerTellsEachPairOnce) {
    inner(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(play(builder_, kMixed), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 105
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\01 | A @105
    out | k | aA @105
  > r k B 90
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\02 | B @90
    out | k | aB @100
  > l k b 98
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00b\00\00\00\02 | b @98
    out | k | bB @98
    out | k | bA @105
  > l j c 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | j\00\00\00\00\00\00\00d\00\00\00\03 | c @100
  > r - N 100
  > l - n 101
  > l k - 102
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00f\00\00\00\04 | null @102
  > r k - 103
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00g\00\00\00\03 | null @103
  > l k d 130
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
  > r j C 130
    KSTREAM-JOINOTHER-0000000005-store-changelog | j\00\00\00\00\00\00\00\82\00\00\00\04 | C @130
  > l k e 104
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00h\00\00\00\06 | e @104
  > r k D 119
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00w\00\00\00\05 | D @119
  > l m f 150
    KSTREAM-JOINTHIS-0000000004-store-changelog | m\00\00\00\00\00\00\00\96\00\00\00\07 | f @150
  > r m F 170
    KSTREAM-JOINOTHER-0000000005-store-changelog | m\00\00\00\00\00\00\00\aa\00\00\00\06 | F @170
  > l z g 200
    KSTREAM-JOINTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\00\c8\00\00\00\08 | g @200
  > l z h 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\01,\00\00\00\09 | h @300
  dropped 4
)");
}
TEST_F(StreamJoin, LeftTellsOfLeftRecordsWithoutAMatch) {
    left(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(play(builder_, kMixed), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
  > r k A 105
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\01 | A @105
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @105
    out | k | aA @105
  > r k B 90
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\02 | B @90
    out | k | aB @100
  > l k b 98
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00b\00\00\00\02 | b @98
    out | k | bB @98
    out | k | bA @105
  > l j c 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | j\00\00\00\00\00\00\00d\00\00\00\03 | c @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01j | \01\00\00\00\01\00\00\00\02\01c @100
  > r - N 100
  > l - n 101
    out | null | nnull @101
  > l k - 102
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00f\00\00\00\04 | null @102
  > r k - 103
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00g\00\00\00\03 | null @103
  > l k d 130
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01j | null @130
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\01k | \01\00\00\00\01\00\00\00\02\01d @130
    out | j | cnull @100
  > r j C 130
    KSTREAM-OUTEROTHER-0000000005-store-changelog | j\00\00\00\00\00\00\00\82\00\00\00\04 | C @130
  > l k e 104
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00h\00\00\00\06 | e @104
    out | k | enull @104
  > r k D 119
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00w\00\00\00\05 | D @119
  > l m f 150
    KSTREAM-JOINTHIS-0000000004-store-changelog | m\00\00\00\00\00\00\00\96\00\00\00\07 | f @150
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\01k | null @150
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\96\01m | \01\00\00\00\01\00\00\00\02\01f @150
    out | k | dnull @130
  > r m F 170
    KSTREAM-OUTEROTHER-0000000005-store-changelog | m\00\00\00\00\00\00\00\aa\00\00\00\06 | F @170
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\96\01m | null @170
    out | m | fnull @150
  > l z g 200
    KSTREAM-JOINTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\00\c8\00\00\00\08 | g @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\01z | \01\00\00\00\01\00\00\00\02\01g @200
  > l z h 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\01,\00\00\00\09 | h @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\01z | null @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01z | \01\00\00\00\01\00\00\00\02\01h @300
    out | z | gnull @200
  dropped 3
)");
}
TEST_F(StreamJoin, OuterTellsOfBothSidesRecordsWithoutAMatch) {
    outer(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(play(builder_, kMixed), R"(
  > l k a 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 105
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\01 | A @105
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @105
    out | k | aA @105
  > r k B 90
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\02 | B @90
    out | k | aB @100
  > l k b 98
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00b\00\00\00\02 | b @98
    out | k | bB @98
    out | k | bA @105
  > l j c 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01j | \01\00\00\00\01\00\00\00\02\01c @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | j\00\00\00\00\00\00\00d\00\00\00\03 | c @100
  > r - N 100
    out | null | nullN @100
  > l - n 101
    out | null | nnull @101
  > l k - 102
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00f\00\00\00\04 | null @102
  > r k - 103
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00g\00\00\00\03 | null @103
  > l k d 130
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01j | null @130
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\01k | \01\00\00\00\01\00\00\00\02\01d @130
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
    out | j | cnull @100
  > r j C 130
    KSTREAM-OUTEROTHER-0000000005-store-changelog | j\00\00\00\00\00\00\00\82\00\00\00\04 | C @130
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\00j | \01\00\00\00\01\00\00\00\02\00C @130
  > l k e 104
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00h\00\00\00\06 | e @104
    out | k | enull @104
  > r k D 119
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00w\00\00\00\05 | D @119
    out | k | nullD @119
  > l m f 150
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\00j | null @150
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\82\01k | null @150
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\96\01m | \01\00\00\00\01\00\00\00\02\01f @150
    KSTREAM-OUTERTHIS-0000000004-store-changelog | m\00\00\00\00\00\00\00\96\00\00\00\07 | f @150
    out | j | nullC @130
    out | k | dnull @130
  > r m F 170
    KSTREAM-OUTEROTHER-0000000005-store-changelog | m\00\00\00\00\00\00\00\aa\00\00\00\06 | F @170
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\96\01m | null @170
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\aa\00m | \01\00\00\00\01\00\00\00\02\00F @170
    out | m | fnull @150
  > l z g 200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\aa\00m | null @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\01z | \01\00\00\00\01\00\00\00\02\01g @200
    KSTREAM-OUTERTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\00\c8\00\00\00\08 | g @200
    out | m | nullF @170
  > l z h 300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\01z | null @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01z | \01\00\00\00\01\00\00\00\02\01h @300
    KSTREAM-OUTERTHIS-0000000004-store-changelog | z\00\00\00\00\00\00\01,\00\00\00\09 | h @300
    out | z | gnull @200
  dropped 2
)");
}
TEST_F(StreamJoin, InnerWithAnAsymmetricWindow) {
    inner(stream("l"), stream("r"), up_to_ten_later_);
    EXPECT_EQ(play(builder_, kAsymmetric), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 95
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
  > r k B 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | B @100
    out | k | aB @100
  > r k C 110
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
  > l k b 111
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
    out | k | bD @111
  > l k c 92
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
  > r k E 92
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\05 | E @92
  > l k d 91
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00[\00\00\00\04 | d @91
  > r k F 200
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\06 | F @200
  > r k G 189
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\bd\00\00\00\07 | G @189
  > r k H 90
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\08 | H @90
  > l k z 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\05 | z @300
  > r k z 400
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\09 | z @400
  dropped 0
)");
}
TEST_F(StreamJoin, LeftWithAnAsymmetricWindow) {
    left(stream("l"), stream("r"), up_to_ten_later_);
    EXPECT_EQ(play(builder_, kAsymmetric), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
  > r k A 95
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
  > r k B 100
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | B @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @100
    out | k | aB @100
  > r k C 110
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
  > l k b 111
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
    out | k | bD @111
  > l k c 92
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
    out | k | cnull @92
  > r k E 92
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\05 | E @92
  > l k d 91
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00[\00\00\00\04 | d @91
    out | k | dnull @91
  > r k F 200
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\06 | F @200
  > r k G 189
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\bd\00\00\00\07 | G @189
  > r k H 90
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\08 | H @90
  > l k z 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\05 | z @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | \01\00\00\00\01\00\00\00\02\01z @300
  > r k z 400
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\09 | z @400
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | null @400
    out | k | znull @300
  dropped 0
)");
}
TEST_F(StreamJoin, OuterWithAnAsymmetricWindow) {
    outer(stream("l"), stream("r"), up_to_ten_later_);
    EXPECT_EQ(play(builder_, kAsymmetric), R"(
  > l k a 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 95
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
    out | k | nullA @95
  > r k B 100
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | B @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @100
    out | k | aB @100
  > r k C 110
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\00k | \01\00\00\00\01\00\00\00\02\00D @111
  > l k b 111
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\00k | null @111
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
    out | k | bD @111
  > l k c 92
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
    out | k | cnull @92
  > r k E 92
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\05 | E @92
    out | k | nullE @92
  > l k d 91
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00[\00\00\00\04 | d @91
    out | k | dnull @91
  > r k F 200
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\06 | F @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\00k | \01\00\00\00\01\00\00\00\02\00F @200
  > r k G 189
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\bd\00\00\00\07 | G @189
    out | k | nullG @189
  > r k H 90
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00Z\00\00\00\08 | H @90
    out | k | nullH @90
  > l k z 300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\00k | null @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | \01\00\00\00\01\00\00\00\02\01z @300
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\05 | z @300
    out | k | nullF @200
  > r k z 400
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\09 | z @400
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | null @400
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01\90\00k | \01\00\00\00\01\00\00\00\02\00z @400
    out | k | znull @300
  dropped 0
)");
}
TEST_F(StreamJoin, InnerWithANegativeBound) {
    inner(stream("l"), stream("r"), five_to_ten_later_);
    EXPECT_EQ(play(builder_, kNegative), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 95
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
  > r k B 105
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | B @105
    out | k | aB @105
  > r k C 110
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
  > l k b 111
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
  > l k c 92
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
  > r k F 200
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\05 | F @200
  > l k z 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\04 | z @300
  > r k z 400
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\06 | z @400
  dropped 0
)");
}
TEST_F(StreamJoin, LeftWithANegativeBound) {
    left(stream("l"), stream("r"), five_to_ten_later_);
    EXPECT_EQ(play(builder_, kNegative), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
  > r k A 95
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
  > r k B 105
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | B @105
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @105
    out | k | aB @105
  > r k C 110
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
  > l k b 111
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\01k | \01\00\00\00\01\00\00\00\02\01b @111
  > l k c 92
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
    out | k | cnull @92
  > r k F 200
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\05 | F @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\01k | null @200
    out | k | bnull @111
  > l k z 300
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\04 | z @300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | \01\00\00\00\01\00\00\00\02\01z @300
  > r k z 400
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\06 | z @400
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | null @400
    out | k | znull @300
  dropped 0
)");
}
TEST_F(StreamJoin, OuterWithANegativeBound) {
    outer(stream("l"), stream("r"), five_to_ten_later_);
    EXPECT_EQ(play(builder_, kNegative), R"(
  > l k a 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > r k A 95
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\01 | A @95
    out | k | nullA @95
  > r k B 105
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | B @105
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @105
    out | k | aB @105
  > r k C 110
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00n\00\00\00\03 | C @110
    out | k | aC @110
  > r k D 111
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\04 | D @111
    out | k | nullD @111
  > l k b 111
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\01k | \01\00\00\00\01\00\00\00\02\01b @111
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00o\00\00\00\02 | b @111
  > l k c 92
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\5c\00\00\00\03 | c @92
    out | k | cnull @92
  > r k F 200
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\05 | F @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00o\01k | null @200
    out | k | bnull @111
    out | k | nullF @200
  > l k z 300
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | \01\00\00\00\01\00\00\00\02\01z @300
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\01,\00\00\00\04 | z @300
  > r k z 400
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\01\90\00\00\00\06 | z @400
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\01,\01k | null @400
    out | k | znull @300
    out | k | nullz @400
  dropped 0
)");
}
TEST_F(StreamJoin, OuterLooksOnceASecondAndTellsEachOnce) {
    outer(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(told(play(builder_, kUnmatched, kEachSecond)), R"(
  > l k a 100
  > r j B 101
  > l m c 130
  +999 wall
  > l m d 131
  +1 wall
  > l m e 132
    out | k | anull @100
    out | j | nullB @101
  > l z f 5000
  +1000 wall
  > l z g 5001
    out | m | cnull @130
    out | m | dnull @131
    out | m | enull @132
  +1000 wall
  > r z G 5001
    out | z | fG @5001
    out | z | gG @5001
  dropped 0
)");
}

TEST_F(StreamJoin, LeftLooksOnceASecondAndTellsEachOnce) {
    left(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(told(play(builder_, kUnmatched, kEachSecond)), R"(
  > l k a 100
  > r j B 101
  > l m c 130
  +999 wall
  > l m d 131
  +1 wall
  > l m e 132
    out | k | anull @100
  > l z f 5000
  +1000 wall
  > l z g 5001
    out | m | cnull @130
    out | m | dnull @131
    out | m | enull @132
  +1000 wall
  > r z G 5001
    out | z | fG @5001
    out | z | gG @5001
  dropped 0
)");
}

/// Of a record that comes too late for it: whether it is told before is a matter of the wall clock,
/// in Kafka Streams too.
TEST_F(StreamJoin, ARecordThatIsStillToBeToldMayStillMeetALateOne) {
    constexpr const char* kLate = "l k a 100; l m b 116; r k A 105; +1000; l m c 117";
    left(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(told(play(builder_, kLate, kEachSecond)), R"(
  > l k a 100
  > l m b 116
  > r k A 105
    out | k | aA @105
  +1000 wall
  > l m c 117
  dropped 0
)");
    builder_ = Builder{};
    left(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(told(play(builder_, kLate)), R"(
  > l k a 100
  > l m b 116
    out | k | anull @100
  > r k A 105
    out | k | aA @105
  +1000 wall
  > l m c 117
  dropped 0
)");
}

TEST_F(StreamJoin, DuplicatesWaitAndAreTogetherMatched) {
    outer(stream("l"), stream("r"), within(ms(10)));
    EXPECT_EQ(play(builder_,
                   "l k a 100; l k b 100; r j A 100; l k c 100; l i c 100; r k Z 95; l k y 200"),
              R"(
  > l k a 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\01\00\00\00\02\01a @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > l k b 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\02\00\00\00\02\01a\00\00\00\02\01b @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | b @100
  > r j A 100
    KSTREAM-OUTEROTHER-0000000005-store-changelog | j\00\00\00\00\00\00\00d\00\00\00\01 | A @100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\00j | \01\00\00\00\01\00\00\00\02\00A @100
  > l k c 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | \01\00\00\00\03\00\00\00\02\01a\00\00\00\02\01b\00\00\00\02\01c @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\03 | c @100
  > l i c 100
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01i | \01\00\00\00\01\00\00\00\02\01c @100
    KSTREAM-OUTERTHIS-0000000004-store-changelog | i\00\00\00\00\00\00\00d\00\00\00\04 | c @100
  > r k Z 95
    KSTREAM-OUTEROTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\02 | Z @95
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01k | null @95
    out | k | aZ @100
    out | k | bZ @100
    out | k | cZ @100
  > l k y 200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\00j | null @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00d\01i | null @200
    KSTREAM-OUTERSHARED-0000000004-store-changelog | \00\00\00\00\00\00\00\c8\01k | \01\00\00\00\01\00\00\00\02\01y @200
    KSTREAM-OUTERTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00\c8\00\00\00\05 | y @200
    out | j | nullA @100
    out | i | cnull @100
  dropped 0
)");
}
TEST_F(StreamJoin, NoGraceAndNoSpanJoinsNothingBetweenOneRecordAndTheNext) {
    inner(stream("l"), stream("r"), within(ms(0)));
    EXPECT_EQ(play(builder_, "l k a 100; l k b 100; r k A 100; r k B 100; r k C 100"), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > l k b 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | b @100
  > r k A 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | A @100
  > r k B 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\02 | B @100
  > r k C 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\03 | C @100
  dropped 0
)");
}
TEST_F(StreamJoin, RecordsBeyondTheRetentionAreDroppedAndLogged) {
    inner(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(play(builder_,
                   "l k a 100; l k b 200000; r k A 100; r k B 130; r k C 199900; l k c 100; l k d "
                   "500000; l k e 300000; r k f 300000"),
              R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > l k b 200000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\03\0d@\00\00\00\02 | b @200000
  > r k A 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | A @100
  > r k B 130
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\02 | B @130
  > r k C 199900
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\03\0c\dc\00\00\00\03 | C @199900
  > l k c 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\03 | c @100
  > l k d 500000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\07\a1\20\00\00\00\04 | d @500000
  > l k e 300000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\04\93\e0\00\00\00\05 | e @300000
  > r k f 300000
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\04\93\e0\00\00\00\04 | f @300000
  dropped 2
)");
}
TEST_F(StreamJoin, RecordsInMemoryAreDroppedAndLogged) {
    inner(stream("l"), stream("r"), ten_and_five_, {.persistent = false});
    EXPECT_EQ(play(builder_,
                   "l k a 100; l k b 200000; r k A 100; r k B 130; r k C 199900; l k c 100; l k d "
                   "500000; l k e 300000; r k f 300000"),
              R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
  > l k b 200000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\03\0d@\00\00\00\02 | b @200000
  > r k A 100
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | A @100
  > r k B 130
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\02 | B @130
  > r k C 199900
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\03\0c\dc\00\00\00\03 | C @199900
  > l k c 100
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\03 | c @100
  > l k d 500000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\07\a1\20\00\00\00\04 | d @500000
  > l k e 300000
    KSTREAM-JOINTHIS-0000000004-store-changelog | k\00\00\00\00\00\04\93\e0\00\00\00\05 | e @300000
  > r k f 300000
    KSTREAM-JOINOTHER-0000000005-store-changelog | k\00\00\00\00\00\04\93\e0\00\00\00\04 | f @300000
  dropped 2
)");
}
TEST_F(StreamJoin, AStreamMeetsItself) {
    const auto l = stream("l");
    inner(l, l, ten_and_five_);
    EXPECT_EQ(play(builder_, kSelf), R"(
  > l k a 100
    KSTREAM-JOINOTHER-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    out | k | aa @100
  > l k b 105
    KSTREAM-JOINOTHER-0000000004-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | b @105
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | b @105
    out | k | ba @105
    out | k | ab @105
    out | k | bb @105
  > l k c 95
    KSTREAM-JOINOTHER-0000000004-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\03 | c @95
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\03 | c @95
    out | k | ca @100
    out | k | cb @105
    out | k | cc @95
    out | k | ac @100
    out | k | bc @105
  > l - x 100
  > l k - 100
    KSTREAM-JOINOTHER-0000000004-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\04 | null @100
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\04 | null @100
  > l k d 130
    KSTREAM-JOINOTHER-0000000004-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
    out | k | dd @130
  dropped 4
)");
}
TEST_F(StreamJoin, AStreamMeetsItselfOnOneStore) {
    const auto l = stream("l");
    inner(l, l, ten_and_five_);
    EXPECT_EQ(play(builder_, kSelf, {}, Optimization::all()), R"(
  > l k a 100
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\01 | a @100
    out | k | aa @100
  > l k b 105
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00i\00\00\00\02 | b @105
    out | k | ba @105
    out | k | ab @105
    out | k | bb @105
  > l k c 95
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00_\00\00\00\03 | c @95
    out | k | ca @100
    out | k | cb @105
    out | k | cc @95
    out | k | ac @100
    out | k | bc @105
  > l - x 100
  > l k - 100
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00d\00\00\00\04 | null @100
  > l k d 130
    KSTREAM-JOINTHIS-0000000003-store-changelog | k\00\00\00\00\00\00\00\82\00\00\00\05 | d @130
    out | k | dd @130
  dropped 2
)");
}
TEST_F(StreamJoin, WithoutLoggingThereIsNoChangelog) {
    left(stream("l"), stream("r"), ten_and_five_, {.logging = false});
    EXPECT_EQ(play(builder_, "l k a 100; r k A 105; r k B 140"), R"(
  > l k a 100
  > r k A 105
    out | k | aA @105
  > r k B 140
  dropped 0
)");
}

TEST_F(StreamJoin, AWindowThatEndsBeforeItBeginsIsRefused) {
    inner(stream("l"), stream("r"), within(ms(5)).before(ms(-6)));
    EXPECT_THAT(description(), testing::HasSubstr("KSTREAM-MERGE-0000000006"));
}

}  // namespace
}  // namespace leat::streams
