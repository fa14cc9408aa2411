// SPDX-License-Identifier: Apache-2.0
#include "worker_client.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace leat::crash {
namespace {

rd_kafka_conf_t* make_conf(const Plan& plan, Properties properties) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [conf](const char* name, const char* value) {
        char error[256];
        if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK)
            die(error);
    };
    set("bootstrap.servers", plan.broker.c_str());
    set("log_level", "0");
    set("reconnect.backoff.ms", "5");
    set("reconnect.backoff.max.ms", "50");
    set("topic.metadata.refresh.interval.ms", "1000");
    for (const auto& [name, value] : properties) set(name, value);
    return conf;
}

Kafka make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
    char error[256];
    Kafka handle(rd_kafka_new(type, conf, error, sizeof error));
    if (!handle) die(error);
    return handle;
}

}  // namespace

void* map_file(const std::string& path, std::size_t bytes) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) die("cannot write " + path);
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED) die("cannot map " + path);
    return at;
}

std::string value_of(int producer, std::int64_t number, int bytes) {
    const std::string head = std::to_string(producer) + "-" + std::to_string(number) + "-";
    const std::size_t size = std::max(head.size(), static_cast<std::size_t>(bytes));
    std::string out;
    while (out.size() < size) out += head;
    out.resize(size);
    return out;
}

std::string described(std::string_view value) {
    const char* const begin = value.data();
    const char* const end = begin + value.size();
    std::int64_t producer = -1;
    std::int64_t number = -1;
    const auto first = std::from_chars(begin, end, producer);
    bool is_ours = first.ec == std::errc{} && first.ptr != end && *first.ptr == '-';
    if (is_ours) {
        const auto second = std::from_chars(first.ptr + 1, end, number);
        is_ours = second.ec == std::errc{} && second.ptr != end && *second.ptr == '-';
    }
    if (!is_ours) producer = number = -1;
    std::uint64_t sum = 14695981039346656037U;  // FNV-1a
    for (const char byte : value) sum = (sum ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    return std::to_string(producer) + " " + std::to_string(number) + " " +
           std::to_string(value.size()) + " " + std::to_string(sum);
}

void die(const std::string& why) {
    std::fprintf(stderr, "crash_worker: %s\n", why.c_str());
    _exit(1);  // exit() flushes the history without its lock, beside threads that write it.
}

int number_of(std::string_view option, const char* value, int least) {
    const std::string_view text{value};
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least)
        die(std::string{option} + ": no number from " + std::to_string(least) + ": " + value);
    return number;
}

History::History(const std::string& path) : file_(std::fopen(path.c_str(), "a")) {
    if (file_ == nullptr) die("cannot write " + path);
    // A worker that is killed has written whole lines.
    std::setvbuf(file_, nullptr, _IOLBF, 1 << 16);
}

History::~History() {
    std::fclose(file_);
}

void History::line(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    const std::string whole = text + "\n";
    std::fwrite(whole.data(), 1, whole.size(), file_);
}

Kafka make_producer(const Plan& plan, Properties properties, Delivered delivered, void* opaque) {
    rd_kafka_conf_t* conf = make_conf(plan, properties);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, opaque);
    return make(RD_KAFKA_PRODUCER, conf);
}

Kafka make_consumer(const Plan& plan, Properties properties) {
    rd_kafka_conf_t* conf = make_conf(plan, properties);
    Kafka handle = make(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(handle.get());
    return handle;
}

bool write_marks(rd_kafka_t* handle, const Plan& plan, int partition, History& history) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (rd_kafka_query_watermark_offsets(handle, plan.topic.c_str(), partition, &low, &high,
                                         5'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    history.line("M " + std::to_string(partition) + " " + std::to_string(low) + " " +
                 std::to_string(high));
    return true;
}

rd_kafka_resp_err_t write_group_offset(rd_kafka_t* handle, const Plan& plan, int timeout_ms,
                                       const char* kind, History& history) {
    const List one(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(one.get(), plan.topic.c_str(), 0);
    const rd_kafka_resp_err_t error = rd_kafka_committed(handle, one.get(), timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    if (one->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return one->elems[0].err;
    history.line(kind + (" " + std::to_string(one->elems[0].offset)));
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void dump(const Plan& plan, History& history) {
    const Kafka consumer = make_consumer(plan, {{"group.id", plan.group.c_str()},
                                                {"enable.auto.commit", "false"},
                                                {"check.crcs", "true"},
                                                {"enable.partition.eof", "true"}});
    const List all(rd_kafka_topic_partition_list_new(plan.partitions));
    for (int p = 0; p < plan.partitions; ++p)
        rd_kafka_topic_partition_list_add(all.get(), plan.topic.c_str(), p)->offset = 0;
    rd_kafka_assign(consumer.get(), all.get());
    const bool is_partial = plan.patience != Plan{}.patience;
    for (int left = plan.partitions, idle = 0; left > 0;) {
        const Message message(rd_kafka_consumer_poll(consumer.get(), 1000));
        if (!message) {
            if (++idle <= plan.patience) continue;
            if (!is_partial) die("the log's end was not reached");
            std::fprintf(stderr, "crash_worker: the log's end was not reached\n");
            break;
        }
        idle = 0;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            --left;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            history.line("D " + std::to_string(message->partition) + " " +
                         std::to_string(message->offset) + " " +
                         described({static_cast<const char*>(message->payload), message->len}));
        } else {
            // Told, not fatal: a partition that cannot be read shows as lost records.
            std::fprintf(stderr, "crash_worker: %s\n", rd_kafka_message_errstr(message.get()));
        }
    }
    // What cannot be had is left out.
    for (int p = 0; p < plan.partitions && !is_partial; ++p)
        static_cast<void>(write_marks(consumer.get(), plan, p, history));
    if (write_group_offset(consumer.get(), plan, plan.patience * 1'000, "G", history) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!is_partial) die("the group's offset cannot be read");
        std::fprintf(stderr, "crash_worker: the group's offset cannot be read\n");
    }
}

}  // namespace leat::crash
