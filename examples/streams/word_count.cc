// SPDX-License-Identifier: Apache-2.0
//
// Counts words: text/lines in, a number for each word out.
//
//     word_count HOST:PORT [name=value]...     settings under Kafka Streams' names
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "leat/streams/application.h"
#include "leat/streams/builder.h"

namespace {

std::vector<std::string> words(const std::string& line) {
    std::istringstream in{line};
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    using leat::streams::Application;
    leat::streams::Builder builder;
    builder.stream<std::string, std::string>("lines")
        .flat_map_values(words)
        .group_by([](const std::string& word) { return word; }, {.name = "by-word"})
        .count({.store = "counts"})
        .to_stream()
        .to("word-counts");
    const auto topology = builder.build();
    Application::Options options{.application_id = "word-count",
                                 .bootstrap_servers = argc > 1 ? argv[1] : "127.0.0.1:9092"};
    for (int i = 2; i < argc; ++i) {
        const std::string setting{argv[i]};
        const auto at = setting.find('=');
        if (at != std::string::npos)
            options.properties[setting.substr(0, at)] = setting.substr(at + 1);
    }
    options.on_state = [](auto now, auto) {
        std::printf("%s\n", name_of(now).c_str()), std::fflush(stdout);
    };
    auto app = Application::open(*topology, options);
    const auto done = app ? (*app)->run_until_signal() : leat::Result<void>{std::move(app).error()};
    if (done) return 0;
    std::fprintf(stderr, "word_count: %s\n", std::string{done.error().detail()}.c_str());
    return 1;
}
