// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes a decoder; a snapshot that is accepted is written back byte for
// byte, but for the order of its producers; a window that is accepted adds no producer and no more
// than five batches. The first two bytes: length of the snapshot, the rest is the window. Checksums
// are put right first, so that what lies behind them is reached.
#include "storage/producer_snapshot.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "codec/crc32c.h"

namespace {

using leat::Bytes;
using namespace leat::storage;  // NOLINT(google-build-using-namespace): a program of its own.

void seal(std::vector<std::byte>& file, std::size_t at) {
    if (file.size() < at + 4) return;
    leat::store_be(file.data() + at, leat::codec::crc32c(Bytes{file}.subspan(at + 4)));
}

void check_window(const std::vector<std::byte>& window, const ProducerEntries& entries) {
    const leat::Offset at{window.size() >= 16 ? leat::load_be<std::int64_t>(window.data() + 8) : 0};
    ProducerEntries copy = entries;
    if (!decode_window(window, at, copy)) {
        LEAT_CHECK(copy == entries);
        return;
    }
    LEAT_CHECK(copy.size() == entries.size());
    for (const auto& [id, entry] : copy) LEAT_CHECK(entry.batch_count <= ProducerEntry::kBatches);
    auto again = decode_snapshot(encode_snapshot(copy));
    LEAT_CHECK(again.has_value());
    LEAT_CHECK(decode_window(encode_window(copy, at), at, *again).has_value());
    LEAT_CHECK(*again == copy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const Bytes bytes = std::as_bytes(std::span{data + 2, size - 2});
    const auto cut = std::min<std::size_t>(data[0] + 256U * data[1], bytes.size());
    std::vector<std::byte> snapshot(bytes.begin(),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    std::vector<std::byte> window(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end());
    (void)decode_snapshot(snapshot);
    seal(snapshot, 2);
    seal(window, 4);
    ProducerEntries entries;
    if (auto decoded = decode_snapshot(snapshot)) {
        entries = *std::move(decoded);
        auto again = decode_snapshot(encode_snapshot(entries));
        LEAT_CHECK(again.has_value() && *again == entries);
        LEAT_CHECK(encode_snapshot(entries).size() == snapshot.size());
    }
    check_window(window, entries);
    return 0;
}
