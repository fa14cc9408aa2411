// SPDX-License-Identifier: Apache-2.0
//
// The tables of credentials in metadata.db. Layer: metadata (L4). Private to the store.
// Spec:  docs/reference/formats/metadata-db.md.
#pragma once

#include "base/result.h"
#include "metadata/credentials.h"
#include "metadata/sqlite.h"

namespace leat::metadata {

inline constexpr const char* kCredentialTables =
    "CREATE TABLE IF NOT EXISTS scram(user TEXT NOT NULL, mechanism INTEGER NOT NULL, iterations "
    "INTEGER NOT NULL, salt BLOB NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL,"
    " PRIMARY KEY(user, mechanism)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tokens(id TEXT PRIMARY KEY, hmac BLOB NOT NULL, owner TEXT NOT "
    "NULL, requester TEXT NOT NULL, renewers TEXT NOT NULL, issued INTEGER NOT NULL, expires "
    "INTEGER NOT NULL, ends INTEGER NOT NULL, stored_256 BLOB NOT NULL, server_256 BLOB NOT NULL,"
    " stored_512 BLOB NOT NULL, server_512 BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS super_users(principal TEXT PRIMARY KEY) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO facts VALUES('stranger_secret', hex(randomblob(32)));";

/// Threading: not synchronised. Must be destroyed before its database.
class CredentialTables {
  public:
    /// The tables are there. Errors: as Database.
    static Result<CredentialTables> prepare(Database& database);

    Result<void> write(const ScramChanged& change);
    Result<void> write(const TokenChanged& change);
    Result<void> write(const SuperUserChanged& change);

    /// Errors: kDataDirFormat, kIoError.
    static Result<void> load(Database& database, Credentials& into);

  private:
    Statement put_scram_, drop_scram_, put_token_, drop_token_, put_super_, drop_super_;
};

}  // namespace leat::metadata
