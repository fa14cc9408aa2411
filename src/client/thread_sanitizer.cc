// SPDX-License-Identifier: Apache-2.0
//
// What the thread sanitizer has to be told of libraries that Debian builds without it; other
// programs get nothing of this. Layer: client (L3). Here, so that every program that has such a
// library has it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

// librdkafka makes its threads and locks by <threads.h>, which the sanitizer does not know: to its
// runtime such a thread does not exist, and it crashes at the thread's first allocation. By the
// calls below, which go before the C library's, it knows all threads and sees every lock.

namespace {

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t) && sizeof(cnd_t) >= sizeof(pthread_cond_t));

struct Start {
    thrd_start_t run = nullptr;
    void* argument = nullptr;
};

void* run_start(void* raw) {
    const std::unique_ptr<Start> start{static_cast<Start*>(raw)};
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(start->run(start->argument)));
}

int answer_of(int error) {
    if (error == 0) return thrd_success;
    if (error == ENOMEM) return thrd_nomem;
    if (error == ETIMEDOUT) return thrd_timedout;
    return error == EBUSY ? thrd_busy : thrd_error;
}

pthread_mutex_t* of(mtx_t* mutex) {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* of(cnd_t* condition) {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

}  // namespace

extern "C" {

// Neither does it see how these libraries count references, as that is done by atomics that are
// theirs, and takes what the last one to let go does for a race with all who had it before.
// librdkafka gives up locks and buffers of messages so, by functions that C++ code does not call:
// what goes wrong in our functions that it calls is still told. Reports show their names without
// "interceptor_".
// RocksDB gives up versions, tables and files so. It calls nothing of ours, so one side of what is
// not told is always its own code. called_from_lib would be no narrower: it passes over a library's
// locks too, and finds races that are none.
// What librdkafka does not end in time is left behind, with its threads (consumer.cc).
const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
    return "race_top:interceptor_free$\n"
           "race_top:interceptor_pthread_rwlock_destroy$\n"
           "race_top:interceptor_pthread_mutex_lock$\n"
           "race:librocksdb.so\n"
           "thread:librdkafka.so\n";
}

int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
    auto start = std::make_unique<Start>(Start{run, argument});
    const int error = ::pthread_create(thread, nullptr, run_start, start.get());
    if (error == 0) static_cast<void>(start.release());  // The thread's own now.
    return answer_of(error);
}

int thrd_join(thrd_t thread, int* result) {
    void* returned = nullptr;
    const int error = ::pthread_join(thread, &returned);
    if (error == 0 && result != nullptr)
        *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
    return answer_of(error);
}

int mtx_init(mtx_t* mutex, int type) {
    pthread_mutexattr_t kind;
    ::pthread_mutexattr_init(&kind);
    ::pthread_mutexattr_settype(
        &kind, (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    const int error = ::pthread_mutex_init(of(mutex), &kind);
    ::pthread_mutexattr_destroy(&kind);
    return answer_of(error);
}

int mtx_lock(mtx_t* mutex) {
    return answer_of(::pthread_mutex_lock(of(mutex)));
}

int mtx_unlock(mtx_t* mutex) {
    return answer_of(::pthread_mutex_unlock(of(mutex)));
}

void mtx_destroy(mtx_t* mutex) {
    ::pthread_mutex_destroy(of(mutex));
}

int cnd_init(cnd_t* condition) {
    return answer_of(::pthread_cond_init(of(condition), nullptr));
}

int cnd_signal(cnd_t* condition) {
    return answer_of(::pthread_cond_signal(of(condition)));
}

int cnd_broadcast(cnd_t* condition) {
    return answer_of(::pthread_cond_broadcast(of(condition)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return answer_of(::pthread_cond_wait(of(condition), of(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
    return answer_of(::pthread_cond_timedwait(of(condition), of(mutex), until));
}

void cnd_destroy(cnd_t* condition) {
    ::pthread_cond_destroy(of(condition));
}

}  // extern "C"

#endif
#endif
