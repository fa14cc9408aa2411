// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/serde_needs.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace leat::streams::detail {

std::string type_name(const std::type_info& type) {
    struct Free {
        void operator()(char* text) const { std::free(text); }  // NOLINT(*-no-malloc)
    };
    const std::unique_ptr<char, Free> text{
        abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr)};
    std::string out = text != nullptr ? text.get() : type.name();
    constexpr std::string_view kText =
        "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    for (std::size_t at = 0; (at = out.find(kText, at)) != std::string::npos;)
        out.replace(at, kText.size(), "std::string");
    return out;
}

std::string missing_serdes(std::initializer_list<SerdeNeed> needs) {
    std::string out;
    for (const SerdeNeed& one : needs) {
        if (one.is_given) continue;
        const std::string type = type_name(*one.type);
        if (!out.empty()) out += "; ";
        for (const std::string_view part :
             {std::string_view{"no serde for "}, one.of, std::string_view{", of type "},
              std::string_view{type}, std::string_view{": give one in "}, one.member,
              std::string_view{", or specialise SerdeFor<"}, std::string_view{type},
              std::string_view{"> (serde.h, for structs json.h)"}})
            out += part;
    }
    return out;
}

}  // namespace leat::streams::detail
