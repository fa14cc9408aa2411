// SPDX-License-Identifier: Apache-2.0
//
// Features about consumer groups: rebalances, cooperative protocol, static members, commits,
// administration.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "support.h"

namespace interop {
namespace {

std::string text_of(const std::set<int>& partitions) {
    std::string text;
    for (const int partition : partitions) {
        text += " " + std::to_string(partition);
    }
    return text;
}

// A member of a group on a thread of its own.
class Member {
  public:
    Member(const Context& context, const std::string& group, const std::string& topic,
           const Settings& more)
        : client_(nullptr, rd_kafka_destroy) {
        Settings settings = more;
        settings.merge(quick(group));
        rd_kafka_conf_t* conf = conf_of(context, settings);
        rd_kafka_conf_set_rebalance_cb(conf, rebalance);
        rd_kafka_conf_set_opaque(conf, this);
        client_ = make_client(RD_KAFKA_CONSUMER, conf);
        rd_kafka_poll_set_consumer(client_.get());
        rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic.c_str(), RD_KAFKA_PARTITION_UA);
        rd_kafka_subscribe(client_.get(), list);
        rd_kafka_topic_partition_list_destroy(list);
        thread_ = std::thread([this] { run(); });
    }
    ~Member() { leave(); }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    void leave() {
        stop_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::set<int> owned() { return locked(owned_); }
    std::set<std::string> rows() { return locked(rows_); }
    std::string error() { return locked(error_); }
    size_t assigns() { return assigns_; }

  private:
    template <class T>
    T locked(const T& value) {
        const std::lock_guard lock(mutex_);
        return value;
    }

    static void rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* list, void* opaque) {
        auto& self = *static_cast<Member*>(opaque);
        const bool given = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if (std::string(rd_kafka_rebalance_protocol(client)) == "COOPERATIVE") {
            rd_kafka_error_destroy(given ? rd_kafka_incremental_assign(client, list)
                                         : rd_kafka_incremental_unassign(client, list));
        } else {
            rd_kafka_assign(client, given ? list : nullptr);
        }
        self.assigns_ += given;
        const std::lock_guard lock(self.mutex_);
        for (int i = 0; i < list->cnt; ++i) {
            given ? void(self.owned_.insert(list->elems[i].partition))
                  : void(self.owned_.erase(list->elems[i].partition));
        }
    }

    void run() {
        while (!stop_) {
            rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), 50);
            if (message == nullptr) {
                continue;
            }
            const std::lock_guard lock(mutex_);
            if (message->err) {
                char why[512];
                const auto fatal = rd_kafka_fatal_error(client_.get(), why, sizeof why);
                error_ = rd_kafka_err2name(fatal ? fatal : message->err);
            } else {
                rows_.insert(std::to_string(message->partition) + ":" +
                             std::to_string(message->offset) + " " +
                             std::string(static_cast<char*>(message->payload), message->len));
            }
            rd_kafka_message_destroy(message);
        }
        rd_kafka_consumer_close(client_.get());
    }

    Client client_;
    std::thread thread_;
    std::atomic<bool> stop_ = false;
    std::atomic<size_t> assigns_ = 0;
    std::mutex mutex_;  // guards what follows
    std::set<int> owned_;
    std::set<std::string> rows_;
    std::string error_;
};

std::string committed(const Context& context, const std::string& group, const std::string& topic,
                      int partitions) {
    Settings settings = quick(group);
    Client client = make_client(RD_KAFKA_CONSUMER, conf_of(context, settings));
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
    for (int partition = 0; partition < partitions; ++partition) {
        rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    }
    expect(!rd_kafka_committed(client.get(), list, 20'000), "committed offsets");
    std::string text = "committed";
    for (int i = 0; i < list->cnt; ++i) {
        const auto& row = list->elems[i];
        text += " " + std::to_string(row.offset) + "'" +
                std::string(static_cast<char*>(row.metadata), row.metadata_size) + "'";
    }
    rd_kafka_topic_partition_list_destroy(list);
    return text;
}

// A alone, A and B, A alone again; all records are read and committed.
void two_members(const Context& context, Facts& facts, const std::string& name,
                 const Settings& settings) {
    const std::string topic = create_or_throw(context, name, 4);
    const std::string group = context.topic(name + "-group");
    for (int partition = 0; partition < 4; ++partition) {
        std::vector<std::string> values;
        for (int i = 0; i < 10; ++i) {
            values.push_back("value-" + std::to_string(partition) + "-" + std::to_string(i));
        }
        produce(context, topic, simple(values, partition));
    }
    Member first(context, group, topic, settings);
    wait_until([&] { return first.owned().size() == 4 && first.rows().size() == 40; },
               "the first member reads all");
    facts.push_back("A owns" + text_of(first.owned()));
    {
        Member second(context, group, topic, settings);
        wait_until([&] { return first.owned().size() == 2 && second.owned().size() == 2; },
                   "two members share");
        std::set<int> both = first.owned();
        both.merge(second.owned());
        facts.push_back("A and B own" + text_of(both));
    }
    wait_until([&] { return first.owned().size() == 4; }, "the first member owns all again");
    for (int partition = 0; partition < 4; ++partition) {
        produce(context, topic, simple({"late"}, partition));
    }
    wait_until([&] { return first.rows().size() == 44; }, "late records");
    facts.push_back("A owns" + text_of(first.owned()));
    first.leave();
    for (const auto& row : first.rows()) {
        facts.push_back(row);
    }
    facts.push_back(committed(context, group, topic, 4));
}

void group(const Context& context, Facts& facts) {
    two_members(context, facts, "group", {{"partition.assignment.strategy", "range"}});
}

void cooperative(const Context& context, Facts& facts) {
    two_members(context, facts, "cooperative",
                {{"partition.assignment.strategy", "cooperative-sticky"}});
}

void static_membership(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "static", 4);
    const std::string group = context.topic("static-group");
    auto first =
        std::make_unique<Member>(context, group, topic, Settings{{"group.instance.id", "one"}});
    Member other(context, group, topic, {{"group.instance.id", "two"}});
    wait_until([&] { return first->owned().size() == 2 && other.owned().size() == 2; },
               "two static members share");
    const auto before = first->owned();
    const size_t assigns = other.assigns();
    first.reset();
    Member again(context, group, topic, {{"group.instance.id", "one"}});
    wait_until([&] { return !again.owned().empty(); }, "the member comes back");
    facts.push_back("same partitions " + std::to_string(again.owned() == before) +
                    ", rebalances of the other " + std::to_string(other.assigns() - assigns));
    Member thief(context, group, topic, {{"group.instance.id", "one"}});
    wait_until([&] { return !again.error().empty(); }, "the member is fenced");
    facts.push_back("fenced: " + again.error());
}

void commit_resume(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "commit");
    const std::string group = context.topic("commit-group");
    std::vector<std::string> values;
    for (int i = 0; i < 10; ++i) {
        values.push_back("value-" + std::to_string(i));
    }
    produce(context, topic, simple(values));
    for (const int count : {4, 6}) {
        Settings settings = quick(group);
        settings["enable.auto.commit"] = "false";
        Client client = make_client(RD_KAFKA_CONSUMER, conf_of(context, settings));
        rd_kafka_poll_set_consumer(client.get());
        rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
        auto* row = rd_kafka_topic_partition_list_add(list, topic.c_str(), 0);
        rd_kafka_subscribe(client.get(), list);
        int got = 0;
        wait_until(
            [&] {
                if (rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 200)) {
                    expect(!message->err, rd_kafka_err2name(message->err));
                    facts.push_back(std::to_string(count) + ": " + line(message));
                    row->offset = message->offset + 1;
                    rd_kafka_message_destroy(message);
                    ++got;
                }
                return got == count;
            },
            "records of the group");
        expect(!rd_kafka_commit(client.get(), list, 0), "commit");
        rd_kafka_topic_partition_list_destroy(list);
        rd_kafka_consumer_close(client.get());
        facts.push_back(committed(context, group, topic, 1));
    }
}

std::string listed(const Context& context, const std::string& group) {
    const struct rd_kafka_group_list* list = nullptr;
    std::string text = "listed";
    const auto error = rd_kafka_list_groups(context.admin, group.c_str(), &list, 20'000);
    if (error) {
        return text + " " + rd_kafka_err2name(error);
    }
    for (int i = 0; i < list->group_cnt; ++i) {
        const auto& row = list->groups[i];
        text += std::string(" ") + row.group + " " + rd_kafka_err2name(row.err) + " " + row.state +
                " " + row.protocol_type + " '" + row.protocol + "' members " +
                std::to_string(row.member_cnt);
        for (int m = 0; m < row.member_cnt; ++m) {
            text += std::string(" ") + row.members[m].client_id + " " + row.members[m].client_host +
                    " " + std::to_string(row.members[m].member_metadata_size) + " " +
                    std::to_string(row.members[m].member_assignment_size);
        }
    }
    rd_kafka_group_list_destroy(list);
    return text;
}

std::string delete_group(const Context& context, const std::string& group) {
    rd_kafka_DeleteGroup_t* wanted = rd_kafka_DeleteGroup_new(group.c_str());
    Event event = ask(context, [&](rd_kafka_queue_t* queue) {
        rd_kafka_DeleteGroups(context.admin, &wanted, 1, nullptr, queue);
    });
    rd_kafka_DeleteGroup_destroy(wanted);
    size_t count = 0;
    const auto** results = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event.get()), &count);
    const rd_kafka_error_t* error = rd_kafka_group_result_error(results[0]);
    return error == nullptr ? "OK" : rd_kafka_error_name(error);
}

void groups_admin(const Context& context, Facts& facts) {
    const std::string topic = create_or_throw(context, "admin");
    const std::string group = context.topic("admin-group");
    produce(context, topic, simple({"a", "b"}));
    {
        Member member(context, group, topic, {{"client.id", "member"}});
        wait_until([&] { return member.rows().size() == 2; }, "the member reads");
        facts.push_back(listed(context, group));
        facts.push_back("delete with members " + delete_group(context, group));
    }
    facts.push_back(listed(context, group));
    facts.push_back("delete " + delete_group(context, group));
    facts.push_back("again " + delete_group(context, group));
    facts.push_back(listed(context, group));
}

}  // namespace

void add_group_features(Features& features) {
    features.emplace_back("group", group);
    features.emplace_back("cooperative", cooperative);
    features.emplace_back("static_membership", static_membership);
    features.emplace_back("commit_resume", commit_resume);
    features.emplace_back("groups_admin", groups_admin);
}

}  // namespace interop
