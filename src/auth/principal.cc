// SPDX-License-Identifier: Apache-2.0
#include "auth/principal.h"

namespace leat::auth {

Principal::Principal(std::string_view type, std::string_view name) : type_bytes_(type.size()) {
    text_.append(type).append(":").append(name);
}

Principal Principal::parse(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string_view Principal::type() const noexcept {
    return std::string_view{text_}.substr(0, type_bytes_);
}

std::string_view Principal::name() const noexcept {
    return std::string_view{text_}.substr(type_bytes_ + 1);
}

}  // namespace leat::auth
