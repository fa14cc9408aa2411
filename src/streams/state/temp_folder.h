// SPDX-License-Identifier: Apache-2.0
//
// A folder of its own for a test, removed at the end, and what damages state in it. For tests of
// stores only. Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <system_error>

#include "base/check.h"

namespace leat::streams::detail {

class TempFolder {
  public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-state-XXXXXX").string();
        LEAT_CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code gone;
        std::filesystem::remove_all(path_, gone);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

/// Writes over a block in the middle of each table of a database that nobody reads just now.
inline void spoil_tables(const std::string& database) {
    constexpr std::streamoff kAmongBlocks = 60'000;
    for (const auto& entry : std::filesystem::directory_iterator(database)) {
        if (entry.path().extension() != ".sst") continue;
        std::fstream file{entry.path(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(kAmongBlocks);
        file << "damage";
    }
}

}  // namespace leat::streams::detail
