// SPDX-License-Identifier: Apache-2.0
#include "storage/producer_snapshot.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/endian.h"
#include "codec/crc32c.h"

namespace leat::storage {
namespace {

constexpr std::int16_t kSnapshotVersion = 1;
constexpr std::size_t kSnapshotHead = 2 + 4;  // What the checksum does not cover.
constexpr std::size_t kSnapshotEntry = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;

constexpr std::string_view kWindowMagic = "LPW1";
constexpr std::size_t kWindowHead = 4 + 4;
constexpr std::size_t kWindowFixed = 8 + 4;  // Offset and count.
constexpr std::size_t kWindowEntry = 8 + 2 + 8 + 1;
constexpr std::size_t kWindowBatch = 4 + 4 + 8 + 8;

class Out {
  public:
    explicit Out(std::size_t size) { bytes_.reserve(size); }
    template <class T>
    void put(T value) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        store_be(bytes_.data() + at, value);
    }
    void put(std::string_view text) {
        const auto raw = std::as_bytes(std::span{text});
        bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    }
    /// Fills the checksum at `at` over everything behind it.
    std::vector<std::byte> sealed(std::size_t at) && {
        store_be(bytes_.data() + at, codec::crc32c(Bytes{bytes_}.subspan(at + 4)));
        return std::move(bytes_);
    }

  private:
    std::vector<std::byte> bytes_;
};

/// The caller has made sure that the bytes are there.
class In {
  public:
    explicit In(Bytes bytes) : bytes_(bytes) {}
    template <class T>
    T get() {
        LEAT_CHECK(bytes_.size() >= sizeof(T));
        const T value = load_be<T>(bytes_.data());
        bytes_ = bytes_.subspan(sizeof(T));
        return value;
    }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  private:
    Bytes bytes_;
};

std::vector<std::int64_t> ids_of(const ProducerEntries& entries) {
    std::vector<std::int64_t> ids;
    ids.reserve(entries.size());
    for (const auto& [id, entry] : entries) ids.push_back(id);
    std::ranges::sort(ids);
    return ids;
}

Error malformed(std::string_view why) {
    return Error{Errc::kMalformed, why};
}

}  // namespace

std::vector<std::byte> encode_snapshot(const ProducerEntries& entries) {
    Out out(kSnapshotHead + 4 + entries.size() * kSnapshotEntry);
    out.put(kSnapshotVersion);
    out.put(std::uint32_t{0});
    out.put(static_cast<std::int32_t>(entries.size()));
    for (const std::int64_t id : ids_of(entries)) {
        const ProducerEntry& entry = entries.at(id);
        const RememberedBatch newest = entry.batch_count > 0 ? entry.batches[0] : RememberedBatch{};
        out.put(id);
        out.put(entry.epoch);
        out.put(newest.last_sequence);
        out.put(newest.last_offset.value);
        out.put(newest.offset_delta);
        out.put(entry.last_timestamp.value);
        out.put(entry.coordinator_epoch);
        out.put(entry.transaction_start.value);
    }
    return std::move(out).sealed(2);
}

Result<ProducerEntries> decode_snapshot(Bytes file) {
    if (file.size() < kSnapshotHead + 4) return malformed("producer snapshot: too short");
    In in{file};
    if (in.get<std::int16_t>() != kSnapshotVersion)
        return malformed("producer snapshot: unknown version");
    if (in.get<std::uint32_t>() != codec::crc32c(file.subspan(kSnapshotHead)))
        return malformed("producer snapshot: wrong checksum");
    const auto count = in.get<std::int32_t>();
    if (count < 0 || in.left() != static_cast<std::size_t>(count) * kSnapshotEntry)
        return malformed("producer snapshot: its length does not fit its count");
    ProducerEntries entries;
    entries.reserve(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
        const auto id = in.get<std::int64_t>();
        const auto [at, is_new] = entries.try_emplace(id);
        if (!is_new) return malformed("producer snapshot: an id twice");
        ProducerEntry& entry = at->second;
        RememberedBatch newest;
        entry.epoch = in.get<std::int16_t>();
        newest.last_sequence = in.get<std::int32_t>();
        newest.last_offset.value = in.get<std::int64_t>();
        newest.offset_delta = in.get<std::int32_t>();
        newest.timestamp.value = in.get<std::int64_t>();
        entry.last_timestamp = newest.timestamp;
        entry.last_write = newest.timestamp;
        entry.coordinator_epoch = in.get<std::int32_t>();
        entry.transaction_start.value = in.get<std::int64_t>();
        if (newest.last_offset.value >= 0) {
            if (newest.offset_delta < 0 || newest.last_sequence < -1)
                return malformed("producer snapshot: a negative number");
            entry.remember(newest);
        }
    }
    return entries;
}

std::vector<std::byte> encode_window(const ProducerEntries& entries, Offset at) {
    Out out(kWindowHead + kWindowFixed + entries.size() * (kWindowEntry + 4 * kWindowBatch));
    out.put(kWindowMagic);
    out.put(std::uint32_t{0});
    out.put(at.value);
    out.put(static_cast<std::int32_t>(entries.size()));
    for (const std::int64_t id : ids_of(entries)) {
        const ProducerEntry& entry = entries.at(id);
        const std::size_t older = entry.batch_count > 0 ? entry.batch_count - 1U : 0;
        out.put(id);
        out.put(entry.epoch);
        out.put(entry.last_write.value);
        out.put(static_cast<std::uint8_t>(older));
        for (std::size_t i = 1; i <= older; ++i) {
            out.put(entry.batches[i].last_sequence);
            out.put(entry.batches[i].offset_delta);
            out.put(entry.batches[i].last_offset.value);
            out.put(entry.batches[i].timestamp.value);
        }
    }
    return std::move(out).sealed(4);
}

namespace {

/// One producer of the window file.
struct WindowEntry {
    std::int64_t id = -1;
    std::int16_t epoch = -1;
    WallMs last_write{-1};
    std::uint8_t count = 0;
    std::array<RememberedBatch, ProducerEntry::kBatches - 1> batches = {};
};

Result<WindowEntry> next_window_entry(In& in) {
    if (in.left() < kWindowEntry) return malformed("producer window: ends too early");
    WindowEntry entry;
    entry.id = in.get<std::int64_t>();
    entry.epoch = in.get<std::int16_t>();
    entry.last_write.value = in.get<std::int64_t>();
    entry.count = in.get<std::uint8_t>();
    if (entry.count > entry.batches.size()) return malformed("producer window: too many batches");
    if (in.left() < entry.count * kWindowBatch) return malformed("producer window: ends too early");
    for (std::size_t i = 0; i < entry.count; ++i) {
        RememberedBatch& batch = entry.batches[i];
        batch.last_sequence = in.get<std::int32_t>();
        batch.offset_delta = in.get<std::int32_t>();
        batch.last_offset.value = in.get<std::int64_t>();
        batch.timestamp.value = in.get<std::int64_t>();
        if (batch.offset_delta < 0 || batch.last_sequence < -1)
            return malformed("producer window: a negative number");
    }
    return entry;
}

}  // namespace

Result<void> decode_window(Bytes file, Offset at, ProducerEntries& entries) {
    if (file.size() < kWindowHead + kWindowFixed) return malformed("producer window: too short");
    if (std::memcmp(file.data(), kWindowMagic.data(), kWindowMagic.size()) != 0)
        return malformed("producer window: not of a known version");
    In in{file.subspan(kWindowMagic.size())};
    if (in.get<std::uint32_t>() != codec::crc32c(file.subspan(kWindowHead)))
        return malformed("producer window: wrong checksum");
    if (in.get<std::int64_t>() != at.value) return malformed("producer window: of another offset");
    const auto count = in.get<std::int32_t>();
    if (count < 0 || in.left() / kWindowEntry < static_cast<std::size_t>(count))
        return malformed("producer window: its length does not fit its count");
    std::vector<WindowEntry> read;
    read.reserve(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
        LEAT_TRY(WindowEntry entry, next_window_entry(in));
        read.push_back(entry);
    }
    if (in.left() != 0) return malformed("producer window: bytes behind its end");
    for (const WindowEntry& entry : read) {
        const auto found = entries.find(entry.id);
        if (found == entries.end() || found->second.epoch != entry.epoch) continue;
        ProducerEntry& known = found->second;
        known.last_write = entry.last_write;
        if (known.batch_count != 1) continue;
        for (std::size_t i = 0; i < entry.count; ++i)
            known.batches[known.batch_count++] = entry.batches[i];
    }
    return {};
}

}  // namespace leat::storage
