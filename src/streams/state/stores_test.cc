// SPDX-License-Identifier: Apache-2.0
//
// Stores over rows in memory: what they keep, give back, log, and rebuild from their changelog.
// Changelog bytes are those that Kafka Streams 4.2.1 writes.
#include <gtest/gtest.h>

#include <iterator>
#include <map>

#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"

namespace leat::streams::detail {
namespace {

using Kind = StoreSpec::Kind;
using std::string_literals::operator""s;

template <class Store>
struct Opened {
    explicit Opened(const StoreSpec& spec)
        : owner(make_store(spec, backend)), store(dynamic_cast<Store&>(*owner)) {
        EXPECT_TRUE(owner->open(task));
    }
    MemoryBackend backend;
    NotingTask task;
    std::unique_ptr<StateStore> owner;
    Store& store;
};

StoreSpec spec_of(Kind kind, std::int64_t retention = -1) {
    return {.name = "s", .kind = kind, .retention_ms = retention};
}

std::string windows_of(const WindowStore& store, std::string_view key, std::int64_t from,
                       std::int64_t to, Direction direction = Direction::kForward) {
    std::string out;
    EXPECT_TRUE(store.fetch(
        key, from, to,
        [&](std::int64_t start, const Entry& entry) {
            out += std::to_string(start) + "=" + entry.value + " ";
            return true;
        },
        direction));
    return out;
}

std::string all_windows(const WindowStore& store, std::int64_t from, std::int64_t to) {
    std::string out;
    EXPECT_TRUE(store.fetch_all(
        from, to, [&](std::string_view key, std::int64_t start, const Entry& entry) {
            out += std::string{key} + "@" + std::to_string(start) + "=" + entry.value + " ";
            return true;
        }));
    return out;
}

std::string sessions_of(const SessionStore& store, std::string_view key, std::int64_t end,
                        std::int64_t start) {
    std::string out;
    EXPECT_TRUE(store.find(key, end, start, [&](Window session, std::string_view value) {
        out += std::to_string(session.start) + "-" + std::to_string(session.end) + "=" +
               std::string{value} + " ";
        return true;
    }));
    return out;
}

TEST(KeyValueStore, LogsValuesWithoutTheirTimestamp) {
    Opened<KeyValueStore> s{spec_of(Kind::kKeyValue)};
    ASSERT_TRUE(s.store.put("a", "1", 7));
    ASSERT_TRUE(s.store.put("a", std::nullopt, 9));
    const std::vector<NotingTask::Logged> expected{{"s-changelog", "a", "1", 7},
                                                   {"s-changelog", "a", std::nullopt, 9}};
    EXPECT_EQ(s.task.changes, expected);
    Entry entry;
    EXPECT_FALSE(*s.store.get("a", entry));
}

TEST(KeyValueStore, RangesAndPrefixesInBothDirections) {
    Opened<KeyValueStore> s{spec_of(Kind::kPlainKeyValue)};
    for (const char* key : {"a", "ab", "b", "\xFF", "\xFF\xFF"})
        ASSERT_TRUE(s.store.put(key, key, 1));
    std::string out;
    const auto note = [&](std::string_view key, const Entry&) {
        out += std::string{key} + ",";
        return true;
    };
    ASSERT_TRUE(s.store.range("a", "b", note));
    EXPECT_EQ(std::exchange(out, {}), "a,ab,");
    ASSERT_TRUE(s.store.range("a", "b", note, Direction::kBackward));
    EXPECT_EQ(std::exchange(out, {}), "ab,a,");
    ASSERT_TRUE(s.store.prefix("a", note));
    EXPECT_EQ(std::exchange(out, {}), "a,ab,");
    ASSERT_TRUE(s.store.prefix("\xFF", note));
    EXPECT_EQ(std::exchange(out, {}), "\xFF,\xFF\xFF,");
}

TEST(KeyValueStore, TakesTheTimestampOfARestoredRecord) {
    Opened<KeyValueStore> s{spec_of(Kind::kKeyValue)};
    const std::vector<ChangelogRecord> records{
        {"a", "1", 5}, {"b", "2", 6}, {"b", std::nullopt, 7}};
    ASSERT_TRUE(s.store.restore(records));
    ASSERT_TRUE(s.store.restore(records));
    Entry entry;
    ASSERT_TRUE(*s.store.get("a", entry));
    EXPECT_EQ(entry.timestamp, 5);
    EXPECT_EQ(entry.value, "1");
    EXPECT_FALSE(*s.store.get("b", entry));
    EXPECT_TRUE(s.task.changes.empty());
}

TEST(ListStore, LogsTheWholeListInKafkasForm) {
    Opened<ListStore> s{spec_of(Kind::kList)};
    ASSERT_TRUE(s.store.append("k", "ab", 3));
    ASSERT_TRUE(s.store.append("k", "c", 4));
    EXPECT_EQ(s.task.changes.back().value, "\x01\0\0\0\x02\0\0\0\x02"s + "ab\0\0\0\x01"s + "c");
    std::string out;
    const auto note = [&](std::string_view key, std::string_view value) {
        out += std::string{key} + "=" + std::string{value} + " ";
        return true;
    };
    ASSERT_TRUE(s.store.all(note));
    EXPECT_EQ(std::exchange(out, {}), "k=ab k=c ");
    ASSERT_TRUE(s.store.erase("k", 5));
    ASSERT_TRUE(s.store.all(note));
    EXPECT_EQ(out, "");
    EXPECT_EQ(s.task.changes.back().value, std::nullopt);
}

TEST(ListStore, RefusesAListThatIsCutOff) {
    Opened<ListStore> s{spec_of(Kind::kList)};
    const std::string list = "\x01\0\0\0\x02\0\0\0\x01"s + "a";  // Records only point to it.
    const std::vector<ChangelogRecord> cut{{"k", list, 1}};
    EXPECT_EQ(s.store.restore(cut).error().code(), Errc::kMalformed);
}

TEST(WindowStore, LogsKeyStartAndNumber) {
    Opened<WindowStore> s{spec_of(Kind::kWindow, 1000)};
    ASSERT_TRUE(s.store.put("k", 10, "v", 12));
    const NotingTask::Logged expected{"s-changelog", "k\0\0\0\0\0\0\0\x0A\0\0\0\0"s, "v", 12};
    ASSERT_EQ(s.task.changes.size(), 1U);
    EXPECT_EQ(s.task.changes[0], expected);
}

TEST(WindowStore, KeepsDuplicatesInTheirOrder) {
    auto spec = spec_of(Kind::kPlainWindow, 1000);
    spec.retain_duplicates = true;
    Opened<WindowStore> s{spec};
    ASSERT_TRUE(s.store.put("k", 10, "a", 10));
    ASSERT_TRUE(s.store.put("k", 10, "b", 10));
    ASSERT_TRUE(s.store.put("k", 10, std::nullopt, 10));
    ASSERT_TRUE(s.store.put("k", 9, "c", 9));
    EXPECT_EQ(windows_of(s.store, "k", 0, 100), "9=c 10=a 10=b ");
    EXPECT_EQ(windows_of(s.store, "k", 0, 100, Direction::kBackward), "10=b 10=a 9=c ");
    // A null uses up a number and is logged, as Kafka Streams' logging wrapper does.
    ASSERT_EQ(s.task.changes.size(), 4U);
    EXPECT_EQ(s.task.changes[1].key, "k\0\0\0\0\0\0\0\x0A\0\0\0\x02"s);
    EXPECT_EQ(s.task.changes[2].key, "k\0\0\0\0\0\0\0\x0A\0\0\0\x03"s);
}

TEST(WindowStore, NullAmongDuplicatesMovesTheTimeOfAStoreInMemoryOnly) {
    auto spec = spec_of(Kind::kPlainWindow, 100'000);
    spec.retain_duplicates = true;
    Opened<WindowStore> disk{spec};
    spec.persistent = false;
    Opened<WindowStore> memory{spec};
    for (auto* s : {&disk, &memory}) {
        ASSERT_TRUE(s->store.put("k", 10, "a", 10));
        ASSERT_TRUE(s->store.put("k", 200'000, std::nullopt, 200'000));
        EXPECT_EQ(s->task.changes.size(), 2U);
    }
    EXPECT_EQ(windows_of(disk.store, "k", 0, 300'000), "10=a ");
    EXPECT_EQ(*disk.store.put("k", 11, std::nullopt, 11), true);
    EXPECT_EQ(windows_of(memory.store, "k", 0, 300'000), "");
    EXPECT_EQ(*memory.store.put("k", 11, std::nullopt, 11), false) << "late, and counted as such";
}

TEST(WindowStore, ReadsWithinTheRetentionAndKeepsWholeSegmentsOnDisk) {
    // Retention 100 s: segments of 60 s. On disk a late put goes into a living segment.
    Opened<WindowStore> disk{spec_of(Kind::kPlainWindow, 100'000)};
    auto in_memory = spec_of(Kind::kPlainWindow, 100'000);
    in_memory.persistent = false;
    Opened<WindowStore> memory{in_memory};
    for (auto* s : {&disk.store, &memory.store}) {
        ASSERT_TRUE(s->put("k", 170'000, "new", 0));
        ASSERT_TRUE(s->put("k", 70'001, "kept", 0));
        ASSERT_TRUE(s->put("k", 70'000, "late", 0));
        ASSERT_TRUE(s->put("k", 59'999, "too late", 0));
        EXPECT_EQ(windows_of(*s, "k", 0, 200'000), "70001=kept 170000=new ");
        Entry entry;
        EXPECT_FALSE(*s->get("k", 70'000, entry));
    }
    EXPECT_EQ(disk.task.changes.size(), 4U) << "what is dropped is logged all the same";
    ASSERT_TRUE(disk.store.put("k", 300'000, "newest", 0));
    EXPECT_EQ(windows_of(disk.store, "k", 0, 400'000), "300000=newest ");
}

TEST(WindowStore, GivesAllKeysInTheOrderOfItsKind) {
    auto in_memory = spec_of(Kind::kPlainWindow, 1000);
    in_memory.persistent = false;
    auto ordered = spec_of(Kind::kPlainWindow, 1000);
    ordered.time_ordered = true;
    Opened<WindowStore> disk{spec_of(Kind::kPlainWindow, 1000)};
    Opened<WindowStore> memory{in_memory};
    Opened<WindowStore> by_time{ordered};
    for (auto* s : {&disk.store, &memory.store, &by_time.store}) {
        ASSERT_TRUE(s->put("b", 1, "1", 0));
        ASSERT_TRUE(s->put("a", 2, "2", 0));
        ASSERT_TRUE(s->put("b", 3, "3", 0));
        ASSERT_TRUE(s->put("a", 1, "4", 0));
        EXPECT_EQ(windows_of(*s, "b", 0, 9), "1=1 3=3 ");
    }
    EXPECT_EQ(all_windows(disk.store, 1, 2), "a@1=4 a@2=2 b@1=1 ");
    EXPECT_EQ(all_windows(memory.store, 1, 2), "a@1=4 b@1=1 a@2=2 ");
    EXPECT_EQ(all_windows(by_time.store, 1, 2), "a@1=4 b@1=1 a@2=2 ");
    EXPECT_EQ(by_time.task.changes, disk.task.changes);
    ASSERT_TRUE(by_time.store.put("b", 1, std::nullopt, 0));
    EXPECT_EQ(all_windows(by_time.store, 0, 9), "a@1=4 a@2=2 b@3=3 ");
    EXPECT_EQ(windows_of(by_time.store, "b", 0, 9), "3=3 ");
}

TEST(WindowStore, ComesBackFromItsChangelogAndFromItsRows) {
    Opened<WindowStore> s{spec_of(Kind::kWindow, 100'000)};
    ASSERT_TRUE(s.store.put("k", 10'000, "a", 1));
    ASSERT_TRUE(s.store.put("k", 90'000, "b", 2));
    ASSERT_TRUE(s.store.put("j", 90'000, "c", 2));
    ASSERT_TRUE(s.store.put("j", 90'000, std::nullopt, 3));
    Opened<WindowStore> again{spec_of(Kind::kWindow, 100'000)};
    const auto records = s.task.changelog();
    ASSERT_TRUE(again.store.restore(records));
    ASSERT_TRUE(again.store.restore(records));
    EXPECT_EQ(all_windows(again.store, 0, 1'000'000), all_windows(s.store, 0, 1'000'000));
    Entry entry;
    ASSERT_TRUE(*again.store.get("k", 90'000, entry));
    EXPECT_EQ(entry.timestamp, 2);
    ASSERT_TRUE(again.store.save());
    ASSERT_TRUE(again.store.open(again.task));
    EXPECT_EQ(again.store.observed(), 90'000);
    EXPECT_EQ(windows_of(again.store, "k", 0, 100'000), "10000=a 90000=b ");
    const std::vector<ChangelogRecord> broken{{"short", "v", 1}};
    EXPECT_EQ(again.store.restore(broken).error().code(), Errc::kMalformed);
}

TEST(SessionStore, FindsSessionsThatOverlapByEndThenStart) {
    auto ordered = spec_of(Kind::kSession, 100'000);
    ordered.time_ordered = true;
    Opened<SessionStore> plain{spec_of(Kind::kSession, 100'000)};
    Opened<SessionStore> by_time{ordered};
    for (auto* s : {&plain.store, &by_time.store}) {
        ASSERT_TRUE(s->put("k", {10, 20}, "a", 20));
        ASSERT_TRUE(s->put("k", {5, 20}, "b", 20));
        ASSERT_TRUE(s->put("k", {40, 70'000}, "c", 70'000));
        ASSERT_TRUE(s->put("kk", {10, 20}, "other", 20));
        EXPECT_EQ(sessions_of(*s, "k", 0, 100), "5-20=b 10-20=a 40-70000=c ");
        EXPECT_EQ(sessions_of(*s, "k", 21, 100), "40-70000=c ");
        EXPECT_EQ(sessions_of(*s, "k", 20, 9), "5-20=b ");
        ASSERT_TRUE(s->put("k", {5, 20}, std::nullopt, 30));
        EXPECT_EQ(sessions_of(*s, "k", 0, 10), "10-20=a ");
        std::string ended;
        ASSERT_TRUE(
            s->find_ended(0, 100, [&](std::string_view key, Window, std::string_view value) {
                ended += std::string{key} + "=" + std::string{value} + " ";
                return true;
            }));
        EXPECT_EQ(ended, "k=a kk=other ");
    }
    EXPECT_EQ(plain.task.changes, by_time.task.changes);
    EXPECT_EQ(plain.task.changes[0].key, "k\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0\x0A"s);
    Opened<SessionStore> again{spec_of(Kind::kSession, 100'000)};
    ASSERT_TRUE(again.store.restore(plain.task.changelog()));
    EXPECT_EQ(sessions_of(again.store, "k", 0, 100), "10-20=a 40-70000=c ");
}

TEST(VersionedStore, AnswersAsOfATime) {
    Opened<VersionedStore> s{spec_of(Kind::kVersioned, 100)};
    EXPECT_TRUE(s.store.put("k", "a", 10)->latest());
    EXPECT_TRUE(s.store.put("k", "c", 30)->latest());
    const auto middle = *s.store.put("k", "b", 20);
    EXPECT_EQ(middle.to, 30);
    const auto end = *s.store.put("k", std::nullopt, 25);
    EXPECT_EQ(end.to, 30);
    VersionedStore::Version found;
    ASSERT_TRUE(*s.store.get("k", 19, found));
    EXPECT_EQ(found.value, "a");
    EXPECT_EQ(found.to, 20);
    ASSERT_TRUE(*s.store.get("k", 20, found));
    EXPECT_EQ(found.value, "b");
    EXPECT_EQ(found.to, 25);
    EXPECT_FALSE(*s.store.get("k", 29, found));
    EXPECT_FALSE(*s.store.get("k", 9, found));
    ASSERT_TRUE(*s.store.get("k", 1000, found));
    EXPECT_EQ(found.value, "c");
    EXPECT_FALSE(s.store.put("k", "old", 9)->latest()) << "history is 100, 30 is the newest";
    ASSERT_TRUE(s.store.put("other", "x", 200));
    EXPECT_FALSE(s.store.put("k", "too old", 99)->stored);
    ASSERT_TRUE(*s.store.get("k", 99, found)) << "the latest is never too old";
    EXPECT_FALSE(*s.store.get("k", 21, found));
}

TEST(VersionedStore, ADeletionAtTheTimeOfTheLatestVersionIsForgottenAsInKafkaStreams) {
    Opened<VersionedStore> s{spec_of(Kind::kVersioned, 100)};
    VersionedStore::Version found;
    ASSERT_TRUE(s.store.put("k", "a", 50));
    ASSERT_TRUE(s.store.put("k", std::nullopt, 50)->latest());
    EXPECT_FALSE(*s.store.get("k", found));
    EXPECT_TRUE(s.store.put("k", "late", 40)->latest()) << "nothing says that it ended";
    ASSERT_TRUE(*s.store.get("k", found));
    EXPECT_EQ(found.value, "late");
    // An older value did end then.
    ASSERT_TRUE(s.store.put("k", "b", 60));
    ASSERT_TRUE(s.store.put("k", std::nullopt, 60));
    EXPECT_EQ(s.store.put("k", "later", 55)->to, 60);
    EXPECT_FALSE(*s.store.get("k", found));
    // Of a deletion it is the older one that stays.
    ASSERT_TRUE(s.store.put("k", "c", 70));
    ASSERT_TRUE(s.store.put("k", std::nullopt, 70));
    EXPECT_EQ(s.store.put("k", "before", 58)->to, 60);
    // A deletion that a value took the place of is back.
    ASSERT_TRUE(s.store.put("n", std::nullopt, 50));
    ASSERT_TRUE(s.store.put("n", "d", 50));
    ASSERT_TRUE(s.store.put("n", std::nullopt, 50));
    EXPECT_EQ(s.store.put("n", std::nullopt, 40)->to, 50);
    // And one that came late ends when it was said to.
    ASSERT_TRUE(s.store.put("m", "e", 50));
    ASSERT_TRUE(s.store.put("m", std::nullopt, 40));
    ASSERT_TRUE(s.store.put("m", std::nullopt, 50));
    EXPECT_EQ(s.store.put("m", "f", 40)->to, 50);
    EXPECT_TRUE(s.store.put("k", "between", 65)->latest());
}

// It is logged, so that whoever restores meets it.
TEST(VersionedStore, WhatWasRefusedIsNotRestored) {
    Opened<VersionedStore> s{spec_of(Kind::kVersioned, 1'000)};
    const std::array records{ChangelogRecord{.key = "k", .value = "a", .timestamp = 100},
                             ChangelogRecord{.key = "other", .value = "x", .timestamp = 1'000'000},
                             ChangelogRecord{.key = "k", .value = "late", .timestamp = 500},
                             ChangelogRecord{.key = "k", .value = {}, .timestamp = 600},
                             ChangelogRecord{.key = "other", .value = "y", .timestamp = 999'000}};
    for (const auto& record : records)
        ASSERT_TRUE(s.store.put(record.key, record.value, record.timestamp));
    Opened<VersionedStore> restored{spec_of(Kind::kVersioned, 1'000)};
    ASSERT_TRUE(restored.store.restore(records));
    for (auto* store : {&s.store, &restored.store}) {
        VersionedStore::Version found;
        ASSERT_TRUE(*store->get("k", found));
        EXPECT_EQ(found.value, "a");
        ASSERT_TRUE(*store->get("other", 999'500, found));
        EXPECT_EQ(found.value, "y");
    }
}

struct ModelVersion {
    std::optional<std::string> value{};
    bool overtaken = false;    ///< A deletion that ended because a newer value came.
    bool was_deleted = false;  ///< A value in the place of a deletion.
};
using ModelVersions = std::map<std::int64_t, ModelVersion>;

/// What the model holds after a put at this time.
void note_version(ModelVersions& versions, std::int64_t time,
                  const std::optional<std::string>& value) {
    const auto at = versions.find(time);
    const bool latest = versions.empty() || time >= versions.rbegin()->first;
    const auto before = versions.lower_bound(time) == versions.begin()
                            ? nullptr
                            : &std::prev(versions.lower_bound(time))->second;
    const bool has_value = at != versions.end() && at->second.value.has_value();
    if (!value && latest && has_value && !at->second.was_deleted &&
        (before == nullptr || before->overtaken)) {
        if (before != nullptr) before->overtaken = false;
        versions.erase(at);
        return;
    }
    ModelVersion next{.value = value};
    if (value && latest) {
        next.was_deleted = at != versions.end() && (!has_value || at->second.was_deleted);
        if (at == versions.end() && before != nullptr && !before->value) before->overtaken = true;
    }
    versions[time] = next;
}

/// The store against a map of all versions; rebuilt from its changelog halfway.
TEST(VersionedStore, EqualsAPlainMapOfVersions) {
    std::uint32_t state = 4711;
    const auto next = [&](std::uint32_t below) {
        state = state * 1'664'525U + 1'013'904'223U;
        return (state >> 8U) % below;
    };
    constexpr std::int64_t kHistory = 20'000;
    auto s = std::make_unique<Opened<VersionedStore>>(spec_of(Kind::kVersioned, kHistory));
    std::map<std::string, ModelVersions> model;
    std::int64_t observed = -1;
    for (int i = 0; i < 4000; ++i) {
        const std::string key(1 + next(3), 'k');
        std::int64_t time =
            std::max<std::int64_t>(0, std::int64_t{i} * 20 - std::int64_t{next(30'000)});
        if (next(8) == 0 && !model[key].empty()) time = model[key].rbegin()->first;
        std::optional<std::string> value;
        if (next(4) != 0) value = std::to_string(i);
        observed = std::max(observed, time);
        const auto put = s->store.put(key, value, time);
        ASSERT_TRUE(put);
        ASSERT_EQ(put->stored, time >= observed - kHistory);
        if (put->stored) {
            const auto after = model[key].upper_bound(time);
            EXPECT_EQ(put->to, after == model[key].end() ? VersionedStore::kNever : after->first);
            note_version(model[key], time, value);
        }
        const std::int64_t as_of = observed - next(kHistory + 1);
        VersionedStore::Version found;
        const bool known = *s->store.get(key, as_of, found);
        const auto behind = model[key].upper_bound(as_of);
        const bool is_first = behind == model[key].begin();
        const auto expected = is_first ? behind : std::prev(behind);
        const bool in_model = !is_first && expected->second.value.has_value();
        ASSERT_EQ(known, in_model) << key << " as of " << as_of << " after " << i;
        if (known) {
            EXPECT_EQ(found.value, expected->second.value);
            EXPECT_EQ(found.from, expected->first);
        }
        if (i == 2000) {
            auto again =
                std::make_unique<Opened<VersionedStore>>(spec_of(Kind::kVersioned, kHistory));
            ASSERT_TRUE(again->store.restore(s->task.changelog()));
            again->task.changes = s->task.changes;
            s = std::move(again);
        }
    }
}

TEST(WindowStore, RestoresNoRowOfANegativeTime) {
    Opened<WindowStore> from{spec_of(Kind::kWindow, 1000)};
    ASSERT_TRUE(from.store.put("k", -5, "a", 12));
    ASSERT_TRUE(from.store.put("k", 10, "b", 12));
    Opened<WindowStore> to{spec_of(Kind::kWindow, 1000)};
    ASSERT_TRUE(to.store.restore(from.task.changelog()));
    EXPECT_EQ(windows_of(to.store, "k", 0, 1000), "10=b ");
}

TEST(SessionStore, RestoresNoSessionThatEndsBeforeTimeBegins) {
    Opened<SessionStore> from{spec_of(Kind::kSession, 1000)};
    ASSERT_TRUE(from.store.put("k", {-9, -5}, "a", 12));
    ASSERT_TRUE(from.store.put("k", {5, 9}, "b", 12));
    Opened<SessionStore> to{spec_of(Kind::kSession, 1000)};
    ASSERT_TRUE(to.store.restore(from.task.changelog()));
    EXPECT_EQ(sessions_of(to.store, "k", 0, 1000), sessions_of(from.store, "k", 0, 1000));
}

}  // namespace
}  // namespace leat::streams::detail
