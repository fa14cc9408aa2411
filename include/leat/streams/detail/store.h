// SPDX-License-Identifier: Apache-2.0
//
// State as nodes see it: all kinds of stores. Layer: streams SDK, not for users.
// Threading: as state_store.h.
#pragma once

#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/detail/session_store.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/suppress_buffer.h"
#include "leat/streams/detail/versioned_store.h"
#include "leat/streams/detail/window_store.h"
