// SPDX-License-Identifier: Apache-2.0
#include "apps/raw_json.h"

#include <boost/json.hpp>

#include "base/check.h"

namespace leat::apps {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

/// Steps through a text that is known to be valid JSON.
class Walker {
  public:
    explicit Walker(std::string_view text) : rest_(text) { skip_space(); }

    [[nodiscard]] char peek() const {
        LEAT_CHECK(!rest_.empty());
        return rest_.front();
    }
    /// Steps over one character and the space behind it.
    void step() {
        LEAT_CHECK(!rest_.empty());
        rest_.remove_prefix(1);
        skip_space();
    }
    /// Steps over one value, and gives its text.
    std::string_view value() {
        const std::size_t size = size_of_value();
        const std::string_view text = rest_.substr(0, size);
        rest_.remove_prefix(size);
        skip_space();
        return text;
    }

  private:
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    }
    [[nodiscard]] std::size_t end_of_string(std::size_t at) const {
        for (++at; at < rest_.size() && rest_[at] != '"'; ++at)
            if (rest_[at] == '\\') ++at;
        return at + 1;
    }
    [[nodiscard]] std::size_t size_of_value() const {
        std::size_t depth = 0;
        std::size_t at = 0;
        for (; at < rest_.size(); ++at) {
            const char c = rest_[at];
            if (c == '"') {
                at = end_of_string(at) - 1;
                if (depth == 0) return at + 1;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (c == '}' || c == ']') {
                if (depth == 0) return at;
                if (--depth == 0) return at + 1;
            } else if (depth == 0 && (c == ',' || kSpace.find(c) != std::string_view::npos)) {
                return at;
            }
        }
        return at;
    }

    std::string_view rest_;
};

}  // namespace

std::vector<RawMember> raw_members(std::string_view object) {
    std::vector<RawMember> out;
    Walker walk{object};
    LEAT_CHECK(walk.peek() == '{');
    walk.step();
    while (walk.peek() != '}') {
        const boost::json::value name = boost::json::parse(walk.value());
        LEAT_CHECK(walk.peek() == ':');
        walk.step();
        out.push_back({.name = std::string{name.as_string()}, .text = walk.value()});
        if (walk.peek() == ',') walk.step();
    }
    return out;
}

std::vector<std::string_view> raw_items(std::string_view array) {
    std::vector<std::string_view> out;
    Walker walk{array};
    LEAT_CHECK(walk.peek() == '[');
    walk.step();
    while (walk.peek() != ']') {
        out.push_back(walk.value());
        if (walk.peek() == ',') walk.step();
    }
    return out;
}

}  // namespace leat::apps
