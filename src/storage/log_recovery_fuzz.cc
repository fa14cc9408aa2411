// SPDX-License-Identifier: Apache-2.0
//
// A segment file of any content is opened. The first byte: its lowest bit says whether a durable
// mark is known, the others the mark; the rest is the file. Properties: recovery ends, never fails
// on a disk that is well, cuts nothing below the mark, and after it a second start changes nothing.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/check.h"
#include "storage/file_cache.h"
#include "storage/log.h"
#include "testkit/sim_disk.h"

namespace {

using leat::Bytes;
using leat::Offset;
using namespace leat::storage;  // NOLINT(google-build-using-namespace): a program of its own.

constexpr const char* kFile = "d/00000000000000000000.log";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    leat::testkit::SimDisk disk{1};
    LEAT_CHECK(disk.make_directory("d").has_value());
    {
        const auto file = disk.open(kFile, leat::rt::OpenMode::kCreateNew);
        const Bytes content = std::as_bytes(std::span{data + 1, size - 1});
        LEAT_CHECK(file && (*file)->write_at({0}, std::array{content}).has_value());
    }
    FileCache files{disk, 4};
    LogOptions options;
    options.directory = "d";
    options.config = std::make_shared<leat::config::TopicConfig>();
    if ((data[0] & 1U) != 0) options.durable_mark = Offset{data[0] >> 1U};
    auto log = Log::open(disk, files, options, {0}, {});
    LEAT_CHECK(log.has_value());
    const bool is_damaged = !(*log)->recovered().damage.empty();
    if (is_damaged) {
        const auto file = disk.open(kFile, leat::rt::OpenMode::kRead);
        LEAT_CHECK(file && *(*file)->size() == static_cast<std::int64_t>(size - 1));
        return 0;
    }
    const Offset end = (*log)->log_end();
    LEAT_CHECK(!options.durable_mark || end >= *options.durable_mark);
    log->reset();
    log = Log::open(disk, files, options, {0}, {});
    LEAT_CHECK(log.has_value() && (*log)->recovered().damage.empty());
    LEAT_CHECK((*log)->log_end() == end && (*log)->recovered().cut_bytes == 0);
    return 0;
}
