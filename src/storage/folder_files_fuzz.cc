// SPDX-License-Identifier: Apache-2.0
//
// The small files of a partition's folder and meta.properties, by the first byte; the rest is the
// file. Properties: no input crashes; what is accepted is a possible value and comes back the same
// after it is written; what is refused is refused with the code that its reader names, and a data
// directory that is opened, or refused, keeps its meta.properties as it was.
#include "storage/folder_files.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/crc32c.h"
#include "storage/aborted_list.h"
#include "storage/data_directory.h"
#include "storage/segment_scrub.h"
#include "testkit/sim_disk.h"

namespace {

using leat::Errc;
using leat::Offset;
using namespace leat::storage;  // NOLINT(google-build-using-namespace): a program of its own.

constexpr const char* kFolder = "d";

std::string path_of(std::string_view name) {
    return std::string{kFolder} + "/" + std::string{name};
}

/// A disk whose folder has one file of this content.
class OneFile {
  public:
    OneFile(std::string_view name, std::string_view content) {
        LEAT_CHECK(disk_.make_directory(kFolder).has_value());
        const auto file = disk_.open(path_of(name), leat::rt::OpenMode::kCreateNew);
        const leat::Bytes bytes = std::as_bytes(std::span{content});
        LEAT_CHECK(file && (*file)->write_at({0}, std::array{bytes}).has_value());
    }

    leat::rt::Disk& operator*() { return disk_; }

  private:
    leat::testkit::SimDisk disk_{1};
};

void check_same(std::string_view file) {
    const auto list = AbortedList::decode(file);
    if (!list) {
        LEAT_CHECK(list.error().code() == Errc::kMalformed);
        return;
    }
    const auto again = AbortedList::decode(list->encode());
    LEAT_CHECK(again && *again == *list);
}

/// As it is, and with its checksum put right, so that what lies behind that is reached.
void check_aborted_list(std::string_view file) {
    check_same(file);
    std::string sealed{file};
    sealed += std::to_string(leat::codec::crc32c(std::as_bytes(std::span{file}))) + "\n";
    check_same(sealed);
}

void check_log_start(std::string_view file) {
    OneFile disk{"log-start-offset-checkpoint", file};
    const auto start = read_log_start(*disk, kFolder);
    if (!start) {
        LEAT_CHECK(start.error().code() == Errc::kMalformed);
        return;
    }
    LEAT_CHECK(start->value >= 0);
    PartitionSpec spec;
    spec.topic = "a topic";
    spec.id.index = 3;
    LEAT_CHECK(write_log_start(*disk, kFolder, spec, *start).has_value());
    const auto again = read_log_start(*disk, kFolder);
    LEAT_CHECK(again && *again == *start);
}

void check_topic_id(std::string_view file) {
    OneFile disk{"partition.metadata", file};
    const auto id = read_topic_id(*disk, kFolder);
    if (!id) {
        LEAT_CHECK(id.error().code() == Errc::kDataDirFormat);
        return;
    }
    if (!*id) return;  // Cut short.
    LEAT_CHECK(write_topic_id(*disk, kFolder, **id).has_value());
    const auto again = read_topic_id(*disk, kFolder);
    LEAT_CHECK(again && *again == *id);
}

void check_cleaned_to(std::string_view file) {
    OneFile disk{"cleaner-offset", file};
    const Offset to = read_cleaned_to(*disk, kFolder);
    LEAT_CHECK(to.value >= 0);
    LEAT_CHECK(write_cleaned_to(*disk, kFolder, to).has_value());
    LEAT_CHECK(read_cleaned_to(*disk, kFolder) == to);
}

void check_damage_note(std::string_view file) {
    OneFile disk{kDamageNoteName, file};
    const auto base = read_damage_note(*disk, kFolder);
    if (!base) {
        LEAT_CHECK(base.error().code() == Errc::kMalformed);
        return;
    }
    LEAT_CHECK(base->has_value() && (*base)->value >= 0);
    LEAT_CHECK(write_damage_note(*disk, kFolder, **base).has_value());
    const auto again = read_damage_note(*disk, kFolder);
    LEAT_CHECK(again && *again == *base);
}

bool is_refused(leat::rt::Disk& disk, std::int32_t node_id) {
    const auto opened = DataDirectory::open(disk, kFolder, node_id);
    return !opened && opened.error().code() == Errc::kDataDirFormat;
}

void check_meta(std::string_view file) {
    OneFile disk{"meta.properties", file};
    const auto meta = read_directory_meta(*disk, kFolder);
    if (!meta) {
        LEAT_CHECK(meta.error().code() == Errc::kDataDirFormat);
        LEAT_CHECK(is_refused(*disk, 1));
    } else {
        LEAT_CHECK(is_refused(*disk, meta->node_id == 1 ? 2 : 1));
        const auto opened = DataDirectory::open(*disk, kFolder, meta->node_id);
        LEAT_CHECK(opened && !(*opened)->is_new() && !(*opened)->was_clean());
        const bool is_bound = !meta->cluster_id.empty();
        LEAT_CHECK(!is_bound || !(*opened)->bind_cluster(meta->cluster_id + "x"));
        LEAT_CHECK(!is_bound || (*opened)->bind_cluster(meta->cluster_id));
    }
    const auto kept = read_text(*disk, path_of("meta.properties"));
    LEAT_CHECK(kept && *kept == file);
}

/// Of a directory that has no cluster yet.
void check_binding(std::string_view file) {
    OneFile disk{"meta.properties", file};
    const auto meta = read_directory_meta(*disk, kFolder);
    if (!meta || !meta->cluster_id.empty()) return;
    {
        const auto opened = DataDirectory::open(*disk, kFolder, meta->node_id);
        LEAT_CHECK(opened && (*opened)->bind_cluster("c").has_value());
    }
    const auto bound = read_directory_meta(*disk, kFolder);
    LEAT_CHECK(bound && bound->node_id == meta->node_id && bound->cluster_id == "c");
    LEAT_CHECK(!bound->directory_id.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kFileMax = std::size_t{32} * 1024;  // Larger ones are not read at all.
    if (size == 0 || size > kFileMax) return 0;
    const std::string_view file{reinterpret_cast<const char*>(data + 1), size - 1};
    switch (data[0] % 6) {
        case 0:
            check_aborted_list(file);
            break;
        case 1:
            check_log_start(file);
            break;
        case 2:
            check_topic_id(file);
            break;
        case 3:
            check_cleaned_to(file);
            break;
        case 4:
            check_damage_note(file);
            break;
        default:
            check_meta(file);
            check_binding(file);
    }
    return 0;
}
