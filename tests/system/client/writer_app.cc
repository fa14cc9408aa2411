// SPDX-License-Identifier: Apache-2.0
//
// A RecordWriter that record_writer_test.py tells what to do:
//
//     record_writer_app HOST:PORT [name=value]...    settings of a producer
//
// A line of standard input is a command, and has one line as its answer: "ok ..." or "error CODE
// why".
//
//     init, commit, abort, flush         wait as long as `wait MS` said last, 20 s at first
//     begin
//     send TOPIC PARTITION VALUE         waits while there is no room
//     flood TOPIC PARTITIONS FROM TO     the numbers from FROM up to TO, in turn to the partitions
//     offsets GROUP GENERATION MEMBER TOPIC PARTITION OFFSET    MEMBER "-": none
//     state                              what came of the records, and of the writer
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/record_writer.h"

namespace leat {
namespace {

using std::chrono::milliseconds;

class App {
  public:
    Result<void> open(const std::vector<client::Property>& properties) {
        LEAT_TRY(writer_, client::RecordWriter::open(
                              properties, [this](const client::Delivery& d) { ++told_[d.code]; }));
        return {};
    }
    Result<std::string> run(const std::string& line) {
        std::istringstream in{line};
        std::string verb;
        in >> verb;
        const auto found = verbs_.find(verb);
        if (found == verbs_.end()) return Error{Errc::kUsage, "no such command: " + verb};
        return found->second(in);
    }

  private:
    using Words = std::istringstream;
    static Result<std::string> said(const Result<void>& done) {
        if (!done) return Error{done.error().code(), done.error().detail()};
        return std::string{};
    }
    Result<std::string> send(Words& in) {
        std::string topic;
        std::string value;
        std::int32_t partition = -1;
        in >> topic >> partition >> value;
        return said(put(topic, partition, value));
    }
    Result<std::string> flood(Words& in) {
        std::string topic;
        std::int32_t partitions = 0;
        int from = 0;
        int to = 0;
        in >> topic >> partitions >> from >> to;
        for (int i = from; i < to; ++i)
            LEAT_TRY_VOID(put(topic, i % partitions, std::to_string(i)));
        return std::string{};
    }
    Result<void> put(const std::string& topic, std::int32_t partition, const std::string& value) {
        client::OutgoingRecord record{.key = value, .value = value};
        record.partition = partition;
        for (;;) {
            LEAT_TRY(const bool taken, writer_->send(topic, record));
            writer_->poll(milliseconds{taken ? 0 : 20});
            if (taken) return {};
        }
    }
    Result<std::string> offsets(Words& in) {
        client::GroupIdentity as;
        client::CommittedOffset one;
        in >> as.group >> as.generation >> as.member_id >> one.where.topic >> one.where.partition >>
            one.offset;
        if (as.member_id == "-") as.member_id.clear();
        one.metadata = "text";
        return said(writer_->send_offsets(as, {&one, 1}, wait_));
    }
    Result<std::string> state() {
        writer_->poll(milliseconds{0});
        std::string out = "in_flight=" + std::to_string(writer_->in_flight()) +
                          " must_abort=" + std::to_string(writer_->must_abort()) +
                          " is_fatal=" + std::to_string(writer_->is_fatal());
        for (const auto& [code, count] : told_)
            out += " " + std::string{info(code).name} + "=" + std::to_string(count);
        return out;
    }

    milliseconds wait_{20'000};
    std::map<Errc, std::size_t> told_;
    std::unique_ptr<client::RecordWriter> writer_;
    const std::map<std::string, std::function<Result<std::string>(Words&)>> verbs_{
        {"init", [this](Words&) { return said(writer_->init_transactions(wait_)); }},
        {"begin", [this](Words&) { return said(writer_->begin()); }},
        {"commit", [this](Words&) { return said(writer_->commit(wait_)); }},
        {"abort", [this](Words&) { return said(writer_->abort(wait_)); }},
        {"flush", [this](Words&) { return said(writer_->flush(wait_)); }},
        {"send", [this](Words& in) { return send(in); }},
        {"flood", [this](Words& in) { return flood(in); }},
        {"offsets", [this](Words& in) { return offsets(in); }},
        {"state", [this](Words&) { return state(); }},
        {"wait", [this](Words& in) -> Result<std::string> {
             std::int64_t ms = 0;
             in >> ms;
             wait_ = milliseconds{ms};
             return std::string{};
         }}};
};

int run(const std::vector<std::string>& arguments) {
    if (arguments.empty()) return 2;
    std::vector<client::Property> properties{{"bootstrap.servers", arguments[0], 0}};
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::size_t at = arguments[i].find('=');
        if (at == std::string::npos) return 2;
        properties.push_back({arguments[i].substr(0, at), arguments[i].substr(at + 1), 0});
    }
    App app;
    if (const Result<void> opened = app.open(properties); !opened) {
        std::cerr << opened.error().detail() << '\n';
        return 1;
    }
    for (std::string line; std::getline(std::cin, line);) {
        const Result<std::string> answer = app.run(line);
        if (answer)
            std::cout << "ok " << *answer << std::endl;  // NOLINT: it is waited for.
        else
            std::cout << "error " << info(answer.error().code()).name << ' '
                      << answer.error().detail() << std::endl;  // NOLINT
    }
    return 0;
}

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
    return leat::run({argv + 1, argv + argc});
}
