// SPDX-License-Identifier: Apache-2.0
//
// Prints what a partition's files hold, one entry after the other. Layer: apps (L7).
// Spec:  docs/reference/cli-json.md has the entries.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"

namespace leat::apps {

/// What `leat log dump --show` takes.
enum class DumpKind : std::uint8_t {
    kBatches,
    kRecords,
    kSegments,
    kIndex,
    kTimeIndex,
    kTxnIndex,
    kProducers,
    kEpochs,
};

struct DumpRange {
    Offset from{0};
    Offset to{std::numeric_limits<std::int64_t>::max()};  ///< Included.
    std::int64_t count_max = std::numeric_limits<std::int64_t>::max();
};

/// Called with each entry. Errors: of the output.
using DumpSink = std::function<Result<void>(boost::json::object entry)>;

/// Walks a partition's folder, or one file in it. What cannot be understood becomes an entry of
/// type "problem", and the walk goes on behind it.
///
/// Threading: not synchronised. Reads only.
/// Memory:    one batch and what it inflates to; an index.
class LogDump {
  public:
    LogDump(rt::Disk& disk, std::string folder, DumpRange range, DumpSink sink);

    /// All that the folder has of `kind`. Errors: kIoError, of the sink.
    Result<void> folder(DumpKind kind);
    /// What the file's name says it is; of a segment, its batches or records. Errors: kUsage for a
    /// name that says nothing.
    Result<void> file(std::string_view name, DumpKind kind);
    /// Entries of that type, and batches with a wrong checksum.
    [[nodiscard]] std::int64_t problems() const noexcept { return problems_; }

  private:
    Result<void> segment(Offset base, DumpKind kind);
    Result<void> batches(Offset base, bool records);
    Result<void> records(const struct OneBatch& batch);
    Result<void> index(Offset base, DumpKind kind);
    Result<void> snapshot(Offset at);
    Result<void> epochs();
    Result<void> emit(boost::json::object entry);
    Result<void> problem(const std::string& file, std::string_view what,
                         std::int64_t position = -1);
    [[nodiscard]] bool is_full() const noexcept { return emitted_ >= range_.count_max; }
    [[nodiscard]] std::string path(std::string_view name) const;

    rt::Disk& disk_;
    std::string folder_;
    std::string topic_;
    DumpRange range_;
    DumpSink sink_;
    std::int64_t emitted_ = 0;
    std::int64_t problems_ = 0;
};

}  // namespace leat::apps
