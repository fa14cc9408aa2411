// SPDX-License-Identifier: Apache-2.0
//
// Method: real files in a temporary folder; everything written is read back by a second open; files
// that are not ours, newer, damaged or in use are refused and left as they are.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "metadata/controller.h"
#include "metadata/sqlite.h"
#include "metadata/store.h"
#include "rt/fault_disk.h"
#include "rt/posix_disk.h"
#include "testkit/result_matchers.h"

namespace leat::metadata {
namespace {

class SqliteStore : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "leat-metadata-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        path_ = folder_ / "metadata.db";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Result<std::unique_ptr<MetadataStore>> open() {
        return open_sqlite_store(disk_, path_, "fresh-cluster");
    }
    std::string content() const {
        std::ifstream in{path_, std::ios::binary};
        std::stringstream out;
        out << in.rdbuf();
        return out.str();
    }

    rt::PosixDisk disk_;
    std::filesystem::path folder_;
    std::string path_;
};

Controller controller_of(const State& state) {
    return Controller{*Image::make(state, {}),
                      [n = std::uint64_t{7}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
}

TEST_F(SqliteStore, EverythingCommittedIsReadBack) {
    {
        auto store = open();
        ASSERT_OK(store);
        Controller c = controller_of(*(*store)->load());
        std::vector<Delta> deltas;
        std::vector<NewTopic> topics(3);
        for (int i = 0; i < 3; ++i)
            topics[static_cast<std::size_t>(i)].name = "t" + std::to_string(i);
        topics[0].settings = {{"segment.ms", "9"}, {"cleanup.policy", "compact"}};
        topics[1].settings = {{"retention.ms", "5"}};
        c.create_topics(topics, false, deltas);
        const TopicRef gone{.name = "t1", .id = {}};
        c.delete_topics({&gone, 1}, deltas);
        const MorePartitions more{.name = "t2", .count = 7, .assignments = {}};
        c.create_partitions({&more, 1}, false, deltas);
        const std::vector<ConfigChange> changes{
            {ResourceType::kTopic, "t0", {{"segment.ms", config::AlterOp::kDelete, {}}}},
            {ResourceType::kBroker, "", {{"log.roll.ms", config::AlterOp::kSet, "77"}}},
            {ResourceType::kBroker, "1", {{"max.connections", config::AlterOp::kSet, "78"}}}};
        c.alter_configs(changes, false, deltas);
        c.allocate_producer_ids(deltas);
        c.bump_leader_epochs(deltas);
        ASSERT_OK((*store)->commit(deltas));
    }
    auto store = open_sqlite_store(disk_, path_, "another-cluster");
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    EXPECT_EQ(state->cluster_id, "fresh-cluster");
    EXPECT_EQ(state->next_producer_id, 1'000);
    EXPECT_EQ(state->unclean_starts, 1);
    EXPECT_EQ(state->dynamic_default, (config::Values{{"log.roll.ms", "77"}}));
    EXPECT_EQ(state->dynamic_broker, (config::Values{{"max.connections", "78"}}));
    ASSERT_EQ(state->topics.size(), 2U);
    const auto image = Image::make(*state, {});
    ASSERT_OK(image);
    EXPECT_EQ(image->find("t0")->overrides, (config::Values{{"cleanup.policy", "compact"}}));
    EXPECT_EQ(image->find("t0")->config->segment_ms, 77);
    EXPECT_EQ(image->find("t2")->partition_count, 7);
    EXPECT_EQ(image->leader_epoch(*image->find("t2")), 1);
    EXPECT_EQ(image->broker().max_connections, 78);
}

TEST_F(SqliteStore, AccessRulesAreReadBack) {
    const auth::Acl read{.type = auth::ResourceType::kTopic,
                         .name = "orders",
                         .pattern = auth::PatternType::kPrefixed,
                         .principal = "User:a",
                         .host = "*",
                         .operation = auth::Operation::kRead,
                         .permission = auth::Permission::kDeny};
    auth::Acl write = read;
    write.operation = auth::Operation::kWrite;
    {
        auto store = open();
        ASSERT_OK(store);
        Controller c = controller_of(*(*store)->load());
        std::vector<Delta> deltas;
        const std::vector<auth::Acl> both{read, write};
        c.create_acls(both, deltas);
        auth::AclFilter filter;
        filter.operation = auth::Operation::kWrite;
        c.delete_acls({&filter, 1}, deltas);
        ASSERT_OK((*store)->commit(deltas));
    }
    auto store = open();
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    EXPECT_EQ(state->acls, std::vector<auth::Acl>{read});
    EXPECT_TRUE(Image::make(*state, {})->acls().contains(read));
}

TEST_F(SqliteStore, QuotasAreReadBack) {
    const auth::QuotaEntity pair{{"user", "a"}, {"client-id", std::nullopt}};
    const auth::QuotaEntity ip{{"ip", "127.0.0.1"}};
    {
        auto store = open();
        ASSERT_OK(store);
        Controller c = controller_of(*(*store)->load());
        std::vector<Delta> deltas;
        std::vector<QuotaChange> changes{
            {pair, {{"producer_byte_rate", 1000}, {"request_percentage", 1.5}}},
            {ip, {{"connection_creation_rate", 5}}}};
        c.alter_quotas(changes, false, deltas);
        changes = {{pair, {{"producer_byte_rate", std::nullopt}}}};
        c.alter_quotas(changes, false, deltas);
        ASSERT_OK((*store)->commit(deltas));
    }
    auto store = open();
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    EXPECT_EQ(state->quotas, (auth::QuotaTable::All{{pair, {{"request_percentage", 1.5}}},
                                                    {ip, {{"connection_creation_rate", 5}}}}));
}

TEST_F(SqliteStore, FirstFormatGetsTheTablesThatItLacks) {
    {
        ASSERT_OK(open());
    }
    {
        Database db = *Database::open(disk_, path_);
        ASSERT_OK(
            db.run("PRAGMA locking_mode=EXCLUSIVE; DROP TABLE acls; PRAGMA journal_mode=DELETE; "
                   "PRAGMA user_version=1"));
    }
    auto store = open();
    ASSERT_OK(store);
    EXPECT_OK((*store)->load());
}

TEST_F(SqliteStore, FailedCommitLeavesNothingAndStopsTheStore) {
    auto store = open();
    ASSERT_OK(store);
    Controller c = controller_of(*(*store)->load());
    std::vector<Delta> deltas;
    NewTopic a;
    a.name = "a";
    c.create_topics({&a, 1}, false, deltas);
    auto same_id = std::make_shared<Topic>(*c.image().find("a"));
    same_id->name = "b";
    deltas.emplace_back(TopicCreated{same_id});
    EXPECT_ERRC((*store)->commit(deltas), Errc::kIoError);
    EXPECT_TRUE((*store)->load()->topics.empty());
    deltas.pop_back();
    EXPECT_ERRC((*store)->commit(deltas), Errc::kIoError);
}

TEST_F(SqliteStore, SecondOpenerIsRefused) {
    auto first = open();
    ASSERT_OK(first);
    EXPECT_ERRC(open(), Errc::kDataDirInUse);
    EXPECT_OK((*first)->load());
}

TEST_F(SqliteStore, NewerFormatIsRefusedAndLeftAlone) {
    {
        ASSERT_OK(open());
    }
    {
        Database db = *Database::open(disk_, path_);
        ASSERT_OK(db.run(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; PRAGMA user_version=99"));
    }
    const std::string before = content();
    const auto refused = open();
    EXPECT_ERRC(refused, Errc::kDataDirFormat);
    EXPECT_TRUE(refused.error().detail().contains("newer Leat (format 99"))
        << refused.error().detail();
    EXPECT_TRUE(content() == before);
}

TEST_F(SqliteStore, OtherProgramsDatabaseIsRefused) {
    {
        Database db = *Database::open(disk_, path_);
        ASSERT_OK(db.run("CREATE TABLE t(x)"));
    }
    EXPECT_ERRC(open(), Errc::kDataDirFormat);
}

TEST_F(SqliteStore, GarbageIsRefusedAndLeftAlone) {
    {
        std::ofstream{path_} << std::string(5'000, 'x');
    }
    EXPECT_ERRC(open(), Errc::kDataDirFormat);
    EXPECT_EQ(content(), std::string(5'000, 'x'));
}

TEST_F(SqliteStore, DamagedPageIsFoundAtOpen) {
    {
        auto store = open();
        ASSERT_OK(store);
        Controller c = controller_of(*(*store)->load());
        std::vector<Delta> deltas;
        std::vector<NewTopic> topics(500);
        for (std::size_t i = 0; i < topics.size(); ++i)
            topics[i].name = "topic-" + std::to_string(i);
        c.create_topics(topics, false, deltas);
        ASSERT_OK((*store)->commit(deltas));
    }
    const auto size = std::filesystem::file_size(path_);
    ASSERT_GT(size, 20'000U);
    {
        std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(static_cast<std::streamoff>(size / 2));
        file << std::string(6'000, '\xA5');
    }
    const std::string before = content();
    const auto refused = open();
    EXPECT_ERRC(refused, Errc::kDataDirFormat);
    EXPECT_TRUE(content() == before);
    EXPECT_TRUE(refused.error().detail().contains("metadata.db")) << refused.error().detail();
}

TEST_F(SqliteStore, NamesWhatTheDiskSaidWhenACommitFails) {
    ASSERT_OK(open());
    // Opening syncs too; the first call that only a commit makes is wanted.
    std::optional<rt::FaultDisk> faulty;
    auto store = Result<std::unique_ptr<MetadataStore>>{Error{Errc::kIoError}};
    for (std::uint64_t nth = 1; !store && nth < 20; ++nth) {
        faulty.emplace(disk_, std::vector<rt::FaultPoint>{
                                  {rt::FaultAction::kIoErrors, "sync", "metadata.db-wal", nth}});
        store = open_sqlite_store(*faulty, path_, "c");
    }
    ASSERT_OK(store);
    Controller c = controller_of(*(*store)->load());
    std::vector<NewTopic> topics(1);
    topics[0].name = "t";
    std::vector<Delta> deltas;
    c.create_topics(topics, false, deltas);
    const auto failed = (*store)->commit(deltas);
    EXPECT_ERRC(failed, Errc::kIoError);
    ASSERT_FALSE(failed.has_value());
    EXPECT_TRUE(failed.error().detail().contains("metadata.db-wal: injected"))
        << failed.error().detail();
}

TEST_F(SqliteStore, FolderThatDoesNotExistIsAnIoError) {
    EXPECT_ERRC(open_sqlite_store(disk_, (folder_ / "no" / "x.db").string(), "c"), Errc::kIoError);
}

}  // namespace
}  // namespace leat::metadata
