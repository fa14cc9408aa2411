// SPDX-License-Identifier: Apache-2.0
//
// Method: real temporary directories, opened as one run after the other would.
#include "storage/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "rt/posix_disk.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/folder_files.h"
#include "storage/testing/temp_dir.h"
#include "testkit/result_matchers.h"

namespace leat::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;

void put(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
}
std::string get(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
}

struct Rig {
    TempDir dir;
    rt::PosixDisk disk;
    std::string path = dir / "deep/data";

    Result<std::unique_ptr<DataDirectory>> open(std::int32_t node = 1) {
        return DataDirectory::open(disk, path, node);
    }
    void make(std::int32_t node = 1) {
        auto made = open(node);
        ASSERT_OK(made);
        ASSERT_OK((*made)->bind_cluster("cluster-a"));
    }
    std::string refusal(std::int32_t node = 1) {
        const auto opened = open(node);
        EXPECT_ERRC(opened, Errc::kDataDirFormat);
        return opened ? "" : std::string{opened.error().detail()};
    }
};

PartitionSpec spec(std::string topic, std::int32_t index, std::uint64_t id) {
    PartitionSpec out;
    out.topic = std::move(topic);
    out.id = {.topic = Uuid::from_random(id, id), .index = index};
    return out;
}

TEST(DataDirectory, IsMadeWithItsParentsAndKnownAgain) {
    Rig rig;
    {
        auto made = rig.open();
        ASSERT_OK(made);
        EXPECT_TRUE((*made)->is_new());
        EXPECT_FALSE((*made)->was_clean());
        EXPECT_OK((*made)->bind_cluster("cluster-a"));
    }
    const std::string meta = get(rig.path + "/meta.properties");
    EXPECT_THAT(meta, HasSubstr("version=1\n"));
    EXPECT_THAT(meta, HasSubstr("node.id=1\n"));
    EXPECT_THAT(meta, HasSubstr("cluster.id=cluster-a\n"));
    EXPECT_THAT(meta, HasSubstr("directory.id="));
    auto again = rig.open();
    ASSERT_OK(again);
    EXPECT_FALSE((*again)->is_new());
    EXPECT_OK((*again)->bind_cluster("cluster-a"));
    EXPECT_EQ(get(rig.path + "/meta.properties"), meta);
}

TEST(DataDirectory, IsOpenedByOneProcessOnly) {
    Rig rig;
    auto first = rig.open();
    ASSERT_OK(first);
    EXPECT_ERRC(rig.open(), Errc::kDataDirInUse);
}

TEST(DataDirectory, RefusesWhatBelongsToOthers) {
    Rig rig;
    rig.make();
    EXPECT_THAT(rig.refusal(2), HasSubstr("node 1"));
    auto opened = rig.open();
    ASSERT_OK(opened);
    const Result<void> bound = (*opened)->bind_cluster("cluster-b");
    EXPECT_ERRC(bound, Errc::kDataDirFormat);
    // Either may be at fault.
    EXPECT_THAT(std::string{bound.error().detail()},
                AllOf(HasSubstr("meta.properties"), HasSubstr("metadata.db")));
}

TEST(DataDirectory, RefusesANewerFormatAndOneOfKafka) {
    Rig rig;
    rig.make();
    put(rig.path + "/meta.properties", "version=1\nleat.format=2\nnode.id=1\n");
    EXPECT_THAT(rig.refusal(), HasSubstr("newer"));
    put(rig.path + "/meta.properties", "version=1\nnode.id=1\ncluster.id=x\n");
    EXPECT_THAT(rig.refusal(), HasSubstr("Kafka"));
}

TEST(DataDirectory, RefusesForeignFilesAndLeavesThemAlone) {
    Rig rig;
    fs::create_directories(rig.path);
    put(rig.path + "/holiday.jpg", "x");
    EXPECT_THAT(rig.refusal(), HasSubstr("holiday.jpg"));
    EXPECT_FALSE(fs::exists(rig.path + "/.lock"));
}

TEST(DataDirectory, GoesOnFromAFirstStartThatDidNotEnd) {
    Rig rig;
    std::filesystem::create_directories(rig.path);
    put(rig.path + "/meta.properties.tmp", "vers");
    rig.make();
    EXPECT_THAT(get(rig.path + "/meta.properties"), HasSubstr("version=1\n"));
}

TEST(DataDirectory, SaysWhenItWasDeletedInPart) {
    for (const char* left : {"metadata.db", "orders-0"}) {
        Rig rig;
        fs::create_directories(rig.path);
        if (std::string{left} == "orders-0")
            fs::create_directory(rig.path + "/orders-0");
        else
            put(rig.path + "/" + left, "x");
        EXPECT_THAT(rig.refusal(), HasSubstr("deleted in part"));
    }
}

TEST(DataDirectory, SaysWhatWasLeftOfADirectoryThatWasStoppedCleanly) {
    Rig rig;
    rig.make();
    {
        auto opened = rig.open();
        ASSERT_OK(opened);
        fs::create_directory(rig.path + "/orders-0");
        ASSERT_OK((*opened)->mark_clean());
    }
    fs::remove(rig.path + "/meta.properties");
    // A file of somebody else sorts before all of ours.
    put(rig.path + "/!notes", "x");
    EXPECT_THAT(rig.refusal(), AllOf(HasSubstr("orders-0"), HasSubstr("deleted in part")));
    fs::remove(rig.path + "/orders-0");
    EXPECT_THAT(rig.refusal(), HasSubstr("deleted in part"));
}

TEST(DataDirectory, KnowsEachNameOfItsOwn) {
    for (const char* left : {".kafka_cleanshutdown", ".kafka_cleanshutdown.tmp",
                             "metadata.db-journal", "durable-marks.0", "durable-marks.1.tmp"}) {
        Rig rig;
        fs::create_directories(rig.path);
        put(rig.path + "/" + left, "x");
        EXPECT_THAT(rig.refusal(), HasSubstr("deleted in part")) << left;
    }
    for (const char* left :
         {"orders-0-stray", "orders-0.0123456789abcdef0123456789abcdef-delete"}) {
        Rig rig;
        fs::create_directories(rig.path + "/" + left);
        EXPECT_THAT(rig.refusal(), HasSubstr("deleted in part")) << left;
    }
}

TEST(DataDirectory, IsCleanOnceAfterMarkClean) {
    Rig rig;
    rig.make();
    {
        auto opened = rig.open();
        ASSERT_OK(opened);
        EXPECT_FALSE((*opened)->was_clean());
        EXPECT_OK((*opened)->mark_clean());
    }
    {
        auto opened = rig.open();
        ASSERT_OK(opened);
        EXPECT_TRUE((*opened)->was_clean());
    }
    auto opened = rig.open();
    ASSERT_OK(opened);
    EXPECT_FALSE((*opened)->was_clean());
}

TEST(DataDirectory, IsAsCleanAsBeforeAfterARunThatOpenedNoLog) {
    Rig rig;
    const auto begin_and_leave = [&rig](bool opens_logs) {
        auto opened = rig.open();
        ASSERT_OK(opened);
        if (opens_logs) (*opened)->logs_are_opened();
        EXPECT_OK((*opened)->leave_as_found());
    };
    const auto is_clean = [&rig] { return fs::exists(rig.path + "/.kafka_cleanshutdown"); };
    begin_and_leave(false);  // There is nothing yet that could be unclean.
    EXPECT_TRUE(is_clean());
    begin_and_leave(false);
    EXPECT_TRUE(is_clean());
    begin_and_leave(true);
    EXPECT_FALSE(is_clean());
    begin_and_leave(false);  // Nor does a run that opened nothing make it clean.
    EXPECT_FALSE(is_clean());
}

TEST(DataDirectory, MarkIsGoneWhileARunLastsAndStaysSoAfterItsFailure) {
    Rig rig;
    rig.make();
    {
        auto opened = rig.open();
        ASSERT_OK(opened);
        ASSERT_OK((*opened)->mark_clean());
    }
    auto opened = rig.open();
    ASSERT_OK(opened);
    EXPECT_TRUE((*opened)->was_clean());
    EXPECT_FALSE(fs::exists(rig.path + "/.kafka_cleanshutdown"));
    (*opened)->health().fail(Error{Errc::kIoError, "sync"});
    EXPECT_ERRC((*opened)->leave_as_found(), Errc::kOffline);
    EXPECT_FALSE(fs::exists(rig.path + "/.kafka_cleanshutdown"));
}

// Whoever opens it would make a new one, and what is there would belong to nobody.
TEST(DataDirectory, MissesItsMetadataStore) {
    Rig rig;
    {
        auto opened = rig.open();
        ASSERT_OK(opened);
        EXPECT_OK((*opened)->check_has_store());  // A first start that was cut short.
        ASSERT_OK((*opened)->bind_cluster("cluster-a"));
        EXPECT_ERRC((*opened)->check_has_store(), Errc::kDataDirFormat);
    }
    std::ofstream{rig.path + "/metadata.db"} << "it";
    auto opened = rig.open();
    ASSERT_OK(opened);
    EXPECT_OK((*opened)->check_has_store());
}

TEST(DataDirectory, IsNeverCleanAfterAFailure) {
    Rig rig;
    auto opened = rig.open();
    ASSERT_OK(opened);
    (*opened)->health().fail(Error{Errc::kIoError, "sync"});
    EXPECT_ERRC((*opened)->mark_clean(), Errc::kOffline);
}

TEST(DataDirectory, LeavesAFolderAloneWhoseTopicIdIsDamaged) {
    Rig rig;
    rig.make();
    fs::create_directories(rig.path + "/orders-0");
    for (const std::string text : {"version: 0\ntopic_id: AAAA\n", "version: 7\n", "\n"}) {
        put(rig.path + "/orders-0/partition.metadata", text);
        EXPECT_ERRC(read_topic_id(rig.disk, rig.path + "/orders-0"), Errc::kDataDirFormat);
        auto opened = rig.open();
        ASSERT_OK(opened);
        const auto stray = (*opened)->reconcile(std::vector{spec("orders", 0, 5)});
        ASSERT_OK(stray);
        EXPECT_THAT(*stray, ElementsAre());
        EXPECT_EQ(get(rig.path + "/orders-0/partition.metadata"), text);
    }
}

TEST(DataDirectory, SetsUnknownPartitionsAsideAndFinishesDeletions) {
    Rig rig;
    rig.make();
    for (const char* name :
         {"orders-0", "orders-1", "gone-0", "notes", "old-0.00ff-delete", "gone-0-stray"})
        fs::create_directories(rig.path + "/" + name + "/inner");
    ASSERT_OK(write_topic_id(rig.disk, rig.path + "/orders-0", Uuid::from_random(5, 5)));
    ASSERT_OK(write_topic_id(rig.disk, rig.path + "/orders-1", Uuid::from_random(6, 6)));
    auto opened = rig.open();
    ASSERT_OK(opened);
    const std::vector known{spec("orders", 0, 5), spec("orders", 1, 5)};
    const auto stray = (*opened)->reconcile(known);
    ASSERT_OK(stray);
    EXPECT_THAT(*stray, ElementsAre("gone-0.2-stray", "orders-1-stray"));
    EXPECT_TRUE(fs::exists(rig.path + "/orders-0/inner"));
    EXPECT_TRUE(fs::exists(rig.path + "/notes"));
    EXPECT_TRUE(fs::exists(rig.path + "/gone-0-stray"));
    EXPECT_FALSE(fs::exists(rig.path + "/old-0.00ff-delete"));
    const auto again = (*opened)->reconcile(known, 4);
    ASSERT_OK(again);
    EXPECT_THAT(*again, IsEmpty());
}

TEST(FolderFiles, HoldLogStartAndTopicIdInKafkasText) {
    const TempDir dir;
    rt::PosixDisk disk;
    EXPECT_EQ(*read_log_start(disk, dir.path()), Offset{0});
    ASSERT_OK(write_log_start(disk, dir.path(), spec("a topic", 3, 1), Offset{41}));
    const std::string written = get(dir / "log-start-offset-checkpoint");
    constexpr std::string_view kText = "0\n1\na topic 3 41\n";
    EXPECT_TRUE(written.starts_with(std::string{kText} + "crc32c ")) << written;
    EXPECT_EQ(*read_log_start(disk, dir.path()), Offset{41});
    // One bit: a start far behind the log's end would take all of it away.
    for (const std::size_t at : {kText.size() - 3, written.size() - 2}) {
        std::string damaged = written;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        put(dir / "log-start-offset-checkpoint", damaged);
        EXPECT_ERRC(read_log_start(disk, dir.path()), Errc::kMalformed);
    }
    put(dir / "log-start-offset-checkpoint", std::string{kText});  // As older versions wrote it.
    EXPECT_EQ(*read_log_start(disk, dir.path()), Offset{41});
    put(dir / "log-start-offset-checkpoint", "0\n1\n");
    EXPECT_ERRC(read_log_start(disk, dir.path()), Errc::kMalformed);
    const Uuid id = Uuid::from_random(1, 2);
    EXPECT_FALSE(read_topic_id(disk, dir.path())->has_value());
    ASSERT_OK(write_topic_id(disk, dir.path(), id));
    EXPECT_EQ(get(dir / "partition.metadata"), "version: 0\ntopic_id: " + id.text() + "\n");
    EXPECT_EQ(**read_topic_id(disk, dir.path()), id);
}

TEST(FolderFiles, TakeACleanedOffsetThatCannotBeReadForNone) {
    const TempDir dir;
    rt::PosixDisk disk;
    EXPECT_EQ(read_cleaned_to(disk, dir.path()), Offset{0});
    ASSERT_OK(write_cleaned_to(disk, dir.path(), Offset{41}));
    EXPECT_EQ(get(dir / "cleaner-offset"), "41\n");
    EXPECT_EQ(read_cleaned_to(disk, dir.path()), Offset{41});
    for (const char* text : {"", "4", "-41\n", "41x\n", "x", "\n"}) {
        put(dir / "cleaner-offset", text);
        EXPECT_EQ(read_cleaned_to(disk, dir.path()), Offset{0}) << text;
    }
}

TEST(FolderFiles, TakeATopicIdThatACrashCutShortForNone) {
    const TempDir dir;
    rt::PosixDisk disk;
    const Uuid id = Uuid::from_random(1, 2);
    ASSERT_OK(write_new_topic_id(disk, dir.path(), id));
    EXPECT_EQ(**read_topic_id(disk, dir.path()), id);
    const std::string whole = get(dir / "partition.metadata");
    // Kafka ends its file without a line feed.
    for (std::size_t size = 0; size < whole.size() - 1; ++size) {
        put(dir / "partition.metadata", whole.substr(0, size));
        EXPECT_FALSE(read_topic_id(disk, dir.path())->has_value()) << size;
    }
    put(dir / "partition.metadata", whole.substr(0, whole.size() - 1));
    EXPECT_EQ(**read_topic_id(disk, dir.path()), id);
    put(dir / "partition.metadata", std::string(whole.size(), '\0'));
    EXPECT_FALSE(read_topic_id(disk, dir.path())->has_value());
    put(dir / "partition.metadata", "version: 1\ntopic_id: " + id.text() + "\n");
    EXPECT_ERRC(read_topic_id(disk, dir.path()), Errc::kDataDirFormat);
}

TEST(FolderFiles, NameFoldersThatFitTheFileSystem) {
    const PartitionId id{.topic = Uuid::from_random(1, 2), .index = 12};
    const std::string name = deleted_path("/d/" + std::string(249, 't') + "-12", id).substr(3);
    EXPECT_EQ(name.size(), 255U);
    EXPECT_TRUE(name.ends_with("-delete"));
    EXPECT_THAT(name, HasSubstr("t-12."));
    EXPECT_THAT(deleted_path("/d/a-b-0", id), HasSubstr("/d/a-b-0."));
}

}  // namespace
}  // namespace leat::storage
