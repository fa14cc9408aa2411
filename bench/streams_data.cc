// SPDX-License-Identifier: Apache-2.0
//
// streams_data: input for measured stream applications, and what came of it; see kHelp. It knows
// Kafka's C client and nothing of Leat. Layer: bench.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "streams_check.h"
#include "streams_records.h"

namespace {

using leat::bench::Given;
using leat::bench::Stream;
using std::string;

constexpr const char* kHelp =
    R"(usage: streams_data fill    HOST:PORT TOPIC left|right RECORDS KEYS BASE_MS        input
       streams_data check   HOST:PORT TOPIC TOPOLOGY RECORDS KEYS BASE_MS          reads all output, compares
       streams_data first   HOST:PORT TOPIC                                        waits for the first record
       streams_data latency HOST:PORT IN OUT KEYS RATE WARM_SECONDS SECONDS        from intended send to receipt, by key
Prints one line of JSON; `first` prints "ready" before. Times are CLOCK_MONOTONIC.
)";

[[noreturn]] void fail(const string& why) {
    std::fprintf(stderr, "streams_data: %s\n", why.c_str());
    std::exit(1);
}

std::int64_t now_ns() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

struct Destroy {
    void operator()(rd_kafka_t* one) const { rd_kafka_destroy(one); }
    void operator()(rd_kafka_message_t* one) const { rd_kafka_message_destroy(one); }
    void operator()(rd_kafka_topic_partition_list_t* one) const {
        rd_kafka_topic_partition_list_destroy(one);
    }
    void operator()(const rd_kafka_metadata_t* one) const { rd_kafka_metadata_destroy(one); }
};
using Client = std::unique_ptr<rd_kafka_t, Destroy>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroy>;

std::atomic<std::int64_t> refused = 0;

void note_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++refused;
}

Client open(rd_kafka_type_t type, const std::map<string, string>& settings) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char why[512];
    for (const auto& [name, value] : settings)
        if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) !=
            RD_KAFKA_CONF_OK)
            fail(why);
    if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, note_delivery);
    rd_kafka_t* out = rd_kafka_new(type, conf, why, sizeof why);
    if (out == nullptr) fail(why);
    return Client{out};
}

Client open_producer(const string& broker, const string& linger_ms) {
    return open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", broker},
                                    {"partitioner", "murmur2_random"},
                                    {"linger.ms", linger_ms},
                                    {"queue.buffering.max.messages", "500000"}});
}

void send(const Client& client, const string& topic, std::int64_t key, std::int64_t record,
          std::int64_t time_ms) {
    const string key_bytes = leat::bench::key_text(key);
    const string value = leat::bench::value_text(record);
    rd_kafka_vu_t parts[5]{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;  // The client takes void* and only reads.
    parts[2].vtype = RD_KAFKA_VTYPE_KEY;
    parts[2].u.mem = {const_cast<char*>(key_bytes.data()), key_bytes.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[3].u.mem = {const_cast<char*>(value.data()), value.size()};
    parts[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[4].u.i64 = time_ms;
    for (;;) {
        rd_kafka_error_t* failure = rd_kafka_produceva(client.get(), parts, std::size(parts));
        if (failure == nullptr) return;
        const auto code = rd_kafka_error_code(failure);
        rd_kafka_error_destroy(failure);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail(rd_kafka_err2str(code));
        rd_kafka_poll(client.get(), 10);
    }
}

void finish(const Client& client) {
    if (rd_kafka_flush(client.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR || refused != 0)
        fail(std::to_string(refused) + " records refused, or not acknowledged");
}

int fill(const std::vector<string>& words) {
    const Stream stream = words[3] == "right" ? Stream::kRight : Stream::kLeft;
    const std::int64_t records = std::stoll(words[4]);
    const std::int64_t keys = std::stoll(words[5]);
    const std::int64_t base = std::stoll(words[6]);
    const Client client = open_producer(words[1], "20");
    for (std::int64_t i = 0; i < records; ++i) {
        send(client, words[2], leat::bench::key_number(i, keys, stream), i,
             leat::bench::time_of(i, base));
        if (i % 1'000 == 0) rd_kafka_poll(client.get(), 0);
    }
    finish(client);
    std::printf("{\"records\":%lld}\n", static_cast<long long>(records));
    return 0;
}

/// A consumer that has all partitions of a topic, from their beginning or from their end.
class Reader {
  public:
    Reader(const string& broker, const string& topic, std::int64_t from)
        : client_(open(RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker},
                                           {"group.id", "streams-data"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.partition.eof", "true"},
                                           {"isolation.level", "read_committed"},
                                           {"fetch.wait.max.ms", "500"}})) {
        rd_kafka_poll_set_consumer(client_.get());
        const int count = partitions_of(topic);
        const std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy> all{
            rd_kafka_topic_partition_list_new(count)};
        for (int i = 0; i < count; ++i)
            rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), i)->offset = from;
        if (const auto code = rd_kafka_assign(client_.get(), all.get());
            code != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail(rd_kafka_err2str(code));
        at_end_.resize(static_cast<std::size_t>(count));
    }

    /// A record, or nothing: in time there was none, or an end was reached.
    Message next(int wait_ms) {
        Message message{rd_kafka_consumer_poll(client_.get(), wait_ms)};
        if (message == nullptr) return nullptr;
        const auto partition = static_cast<std::size_t>(message->partition);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            at_end_.at(partition) = 1;
            return nullptr;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail(rd_kafka_message_errstr(message.get()));
        at_end_.at(partition) = 0;
        return message;
    }

    [[nodiscard]] bool is_at_end() const { return std::ranges::count(at_end_, 0) == 0; }

  private:
    int partitions_of(const string& topic) const {
        rd_kafka_topic_t* handle = rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr);
        const rd_kafka_metadata_t* found = nullptr;
        const auto code = rd_kafka_metadata(client_.get(), 0, handle, &found, 30'000);
        rd_kafka_topic_destroy(handle);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(code));
        const std::unique_ptr<const rd_kafka_metadata_t, Destroy> keep{found};
        if (found->topic_cnt != 1 || found->topics[0].partition_cnt == 0) fail("no topic " + topic);
        return found->topics[0].partition_cnt;
    }

    Client client_;
    std::vector<char> at_end_;
};

std::string_view key_of(const Message& message) {
    return {static_cast<const char*>(message->key), message->key_len};
}
std::string_view value_of(const Message& message) {
    return {static_cast<const char*>(message->payload), message->len};
}

int check(const std::vector<string>& words) {
    const auto checker = leat::bench::make_checker(words[3], {.records = std::stoll(words[4]),
                                                              .keys = std::stoll(words[5]),
                                                              .base_ms = std::stoll(words[6])});
    if (checker == nullptr) fail("no topology " + words[3]);
    Reader reader{words[1], words[2], RD_KAFKA_OFFSET_BEGINNING};
    std::int64_t outputs = 0;
    while (!reader.is_at_end()) {
        const Message message = reader.next(1'000);
        if (message == nullptr) continue;
        ++outputs;
        checker->take(key_of(message), value_of(message));
    }
    std::printf("{\"outputs\":%lld,\"expected\":%lld,\"wrong\":%lld}\n",
                static_cast<long long>(outputs), static_cast<long long>(checker->expected()),
                static_cast<long long>(checker->wrong()));
    return 0;
}

int first(const std::vector<string>& words) {
    Reader reader{words[1], words[2], RD_KAFKA_OFFSET_BEGINNING};
    while (!reader.is_at_end()) reader.next(100);
    std::puts("ready");
    std::fflush(stdout);
    for (;;)
        if (reader.next(1'000) != nullptr) break;
    std::printf("{\"monotonic_ns\":%lld}\n", static_cast<long long>(now_ns()));
    return 0;
}

/// Sends at a rate while a thread of its own receives. A key is on its way once at most, so that it
/// tells which record came back.
class Latency {
  public:
    explicit Latency(const std::vector<string>& words)
        : words_(words),
          keys_(std::stoll(words[4])),
          rate_(std::stod(words[5])),
          warm_ns_(static_cast<std::int64_t>(std::stod(words[6]) * 1e9)),
          records_(static_cast<std::int64_t>(rate_ * (std::stod(words[6]) + std::stod(words[7])))),
          due_(static_cast<std::size_t>(keys_)),
          reader_(words[1], words[3], RD_KAFKA_OFFSET_END) {}

    int run() {
        while (!reader_.is_at_end()) reader_.next(100);
        const Client client = open_producer(words_[1], "0");
        begin_ = now_ns() + 100'000'000;
        std::thread receiver{[this] { receive(); }};
        for (std::int64_t i = 0; i < records_; ++i) {
            const std::int64_t due =
                begin_ + static_cast<std::int64_t>(static_cast<double>(i) / rate_ * 1e9);
            const std::int64_t ahead = due - now_ns();
            // A fixed rate: what is waited for is the time at which the record is due.
            if (ahead > 500'000) std::this_thread::sleep_for(std::chrono::nanoseconds{ahead});
            const std::int64_t key = leat::bench::key_number(i, keys_, Stream::kLeft);
            due_[static_cast<std::size_t>(key)] = due;
            send(client, words_[2], key, i, wall_ms());
            rd_kafka_poll(client.get(), 0);
        }
        finish(client);
        sent_ns_ = now_ns();
        receiver.join();
        std::ranges::sort(times_us_);
        std::printf(
            "{\"sent\":%lld,\"received\":%lld,\"p50_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld}\n",
            static_cast<long long>(records_), static_cast<long long>(received_), at(0.5), at(0.99),
            at(1));
        return 0;
    }

  private:
    static constexpr std::int64_t kPatienceNs = 15'000'000'000;

    static std::int64_t wall_ms() {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }

    void receive() {
        while (received_ < records_ && (sent_ns_ == 0 || now_ns() < sent_ns_ + kPatienceNs)) {
            const Message message = reader_.next(100);
            if (message == nullptr) continue;
            const std::int64_t now = now_ns();
            const std::string_view key = key_of(message);
            const std::int64_t number = leat::bench::key_in(key.data(), key.size());
            if (number < 0 || number >= keys_) fail("a key that nobody sent");
            const std::int64_t due = due_[static_cast<std::size_t>(number)];
            ++received_;
            if (due >= begin_ + warm_ns_) times_us_.push_back((now - due) / 1'000);
        }
    }

    [[nodiscard]] long long at(double part) const {
        if (times_us_.empty()) return -1;
        const auto last = static_cast<double>(times_us_.size() - 1);
        return times_us_[static_cast<std::size_t>(last * part)];
    }

    std::vector<string> words_;
    std::int64_t keys_;
    double rate_;
    std::int64_t warm_ns_;
    std::int64_t records_;
    std::vector<std::atomic<std::int64_t>> due_;
    Reader reader_;
    std::int64_t begin_ = 0;
    std::atomic<std::int64_t> sent_ns_ = 0;
    std::int64_t received_ = 0;
    std::vector<std::int64_t> times_us_;
};

int latency(const std::vector<string>& words) {
    return Latency{words}.run();
}

}  // namespace

int main(int argc, char** argv) {
    struct Mode {
        std::size_t words;
        int (*run)(const std::vector<string>& words);
    };
    const std::map<string, Mode> modes{{"fill", {7, fill}},
                                       {"check", {7, check}},
                                       {"first", {3, first}},
                                       {"latency", {8, latency}}};
    const std::vector<string> words{argv + 1, argv + argc};
    const auto mode = words.empty() ? modes.end() : modes.find(words[0]);
    if (mode == modes.end() || words.size() != mode->second.words) {
        std::fputs(kHelp, stderr);
        return 2;
    }
    return mode->second.run(words);
}
