// SPDX-License-Identifier: Apache-2.0
//
// Cost of making topics durable: one a transaction, and 5,000 in one. LEAT_BENCH_DIR names the
// folder.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "metadata/controller.h"
#include "metadata/store.h"
#include "rt/posix_disk.h"

namespace leat::metadata {
namespace {

void topics(benchmark::State& run, std::size_t per_commit) {
    const char* folder = std::getenv("LEAT_BENCH_DIR");
    const auto path = std::filesystem::path{folder != nullptr ? folder : "."} / "bench-metadata.db";
    const auto remove = [&] {
        for (const char* end : {"", "-wal"}) std::filesystem::remove(path.string() + end);
    };
    remove();
    rt::PosixDisk disk;
    auto store = open_sqlite_store(disk, path.string(), "c");
    LEAT_CHECK(store.has_value());
    std::uint64_t n = 0;
    Controller controller{*Image::make(*(*store)->load(), {}),
                          [&n] { return ++n * 0x9E3779B97F4A7C15; }};
    int made = 0;
    for (auto _ : run) {
        std::vector<NewTopic> asked(per_commit);
        for (NewTopic& topic : asked) topic.name = "topic-" + std::to_string(made++);
        std::vector<Delta> deltas;
        controller.create_topics(asked, false, deltas);
        LEAT_CHECK((*store)->commit(deltas).has_value());
    }
    run.SetItemsProcessed(static_cast<std::int64_t>(per_commit) * run.iterations());
    store = Error{Errc::kClosed};
    remove();
}
BENCHMARK_CAPTURE(topics, one_per_commit, std::size_t{1})->Iterations(1'000)->UseRealTime();
BENCHMARK_CAPTURE(topics, five_thousand_per_commit, std::size_t{5'000})
    ->Iterations(3)
    ->UseRealTime();

}  // namespace
}  // namespace leat::metadata
