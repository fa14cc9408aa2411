// SPDX-License-Identifier: Apache-2.0
//
// streams_case_runner: one case a line on stdin, its outcome a line on stdout. ../README.md has the
// format.
#include <algorithm>
#include <iostream>
#include <map>

#include "interpreter.h"
#include "leat/streams/test_driver.h"
#include "topics.h"

namespace leat::streams::cases {
namespace {

/// Bytes as the characters of their numbers, in UTF-8.
std::string latin(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out.push_back(c);
        } else {
            out.push_back(static_cast<char>(0xC0U | (byte >> 6U)));
            out.push_back(static_cast<char>(0x80U | (byte & 0x3FU)));
        }
    }
    return out;
}
std::string bytes_of(std::string_view latin) {
    std::string out;
    for (std::size_t i = 0; i < latin.size(); ++i) {
        const auto byte = static_cast<unsigned char>(latin[i]);
        if (byte < 0x80) {
            out.push_back(latin[i]);
        } else {
            const auto next = static_cast<unsigned char>(latin[++i]);
            out.push_back(static_cast<char>(((byte & 0x03U) << 6U) | (next & 0x3FU)));
        }
    }
    return out;
}
json::value shown(const std::optional<std::string>& bytes) {
    return bytes ? json::value(latin(*bytes)) : json::value(nullptr);
}
json::value shown(const Maybe& value) {
    if (!value) return nullptr;
    if (const auto* number = std::get_if<std::int64_t>(&value->is)) return *number;
    return json::value(std::get<std::string>(value->is));
}

std::optional<std::string> raw(const json::value& from) {
    if (from.is_null()) return {};
    if (const auto* object = from.if_object())
        return bytes_of(std::string_view{object->at("bytes").as_string()});
    const Value value =
        from.is_int64() ? number_value(from.as_int64()) : text_value(std::string{from.as_string()});
    std::string out;
    if (!serde_for<Value>()->encode("", value, out)) return {};
    return out;
}

RawRecord record_of(const json::array& input) {
    RawRecord out{
        .key = raw(input.at(1)), .value = raw(input.at(2)), .timestamp = input.at(3).as_int64()};
    if (input.size() < 5) return out;
    for (const auto& header : input.at(4).as_array()) {
        const auto& pair = header.as_array();
        std::optional<std::string> value;
        if (!pair.at(1).is_null()) value = std::string{pair.at(1).as_string()};
        out.headers.push_back({std::string{pair.at(0).as_string()}, value});
    }
    return out;
}

void drain(TestDriver& driver, std::map<std::string, json::array>& out, std::int64_t step) {
    for (const auto& topic : driver.produced_topics()) {
        for (const RawRecord& record : driver.read(topic)) {
            // Kafka's producer stamps what has no time.
            json::value at = nullptr;
            if (record.timestamp >= 0) at = record.timestamp;
            json::array row{step, shown(record.key), shown(record.value), std::move(at)};
            if (!record.headers.empty()) {
                json::array headers;
                for (const auto& [name, value] : record.headers)
                    headers.push_back(json::array{name, shown(value)});
                row.push_back(std::move(headers));
            }
            if (record.partition && !topic.ends_with("-changelog")) {
                if (record.headers.empty()) row.push_back(json::array{});
                row.push_back(*record.partition);
            }
            out[topic].push_back(std::move(row));
        }
    }
}

/// The words of the oracle for what went wrong.
std::string kind_of(const Error& error) {
    const auto says = [&error](std::string_view what) {
        return error.detail().find(what) != std::string_view::npos;
    };
    if (says("boom")) return "user";
    if (says("the buffer is full")) return "full";
    if (says("key cannot be null")) return "NullPointerException";
    if (says("only read here")) return "UnsupportedOperationException";
    if (error.code() == Errc::kInvalidRecord) return "record";
    return std::string{error.detail()};
}

class Run {
  public:
    explicit Run(const json::object& given) : case_(given) {}

    json::object outcome() {
        result_["id"] = case_.at("id");
        Builder builder;
        Optimization optimized;
        try {
            optimized = optimization();
            declare(case_.at("ops").as_array(), builder, effects_);
        } catch (const Unsupported& what) {
            result_["unsupported"] = what.what();
            return std::move(result_);
        }
        auto topology = builder.build(optimized);
        if (const auto* nodes = case_.if_contains("nodes"); topology && nodes != nullptr)
            topology = with_nodes(*topology, nodes->as_array());
        if (!topology) {
            result_["error"] = "build";
            result_["detail"] = topology.error().detail();
            return std::move(result_);
        }
        if (case_.contains("topics")) {
            result_["topics"] = internal_topics(*topology, case_);
            return std::move(result_);
        }
        result_["describe"] = topology->describe();
        feed(*topology);
        json::object records;
        for (auto& [topic, rows] : out_) records[topic] = std::move(rows);
        result_["out"] = std::move(records);
        json::array seen;
        for (const Effect& effect : effects_->seen)
            seen.push_back(json::array{effect.step, effect.op, effect.key, shown(effect.value)});
        result_["effects"] = std::move(seen);
        json::array lines;
        for (const auto& [step, line] : effects_->printed) lines.push_back(json::array{step, line});
        if (!lines.empty()) result_["printed"] = std::move(lines);
        return std::move(result_);
    }

  private:
    [[nodiscard]] bool is_set(std::string_view field) const { return Op{case_, 0}.flag(field); }
    /// All rewrites, or those that a text names.
    [[nodiscard]] Optimization optimization() const {
        if (is_set("optimize")) return Optimization::all();
        if (!Op{case_, 0}.has("optimize")) return {};
        const auto named = Optimization::parse(Op{case_, 0}.get("optimize"));
        if (!named) throw Unsupported{named.error().detail()};
        return *named;
    }
    void feed(const Topology& topology) {
        auto opened = TestDriver::open(
            topology,
            {.application_id = "app",
             .handlers = handlers(),
             .lose_as_kafka = !is_set("improve"),
             .cache_bytes = static_cast<std::size_t>(Op{case_, 0}.number("cache")),
             .dsl_store = is_set("in_memory") ? StoreType::kInMemory : StoreType::kRocksDb,
             .partitions = std::max(1, static_cast<std::int32_t>(Op{case_, 0}.number("widths")))});
        if (!opened) {
            result_["error"] = "open: " + kind_of(opened.error());
            return;
        }
        TestDriver& driver = **opened;
        for (const auto& input : case_.at("inputs").as_array()) {
            ++effects_->step;
            const auto effects = effects_->seen.size();
            const auto printed = effects_->printed.size();
            if (auto done = step(driver, input); !done) {
                effects_->seen.resize(effects);
                effects_->printed.resize(printed);
                result_["error"] = kind_of(done.error()) + " at " + std::to_string(effects_->step);
                result_["detail"] = done.error().detail();
                return;
            }
            drain(driver, out_, effects_->step);
        }
        result_["dropped"] = driver.dropped();
        result_["stores"] = stores(driver);
    }
    /// Every row of every store: [key, start, end, value, timestamp]; of a versioned one what was
    /// valid at each time of the input.
    json::object stores(const TestDriver& driver) const {
        json::object out;
        for (const auto& name : driver.stores()) {
            json::array rows;
            if (driver.stored_at(name, "", {})) {
                add_versions(driver, name, rows);
            } else if (!name.ends_with("-Buffer")) {
                // What waits for a join is no store of rows to Kafka Streams.
                const auto held = driver.stored(name);
                if (!held) throw Unsupported{"store " + name};
                for (const StoredRow& row : *held) add(row, rows);
            }
            out[name] = std::move(rows);
        }
        return out;
    }
    [[nodiscard]] ErrorHandlers handlers() const {
        ErrorHandlers out;
        const auto* given = case_.if_contains("handlers");
        if (given == nullptr) return out;
        const Op fields{given->as_object(), 0};
        if (fields.flag("deserialization")) out.deserialization = continue_on_error;
        if (fields.flag("processing")) out.processing = continue_on_error;
        if (fields.flag("production")) out.production = continue_on_error;
        out.dead_letter_topic = fields.get("dead");
        return out;
    }
    static void add(const StoredRow& row, json::array& rows) {
        rows.push_back(
            json::array{latin(row.key), row.start, row.end, latin(row.value), row.timestamp});
    }
    void add_versions(const TestDriver& driver, const std::string& store, json::array& rows) const {
        const auto& inputs = case_.at("inputs").as_array();
        for (const auto& one : inputs) {
            const auto* input = one.if_array();
            if (input == nullptr || input->at(1).is_null() || input->at(1).is_object()) continue;
            for (const auto& other : inputs) {
                if (!other.is_array()) continue;
                const Timestamp at{other.as_array().at(3).as_int64()};
                auto found = driver.stored_at(store, *raw(input->at(1)), at);
                if (!found || !*found) continue;
                (*found)->end = -1;  // Kafka Streams' store does not tell it here.
                add(**found, rows);
            }
        }
    }
    static Result<void> step(TestDriver& driver, const json::value& input) {
        if (const auto* advance = input.if_object()) {
            return driver.advance_wall_time(Duration{advance->at("advance").as_int64()});
        }
        const auto& record = input.as_array();
        return driver.pipe(std::string{record.at(0).as_string()}, record_of(record));
    }

    const json::object& case_;
    json::object result_;
    std::shared_ptr<Effects> effects_ = std::make_shared<Effects>();
    std::map<std::string, json::array> out_;
};

}  // namespace
}  // namespace leat::streams::cases

int main() {
    std::ios::sync_with_stdio(false);
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto parsed = boost::json::parse(line);
        std::cout << boost::json::serialize(leat::streams::cases::Run{parsed.as_object()}.outcome())
                  << '\n';
        std::cout.flush();
    }
    return 0;
}
