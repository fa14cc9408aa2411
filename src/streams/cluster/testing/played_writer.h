// SPDX-License-Identifier: Apache-2.0
//
// A producer that is played: it keeps what it was told, and answers as the test says. Layer:
// streams (L6), tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/record_writer.h"
#include "streams/cluster/thread_output.h"

namespace leat::streams::testing_output {

using std::string;

/// What the played producers of a test were told, and how they answer.
struct Script {
    int opened = 0;
    int begun = 0;
    int committed = 0;
    int aborted = 0;
    int polled = 0;
    bool is_full = false;   ///< Until the next poll.
    bool is_fatal = false;  ///< Of the one that is open.
    bool is_slow = false;   ///< Acknowledgements do not come in time.
    bool must_abort = false;
    bool resumes_offsets = true;
    std::optional<Errc> refusal{};  ///< Of the next record.
    std::optional<Errc> trouble{};  ///< Of the next transaction, at its commit.
    std::deque<Errc> inits;         ///< Answers of init_transactions(); then it works.
    std::deque<Errc> answers;       ///< Of the calls of a transaction behind begin(); then as said.
    std::vector<std::pair<string, std::uint64_t>> sent;  ///< Topics and tags.
    std::deque<client::Delivery> deliveries;             ///< Told at the next poll.
    std::vector<client::CommittedOffset> positions;      ///< Of transactions.
    client::RecordWriter::Reports reports{};             ///< Asked for by the last one.

    [[nodiscard]] ThreadOutput::OpenWriter opener();
};

/// Threading: one thread.
class PlayedWriter final : public client::RecordWriter {
  public:
    PlayedWriter(Script& script, OnDelivery on_delivery)
        : script_(script), on_delivery_(std::move(on_delivery)) {}

    Result<bool> send(std::string_view topic, const client::OutgoingRecord& record) override {
        if (script_.is_full) return false;
        if (const auto code = std::exchange(script_.refusal, std::nullopt))
            return Error{*code, "as the test says"};
        script_.sent.emplace_back(topic, record.tag);
        return true;
    }
    Result<std::int32_t> partition_count(std::string_view /*topic*/, milliseconds /*w*/) override {
        return ++counts_;
    }
    void poll(milliseconds /*wait*/) override {
        ++script_.polled;
        script_.is_full = false;
        for (const auto& one : std::exchange(script_.deliveries, {})) on_delivery_(one);
    }
    [[nodiscard]] std::size_t in_flight() const override { return script_.deliveries.size(); }
    Result<void> flush(milliseconds wait) override {
        if (script_.is_slow) return Error{Errc::kTimedOut, "as the test says"};
        poll(wait);
        return {};
    }
    Result<void> init_transactions(milliseconds /*wait*/) override {
        return next_of(script_.inits);
    }
    Result<void> begin() override {
        ++script_.begun;
        return {};
    }
    Result<void> send_offsets(const client::GroupIdentity& /*as*/,
                              std::span<const client::CommittedOffset> offsets,
                              milliseconds /*wait*/) override {
        LEAT_TRY_VOID(next_of(script_.answers));
        script_.positions.assign(offsets.begin(), offsets.end());
        return {};
    }
    [[nodiscard]] bool resumes_offsets() const override { return script_.resumes_offsets; }
    Result<void> commit(milliseconds wait) override {
        poll(wait);
        LEAT_TRY_VOID(next_of(script_.answers));
        if (const auto code = std::exchange(script_.trouble, std::nullopt))
            return Error{*code, "as the test says"};
        ++script_.committed;
        return {};
    }
    Result<void> abort(milliseconds wait) override {
        poll(wait);
        LEAT_TRY_VOID(next_of(script_.answers));
        ++script_.aborted;
        script_.must_abort = false;
        return {};
    }
    [[nodiscard]] bool must_abort() const override { return script_.must_abort; }
    [[nodiscard]] bool is_fatal() const override { return script_.is_fatal; }

  private:
    static Result<void> next_of(std::deque<Errc>& codes) {
        if (codes.empty()) return {};
        const Errc code = codes.front();
        codes.pop_front();
        return Error{code, "as the test says"};
    }

    Script& script_;
    OnDelivery on_delivery_;
    std::int32_t counts_ = 0;
};

inline ThreadOutput::OpenWriter Script::opener() {
    return [this](const auto& /*properties*/, auto on_delivery, auto asked) {
        ++opened;
        is_fatal = false;
        reports = asked;
        return Result<std::unique_ptr<client::RecordWriter>>{
            std::make_unique<PlayedWriter>(*this, std::move(on_delivery))};
    };
}

}  // namespace leat::streams::testing_output
