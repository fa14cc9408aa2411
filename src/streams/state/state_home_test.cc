// SPDX-License-Identifier: Apache-2.0
//
// What an application keeps on disk beyond one task: the lock, the process's id, tasks that nobody
// has open. In a temporary folder.
#include "streams/state/state_home.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "rt/posix_disk.h"
#include "streams/state/store_fixture.h"
#include "streams/state/temp_folder.h"
#include "testkit/result_matchers.h"

namespace leat::streams::detail {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kFirstId = "11111111-2222-3333-4444-555555555555";

struct Place {
    TempFolder folder;
    rt::PosixDisk disk;

    Result<std::unique_ptr<StateHome>> open(std::string id = std::string{kFirstId},
                                            bool persistent = true) {
        return StateHome::open(disk, rt::system_time(),
                               {.state_dir = folder.path(),
                                .application_id = "app",
                                .fresh_id = std::move(id),
                                .persistent = persistent});
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return folder.path() + "/app/" + name;
    }
};

/// Puts a row and commits it with that offset.
void write(StateHome& home, const std::string& task, std::int64_t next_offset) {
    auto open = home.open_task(task, true);
    ASSERT_TRUE(open) << open.error().detail();
    NotingTask user;
    Stores stores;
    stores.emplace("kv", make_store({.name = "kv"}, *open->state));
    ASSERT_TRUE(stores.at("kv")->open(user));
    auto& kv = dynamic_cast<KeyValueStore&>(*stores.at("kv"));
    ASSERT_TRUE(kv.put("key", "value", 1));
    ASSERT_TRUE(open->state->commit(stores, {{"kv", next_offset}}));
    stores.clear();
    home.close_task(task, *std::move(open));
}

TEST(StateHome, SecondOneOfAnApplicationIsRefusedWithTheFolder) {
    Place place;
    auto first = place.open();
    ASSERT_TRUE(first);
    auto second = place.open();
    EXPECT_ERRC(second, Errc::kDataDirInUse);
    EXPECT_NE(second.error().detail().find(place.folder.path()), std::string::npos);
    EXPECT_NE(second.error().detail().find("'app'"), std::string::npos);
    (*first)->close();
    EXPECT_TRUE(place.open());
}

TEST(StateHome, ProcessIdComesBack) {
    Place place;
    EXPECT_EQ((*place.open())->process_id(), kFirstId);
    EXPECT_EQ((*place.open("99999999-2222-3333-4444-555555555555"))->process_id(), kFirstId);
    std::ifstream in{place.file("kafka-streams-process-metadata")};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    EXPECT_EQ(text, "{\"processId\":\"" + std::string{kFirstId} + "\"}");
}

TEST(StateHome, UnreadableProcessIdIsReplaced) {
    Place place;
    ASSERT_TRUE(place.open());
    for (const char* text : {"", "{", "{\"processId\":\"short\"}", "{\"processId\":3}"}) {
        std::ofstream{place.file("kafka-streams-process-metadata")} << text;
        EXPECT_EQ((*place.open())->process_id(), kFirstId) << text;
        EXPECT_EQ((*place.open("other"))->process_id(), kFirstId) << text;
    }
}

TEST(StateHome, NothingIsMadeWithoutStoresOnDisk) {
    Place place;
    auto home = place.open(std::string{kFirstId}, false);
    ASSERT_TRUE(home);
    auto open = (*home)->open_task("0_0", false);
    ASSERT_TRUE(open);
    (*home)->close_task("0_0", *std::move(open));
    EXPECT_TRUE((*home)->idle_states().empty());
    EXPECT_FALSE(fs::exists(place.file("")));
}

TEST(StateHome, IdleStatesAreThoseThatNobodyHasOpen) {
    Place place;
    {
        auto home = place.open();
        write(**home, "0_1", 17);
        write(**home, "1_0", 5);
    }
    auto home = place.open();
    const std::map<std::string, TaskState::Offsets> both{{"0_1", {{"kv", 17}}},
                                                         {"1_0", {{"kv", 5}}}};
    EXPECT_EQ((*home)->idle_states(), both);
    auto open = (*home)->open_task("0_1", true);
    ASSERT_TRUE(open);
    EXPECT_EQ((*home)->idle_states().size(), 1U);
    (*home)->close_task("0_1", *std::move(open));
    EXPECT_EQ((*home)->idle_states(), both);
    write(**home, "0_1", 20);
    EXPECT_EQ((*home)->idle_states().at("0_1").at("kv"), 20);
}

TEST(StateHome, CleanUpRemovesWhatIsNotOpen) {
    Place place;
    auto home = place.open();
    write(**home, "0_1", 17);
    auto open = (*home)->open_task("0_2", true);
    EXPECT_ERRC((*home)->clean_up(), Errc::kUsage);
    (*home)->close_task("0_2", *std::move(open));
    ASSERT_TRUE((*home)->clean_up());
    EXPECT_FALSE(fs::exists(place.file("0_1")));
    EXPECT_TRUE((*home)->idle_states().empty());
    write(**home, "0_1", 17);
    (*home)->close();
    // Closed: the folder is taken for that long only.
    ASSERT_TRUE((*home)->clean_up());
    EXPECT_FALSE(fs::exists(place.file("0_1")));
    auto again = place.open();
    ASSERT_TRUE(again);
    EXPECT_ERRC((*home)->clean_up(), Errc::kDataDirInUse);
    EXPECT_EQ((*again)->process_id(), kFirstId);
}

}  // namespace
}  // namespace leat::streams::detail
