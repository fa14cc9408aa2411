// SPDX-License-Identifier: Apache-2.0
#include "raw_protocol.h"

#include <nmmintrin.h>

#include <cstring>

namespace leat::bench {
namespace {

constexpr std::size_t kBatchHeaderBytes = 61;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kCrcFrom = 21;

Out begin(std::int16_t key, std::int16_t version) {
    Out out;
    out.i32(0);
    out.i16(key);
    out.i16(version);
    out.i32(7);  // answers come in order, so the correlation id need not tell requests apart
    out.string("loadgen");
    return out;
}

std::string finish(Out out, std::size_t follows = 0) {
    out.patch_i32(0, static_cast<std::int32_t>(out.bytes.size() - 4 + follows));
    return std::move(out.bytes);
}

}  // namespace

void Out::put(std::uint64_t v, int width) {
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>((v >> shift) & 0xff));
    }
}

void Out::string(std::string_view v) {
    i16(static_cast<std::int16_t>(v.size()));
    raw(v);
}

void Out::varint(std::int64_t v) {
    auto z = (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
    for (; z >= 0x80; z >>= 7) {
        bytes.push_back(static_cast<char>((z & 0x7f) | 0x80));
    }
    bytes.push_back(static_cast<char>(z));
}

void Out::patch_i32(std::size_t at, std::int32_t v) {
    Out field;
    field.i32(v);
    bytes.replace(at, 4, field.bytes);
}

void Out::patch_i64(std::size_t at, std::int64_t v) {
    Out field;
    field.i64(v);
    bytes.replace(at, 8, field.bytes);
}

std::uint64_t In::get(int width) {
    const auto bytes = take(static_cast<std::size_t>(width));
    std::uint64_t v = 0;
    for (const char c : bytes) {
        v = (v << 8) | static_cast<std::uint8_t>(c);
    }
    return v;
}

std::string_view In::take(std::size_t n) {
    if (n > left_.size()) {
        failed = true;
        left_ = {};
        return {};
    }
    const auto head = left_.substr(0, n);
    left_.remove_prefix(n);
    return head;
}

std::string_view In::string() {
    const auto n = i16();
    return n < 0 ? std::string_view{} : take(static_cast<std::size_t>(n));
}

std::int64_t In::varint() {
    std::uint64_t z = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const auto b = static_cast<std::uint64_t>(get(1));
        z |= (b & 0x7f) << shift;
        if ((b & 0x80) == 0) {
            break;
        }
    }
    return static_cast<std::int64_t>(z >> 1) ^ -static_cast<std::int64_t>(z & 1);
}

std::uint32_t crc32c(std::string_view bytes) {
    std::uint64_t crc = 0xffffffffU;
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        crc = _mm_crc32_u64(crc, word);
        bytes.remove_prefix(8);
    }
    for (const char c : bytes) {
        crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<std::uint8_t>(c));
    }
    return static_cast<std::uint32_t>(crc) ^ 0xffffffffU;
}

std::string build_batch(const std::vector<std::string>& values, std::int64_t now_ms) {
    Out out;
    const auto count = static_cast<std::int32_t>(values.size());
    out.i64(0);   // base offset
    out.i32(0);   // length, patched below
    out.i32(-1);  // leader epoch
    out.i8(2);    // magic
    out.i32(0);   // crc, patched below
    out.i16(0);   // attributes
    out.i32(count - 1);
    out.i64(now_ms);
    out.i64(now_ms);
    out.i64(-1);  // producer id
    out.i16(-1);
    out.i32(-1);
    out.i32(count);
    for (std::int32_t i = 0; i < count; ++i) {
        const auto& value = values[static_cast<std::size_t>(i)];
        Out record;
        record.i8(0);
        record.varint(0);
        record.varint(i);
        record.varint(-1);
        record.varint(static_cast<std::int64_t>(value.size()));
        record.raw(value);
        record.varint(0);
        out.varint(static_cast<std::int64_t>(record.bytes.size()));
        out.raw(record.bytes);
    }
    static_assert(kCrcFrom < kBatchHeaderBytes);
    out.patch_i32(8, static_cast<std::int32_t>(out.bytes.size() - 12));
    out.patch_i32(kCrcAt,
                  static_cast<std::int32_t>(crc32c(std::string_view(out.bytes).substr(kCrcFrom))));
    return std::move(out.bytes);
}

std::string produce_head(std::string_view topic, std::int32_t partition, std::int16_t acks,
                         std::size_t batch_bytes) {
    Out out = begin(kProduce, 7);
    out.i16(-1);  // no transactional id
    out.i16(acks);
    out.i32(30'000);
    out.i32(1);
    out.string(topic);
    out.i32(1);
    out.i32(partition);
    out.i32(static_cast<std::int32_t>(batch_bytes));
    return finish(std::move(out), batch_bytes);
}

std::string fetch_frame(const FetchPlan& plan) {
    Out out = begin(kFetch, 11);
    out.i32(-1);
    out.i32(plan.max_wait_ms);
    out.i32(1);
    out.i32(plan.max_bytes);
    out.i8(0);
    out.i32(0);   // no session
    out.i32(-1);  // final epoch: sessionless
    out.i32(1);
    out.string(plan.topic);
    out.i32(1);
    out.i32(plan.partition);
    out.i32(-1);
    out.i64(plan.offset);
    out.i64(-1);
    out.i32(plan.max_bytes);
    out.i32(0);
    out.string("");
    return finish(std::move(out));
}

std::string list_offsets_frame(std::string_view topic, std::int32_t partitions) {
    Out out = begin(kListOffsets, 2);
    out.i32(-1);
    out.i8(0);
    out.i32(1);
    out.string(topic);
    out.i32(partitions);
    for (std::int32_t p = 0; p < partitions; ++p) {
        out.i32(p);
        out.i64(-1);
    }
    return finish(std::move(out));
}

std::string create_topic_frame(std::string_view topic, std::int32_t partitions,
                               const std::vector<std::pair<std::string, std::string>>& configs) {
    Out out = begin(kCreateTopics, 2);
    out.i32(1);
    out.string(topic);
    out.i32(partitions);
    out.i16(1);
    out.i32(0);
    out.i32(static_cast<std::int32_t>(configs.size()));
    for (const auto& [name, value] : configs) {
        out.string(name);
        out.string(value);
    }
    out.i32(60'000);
    out.i8(0);
    return finish(std::move(out));
}

std::vector<ProduceAnswer> read_produce_answer(std::string_view frame) {
    In in(frame);
    in.i32();  // correlation id
    std::vector<ProduceAnswer> answers;
    const auto topics = in.i32();
    for (std::int32_t t = 0; t < topics && !in.failed; ++t) {
        in.string();
        const auto partitions = in.i32();
        for (std::int32_t p = 0; p < partitions && !in.failed; ++p) {
            ProduceAnswer answer;
            answer.partition = in.i32();
            answer.error = in.i16();
            answer.base_offset = in.i64();
            in.i64();
            in.i64();
            answers.push_back(answer);
        }
    }
    in.i32();  // throttle
    return in.failed ? std::vector<ProduceAnswer>{} : answers;
}

}  // namespace leat::bench
