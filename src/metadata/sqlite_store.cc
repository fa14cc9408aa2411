// SPDX-License-Identifier: Apache-2.0
//
// Spec: docs/reference/formats/metadata-db.md has the tables.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "metadata/sqlite.h"
#include "metadata/sqlite_credentials.h"
#include "metadata/store.h"
#include "obs/log.h"

namespace leat::metadata {
namespace {

constexpr obs::Logger kLog{"metadata"};
constexpr std::int64_t kApplicationId = 0x4C656174;  // "Leat".
constexpr std::int64_t kSchemaVersion = 2;

/// Room of the write-ahead log that is there from the start, and how much of it is used, in pages,
/// before the log begins anew. The rest is for the deletion of topics when the disk is full.
constexpr std::int64_t kLogBytesKept = std::int64_t{1} << 20;
constexpr int kLogPages = 128;

constexpr const char* kSchema =
    "CREATE TABLE topics(name TEXT PRIMARY KEY, id BLOB NOT NULL UNIQUE, partitions INTEGER NOT "
    "NULL,"
    " created_epoch INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE topic_settings(topic BLOB NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(topic, name)) WITHOUT ROWID;"
    "CREATE TABLE broker_settings(scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(scope, name)) WITHOUT ROWID;"
    "CREATE TABLE facts(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id=1281712500;";
static_assert(kApplicationId == 1281712500);

/// What versions after the first added: made when missing, at each start.
constexpr const char* kAdded =
    "CREATE TABLE IF NOT EXISTS acls(type INTEGER NOT NULL, name TEXT NOT NULL, pattern INTEGER "
    "NOT "
    "NULL,"
    " principal TEXT NOT NULL, host TEXT NOT NULL, operation INTEGER NOT NULL, permission INTEGER "
    "NOT NULL,"
    " PRIMARY KEY(type, name, pattern, principal, host, operation, permission)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS quotas(user TEXT, client_id TEXT, ip TEXT, name TEXT NOT NULL,"
    " value REAL NOT NULL);"
    "CREATE TABLE IF NOT EXISTS client_metrics(subscription TEXT NOT NULL, name TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY(subscription, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS group_configs(group_id TEXT NOT NULL, name TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY(group_id, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS features(name TEXT PRIMARY KEY, level INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "INSERT OR IGNORE INTO facts VALUES('feature_changes', 0);"
    "PRAGMA user_version=2;";
static_assert(kSchemaVersion == 2);

constexpr std::string_view kScopeDefault = "default";
constexpr std::string_view kScopeBroker = "broker";

Bytes bytes_of(const Uuid& id) {
    return std::as_bytes(std::span{id.bytes});
}

struct Statements {
    Statement put_topic, drop_topic, put_setting, drop_settings, put_broker, drop_broker, put_fact;
    Statement put_acl, drop_acl, put_quota, drop_quotas;
    Statement put_client_metrics, drop_client_metrics, put_group_config, drop_group_config;
    Statement put_feature, drop_features;
};

Result<Statements> prepare_all(Database& db) {
    const auto prepare = [&db](std::string_view sql) { return Statement::prepare(db, sql); };
    Statements s;
    LEAT_TRY(s.put_topic, prepare("INSERT INTO topics VALUES(?,?,?,?) ON CONFLICT(name) DO UPDATE "
                                  "SET partitions=excluded.partitions"));
    LEAT_TRY(s.drop_topic, prepare("DELETE FROM topics WHERE name=?"));
    LEAT_TRY(s.put_setting, prepare("INSERT OR REPLACE INTO topic_settings VALUES(?,?,?)"));
    LEAT_TRY(s.drop_settings, prepare("DELETE FROM topic_settings WHERE topic=?"));
    LEAT_TRY(s.put_broker, prepare("INSERT OR REPLACE INTO broker_settings VALUES(?,?,?)"));
    LEAT_TRY(s.drop_broker, prepare("DELETE FROM broker_settings WHERE scope=?"));
    LEAT_TRY(s.put_fact, prepare("INSERT OR REPLACE INTO facts VALUES(?,?)"));
    LEAT_TRY(s.put_acl, prepare("INSERT OR REPLACE INTO acls VALUES(?,?,?,?,?,?,?)"));
    LEAT_TRY(s.put_quota, prepare("INSERT INTO quotas VALUES(?,?,?,?,?)"));
    LEAT_TRY(s.put_client_metrics, prepare("INSERT OR REPLACE INTO client_metrics VALUES(?,?,?)"));
    LEAT_TRY(s.drop_client_metrics, prepare("DELETE FROM client_metrics WHERE subscription=?"));
    LEAT_TRY(s.put_group_config, prepare("INSERT OR REPLACE INTO group_configs VALUES(?,?,?)"));
    LEAT_TRY(s.drop_group_config, prepare("DELETE FROM group_configs WHERE group_id=?"));
    LEAT_TRY(s.put_feature, prepare("INSERT OR REPLACE INTO features VALUES(?,?)"));
    LEAT_TRY(s.drop_features, prepare("DELETE FROM features"));
    LEAT_TRY(s.drop_quotas,
             prepare("DELETE FROM quotas WHERE user IS ? AND client_id IS ? AND ip IS ?"));
    LEAT_TRY(s.drop_acl,
             prepare("DELETE FROM acls WHERE type=? AND name=? AND pattern=? AND principal=? AND "
                     "host=? AND operation=? AND permission=?"));
    return s;
}

class SqliteStore final : public MetadataStore {
  public:
    explicit SqliteStore(Database db) : db_(std::move(db)) {}

    Result<void> start() {
        LEAT_TRY(Statements statements, prepare_all(db_));
        statements_.emplace(std::move(statements));
        LEAT_TRY(CredentialTables credentials, CredentialTables::prepare(db_));
        credentials_.emplace(std::move(credentials));
        // In the place of SQLite's own checkpoints, whose errors nobody is told.
        sqlite3_wal_hook(db_.handle(), &note_pages, this);
        return {};
    }

    Result<State> load() override {
        State state;
        LEAT_TRY(state.cluster_id, db_.text("SELECT value FROM facts WHERE name='cluster_id'"));
        LEAT_TRY(state.next_producer_id,
                 db_.number("SELECT value FROM facts WHERE name='next_producer_id'"));
        LEAT_TRY(const std::int64_t starts,
                 db_.number("SELECT value FROM facts WHERE name='unclean_starts'"));
        state.unclean_starts = static_cast<std::int32_t>(starts);
        LEAT_TRY_VOID(load_topics(state));
        LEAT_TRY_VOID(load_topic_settings(state));
        LEAT_TRY_VOID(load_broker_settings(state));
        LEAT_TRY_VOID(load_acls(state));
        LEAT_TRY_VOID(load_quotas(state));
        LEAT_TRY_VOID(load_resources("SELECT subscription, name, value FROM client_metrics",
                                     state.client_metrics));
        LEAT_TRY_VOID(
            load_resources("SELECT group_id, name, value FROM group_configs", state.group_configs));
        LEAT_TRY_VOID(CredentialTables::load(db_, state.credentials));
        LEAT_TRY_VOID(load_features(state));
        return state;
    }

    Result<void> commit(std::span<const Delta> deltas) override {
        if (broken_) return Error{Errc::kIoError, "the metadata store failed before; restart"};
        const bool has_log_room = log_pages_ < kLogPages || only_deletes(deltas);
        Result<void> done = has_log_room ? Result<void>{} : begin_log_anew();
        if (done.has_value()) done = try_to(deltas);
        const bool is_full = !done.has_value() && done.error().code() == Errc::kNoSpace;
        if (is_full && has_log_room && begin_log_anew().has_value()) done = try_to(deltas);
        if (done.has_value()) {
            if (log_pages_ >= kLogPages) ignore(begin_log_anew(), "the commit is durable already");
            return {};
        }
        if (!is_shortage(done.error().code())) broken_ = true;
        kLog.error("metadata commit failed", {{"error", done.error().code()},
                                              {"detail", done.error().detail()},
                                              {"deltas", deltas.size()}});
        return done;
    }

  private:
    Result<void> try_to(std::span<const Delta> deltas) {
        LEAT_TRY_VOID(db_.run("BEGIN IMMEDIATE"));
        Result<void> done = write_all(deltas);
        if (done.has_value()) done = db_.run("COMMIT");
        // A failed commit may have rolled back by itself; a second rollback then says so.
        if (!done.has_value()) ignore(db_.run("ROLLBACK"), "nothing of it is durable either way");
        return done;
    }
    /// Brings the pages of the log to the database: then the log is written from its beginning.
    /// Errors: kNoSpace, when the database grows.
    Result<void> begin_log_anew() {
        Result<void> done = db_.run("PRAGMA wal_checkpoint(RESTART)");
        if (done.has_value())
            log_pages_ = 0;
        else if (!is_shortage(done.error().code()))
            broken_ = true;
        return done;
    }
    static int note_pages(void* self, sqlite3* /*db*/, const char* /*name*/, int pages) {
        static_cast<SqliteStore*>(self)->log_pages_ = pages;
        return SQLITE_OK;
    }
    static bool only_deletes(std::span<const Delta> deltas) {
        return std::ranges::all_of(
            deltas, [](const Delta& delta) { return std::holds_alternative<TopicDeleted>(delta); });
    }

    Result<void> write_all(std::span<const Delta> deltas) {
        for (const Delta& delta : deltas)
            LEAT_TRY_VOID(std::visit([this](const auto& d) { return write(d); }, delta));
        return {};
    }

    Result<void> put_topic(const Topic& t) {
        return statements_->put_topic.bind(1, std::string_view{t.name})
            .bind(2, bytes_of(t.id))
            .bind(3, std::int64_t{t.partition_count})
            .bind(4, std::int64_t{t.created_epoch})
            .run();
    }
    Result<void> put_settings(const Topic& t) {
        for (const auto& [name, value] : t.overrides)
            LEAT_TRY_VOID(statements_->put_setting.bind(1, bytes_of(t.id))
                              .bind(2, std::string_view{name})
                              .bind(3, std::string_view{value})
                              .run());
        return {};
    }
    Result<void> drop_settings(const Topic& t) {
        return statements_->drop_settings.bind(1, bytes_of(t.id)).run();
    }
    Result<void> put_fact(std::string_view name, std::int64_t value) {
        return statements_->put_fact.bind(1, name).bind(2, value).run();
    }
    Result<void> replace_broker(std::string_view scope, const config::Values& values) {
        LEAT_TRY_VOID(statements_->drop_broker.bind(1, scope).run());
        for (const auto& [name, value] : values)
            LEAT_TRY_VOID(statements_->put_broker.bind(1, scope)
                              .bind(2, std::string_view{name})
                              .bind(3, std::string_view{value})
                              .run());
        return {};
    }

    Result<void> write(const TopicCreated& d) {
        LEAT_TRY_VOID(put_topic(*d.topic));
        return put_settings(*d.topic);
    }
    Result<void> write(const TopicDeleted& d) {
        LEAT_TRY_VOID(statements_->drop_topic.bind(1, std::string_view{d.topic->name}).run());
        return drop_settings(*d.topic);
    }
    Result<void> write(const PartitionsAdded& d) { return put_topic(*d.topic); }
    Result<void> write(const TopicConfigChanged& d) {
        LEAT_TRY_VOID(drop_settings(*d.topic));
        return put_settings(*d.topic);
    }
    Result<void> write(const BrokerConfigChanged& d) {
        LEAT_TRY_VOID(replace_broker(kScopeDefault, d.layers->dynamic_default));
        return replace_broker(kScopeBroker, d.layers->dynamic_broker);
    }
    Result<void> write(const ProducerIdsAllocated& d) {
        return put_fact("next_producer_id", d.next);
    }
    Result<void> write(const LeaderEpochsBumped& d) {
        return put_fact("unclean_starts", d.unclean_starts);
    }

    static Result<void> run_with(Statement& statement, const auth::Acl& acl) {
        return statement.bind(1, static_cast<std::int64_t>(acl.type))
            .bind(2, std::string_view{acl.name})
            .bind(3, static_cast<std::int64_t>(acl.pattern))
            .bind(4, std::string_view{acl.principal})
            .bind(5, std::string_view{acl.host})
            .bind(6, static_cast<std::int64_t>(acl.operation))
            .bind(7, static_cast<std::int64_t>(acl.permission))
            .run();
    }
    Result<void> write(const AclsChanged& d) {
        for (const auth::Acl& acl : *d.removed) LEAT_TRY_VOID(run_with(statements_->drop_acl, acl));
        for (const auth::Acl& acl : *d.added) LEAT_TRY_VOID(run_with(statements_->put_acl, acl));
        return {};
    }

    /// The columns of an entity: NULL where it has no such part, else '=' and the name, or "" for
    /// the default.
    using EntityColumns = std::array<std::optional<std::string>, 3>;
    static EntityColumns columns_of(const auth::QuotaEntity& entity) {
        EntityColumns out;
        auto column = out.begin();
        for (const std::string_view type :
             {auth::kUserEntity, auth::kClientEntity, auth::kIpEntity}) {
            if (const auto part = entity.find(type); part != entity.end())
                *column = part->second ? "=" + *part->second : std::string{};
            ++column;
        }
        return out;
    }
    static Statement& bind_entity(Statement& statement, const EntityColumns& columns) {
        int place = 1;
        for (const auto& column : columns)
            if (column)
                statement.bind(place++, std::string_view{*column});
            else
                statement.bind_null(place++);
        return statement;
    }
    Result<void> write(const QuotasChanged& d) {
        const EntityColumns columns = columns_of(d.entity);
        LEAT_TRY_VOID(bind_entity(statements_->drop_quotas, columns).run());
        for (const auto& [name, value] : d.values)
            LEAT_TRY_VOID(bind_entity(statements_->put_quota, columns)
                              .bind(4, std::string_view{name})
                              .bind_real(5, value)
                              .run());
        return {};
    }
    Result<void> load_quotas(State& state) {
        LEAT_TRY(Statement rows,
                 Statement::prepare(db_, "SELECT user, client_id, ip, name, value FROM quotas"));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            auth::QuotaEntity entity;
            int place = 0;
            for (const std::string_view type :
                 {auth::kUserEntity, auth::kClientEntity, auth::kIpEntity}) {
                const int column = place++;
                if (rows.is_null(column)) continue;
                const std::string text = rows.column_text(column);
                entity.emplace(type, text.empty() ? std::optional<std::string>{}
                                                  : std::optional{text.substr(1)});
            }
            state.quotas[entity][rows.column_text(3)] = rows.column_real(4);
        }
    }

    Result<void> write(const FeatureLevelsChanged& d) {
        LEAT_TRY_VOID(statements_->drop_features.run());
        for (const auto& [name, level] : d.levels)
            LEAT_TRY_VOID(statements_->put_feature.bind(1, std::string_view{name})
                              .bind(2, std::int64_t{level})
                              .run());
        return put_fact("feature_changes", d.changes);
    }
    Result<void> load_features(State& state) {
        LEAT_TRY(state.feature_changes,
                 db_.number("SELECT value FROM facts WHERE name='feature_changes'"));
        LEAT_TRY(Statement rows, Statement::prepare(db_, "SELECT name, level FROM features"));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            state.feature_levels[rows.column_text(0)] =
                static_cast<std::int16_t>(rows.column_number(1));
        }
    }

    Result<void> write(const ResourceConfigChanged& d) {
        const bool is_group = d.type == ResourceType::kGroup;
        Statement& drop =
            is_group ? statements_->drop_group_config : statements_->drop_client_metrics;
        Statement& put = is_group ? statements_->put_group_config : statements_->put_client_metrics;
        LEAT_TRY_VOID(drop.bind(1, std::string_view{d.name}).run());
        for (const auto& [name, value] : d.values)
            LEAT_TRY_VOID(put.bind(1, std::string_view{d.name})
                              .bind(2, std::string_view{name})
                              .bind(3, std::string_view{value})
                              .run());
        return {};
    }
    Result<void> load_resources(const char* query, std::map<std::string, config::Values>& into) {
        LEAT_TRY(Statement rows, Statement::prepare(db_, query));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            into[rows.column_text(0)][rows.column_text(1)] = rows.column_text(2);
        }
    }

    Result<void> load_acls(State& state) {
        LEAT_TRY(Statement rows,
                 Statement::prepare(db_,
                                    "SELECT type, name, pattern, principal, host, operation, "
                                    "permission FROM acls"));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            auth::Acl acl{.type = static_cast<auth::ResourceType>(rows.column_number(0)),
                          .name = rows.column_text(1),
                          .pattern = static_cast<auth::PatternType>(rows.column_number(2)),
                          .principal = rows.column_text(3),
                          .host = rows.column_text(4),
                          .operation = static_cast<auth::Operation>(rows.column_number(5)),
                          .permission = static_cast<auth::Permission>(rows.column_number(6))};
            if (!auth::acl_error(acl).empty())
                return Error{Errc::kDataDirFormat, "metadata: an access rule is damaged"};
            state.acls.push_back(std::move(acl));
        }
    }
    Result<void> write(const ScramChanged& d) { return credentials_->write(d); }
    Result<void> write(const TokenChanged& d) { return credentials_->write(d); }
    Result<void> write(const SuperUserChanged& d) { return credentials_->write(d); }

    Result<void> load_topics(State& state) {
        LEAT_TRY(Statement rows, Statement::prepare(db_,
                                                    "SELECT name, id, partitions, created_epoch "
                                                    "FROM topics ORDER BY id"));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            StoredTopic topic;
            topic.name = rows.column_text(0);
            const Bytes id = rows.column_bytes(1);
            if (id.size() != topic.id.bytes.size() || rows.column_number(2) < 1)
                return Error{Errc::kDataDirFormat, "metadata: topic " + topic.name + " is damaged"};
            std::memcpy(topic.id.bytes.data(), id.data(), id.size());
            topic.partition_count = static_cast<std::int32_t>(rows.column_number(2));
            topic.created_epoch = static_cast<std::int32_t>(rows.column_number(3));
            state.topics.push_back(std::move(topic));
        }
    }

    /// Settings and topics are both in id order: one pass joins them.
    Result<void> load_topic_settings(State& state) {
        LEAT_TRY(Statement rows, Statement::prepare(db_,
                                                    "SELECT topic, name, value FROM "
                                                    "topic_settings ORDER BY topic"));
        auto topic = state.topics.begin();
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            const Bytes id = rows.column_bytes(0);
            const auto is_before = [&] {
                return std::memcmp(topic->id.bytes.data(), id.data(), id.size()) < 0;
            };
            if (id.size() != sizeof(Uuid)) continue;
            while (topic != state.topics.end() && is_before()) ++topic;
            const bool is_match = topic != state.topics.end() &&
                                  std::memcmp(topic->id.bytes.data(), id.data(), id.size()) == 0;
            if (is_match) topic->overrides[rows.column_text(1)] = rows.column_text(2);
        }
    }

    Result<void> load_broker_settings(State& state) {
        LEAT_TRY(Statement rows,
                 Statement::prepare(db_, "SELECT scope, name, value FROM broker_settings"));
        for (;;) {
            LEAT_TRY(const bool has_row, rows.step());
            if (!has_row) return {};
            config::Values& values =
                rows.column_text(0) == kScopeBroker ? state.dynamic_broker : state.dynamic_default;
            values[rows.column_text(1)] = rows.column_text(2);
        }
    }

    Database db_;
    std::optional<Statements> statements_;
    std::optional<CredentialTables> credentials_;
    bool broken_ = false;
    int log_pages_ = 0;  ///< In the write-ahead log, and not in the database yet.
};

/// An empty file becomes ours; another program's or a newer version's is refused.
Result<void> check_format(Database& db, const std::string& path) {
    LEAT_TRY(const std::int64_t tables, db.number("SELECT count(*) FROM sqlite_schema"));
    LEAT_TRY(const std::int64_t application, db.number("PRAGMA application_id"));
    LEAT_TRY(const std::int64_t version, db.number("PRAGMA user_version"));
    if (tables == 0 && application == 0) return {};
    if (application != kApplicationId)
        return Error{Errc::kDataDirFormat, path + ": is a database of another program"};
    if (version > kSchemaVersion)
        return Error{Errc::kDataDirFormat, path + ": was written by a newer Leat (format " +
                                               std::to_string(version) + ", this one knows up to " +
                                               std::to_string(kSchemaVersion) + ")"};
    LEAT_TRY(const std::string verdict, db.text("PRAGMA quick_check(1)"));
    if (verdict != "ok")
        return Error{Errc::kDataDirFormat, path + ": is damaged (" + verdict +
                                               "); nothing was changed: restore it from a copy"};
    return {};
}

/// Gives the log its room; what SQLite finds behind its last frame it takes for none.
Result<void> keep_log_room(rt::Disk& disk, const std::string& path) {
    LEAT_TRY(const auto log, disk.open(path + "-wal", rt::OpenMode::kReadWrite));
    LEAT_TRY(const std::int64_t size, log->size());
    if (size >= kLogBytesKept) return {};
    const std::vector<std::byte> zeros(static_cast<std::size_t>(kLogBytesKept - size));
    const Bytes part{zeros};
    return log->write_at(FilePos{size}, {&part, 1});
}

Result<void> create_if_empty(Database& db, const std::string& cluster_id) {
    LEAT_TRY(const std::int64_t application, db.number("PRAGMA application_id"));
    if (application == kApplicationId) return {};
    LEAT_TRY_VOID(db.run("BEGIN IMMEDIATE"));
    LEAT_TRY_VOID(db.run(kSchema));
    {
        LEAT_TRY(Statement put,
                 Statement::prepare(db, "INSERT INTO facts VALUES('cluster_id', ?)"));
        LEAT_TRY_VOID(put.bind(1, std::string_view{cluster_id}).run());
    }
    return db.run("COMMIT");
}

}  // namespace

Result<std::unique_ptr<MetadataStore>> open_sqlite_store(rt::Disk& disk, const std::string& path,
                                                         const std::string& fresh_cluster_id) {
    LEAT_TRY(Database db, Database::open(disk, path));
    // Exclusive locking before the first read keeps the WAL index in memory: no shared-memory file,
    // and a second process is refused. FULL: one sync of the log per commit.
    LEAT_TRY_VOID(db.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL;"));
    LEAT_TRY_VOID(check_format(db, path));
    LEAT_TRY_VOID(db.run("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=OFF;"));
    LEAT_TRY_VOID(create_if_empty(db, fresh_cluster_id));
    LEAT_TRY_VOID(db.run(kAdded));
    LEAT_TRY_VOID(db.run(kCredentialTables));
    ignore(keep_log_room(disk, path), "without it a full disk takes no changes");
    auto store = std::make_unique<SqliteStore>(std::move(db));
    LEAT_TRY_VOID(store->start());
    return std::unique_ptr<MetadataStore>{std::move(store)};
}

}  // namespace leat::metadata
