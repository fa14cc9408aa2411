// SPDX-License-Identifier: Apache-2.0
//
// Lines of a file, pipe or terminal, with something useful done while none comes. Layer: apps (L7).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::apps {

/// Threading: not synchronised.
/// Memory:    the longest line.
class LineReader {
  public:
    /// Does not own `descriptor`. `on_idle` runs every 100 ms while no input comes; false stops
    /// reading.
    LineReader(int descriptor, std::function<bool()> on_idle);

    /// The next line without its line break, valid until the next call; the last line may lack one.
    /// False at the end of the input. Errors: kIoError.
    Result<bool> next(std::string_view& line);
    /// Whether the input has ended and next() has given all of it.
    [[nodiscard]] bool is_at_end() const { return at_end_ && used_ == buffer_.size(); }
    /// The same for who stops reading, and may not have met an end that is there already. Does not
    /// wait.
    bool finds_end();

  private:
    int descriptor_;
    std::function<bool()> on_idle_;
    std::string buffer_;
    std::size_t used_ = 0;      ///< Bytes of buffer_ handed out.
    std::size_t searched_ = 0;  ///< Bytes of buffer_ known to hold no line break.
    bool at_end_ = false;
};

}  // namespace leat::apps
