// SPDX-License-Identifier: Apache-2.0
//
// Thin owner types over SQLite's C interface. Layer: metadata (L4). Private to the store.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "metadata/sqlite_disk.h"
#include "rt/disk.h"

namespace leat::metadata {

/// One database connection. Threading: not synchronised.
class Database {
  public:
    /// Errors: see error().
    static Result<Database> open(rt::Disk& disk, const std::string& path);

    /// Runs statements without results. Errors: see error().
    Result<void> run(const char* sql);
    /// First column of the first row of `sql`, 0 when there is none.
    Result<std::int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);

    /// The last failure, mapped: kNoSpace (full), kTooManyOpenFiles, kDataDirFormat (damaged, no
    /// database), kDataDirInUse (locked), else kIoError; the detail names the file and SQLite's
    /// reason.
    [[nodiscard]] Error error() const;

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<SqliteDisk> disk_;  ///< Outlives the handle.
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

/// A prepared statement, bound and run again and again.
/// Threading: not synchronised. Must be destroyed before its database.
class Statement {
  public:
    static Result<Statement> prepare(Database& database, std::string_view sql);

    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, std::string_view value);  ///< Must live until step() or run().
    Statement& bind_real(int index, double value);
    Statement& bind_null(int index);
    Statement& bind(int index, Bytes value);  ///< As above.

    /// True when there is a row.
    Result<bool> step();
    /// Steps to the end and makes it ready for the next use.
    Result<void> run();
    void reset();

    [[nodiscard]] std::int64_t column_number(int index) const;
    [[nodiscard]] double column_real(int index) const;
    [[nodiscard]] bool is_null(int index) const;
    [[nodiscard]] std::string column_text(int index) const;
    [[nodiscard]] Bytes column_bytes(int index) const;  ///< Valid until the next step().

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    Database* database_ = nullptr;
};

}  // namespace leat::metadata
