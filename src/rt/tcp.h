// SPDX-License-Identifier: Apache-2.0
//
// TCP on an event loop, all of it. Layer: rt (L1).
#pragma once

#include "rt/socket.h"          // IWYU pragma: export
#include "rt/socket_address.h"  // IWYU pragma: export
#include "rt/tcp_listener.h"    // IWYU pragma: export
#include "rt/tcp_stream.h"      // IWYU pragma: export
