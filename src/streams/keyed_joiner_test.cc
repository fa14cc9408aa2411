// SPDX-License-Identifier: Apache-2.0
// Joiners of (key, left, right), in each join. Where a stream is joined, values and timestamps are
// those of Kafka Streams 4.2.1 with a ValueJoinerWithKey (tests/streams has the same joiner beside
// it); joins of tables hand no key to theirs in Java.
#include <gmock/gmock.h>

#include <functional>
#include <ostream>

#include "leat/streams/builder.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

struct ByPointer {
    static Text inner(const Text* key, const Text& left, const Text& right) {
        return or_null(key) + ":" + plus(left, right);
    }
    static Text left(const Text* key, const Text& left, const Text* right) {
        return or_null(key) + ":" + plus_right(left, right);
    }
    static Text outer(const Text* key, const Text* left, const Text* right) {
        return or_null(key) + ":" + plus_both(left, right);
    }
};
struct ByReference {
    static Text inner(const Text& key, const Text& left, const Text& right) {
        return key + ":" + plus(left, right);
    }
    static Text left(const Text& key, const Text& left, const Text* right) {
        return key + ":" + plus_right(left, right);
    }
    static Text outer(const Text& key, const Text* left, const Text* right) {
        return key + ":" + plus_both(left, right);
    }
};

using InText = KStream<Text, Text>;
using TextTable = KTable<Text, Text>;
InText stream(Builder& b, const Text& topic) {
    return b.stream<Text, Text>(topic);
}
TextTable table(Builder& b, const Text& topic) {
    return b.table<Text, Text>(topic);
}
TextTable versions(Builder& b) {
    return b.table<Text, Text>("r", {}, {.store = "v", .history = Duration{10}});
}
Text value_of(const Text& value) {
    return value;
}
Text first_letter(const Text& value) {
    return value.substr(0, 1);
}
const JoinWindows kTen = within(Duration{10});

/// The joins, all of "l" with "r" to "out".
template <class Key>
struct Joins {
    static void streams(Builder& b) {
        stream(b, "l").join(stream(b, "r"), Key::inner, kTen).to("out");
    }
    static void streams_left(Builder& b) {
        stream(b, "l").left_join(stream(b, "r"), Key::left, kTen).to("out");
    }
    static void streams_outer(Builder& b) {
        stream(b, "l").outer_join(stream(b, "r"), Key::outer, kTen).to("out");
    }
    static void with_itself(Builder& b) {
        const auto one = stream(b, "l");
        one.join(one, Key::inner, kTen).to("out");
    }
    static void with_table(Builder& b) { stream(b, "l").join(table(b, "r"), Key::inner).to("out"); }
    static void with_table_left(Builder& b) {
        stream(b, "l").left_join(table(b, "r"), Key::left).to("out");
    }
    static void with_versions(Builder& b) {
        stream(b, "l").left_join(versions(b), Key::left, {.grace = Duration{5}}).to("out");
    }
    static void with_global(Builder& b) {
        stream(b, "l").join(b.global_table<Text, Text>("r"), value_of, Key::inner).to("out");
    }
    static void with_global_left(Builder& b) {
        stream(b, "l").left_join(b.global_table<Text, Text>("r"), value_of, Key::left).to("out");
    }
    static void tables(Builder& b) {
        table(b, "l").join(table(b, "r"), Key::inner).to_stream().to("out");
    }
    static void tables_left(Builder& b) {
        table(b, "l").left_join(table(b, "r"), Key::left).to_stream().to("out");
    }
    static void tables_outer(Builder& b) {
        table(b, "l").outer_join(table(b, "r"), Key::outer).to_stream().to("out");
    }
    static void tables_that_are_read(Builder& b) {
        stream(b, "s").join(table(b, "l").join(table(b, "r"), Key::inner), plus).to("out");
    }
    static void foreign(Builder& b) {
        table(b, "l").join_on(table(b, "r"), first_letter, Key::inner).to_stream().to("out");
    }
    static void foreign_left(Builder& b) {
        table(b, "l").left_join_on(table(b, "r"), first_letter, Key::left).to_stream().to("out");
    }
};

struct Cell {
    Text name;
    std::function<void(Builder&)> by_pointer;
    std::function<void(Builder&)> by_reference;
    Lines inputs;
    Lines out;          ///< With the key by pointer.
    Lines without_key;  ///< Where it differs: what became of records without a key, by reference.
};
std::ostream& operator<<(std::ostream& out, const Cell& cell) {
    return out << cell.name;
}

class KeyedJoiner : public testing::TestWithParam<Cell> {
  protected:
    /// Of records with a key, or of those without.
    static Lines played(const std::function<void(Builder&)>& declare, bool keys) {
        Builder b;
        declare(b);
        auto out = Script{b}.only("out", GetParam().inputs);
        std::erase_if(out, [&](const Text& line) { return is_keyed(line) != keys; });
        return out;
    }
    static bool is_keyed(const Text& line) { return !line.starts_with("out null "); }
    static Lines expected(bool keys) {
        Lines out = GetParam().out;
        std::erase_if(out, [&](const Text& line) { return is_keyed(line) != keys; });
        return out;
    }
};

TEST_P(KeyedJoiner, IsHandedTheKey) {
    EXPECT_EQ(played(GetParam().by_pointer, true), expected(true));
    EXPECT_EQ(played(GetParam().by_reference, true), expected(true));
}
TEST_P(KeyedJoiner, SeesANullKeyByPointerAlone) {
    EXPECT_EQ(played(GetParam().by_pointer, false), expected(false));
    EXPECT_EQ(played(GetParam().by_reference, false), GetParam().without_key);
}

using P = Joins<ByPointer>;
using R = Joins<ByReference>;
const Lines kStreams{"l a 1 5", "r a R 6", "l - 2 7", "r - S 8"};
const Lines kWithTable{"r a R 1", "l a 1 2", "l - 2 3", "l b 3 4"};
const Lines kWithVersions{"r a R 1", "l a 1 10", "l - 2 12", "l b 3 20"};
const Lines kWithGlobal{"r x R 1", "l k x 2", "l - x 3", "l - z 4"};
const Lines kTables{"l a x 1", "r a y 2", "r b q 3"};
const Lines kForeign{"l k1 a1 1", "r a A 2"};
const std::vector<Cell> kCells{
    {"Streams", P::streams, R::streams, kStreams, {"out a a:1+R@6"}, {}},
    {"StreamsLeft",
     P::streams_left,
     R::streams_left,
     kStreams,
     {"out a a:1+R@6", "out null null:2+null@7"},
     {"out null :2+null@7"}},
    {"StreamsOuter",
     P::streams_outer,
     R::streams_outer,
     kStreams,
     {"out a a:1+R@6", "out null null:2+null@7", "out null null:null+S@8"},
     {"out null :2+null@7", "out null :null+S@8"}},
    {"AStreamAndItself",
     P::with_itself,
     R::with_itself,
     {"l a 1 5", "l - 2 7"},
     {"out a a:1+1@5"},
     {}},
    {"Table", P::with_table, R::with_table, kWithTable, {"out a a:1+R@2"}, {}},
    {"TableLeft",
     P::with_table_left,
     R::with_table_left,
     kWithTable,
     {"out a a:1+R@2", "out null null:2+null@3", "out b b:3+null@4"},
     {"out null :2+null@3"}},
    {"TableThatIsWaitedFor",
     P::with_versions,
     R::with_versions,
     kWithVersions,
     {"out null null:2+null@12", "out a a:1+R@10"},
     {"out null :2+null@12"}},
    {"GlobalTable",
     P::with_global,
     R::with_global,
     kWithGlobal,
     {"out k k:x+R@2", "out null null:x+R@3"},
     {"out null :x+R@3"}},
    {"GlobalTableLeft",
     P::with_global_left,
     R::with_global_left,
     kWithGlobal,
     {"out k k:x+R@2", "out null null:x+R@3", "out null null:z+null@4"},
     {"out null :x+R@3", "out null :z+null@4"}},
    {"Tables", P::tables, R::tables, kTables, {"out a a:x+y@2"}, {}},
    {"TablesLeft",
     P::tables_left,
     R::tables_left,
     kTables,
     {"out a a:x+null@1", "out a a:x+y@2"},
     {}},
    {"TablesOuter",
     P::tables_outer,
     R::tables_outer,
     kTables,
     {"out a a:x+null@1", "out a a:x+y@2", "out b b:null+q@3"},
     {}},
    {"TablesThatAreRead",
     P::tables_that_are_read,
     R::tables_that_are_read,
     {"l a x 1", "r a y 2", "s a 1 4"},
     {"out a 1+a:x+y@4"},
     {}},
    {"ForeignKey", P::foreign, R::foreign, kForeign, {"out k1 k1:a1+A@2"}, {}},
    {"ForeignKeyLeft",
     P::foreign_left,
     R::foreign_left,
     kForeign,
     {"out k1 k1:a1+null@1", "out k1 k1:a1+A@2"},
     {}},
};
INSTANTIATE_TEST_SUITE_P(Joins, KeyedJoiner, testing::ValuesIn(kCells),
                         [](const auto& info) { return info.param.name; });

TEST(KeyedJoiners, MayBeOfAnyType) {
    Builder b;
    stream(b, "l")
        .join(table(b, "r"), [](const auto& key, const auto& left,
                                const auto& right) { return key + ":" + left + "+" + right; })
        .to("out");
    EXPECT_EQ(Script{b}.only("out", kWithTable), Lines{"out a a:1+R@2"});
}

}  // namespace
}  // namespace leat::streams::testing_tables
