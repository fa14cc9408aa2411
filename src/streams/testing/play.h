// SPDX-License-Identifier: Apache-2.0
//
// Plays a few records through a topology and writes down all that comes out, as text. The same
// notation is printed by a program around Kafka Streams' TopologyTestDriver, so that what it
// printed can stand in a test as it is. Layer: streams (L6), tests only.
// Threading: pure functions.
//
//     "in k a 100; in - b 101; +1000; in k - 102"
// pipes into topic "in" (key, value, timestamp; "-" is null) and moves the wall clock by 1000 ms.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams::testing_play {

/// Bytes as text: what is no printable character is \xx.
inline std::string shown(const std::optional<std::string>& bytes) {
    if (!bytes) return "null";
    std::string out;
    for (const char c : *bytes) {
        if (c > ' ' && c < '\x7f' && c != '\\') {
            out += c;
            continue;
        }
        std::array<char, 4> text{};
        std::snprintf(text.data(), text.size(), "\\%02x", static_cast<unsigned char>(c));
        out.append(text.data(), 3);
    }
    return out;
}

inline std::string written(TestDriver& driver) {
    std::string out;
    for (const auto& topic : driver.produced_topics()) {
        for (const auto& record : driver.read(topic)) {
            constexpr std::string_view kPrefix = "app-";
            const bool internal = topic.starts_with(kPrefix);
            out += "    " + topic.substr(internal ? kPrefix.size() : 0) + " | " +
                   shown(record.key) + " | " + shown(record.value) + " @" +
                   (record.timestamp < 0 ? "null" : std::to_string(record.timestamp));
            for (const auto& header : record.headers)
                out += " " + header.name + "=" + shown(header.value);
            out += "\n";
        }
    }
    return out;
}

/// What happens, line by line, and at last how many records were dropped.
inline std::string play(Builder& builder, const std::string& input,
                        TestDriver::Options options = {}, const Optimization& optimization = {}) {
    options.application_id = "app";
    const auto topology = builder.build(optimization);
    if (!topology) return "build: " + std::string{topology.error().detail()};
    auto opened = TestDriver::open(*topology, options);
    if (!opened) return "open: " + std::string{opened.error().detail()};
    TestDriver& driver = **opened;
    std::string out = "\n";
    std::istringstream steps{input};
    for (std::string step; std::getline(steps, step, ';');) {
        std::istringstream words{step};
        std::string topic;
        std::string key;
        std::string value;
        std::int64_t at = 0;
        words >> topic;
        if (topic.starts_with('+')) {
            EXPECT_TRUE(driver.advance_wall_time(Duration{std::stoll(topic.substr(1))}));
            out += "  " + topic + " wall\n";
        } else {
            words >> key >> value >> at;
            out.append("  > ").append(topic).append(" ").append(key).append(" ").append(value);
            out.append(" ").append(std::to_string(at)).append("\n");
            const auto done = driver.pipe(topic, key == "-" ? std::nullopt : std::optional{key},
                                          value == "-" ? std::nullopt : std::optional{value}, {at});
            if (!done) out += "    error " + std::string{done.error().detail()} + "\n";
        }
        out += written(driver);
    }
    return out + "  dropped " + std::to_string(driver.dropped()) + "\n";
}

/// Of what play() wrote down: the steps and what came to "out".
inline std::string told(const std::string& played) {
    std::string out = "\n";
    std::istringstream lines{played};
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && (!line.starts_with("    ") || line.starts_with("    out |")))
            out += line + "\n";
    return out;
}

/// Sends a windowed table to "out" with readable keys and values.
template <class V>
void show(const KTable<Windowed<std::string>, V>& table) {
    table.to_stream()
        .map([](const Windowed<std::string>* key, const V* value) {
            KeyValue<std::string, std::string> out;
            if (key != nullptr)
                out.key = key->key + "[" + std::to_string(key->window.start) + "," +
                          std::to_string(key->window.end) + "]";
            if (value != nullptr) {
                if constexpr (std::is_same_v<V, std::string>)
                    out.value = *value;
                else
                    out.value = std::to_string(*value);
            }
            return out;
        })
        .to("out");
}

}  // namespace leat::streams::testing_play
