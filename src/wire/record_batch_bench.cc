// SPDX-License-Identifier: Apache-2.0
//
// What validation of client batches costs a byte: range(0) is the size of values, batches hold 64
// KB of records, over 64 MB of batches in turn so that they come from memory rather than from the
// cache.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "codec/crc32c.h"
#include "wire/batch_builder.h"
#include "wire/batch_validation.h"

namespace {

using leat::codec::Codec;

constexpr std::size_t kBatchBytes = std::size_t{64} * 1024;
constexpr std::size_t kTotalBytes = std::size_t{64} << 20;

std::vector<std::byte> make_batch(std::size_t value_bytes, Codec codec) {
    std::vector<std::byte> value(value_bytes);
    std::uint32_t state = 1;
    leat::wire::BatchOptions options;
    options.codec = codec;
    leat::wire::BatchBuilder builder{options};
    while (builder.size_bytes() < kBatchBytes) {
        for (std::byte& byte : value) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<std::byte>('a' + (state >> 28));  // 4 bits of noise a byte.
        }
        builder.add({.timestamp = {1'700'000'000'000 + builder.count()},
                     .key = leat::Bytes{value}.first(std::min<std::size_t>(8, value_bytes)),
                     .value = value});
    }
    return *builder.finish();
}

void run(benchmark::State& state, Codec codec, const leat::wire::BatchRules& rules) {
    const auto batch = make_batch(static_cast<std::size_t>(state.range(0)), codec);
    const std::size_t count = kTotalBytes / std::max<std::size_t>(batch.size(), 1);
    std::vector<std::byte> all;
    for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), batch.begin(), batch.end());
    std::vector<leat::wire::RecordError> errors;
    std::size_t at = 0;
    while (state.KeepRunning()) {
        const leat::Bytes one = leat::Bytes{all}.subspan(at * batch.size(), batch.size());
        const auto valid = validate_batch(one, rules, errors);
        if (!valid) state.SkipWithError("refused");
        benchmark::DoNotOptimize(valid->max_timestamp);
        at = at + 1 < count ? at + 1 : 0;
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(batch.size()) * state.iterations());
}

void validate_plain(benchmark::State& state) {
    run(state, Codec::kNone, {});
}
void validate_compressed(benchmark::State& state) {
    run(state, Codec::kLz4, {});
}
void validate_inflated_lz4(benchmark::State& state) {
    leat::wire::BatchRules rules;
    rules.always_walk = true;
    run(state, Codec::kLz4, rules);
}
void validate_inflated_zstd(benchmark::State& state) {
    leat::wire::BatchRules rules;
    rules.always_walk = true;
    run(state, Codec::kZstd, rules);
}
void checksum_alone(benchmark::State& state) {
    const auto batch = make_batch(static_cast<std::size_t>(state.range(0)), Codec::kNone);
    const std::size_t count = kTotalBytes / std::max<std::size_t>(batch.size(), 1);
    std::vector<std::byte> all;
    for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), batch.begin(), batch.end());
    std::size_t at = 0;
    while (state.KeepRunning()) {
        benchmark::DoNotOptimize(
            leat::codec::crc32c(leat::Bytes{all}.subspan(at * batch.size(), batch.size())));
        at = at + 1 < count ? at + 1 : 0;
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(batch.size()) * state.iterations());
}

BENCHMARK(checksum_alone)->Arg(1000);
BENCHMARK(validate_plain)->Arg(16)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(validate_compressed)->Arg(100)->Arg(1000);
BENCHMARK(validate_inflated_lz4)->Arg(100)->Arg(1000);
BENCHMARK(validate_inflated_zstd)->Arg(100)->Arg(1000);

}  // namespace
