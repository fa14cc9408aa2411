// SPDX-License-Identifier: Apache-2.0
//
// The few Kafka messages a load generator needs, encoded and read by hand.
//
// Layer: bench (beside the layers; includes nothing of src/ on purpose, see CMakeLists.txt).
// Spec: Produce 7, Fetch 11, ListOffsets 2, CreateTopics 2, record batch magic 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::bench {

inline constexpr std::int16_t kProduce = 0;
inline constexpr std::int16_t kFetch = 1;
inline constexpr std::int16_t kListOffsets = 2;
inline constexpr std::int16_t kCreateTopics = 19;

/// Appends big-endian fields to a byte string.
///
/// Threading: not synchronised.
class Out {
  public:
    void i8(std::int8_t v) { put(static_cast<std::uint8_t>(v), 1); }
    void i16(std::int16_t v) { put(static_cast<std::uint16_t>(v), 2); }
    void i32(std::int32_t v) { put(static_cast<std::uint32_t>(v), 4); }
    void i64(std::int64_t v) { put(static_cast<std::uint64_t>(v), 8); }
    void string(std::string_view v);
    void varint(std::int64_t v);  ///< zigzag, as record fields are
    void raw(std::string_view v) { bytes.append(v); }
    void patch_i32(std::size_t at, std::int32_t v);
    void patch_i64(std::size_t at, std::int64_t v);

    std::string bytes;

  private:
    void put(std::uint64_t v, int width);
};

/// Reads big-endian fields; `failed` once a field lies outside the bytes, then every value is 0.
///
/// Threading: not synchronised.
class In {
  public:
    explicit In(std::string_view bytes) : left_(bytes) {}
    std::int8_t i8() { return static_cast<std::int8_t>(get(1)); }
    std::int16_t i16() { return static_cast<std::int16_t>(get(2)); }
    std::int32_t i32() { return static_cast<std::int32_t>(get(4)); }
    std::int64_t i64() { return static_cast<std::int64_t>(get(8)); }
    std::string_view string();
    std::string_view take(std::size_t n);
    std::int64_t varint();
    [[nodiscard]] std::size_t left() const { return left_.size(); }

    bool failed = false;

  private:
    std::uint64_t get(int width);
    std::string_view left_;
};

/// CRC-32C by the SSE 4.2 instruction.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

/// One uncompressed magic-2 batch of records with the given values, timestamps all `now_ms`.
[[nodiscard]] std::string build_batch(const std::vector<std::string>& values, std::int64_t now_ms);

/// The whole Produce frame up to and including the length of the records; the batch follows it on
/// the wire.
[[nodiscard]] std::string produce_head(std::string_view topic, std::int32_t partition,
                                       std::int16_t acks, std::size_t batch_bytes);

struct FetchPlan {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int32_t max_wait_ms = 500;
    std::int32_t max_bytes = 8 << 20;
};
[[nodiscard]] std::string fetch_frame(const FetchPlan& plan);
[[nodiscard]] std::string list_offsets_frame(std::string_view topic, std::int32_t partitions);
[[nodiscard]] std::string create_topic_frame(
    std::string_view topic, std::int32_t partitions,
    const std::vector<std::pair<std::string, std::string>>& configs);

struct ProduceAnswer {
    std::int32_t partition = 0;
    std::int16_t error = 0;
    std::int64_t base_offset = 0;
};
/// Reads the answer's body (after the frame length): one entry a partition. Empty when malformed.
[[nodiscard]] std::vector<ProduceAnswer> read_produce_answer(std::string_view frame);

}  // namespace leat::bench
