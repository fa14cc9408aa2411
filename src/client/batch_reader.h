// SPDX-License-Identifier: Apache-2.0
//
// PartitionReader of our own: whole batches come in, records are read in place. Layer: client (L3).
// Internal to client.
#pragma once

#include <map>
#include <memory>

#include "client/fetch_board.h"
#include "client/partition_reader.h"
#include "rt/descriptor.h"
#include "rt/named_thread.h"

namespace leat::client {

/// Threading: as PartitionReader. One thread looks up leaders, one for each of these fetches.
/// Memory:    see FetchBoard for what is read ahead. A record keeps what came of its partition with
///            one fetch (at most twice the size of the batches), or all of its unpacked batch.
class BatchReader final : public PartitionReader {
  public:
    /// Errors: kIoError (no descriptor is left).
    static Result<std::unique_ptr<PartitionReader>> open(FetchSettings settings);
    BatchReader(FetchSettings settings, rt::Descriptor stop);
    BatchReader(const BatchReader&) = delete;
    BatchReader& operator=(const BatchReader&) = delete;
    /// Waits for the threads, which end at once unless the name of a host is being looked up.
    ~BatchReader() override;

    using PartitionReader::next;
    Result<void> add(std::span<const StartAt> starts) override;
    Result<void> remove(std::span<const TopicPartition> where) override;
    [[nodiscard]] Lane* lane(const TopicPartition& where) const override;
    Result<PartitionEvent> next(Lane& lane) override;
    bool take(Lane& lane, HeldRecord& into) override;
    [[nodiscard]] std::size_t waiting(const TopicPartition& where) const override;
    [[nodiscard]] std::int64_t end(const TopicPartition& where) const override;
    Result<void> wait(std::chrono::milliseconds wait) override;
    void wake() override;

  private:
    struct BatchLane;
    bool advance(BatchLane& lane);

    FetchSettings settings_;
    rt::Descriptor stop_;
    FetchBoard board_;
    std::map<TopicPartition, std::unique_ptr<BatchLane>> lanes_;
    rt::NamedThread finder_;
};

}  // namespace leat::client
