// SPDX-License-Identifier: Apache-2.0
//
// Counts words.
//
//     lines         any key, text                    in
//     word-counts   the word, how often: 8 bytes     out
//
// word_count HOST:PORT [setting=value]..., or word_count --try: see example.h.
#include <sstream>
#include <string>
#include <vector>

#include "example.h"

namespace {

using leat::streams::Builder;

std::vector<std::string> words(const std::string& line) {
    std::istringstream in{line};
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

leat::Result<leat::streams::Topology> word_count() {
    Builder builder;
    builder.stream<std::string, std::string>("lines")
        .flat_map_values(words)
        .group_by([](const std::string& word) { return word; }, {.name = "by-word"})
        .count({.store = "counts"})
        .to_stream()
        .to("word-counts");
    return builder.build();
}

}  // namespace

int main(int argc, char** argv) {
    return example::run(argc, argv, word_count, {.application_id = "word-count"});
}
