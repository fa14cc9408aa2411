// SPDX-License-Identifier: Apache-2.0
//
// What stores hold back: what is read meanwhile, what a flush writes, logs and forwards, in which
// order and with which record's origin.
#include "streams/state/record_cache.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"

namespace leat::streams::detail {
namespace {

using Kind = StoreSpec::Kind;

/// A store that holds back, and what it forwarded: "key:before->now@timestamp/offset".
template <class Store>
struct Cached {
    explicit Cached(Kind kind, std::size_t bytes_max = 1'000'000, bool old_values = true) {
        backend.cache_budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = bytes_max});
        owner = make_store({.name = "s", .kind = kind, .retention_ms = 100'000, .caching = true},
                           backend);
        store = dynamic_cast<Store*>(owner.get());
        EXPECT_TRUE(owner->open(task));
        EXPECT_TRUE(owner->forward_on_flush(
            [this](const Flushed& update) -> Result<void> {
                const auto text = [](const Entry* e) { return e == nullptr ? "null" : e->value; };
                forwarded += std::string{update.key} + ":" + text(update.before) + "->" +
                             text(update.now) + "@" + std::to_string(update.timestamp) + "/" +
                             std::to_string(task.now.offset) + " ";
                return {};
            },
            old_values));
    }
    [[nodiscard]] std::string logged() const {
        std::string out;
        for (const auto& change : task.changes)
            out += change.key + "=" + change.value.value_or("null") + " ";
        return out;
    }

    MemoryBackend backend;
    NotingTask task;
    std::unique_ptr<StateStore> owner;
    Store* store = nullptr;
    std::string forwarded;
};

TEST(RecordCache, AFlushTellsTheLastUpdateOfEachKeyWithItsOrigin) {
    Cached<KeyValueStore> s{Kind::kKeyValue};
    s.task.now = {.topic = "t", .partition = 0, .offset = 1};
    ASSERT_TRUE(s.store->put("a", "1", 10));
    s.task.now.offset = 2;
    ASSERT_TRUE(s.store->put("b", "1", 20));
    s.task.now.offset = 3;
    ASSERT_TRUE(s.store->put("a", "2", 30));
    EXPECT_EQ(s.logged() + s.forwarded, "");
    Entry entry;
    ASSERT_TRUE(*s.store->get("a", entry));
    EXPECT_EQ(entry.value, "2");
    ASSERT_TRUE(s.store->flush());
    EXPECT_EQ(std::exchange(s.forwarded, {}), "b:null->1@20/2 a:null->2@30/3 ");
    EXPECT_EQ(s.logged(), "b=1 a=2 ");
    EXPECT_EQ(s.task.now.offset, 3) << "the record that is processed is put back";
    ASSERT_TRUE(s.store->put("a", std::nullopt, 40));
    ASSERT_TRUE(s.store->put("c", "1", 41));
    ASSERT_TRUE(s.store->put("c", std::nullopt, 42));
    ASSERT_TRUE(s.store->flush());
    EXPECT_EQ(s.forwarded, "a:2->null@40/3 ") << "c came and went unheard of";
    EXPECT_FALSE(*s.store->get("a", entry));
}

TEST(RecordCache, OneUpdateOutOfTheBudgetTakesAllOfItsStore) {
    Cached<KeyValueStore> s{Kind::kPlainKeyValue, 180};
    ASSERT_TRUE(s.store->put("a", "1", 1));
    ASSERT_TRUE(s.store->put("b", "1", 2));
    ASSERT_TRUE(s.store->put("a", "2", 3));
    EXPECT_EQ(s.forwarded, "");
    Entry entry;
    ASSERT_TRUE(*s.store->get("b", entry));
    ASSERT_TRUE(s.store->put("c", std::string(50, 'c'), 4));
    EXPECT_EQ(s.forwarded,
              "a:null->2@3/-1 b:null->1@2/-1 c:null->" + std::string(50, 'c') + "@4/-1 ");
    EXPECT_LE(s.backend.cache_budget->bytes, 180U);
}

/// What is put because of it, in another store, may have to go as well.
TEST(RecordCache, WhatGoesCountsUntilItIsWritten) {
    const auto budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 180});
    std::string written;
    RecordCache below{budget, [&](const RecordCache::Update& update) -> Result<void> {
                          written += update.row;
                          return {};
                      }};
    RecordCache above{budget, [&](const RecordCache::Update& update) -> Result<void> {
                          return below.put({.row = update.row, .value = "v"}, {});
                      }};
    const std::string large(100, 'v');
    ASSERT_TRUE(above.put({.row = "a", .value = large}, {}));
    ASSERT_TRUE(above.put({.row = "c", .value = "v"}, {}));
    EXPECT_EQ(written, "ac");
    EXPECT_FALSE(below.is_dirty());
    EXPECT_EQ(budget->bytes, 47U) << "c alone, which is written and stays";
}

/// A key that is deleted is so for those who are told of others before it.
TEST(RecordCache, WhatIsStillToBeErasedIsHiddenUntilThen) {
    const auto budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 1'000});
    std::string seen;
    std::unique_ptr<RecordCache> cache;
    cache = std::make_unique<RecordCache>(
        budget, [&](const RecordCache::Update& update) -> Result<void> {
            const auto* held = cache->find("gone");
            seen += update.row + (held != nullptr && !*held ? " hides " : " shows ");
            if (update.row == "again") return cache->put({.row = "again", .value = "v"}, {});
            return {};
        });
    for (const std::string_view row : {"gone", "again"}) ASSERT_TRUE(cache->put({.row = row}, {}));
    ASSERT_TRUE(cache->put({.row = "a", .value = "v"}, {}));
    ASSERT_TRUE(cache->flush());
    EXPECT_EQ(seen, "gone hides again hides a hides ");
    EXPECT_EQ(cache->find("gone"), nullptr);
    ASSERT_NE(cache->find("again"), nullptr) << "put again meanwhile, and not written yet";
    EXPECT_TRUE(cache->is_dirty());
}

TEST(RecordCache, WindowsAndSessionsTellTheirTimes) {
    Cached<WindowStore> windows{Kind::kWindow};
    ASSERT_TRUE(windows.store->put("k", 70'000, "w", 70'005));
    ASSERT_TRUE(windows.store->flush());
    EXPECT_EQ(windows.forwarded, "k:null->w@70005/-1 ");
    Cached<SessionStore> sessions{Kind::kSession};
    ASSERT_TRUE(sessions.store->put("k", {10, 20}, "s", 20));
    std::string found;
    ASSERT_TRUE(sessions.store->find("k", 0, 100, [&](Window session, std::string_view value) {
        found += std::to_string(session.end) + std::string{value};
        return true;
    }));
    EXPECT_EQ(found, "20s") << "what is held back is found";
    ASSERT_TRUE(sessions.store->flush());
    EXPECT_EQ(sessions.forwarded, "k:null->s@20/-1 ");
}

/// Scans and reads see held-back and written rows as one; the end is that of a plain map.
TEST(RecordCache, EqualsAPlainMapUnderATightBudget) {
    Cached<KeyValueStore> s{Kind::kPlainKeyValue, 700};
    std::map<std::string, std::string> model;
    std::minstd_rand random{11};
    for (int i = 0; i < 4000; ++i) {
        const std::string key(1 + random() % 3, static_cast<char>('a' + random() % 4));
        if (random() % 3 == 0) {
            model.erase(key);
            ASSERT_TRUE(s.store->put(key, std::nullopt, 1));
        } else {
            model[key] = std::to_string(i);
            ASSERT_TRUE(s.store->put(key, model[key], 1));
        }
        if (random() % 32 == 0) ASSERT_TRUE(s.store->flush());
        std::string expected;
        for (const auto& [k, v] : model) expected.append(k).append("=").append(v).append(" ");
        std::string found;
        ASSERT_TRUE(s.store->all([&](std::string_view k, const Entry& entry) {
            found += std::string{k} + "=" + entry.value + " ";
            return true;
        }));
        ASSERT_EQ(found, expected);
        std::string backwards;
        ASSERT_TRUE(s.store->all(
            [&](std::string_view k, const Entry& entry) {
                backwards.insert(0, std::string{k} + "=" + entry.value + " ");
                return true;
            },
            Direction::kBackward));
        ASSERT_EQ(backwards, expected);
    }
    EXPECT_LE(s.backend.cache_budget->bytes, 700U);
}

/// As above, of windows that are read by time, whose rows have an index by key.
TEST(RecordCache, WindowsByTimeEqualAPlainMapUnderATightBudget) {
    MemoryBackend backend;
    backend.cache_budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 1500});
    NotingTask task;
    const auto owner = make_store({.name = "s",
                                   .kind = Kind::kWindow,
                                   .retention_ms = 100'000'000,
                                   .time_ordered = true,
                                   .caching = true},
                                  backend);
    auto& store = dynamic_cast<WindowStore&>(*owner);
    ASSERT_TRUE(owner->open(task));
    constexpr std::int64_t kSegment = 50'000'000;
    std::map<std::pair<std::int64_t, std::string>, std::string> model;
    std::minstd_rand random{12};
    const auto below = [&random](int bound) {
        return std::uniform_int_distribution<std::int64_t>{0, bound - 1}(random);
    };
    for (int i = 0; i < 3000; ++i) {
        const std::string key(1 + random() % 2, static_cast<char>('a' + random() % 3));
        const std::int64_t start = below(2) * kSegment + below(5);
        if (below(3) == 0) {
            model.erase({start, key});
            ASSERT_TRUE(*store.put(key, start, std::nullopt, 1));
        } else {
            model[{start, key}] = std::to_string(i);
            ASSERT_TRUE(*store.put(key, start, std::to_string(i), 1));
        }
        if (below(32) == 0) ASSERT_TRUE(store.flush());
        const std::int64_t from = below(2) * kSegment + below(3);
        const std::int64_t to =
            below(4) == 0 ? std::numeric_limits<std::int64_t>::max() : from + below(5);
        std::string of_key;
        std::string of_all;
        for (const auto& [at, value] : model) {
            if (at.first < from || at.first > to) continue;
            of_all += at.second + "@" + std::to_string(at.first) + "=" + value + " ";
            if (at.second == key) of_key += std::to_string(at.first) + "=" + value + " ";
        }
        for (const auto direction : {Direction::kForward, Direction::kBackward}) {
            const auto add = [&](std::string& out, const std::string& one) {
                out.insert(direction == Direction::kForward ? out.size() : 0, one);
            };
            std::string found;
            ASSERT_TRUE(store.fetch(
                key, from, to,
                [&](std::int64_t at, const Entry& entry) {
                    add(found, std::to_string(at) + "=" + entry.value + " ");
                    return true;
                },
                direction));
            ASSERT_EQ(found, of_key) << i;
            std::string all;
            ASSERT_TRUE(store.fetch_all(
                from, to,
                [&](std::string_view k, std::int64_t at, const Entry& entry) {
                    add(all, std::string{k} + "@" + std::to_string(at) + "=" + entry.value + " ");
                    return true;
                },
                direction));
            ASSERT_EQ(all, of_all) << i;
        }
        Entry entry;
        const auto held = model.find({start, key});
        ASSERT_EQ(*store.get(key, start, entry), held != model.end());
        if (held != model.end()) ASSERT_EQ(entry.value, held->second);
    }
    EXPECT_LE(backend.cache_budget->bytes, 1500U);
    EXPECT_LT(task.changes.size(), 3000U) << "some updates were held back";
}

TEST(RecordCache, HoldsNothingUntilItsBudgetIsShared) {
    Cached<KeyValueStore> s{Kind::kKeyValue, 0};
    const auto whole = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 1'000});
    const ChangelogRecord first{.key = "a", .value = "1", .timestamp = 1};
    ASSERT_TRUE(s.store->restore({&first, 1}));
    Entry entry;
    ASSERT_TRUE(*s.store->get("a", entry));
    EXPECT_EQ(s.backend.cache_budget->bytes, 0U);
    // The changelog goes past the cache: what a reader saw is not there any more.
    const ChangelogRecord second{.key = "a", .value = "2", .timestamp = 2};
    ASSERT_TRUE(s.store->restore({&second, 1}));
    ASSERT_TRUE(*s.store->get("a", entry));
    EXPECT_EQ(entry.value, "2");
    s.backend.cache_budget->shared = whole;
    ASSERT_TRUE(s.store->put("a", "3", 3));
    EXPECT_TRUE(s.store->holds_back());
    EXPECT_GT(whole->bytes, 0U);
    EXPECT_EQ(whole->bytes, s.backend.cache_budget->bytes);
    ASSERT_TRUE(s.store->flush());
    EXPECT_EQ(s.logged(), "a=3 ");
    s.owner.reset();
    EXPECT_EQ(whole->bytes, 0U);
}

TEST(RecordCache, AnUnlimitedWindowIsToldToHaveNoEnd) {
    MemoryBackend backend;
    backend.cache_budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 1'000});
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    const auto store = make_store({.name = "s",
                                   .kind = Kind::kWindow,
                                   .retention_ms = kForEver,
                                   .window_ms = kForEver,
                                   .caching = true},
                                  backend);
    NotingTask task;
    ASSERT_TRUE(store->open(task));
    std::int64_t end = 0;
    store->forward_on_flush(
        [&](const Flushed& update) -> Result<void> {
            end = update.end;
            return {};
        },
        false);
    ASSERT_TRUE(dynamic_cast<WindowStore&>(*store).put("k", 5, "v", 7));
    EXPECT_TRUE(store->holds_back());
    ASSERT_TRUE(store->flush());
    EXPECT_FALSE(store->holds_back());
    EXPECT_EQ(end, kForEver);
}

TEST(RecordCache, ARangeTheWrongWayRoundHoldsNothing) {
    Cached<KeyValueStore> s{Kind::kKeyValue};
    for (const char* key : {"a", "m", "z"}) ASSERT_TRUE(s.store->put(key, "1", 10));
    std::string seen;
    const auto note = [&](std::string_view key, const Entry& /*entry*/) {
        seen += key;
        return true;
    };
    for (const Direction way : {Direction::kForward, Direction::kBackward}) {
        EXPECT_TRUE(s.store->range("z", "a", note, way));
        EXPECT_TRUE(s.store->range("m", "m", note, way));
    }
    EXPECT_EQ(seen, "");
    EXPECT_TRUE(s.store->range("a", "z", note));
    EXPECT_EQ(seen, "am");
}

}  // namespace
}  // namespace leat::streams::detail
