// SPDX-License-Identifier: Apache-2.0
//
// Runs a script of text records through a topology. Layer: tests.
// Threading: not synchronised.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams::testing_tables {

using Text = std::string;
using Lines = std::vector<std::string>;

inline Text shout(const Text& value) {
    return value + "!";
}
inline Text or_null(const Text* value) {
    return value != nullptr ? *value : "null";
}
inline Text plus(const Text& left, const Text& right) {
    return left + "+" + right;
}
inline Text plus_right(const Text& left, const Text* right) {
    return left + "+" + or_null(right);
}
inline Text plus_both(const Text* left, const Text* right) {
    return or_null(left) + "+" + or_null(right);
}

/// Text as it is; what cannot be printed as \xNN.
inline std::string printed(const std::optional<std::string>& bytes) {
    if (!bytes) return "null";
    std::string out;
    for (const char c : *bytes) {
        if (c >= 33 && c < 127) {
            out.push_back(c);
            continue;
        }
        constexpr const char* kDigits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    return out;
}

/// Input lines are "topic key value timestamp", "-" being null; output lines "topic key
/// value@timestamp", after each input by topic.
class Script {
  public:
    explicit Script(Builder& builder, const Optimization& optimization = {}) {
        auto built = builder.build(optimization);
        if (!built) {
            ADD_FAILURE() << built.error().detail();
            return;
        }
        topology_ = *std::move(built);
        auto driver = TestDriver::open(*topology_, {.application_id = "app"});
        if (!driver)
            ADD_FAILURE() << driver.error().detail();
        else
            driver_ = *std::move(driver);
    }

    Lines run(const std::vector<std::string>& inputs) {
        Lines out;
        for (const auto& input : inputs) {
            if (!driver_ || !pipe(input)) return out;
            for (const auto& topic : driver_->produced_topics())
                for (const auto& record : driver_->read(topic))
                    out.push_back(topic + " " + printed(record.key) + " " + printed(record.value) +
                                  "@" + std::to_string(record.timestamp));
        }
        return out;
    }
    /// run(), only what went to this topic.
    Lines only(const std::string& topic, const std::vector<std::string>& inputs) {
        auto all = run(inputs);
        std::erase_if(all, [&](const auto& line) { return !line.starts_with(topic + " "); });
        return all;
    }
    [[nodiscard]] std::string describe() const { return topology_ ? topology_->describe() : ""; }
    [[nodiscard]] std::uint64_t dropped() const { return driver_ ? driver_->dropped() : 0; }
    [[nodiscard]] TestDriver& driver() { return *driver_; }

  private:
    bool pipe(const std::string& line) {
        std::vector<std::string> fields(1);
        for (const char c : line) {
            if (c == ' ')
                fields.emplace_back();
            else
                fields.back().push_back(c);
        }
        RawRecord record{.timestamp = std::stoll(fields.at(3))};
        if (fields.at(1) != "-") record.key = fields.at(1);
        if (fields.at(2) != "-") record.value = fields.at(2);
        const auto done = driver_->pipe(fields.at(0), record);
        if (!done) ADD_FAILURE() << line << ": " << done.error().detail();
        return static_cast<bool>(done);
    }

    std::optional<Topology> topology_;
    std::unique_ptr<TestDriver> driver_;
};

}  // namespace leat::streams::testing_tables
