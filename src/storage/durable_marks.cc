// SPDX-License-Identifier: Apache-2.0
#include "storage/durable_marks.h"

#include <array>
#include <cstring>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/endian.h"
#include "codec/crc32c.h"
#include "obs/log.h"
#include "storage/directory_health.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};
constexpr std::string_view kMagic = "LDM1";
constexpr std::size_t kHeadBytes = 4 + 4 + 8;
constexpr std::size_t kFrameHead = 4 + 4;  // Checksum and count.
constexpr std::size_t kEntryBytes = 16 + 4 + 8;
constexpr std::int64_t kFileBytesMax = std::int64_t{1} << 30;

/// The generation is part of every checksum, so that frames of an older use of the file, which a
/// lost truncation brings back, are not taken for its own.
std::uint32_t checksum(std::uint64_t generation, Bytes rest) {
    std::array<std::byte, 8> first{};
    store_be(first.data(), generation);
    return codec::Crc32c{}.update(first).update(rest).value();
}

}  // namespace

std::vector<std::byte> encode_mark_head(std::uint64_t generation) {
    std::vector<std::byte> out(kHeadBytes);
    std::memcpy(out.data(), kMagic.data(), kMagic.size());
    store_be(out.data() + 4, checksum(generation, {}));
    store_be(out.data() + 8, generation);
    return out;
}

std::vector<std::byte> encode_mark_frame(std::uint64_t generation,
                                         std::span<const DurableMarks::Mark> marks) {
    std::vector<std::byte> out(kFrameHead + marks.size() * kEntryBytes);
    store_be(out.data() + 4, static_cast<std::uint32_t>(marks.size()));
    std::byte* at = out.data() + kFrameHead;
    for (const auto& mark : marks) {
        std::memcpy(at, mark.id.topic.bytes.data(), mark.id.topic.bytes.size());
        store_be(at + 16, mark.id.index);
        store_be(at + 20, mark.offset.value);
        at += kEntryBytes;
    }
    store_be(out.data(), checksum(generation, Bytes{out}.subspan(4)));
    return out;
}

Result<MarkFile> decode_marks(Bytes file) {
    if (file.size() < kHeadBytes || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
        return Error{Errc::kMalformed, "durable marks: no head"};
    MarkFile out;
    out.generation = load_be<std::uint64_t>(file.data() + 8);
    if (load_be<std::uint32_t>(file.data() + 4) != checksum(out.generation, {}))
        return Error{Errc::kMalformed, "durable marks: head with a wrong checksum"};
    std::size_t at = kHeadBytes;
    while (file.size() - at >= kFrameHead) {
        const Bytes rest = file.subspan(at);
        const auto count = load_be<std::uint32_t>(rest.data() + 4);
        if ((rest.size() - kFrameHead) / kEntryBytes < count) break;
        const Bytes frame = rest.first(kFrameHead + count * kEntryBytes);
        if (load_be<std::uint32_t>(frame.data()) != checksum(out.generation, frame.subspan(4)))
            break;
        for (std::size_t i = 0; i < count; ++i) {
            const std::byte* entry = frame.data() + kFrameHead + i * kEntryBytes;
            PartitionId id;
            std::memcpy(id.topic.bytes.data(), entry, id.topic.bytes.size());
            id.index = load_be<std::int32_t>(entry + 16);
            out.marks[id] = Offset{load_be<std::int64_t>(entry + 20)};
        }
        at += frame.size();
    }
    if (at == kHeadBytes) return Error{Errc::kMalformed, "durable marks: no whole table"};
    out.used_bytes = at;
    return out;
}

struct DurableMarks::State : std::enable_shared_from_this<State> {
    rt::Disk* disk = nullptr;
    DirectoryHealth* health = nullptr;
    std::string directory;

    /// Held while the files are written; taken before `mutex`.
    std::mutex io_mutex;
    std::uint64_t generation = 0;  ///< Of the newest file.
    std::shared_ptr<rt::File> file;
    std::int64_t file_bytes = 0;
    std::int64_t whole_bytes = 0;  ///< Of its first frame.
    bool is_table_whole = false;   ///< What is not in it was never advanced.
    bool is_over = false;          ///< The owner is gone, and the directory's health with it.

    mutable std::mutex mutex;
    MarkTable marks;
    std::unordered_set<PartitionId, PartitionIdHash> dirty;
    rt::Executor* home = nullptr;
    rt::BlockingPool* pool = nullptr;
    std::chrono::milliseconds interval{0};
    bool is_scheduled = false;

    [[nodiscard]] std::string path(std::uint64_t of_generation) const {
        return directory + "/durable-marks." + std::to_string(of_generation % 2);
    }
    Result<void> load();
    Result<void> write();
    Result<void> write_whole(const std::vector<Mark>& all);
    Result<void> append(const std::vector<std::byte>& frame);
    void schedule_unlocked();
    void write_later(rt::Executor& on);
};

Result<void> DurableMarks::State::load() {
    bool is_damaged = false;
    for (std::uint64_t i = 0; i < 2; ++i) {
        LEAT_TRY(const bool exists, disk->exists(path(i)));
        if (!exists) continue;
        LEAT_TRY(const auto bytes, rt::read_file(*disk, path(i), kFileBytesMax));
        if (bytes.empty()) continue;  // Made, and never filled.
        auto read = decode_marks(bytes);
        if (!read) {
            is_damaged = true;
            kLog.warn("durable marks unreadable",
                      {{"file", path(i)}, {"detail", read.error().detail()}});
            continue;
        }
        if (read->generation < generation) continue;
        generation = read->generation;
        marks = std::move(read->marks);
    }
    is_table_whole = generation > 0 && !is_damaged;
    return {};
}

/// The other file gets everything, the old one stays whole until that is synced.
Result<void> DurableMarks::State::write_whole(const std::vector<Mark>& all) {
    const std::uint64_t next = generation + 1;
    LEAT_TRY(auto fresh, disk->open(path(next), rt::OpenMode::kCreate));
    LEAT_TRY_VOID(fresh->truncate(FilePos{0}));
    const auto head = encode_mark_head(next);
    const auto frame = encode_mark_frame(next, all);
    const std::array<Bytes, 2> parts{head, frame};
    LEAT_TRY_VOID(fresh->write_at(FilePos{0}, parts));
    LEAT_TRY_VOID(fresh->sync());
    LEAT_TRY_VOID(disk->sync_directory(directory));
    generation = next;
    file = std::move(fresh);
    whole_bytes = file_bytes = static_cast<std::int64_t>(head.size() + frame.size());
    return {};
}

Result<void> DurableMarks::State::append(const std::vector<std::byte>& frame) {
    const std::array<Bytes, 1> parts{frame};
    LEAT_TRY_VOID(file->write_at(FilePos{file_bytes}, parts));
    LEAT_TRY_VOID(file->sync());
    file_bytes += static_cast<std::int64_t>(frame.size());
    return {};
}

Result<void> DurableMarks::State::write() {
    const std::lock_guard io{io_mutex};
    if (is_over) return Error{Errc::kClosed};
    if (health->is_failed()) return Error{Errc::kOffline};
    std::vector<Mark> out;
    decltype(dirty) taken;
    // A file that was open in an earlier run may end in half a frame: the first write makes a new
    // one. So does one that has grown far beyond its table.
    bool whole = file == nullptr;
    {
        const std::lock_guard lock{mutex};
        if (dirty.empty()) return {};
        taken = std::exchange(dirty, {});
        const auto grown = static_cast<std::int64_t>(taken.size() * kEntryBytes) + file_bytes;
        whole = whole || grown > 4 * whole_bytes + 65'536;
        if (whole) {
            for (const auto& [id, offset] : marks) out.push_back({id, offset});
        } else {
            for (const auto& id : taken)
                if (const auto at = marks.find(id); at != marks.end())
                    out.push_back({id, at->second});
        }
    }
    auto result = whole ? write_whole(out) : append(encode_mark_frame(generation, out));
    if (result) return result;
    if (!is_shortage(result.error().code())) health->fail(result.error());
    const std::lock_guard lock{mutex};
    dirty.merge(taken);
    return result;
}

void DurableMarks::State::schedule_unlocked() {
    if (home == nullptr || is_scheduled || dirty.empty() || health->is_failed()) return;
    is_scheduled = true;
    home->post([self = shared_from_this(), on = home] {
        on->schedule(on->now() + self->interval, [self, on] { self->write_later(*on); });
    });
}

void DurableMarks::State::write_later(rt::Executor& on) {
    {
        const std::lock_guard lock{mutex};
        if (home == nullptr) return;
    }
    pool->submit(
        on,
        [self = shared_from_this()] {
            ignore(self->write(), "a shortage is over some time, all else failed the directory");
        },
        [self = shared_from_this()] {
            const std::lock_guard lock{self->mutex};
            self->is_scheduled = false;
            self->schedule_unlocked();
        });
}

DurableMarks::DurableMarks(std::shared_ptr<State> state) : state_(std::move(state)) {}
DurableMarks::~DurableMarks() {
    // A write that is under way ends first; a timer that still holds the state finds it over.
    const std::scoped_lock both{state_->io_mutex, state_->mutex};
    state_->is_over = true;
    state_->home = nullptr;
}

Result<std::unique_ptr<DurableMarks>> DurableMarks::open(rt::Disk& disk,
                                                         const std::string& directory,
                                                         DirectoryHealth& health, bool is_new) {
    auto state = std::make_shared<State>();
    state->disk = &disk;
    state->health = &health;
    state->directory = directory;
    LEAT_TRY_VOID(state->load());
    if (is_new && state->generation == 0) {
        LEAT_TRY_VOID(state->write_whole({}));
        state->is_table_whole = true;
    }
    return std::unique_ptr<DurableMarks>{new DurableMarks{std::move(state)}};
}

std::optional<Offset> DurableMarks::mark(const PartitionId& id) const {
    const std::lock_guard lock{state_->mutex};
    const auto at = state_->marks.find(id);
    if (at != state_->marks.end()) return at->second;
    return state_->is_table_whole ? std::optional{Offset{0}} : std::nullopt;
}

bool DurableMarks::has(const PartitionId& id) const {
    const std::lock_guard lock{state_->mutex};
    return state_->marks.contains(id);
}

void DurableMarks::start(rt::Executor& home, rt::BlockingPool& pool,
                         std::chrono::milliseconds interval) {
    const std::lock_guard lock{state_->mutex};
    state_->home = &home;
    state_->pool = &pool;
    state_->interval = interval;
    state_->schedule_unlocked();
}

void DurableMarks::advance(std::span<const Mark> marks) {
    const std::lock_guard lock{state_->mutex};
    for (const Mark& mark : marks) {
        const auto [at, is_new] = state_->marks.try_emplace(mark.id, mark.offset);
        if (!is_new && mark.offset <= at->second) continue;
        at->second = mark.offset;
        state_->dirty.insert(mark.id);
    }
    state_->schedule_unlocked();
}

Result<void> DurableMarks::lower(const PartitionId& id, Offset offset) {
    {
        const std::lock_guard lock{state_->mutex};
        const auto at = state_->marks.find(id);
        if (at == state_->marks.end() || at->second <= offset) return {};
        at->second = offset;
        state_->dirty.insert(id);
    }
    return state_->write();
}

void DurableMarks::forget(const PartitionId& id) {
    const std::lock_guard lock{state_->mutex};
    state_->marks.erase(id);
    state_->dirty.erase(id);
}

Result<void> DurableMarks::write_now() {
    return state_->write();
}

}  // namespace leat::storage
