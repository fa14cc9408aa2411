// SPDX-License-Identifier: Apache-2.0
#include "metadata/sqlite.h"

#include "base/check.h"

namespace leat::metadata {

Result<Database> Database::open(rt::Disk& disk, const std::string& path) {
    auto files = std::make_unique<SqliteDisk>(disk);
    sqlite3* raw = nullptr;
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &raw, kFlags, files->name());
    Database database;
    database.disk_ = std::move(files);
    database.handle_.reset(raw);
    database.path_ = path;
    if (raw == nullptr) return Error{Errc::kIoError, path + ": out of memory"};
    sqlite3_extended_result_codes(raw, 1);
    if (code != SQLITE_OK) return database.error();
    return database;
}

Error Database::error() const {
    const int code = sqlite3_extended_errcode(handle()) & 0xFF;
    std::string detail = path_ + ": " + sqlite3_errmsg(handle());
    const bool is_of_disk = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    if (is_of_disk && !disk_->last_failure().empty()) detail += " (" + disk_->last_failure() + ")";
    if (code == SQLITE_FULL) {
        const bool is_disk_full = disk_->last_code() != Errc::kTooManyOpenFiles;
        return Error{is_disk_full ? Errc::kNoSpace : Errc::kTooManyOpenFiles, detail};
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return Error{Errc::kDataDirFormat,
                     detail + "; nothing was changed: restore the file from a copy"};
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return Error{Errc::kDataDirInUse, detail + "; another process has it open"};
    return Error{Errc::kIoError, detail};
}

Result<void> Database::run(const char* sql) {
    if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
}

Result<std::int64_t> Database::number(const char* sql) {
    LEAT_TRY(Statement statement, Statement::prepare(*this, sql));
    LEAT_TRY(const bool has_row, statement.step());
    return has_row ? statement.column_number(0) : std::int64_t{0};
}

Result<std::string> Database::text(const char* sql) {
    LEAT_TRY(Statement statement, Statement::prepare(*this, sql));
    LEAT_TRY(const bool has_row, statement.step());
    return has_row ? statement.column_text(0) : std::string{};
}

Result<Statement> Statement::prepare(Database& database, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return database.error();
    Statement statement;
    statement.statement_.reset(raw);
    statement.database_ = &database;
    return statement;
}

Statement& Statement::bind(int index, std::int64_t value) {
    LEAT_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
    LEAT_CHECK(sqlite3_bind_text(statement_.get(), index, value.data(),
                                 static_cast<int>(value.size()), SQLITE_STATIC) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_real(int index, double value) {
    LEAT_CHECK(sqlite3_bind_double(statement_.get(), index, value) == SQLITE_OK);
    return *this;
}
Statement& Statement::bind_null(int index) {
    LEAT_CHECK(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
    return *this;
}
double Statement::column_real(int index) const {
    return sqlite3_column_double(statement_.get(), index);
}
bool Statement::is_null(int index) const {
    return sqlite3_column_type(statement_.get(), index) == SQLITE_NULL;
}
Statement& Statement::bind(int index, Bytes value) {
    LEAT_CHECK(sqlite3_bind_blob(statement_.get(), index, value.data(),
                                 static_cast<int>(value.size()), SQLITE_STATIC) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    Error error = database_->error();
    reset();
    return error;
}

Result<void> Statement::run() {
    for (;;) {
        LEAT_TRY(const bool has_row, step());
        if (!has_row) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::column_number(int index) const {
    return sqlite3_column_int64(statement_.get(), index);
}

std::string Statement::column_text(int index) const {
    const Bytes bytes = column_bytes(index);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes Statement::column_bytes(int index) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), index));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), index))};
}

}  // namespace leat::metadata
