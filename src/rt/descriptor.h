// SPDX-License-Identifier: Apache-2.0
//
// An owned file descriptor. Layer: rt (L1).
#pragma once

#include <utility>

namespace leat::rt {

/// Closes its descriptor when it goes; -1 is none.
///
/// Threading: not synchronised; may move between threads.
class Descriptor {
  public:
    Descriptor() noexcept = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~Descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

    /// Closes what it has and owns `fd` from now on.
    void reset(int fd = -1) noexcept;

  private:
    int fd_ = -1;
};

}  // namespace leat::rt
