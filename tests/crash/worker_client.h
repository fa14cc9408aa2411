// SPDX-License-Identifier: Apache-2.0
//
// librdkafka handles and the history log of the crash worker. Layer: tests.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace leat::crash {

struct Plan {
    std::string broker;
    std::string topic = "history";
    std::string group = "history-group";
    std::string log;
    std::string status;
    int partitions = 4;
    int producers = 4;
    int window = 32;  ///< Records in flight of one producer.
    int value_bytes = 120;
    int refused_bytes = 0;  ///< Of records that the topic is too small for; 0: none are sent.
    int patience =
        60;  ///< dump(): seconds without a record after which the rest counts as unreadable.
    bool idempotent = true;
    std::string lies;  ///< What is written down wrongly, for the checker to find; see worker.cc.
};

struct DestroyMessage {
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;
struct DestroyList {
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList>;

/// Counters that the harness reads from a file that is mapped by both.
struct Status {
    std::atomic<std::int64_t> acknowledged;
    std::atomic<std::int64_t> in_flight;
    std::atomic<std::int64_t> read;
    std::atomic<std::int64_t> marked;     ///< So often each partition's marks were told.
    std::atomic<std::int64_t> committed;  ///< Offset commits that were acknowledged.
    std::atomic<std::int64_t> asked;      ///< So often the group's offset was told.
};

/// What happened, one line an event; VALUE is what described() says:
///   S partition VALUE                    about to be sent
///   A producer number partition offset   acknowledged
///   F producer number never|perhaps why  given up by the client: whether it may be in the log
///   R partition offset VALUE             read while the load ran
///   M partition low high                 the partition's first and end offset, asked for
///   c number / C number / K number       offset commit begun / acknowledged / asked for
///   D partition offset VALUE             in the log at the end
///   G number                             offset of the group at the end
/// What one thread writes is in its order; S, R of a partition, M of a partition, and c, C and K
/// are. Threading: thread-safe; a line is written whole.
class History {
  public:
    explicit History(const std::string& path);
    ~History();
    History(const History&) = delete;
    History& operator=(const History&) = delete;
    void line(const std::string& text);

  private:
    std::mutex mutex_;
    std::FILE* file_;
};

/// A record's value: who sent it, which of his it is, over and over.
std::string value_of(int producer, std::int64_t number, int bytes);
/// "producer number bytes sum" of a value: all of it counts. -1 for both numbers when it is none.
std::string described(std::string_view value);

/// Ends the process with 1, at once: nothing is flushed, other threads may be writing. Thread-safe.
[[noreturn]] void die(const std::string& why);

/// The whole of `value`, from `least`; dies of anything else.
int number_of(std::string_view option, const char* value, int least);

/// `bytes` of a file that is made, as long as the process lives; the harness maps it too.
void* map_file(const std::string& path, std::size_t bytes);
/// Counters in such a file.
template <class Counters>
Counters& map_status(const std::string& path) {
    return *new (map_file(path, sizeof(Counters))) Counters{};
}

struct DestroyKafka {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
using Kafka = std::unique_ptr<rd_kafka_t, DestroyKafka>;

struct DestroyTopic {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
using Topic = std::unique_ptr<rd_kafka_topic_t, DestroyTopic>;

using Properties = std::initializer_list<std::pair<const char*, const char*>>;
using Delivered = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

Kafka make_producer(const Plan& plan, Properties properties, Delivered delivered, void* opaque);
Kafka make_consumer(const Plan& plan, Properties properties);

/// Asks for a partition's marks, into an M line; false: they cannot be had.
bool write_marks(rd_kafka_t* handle, const Plan& plan, int partition, History& history);

/// Asks for the group's offset in partition 0 and writes it behind `kind`. Errors: those of Kafka.
rd_kafka_resp_err_t write_group_offset(rd_kafka_t* handle, const Plan& plan, int timeout_ms,
                                       const char* kind, History& history);

/// Reads every partition from the start to its end, into D lines, its marks and the group's offset.
/// Checksums are checked. With a patience that was changed, what cannot be read is told and left
/// out, and nobody asks for marks.
void dump(const Plan& plan, History& history);

}  // namespace leat::crash
