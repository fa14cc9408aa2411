// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target over the files (or folders of files) named on the command line, so that every
// preset replays the corpus as an ordinary test. Fails when it finds no file: an empty corpus
// checks nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void replay(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
    int files = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            replay(argv[i]);
            ++files;
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator{argv[i]}) {
            replay(entry.path());
            ++files;
        }
    }
    std::printf("replayed %d files\n", files);
    return files == 0 ? 1 : 0;
}
