// SPDX-License-Identifier: Apache-2.0
#include <regex.h>

#include <string>

#include "leat/streams/detail/parts.h"

namespace leat::streams::detail {

namespace {

class Compiled {
  public:
    explicit Compiled(const std::string& pattern)
        : good_(regcomp(&regex_, ("^(" + pattern + ")$").c_str(), REG_EXTENDED | REG_NOSUB) == 0) {}
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() {
        if (good_) regfree(&regex_);
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool matches(const std::string& text) const {
        return good_ && regexec(&regex_, text.c_str(), 0, nullptr, 0) == 0;
    }

  private:
    regex_t regex_{};
    bool good_;
};

}  // namespace

bool is_pattern(const std::string& pattern) {
    return !pattern.empty() && pattern.find('\0') == std::string::npos && Compiled{pattern}.good();
}

bool topic_matches(const std::string& pattern, const std::string& topic) {
    return Compiled{pattern}.matches(topic);
}

}  // namespace leat::streams::detail
