// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes the decoder; what it accepts comes back the same after encoding and
// decoding, and does not change with what stands behind the last good frame. The head's checksum
// and the first frame's are put right first.
#include "storage/durable_marks.h"

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "codec/crc32c.h"

namespace {

using leat::Bytes;
using namespace leat::storage;  // NOLINT(google-build-using-namespace): a program of its own.

constexpr std::size_t kHead = 16;
constexpr std::size_t kEntry = 28;

std::uint32_t checksum(std::uint64_t generation, Bytes rest) {
    std::byte first[8];
    leat::store_be(first, generation);
    return leat::codec::Crc32c{}.update(first).update(rest).value();
}

void seal(std::vector<std::byte>& file) {
    if (file.size() < kHead + 8) return;
    const auto generation = leat::load_be<std::uint64_t>(file.data() + 8);
    leat::store_be(file.data() + 4, checksum(generation, {}));
    const Bytes rest = Bytes{file}.subspan(kHead);
    const auto count = leat::load_be<std::uint32_t>(rest.data() + 4);
    if ((rest.size() - 8) / kEntry < count) return;
    leat::store_be(file.data() + kHead, checksum(generation, rest.subspan(4, 4 + count * kEntry)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes raw = std::as_bytes(std::span{data, size});
    std::vector<std::byte> file(raw.begin(), raw.end());
    (void)decode_marks(file);
    seal(file);
    const auto read = decode_marks(file);
    if (!read) return 0;
    LEAT_CHECK(read->used_bytes <= file.size());
    std::vector<DurableMarks::Mark> marks;
    marks.reserve(read->marks.size());
    for (const auto& [id, offset] : read->marks) marks.push_back({id, offset});
    auto again = encode_mark_head(read->generation);
    const auto frame = encode_mark_frame(read->generation, marks);
    again.insert(again.end(), frame.begin(), frame.end());
    const auto second = decode_marks(again);
    LEAT_CHECK(second.has_value() && second->marks == read->marks);
    const auto cut = decode_marks(Bytes{file}.first(read->used_bytes));
    LEAT_CHECK(cut.has_value() && cut->marks == read->marks);
    return 0;
}
