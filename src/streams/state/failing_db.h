// SPDX-License-Identifier: Apache-2.0
//
// A database that refuses to be written, as one on a full disk. For tests of stores only. Layer:
// streams (L6).
// Threading: not synchronised.
#pragma once

#include <rocksdb/utilities/stackable_db.h>

#include <memory>
#include <string>
#include <vector>

#include "streams/state/database.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

class FailingDb final : public rocksdb::StackableDB {
  public:
    explicit FailingDb(rocksdb::DB* under) : StackableDB(under) {}
    /// Between a state that is open, on disk, and its database.
    static FailingDb& put_under(TaskState& state) {
        auto& place = state.database()->db;
        auto made = std::make_unique<FailingDb>(place.release());
        FailingDb& out = *made;
        place = std::move(made);
        return out;
    }

    bool refuses = false;  ///< Batches, single rows and deletions. Files are taken in.
    int refused = 0;
    int files = 0;  ///< That were to be taken in.

    using StackableDB::Delete;
    using StackableDB::IngestExternalFile;
    using StackableDB::Put;
    rocksdb::Status Write(const rocksdb::WriteOptions& how, rocksdb::WriteBatch* batch) override {
        return refuses ? refusal() : StackableDB::Write(how, batch);
    }
    rocksdb::Status Put(const rocksdb::WriteOptions& how, rocksdb::ColumnFamilyHandle* family,
                        const rocksdb::Slice& key, const rocksdb::Slice& value) override {
        return refuses ? refusal() : StackableDB::Put(how, family, key, value);
    }
    rocksdb::Status Delete(const rocksdb::WriteOptions& how, rocksdb::ColumnFamilyHandle* family,
                           const rocksdb::Slice& key) override {
        return refuses ? refusal() : StackableDB::Delete(how, family, key);
    }
    rocksdb::Status IngestExternalFile(rocksdb::ColumnFamilyHandle* family,
                                       const std::vector<std::string>& paths,
                                       const rocksdb::IngestExternalFileOptions& how) override {
        ++files;
        return StackableDB::IngestExternalFile(family, paths, how);
    }

  private:
    rocksdb::Status refusal() {
        ++refused;
        return rocksdb::Status::NoSpace("no room");
    }
};

}  // namespace leat::streams::detail
