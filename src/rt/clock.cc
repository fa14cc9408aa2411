// SPDX-License-Identifier: Apache-2.0
#include "rt/clock.h"

#include <chrono>

namespace leat::rt {
namespace {

class SystemTime final : public Clock {
  public:
    [[nodiscard]] Instant now() const override {
        return Instant{std::chrono::steady_clock::now().time_since_epoch()};
    }
    [[nodiscard]] WallMs wall_now() const override {
        return WallMs{std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count()};
    }
};

}  // namespace

const Clock& system_time() {
    static const SystemTime time;
    return time;
}

}  // namespace leat::rt
