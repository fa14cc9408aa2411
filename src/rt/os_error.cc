// SPDX-License-Identifier: Apache-2.0
#include "rt/os_error.h"

#include <unistd.h>

#include <string>
#include <system_error>

#include "rt/descriptor.h"

namespace leat::rt {
namespace {

Errc errc_of(int error) {
    switch (error) {
        case ENOENT:
        case EADDRNOTAVAIL:
            return Errc::kNotFound;
        case EEXIST:
        case ENOTEMPTY:
        case EADDRINUSE:
            return Errc::kAlreadyExists;
        case ENOSPC:
        case EDQUOT:
            return Errc::kNoSpace;
        case EMFILE:
        case ENFILE:
            return Errc::kTooManyOpenFiles;
        default:
            return Errc::kIoError;
    }
}

std::string words(std::string_view call, std::string_view on, int error) {
    std::string detail{call};
    detail += ' ';
    detail += on;
    detail += ": ";
    detail += std::generic_category().message(error);
    return detail;
}

}  // namespace

Error os_error(std::string_view call, std::string_view on, int error) {
    return Error{errc_of(error), words(call, on, error)};
}

Error sync_error(std::string_view call, std::string_view on, int error) {
    const Errc code = errc_of(error);
    return Error{code == Errc::kTooManyOpenFiles ? Errc::kIoError : code, words(call, on, error)};
}

void Descriptor::reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

}  // namespace leat::rt
