// SPDX-License-Identifier: Apache-2.0
//
// Method: the committed pages are what the tables print today.
#include "apps/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace leat::apps {
namespace {

std::string committed(const std::string& name) {
    std::ifstream in{"docs/reference/" + name + ".md"};
    return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(ReferencePages, AreFreshAsCommitted) {
    std::string_view names = kReferencePages;
    while (!names.empty()) {
        const std::size_t bar = std::min(names.find('|'), names.size());
        const std::string name{names.substr(0, bar)};
        EXPECT_EQ(committed(name), reference_page(name))
            << "run: leat reference --print " << name << " > docs/reference/" << name << ".md";
        names.remove_prefix(std::min(bar + 1, names.size()));
    }
}

}  // namespace
}  // namespace leat::apps
