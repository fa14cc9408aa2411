// SPDX-License-Identifier: Apache-2.0
#include "rt/named_thread.h"

#include <pthread.h>

#include <utility>

namespace leat::rt {

NamedThread::NamedThread(const std::string& name, Fn body)
    : thread_([shown = name.substr(0, 15), run = std::move(body)]() mutable {
          ::pthread_setname_np(::pthread_self(), shown.c_str());
          run();
      }) {}

}  // namespace leat::rt
