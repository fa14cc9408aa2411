set(LEAT_SANITIZE "" CACHE STRING "Comma list for -fsanitize=, for example address,undefined")
option(LEAT_FAULT_INJECTION "Let the environment make `leat serve` fail, for the crash harness; never in what users run" OFF)

add_library(leat_flags INTERFACE)
target_compile_features(leat_flags INTERFACE cxx_std_23)
target_compile_options(leat_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum)
target_compile_definitions(leat_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(LEAT_SANITIZE)
  target_compile_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE})
endif()
find_package(Threads REQUIRED)

# One precompiled header of what nearly every file includes, a second one with GoogleTest for the unit tests. Off in the
# lint preset, where each file must include what it uses.
option(LEAT_PCH "Precompile the standard headers" ON)
set(LEAT_STD_HEADERS <algorithm> <array> <atomic> <chrono> <cstddef> <cstdint> <cstring> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# leat_precompile(TARGET std|test [HEADER...])
#   HEADERs, those of the target's own that most of its files include, are precompiled with the standard ones, for this target alone.
function(leat_precompile target kind)
  if(NOT LEAT_PCH)
    return()
  endif()
  if(ARGN)
    target_precompile_headers(${target} PRIVATE ${LEAT_STD_HEADERS} ${ARGN})
    set_target_properties(${target} PROPERTIES PCH_INSTANTIATE_TEMPLATES ON)
    return()
  endif()
  if(NOT TARGET leat_pch_${kind})
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/pch_${kind}.cc" CONTENT "// Only carries the precompiled header.\n")
    add_library(leat_pch_${kind} OBJECT "${PROJECT_BINARY_DIR}/pch_${kind}.cc")
    target_link_libraries(leat_pch_${kind} PRIVATE leat_flags Threads::Threads)
    set(headers ${LEAT_STD_HEADERS})
    if(kind STREQUAL "test")
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(leat_pch_${kind} PRIVATE GTest::gmock GTest::gtest)
    endif()
    target_precompile_headers(leat_pch_${kind} PRIVATE ${headers})
    set_target_properties(leat_pch_${kind} PROPERTIES PCH_INSTANTIATE_TEMPLATES ON)
  endif()
  target_precompile_headers(${target} REUSE_FROM leat_pch_${kind})
endfunction()
