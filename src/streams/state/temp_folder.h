// SPDX-License-Identifier: Apache-2.0
//
// A folder of its own for a test, removed at the end. For tests of stores only. Layer: streams
// (L6). Threading: not synchronised.
#pragma once

#include <stdlib.h>

#include <filesystem>
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

}  // namespace leat::streams::detail
