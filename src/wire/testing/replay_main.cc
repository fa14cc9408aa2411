// SPDX-License-Identifier: Apache-2.0
//
// Replays the corpora of all wire_<api>_fuzz targets, without a fuzzer. Usage: <folder of corpora>.
// Fails when an API has no corpus: an empty one checks nothing.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "wire/testing/catalog.h"
#include "wire/testing/fuzz_api.h"

namespace {

int replay(const std::filesystem::path& folder, const std::string& stem) {
    int files = 0;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator{folder, none}) {
        std::ifstream in{file.path(), std::ios::binary};
        const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
        leat::wire::testing::fuzz_api(
            stem.c_str(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        ++files;
    }
    return files;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::set<std::string> stems;
    for (const auto& entry : leat::wire::testing::catalog()) stems.emplace(entry.stem);
    int files = 0;
    for (const std::string& stem : stems) {
        const std::string target = "wire_" + stem + "_fuzz";
        const int found = replay(std::filesystem::path{argv[1]} / target, stem);
        if (found == 0) {
            std::fprintf(stderr, "no corpus for %s\n", target.c_str());
            return 1;
        }
        files += found;
    }
    std::printf("replayed %d files of %zu targets\n", files, stems.size());
    return 0;
}
