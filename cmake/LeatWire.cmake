# The generated messages: C++ from schemas/*.wire (APIs) and schemas/records/*.wire (records of internal topics), made
# at build time in <build>/gen by tools/wiregen. A new schema file is found by the glob; nothing else lists it.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
set(LEAT_WIREGEN Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen")
set(LEAT_WIRE_OUT "${PROJECT_BINARY_DIR}/gen")

# Sets what the generator reads: `apis` and `records` to stems of schema files, `inputs` to all files.
macro(leat_wire_inputs)
  file(GLOB inputs CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/schemas/*.wire" "${PROJECT_SOURCE_DIR}/schemas/records/*.wire"
    "${PROJECT_SOURCE_DIR}/tools/wiregen/*.py")
  set(apis ${inputs})
  list(FILTER apis INCLUDE REGEX "/schemas/[a-z0-9_]+\\.wire$")
  list(TRANSFORM apis REPLACE "^.*/([a-z0-9_]+)\\.wire$" "\\1")
  set(records ${inputs})
  list(FILTER records INCLUDE REGEX "/schemas/records/[a-z0-9_]+\\.wire$")
  list(TRANSFORM records REPLACE "^.*/([a-z0-9_]+)\\.wire$" "\\1")
endmacro()

# leat_wire_messages(): the object library leat_wire_messages.
function(leat_wire_messages)
  leat_wire_inputs()
  set(made "${LEAT_WIRE_OUT}/wire/api_keys.h" "${LEAT_WIRE_OUT}/wire/api_table.inc")
  foreach(stem IN LISTS apis)
    set(at "${LEAT_WIRE_OUT}/wire/messages/${stem}")
    list(APPEND made "${at}.cc" "${at}_request.h" "${at}_response.h")
  endforeach()
  foreach(stem IN LISTS records)
    list(APPEND made "${LEAT_WIRE_OUT}/wire/records/${stem}.cc" "${LEAT_WIRE_OUT}/wire/records/${stem}.h")
  endforeach()
  # One run makes all; files that come out the same keep their time, so only what changed is compiled.
  add_custom_command(OUTPUT ${made}
    COMMAND ${LEAT_WIREGEN} cpp "${PROJECT_SOURCE_DIR}/schemas" "${LEAT_WIRE_OUT}"
    DEPENDS ${inputs} COMMENT "Messages from schemas/" VERBATIM)
  # Several messages a compiler run: most of the time goes into the standard headers.
  add_library(leat_wire_messages OBJECT ${made})
  set_target_properties(leat_wire_messages PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 14 CXX_CLANG_TIDY "")
  target_include_directories(leat_wire_messages PUBLIC "${LEAT_WIRE_OUT}" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(leat_wire_messages PUBLIC leat_base)
endfunction()

# leat_wire_testing(): the static library leat_wire_testing, with which tests and fuzz targets handle any message
# by name, and the fuzz targets wire_<api>_fuzz and wire_record_<record>_fuzz (one binary each with the fuzz preset;
# elsewhere one binary replays the corpora of all of them).
function(leat_wire_testing)
  leat_wire_inputs()
  list(TRANSFORM records PREPEND "record_")
  set(sources "${LEAT_WIRE_OUT}/wire/testing/catalog.cc")
  foreach(stem IN LISTS apis records)
    list(APPEND sources "${LEAT_WIRE_OUT}/wire/testing/${stem}.cc")
  endforeach()
  add_custom_command(OUTPUT ${sources}
    COMMAND ${LEAT_WIREGEN} testing "${PROJECT_SOURCE_DIR}/schemas" "${LEAT_WIRE_OUT}"
    DEPENDS ${inputs} COMMENT "Message printers for tests" VERBATIM)
  add_library(leat_wire_testing STATIC ${sources} testing/dump.cc testing/fuzz_api.cc)
  set_target_properties(leat_wire_testing PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16 CXX_CLANG_TIDY "")
  target_link_libraries(leat_wire_testing PUBLIC leat_wire)
  if(LEAT_SANITIZE MATCHES "fuzzer")
    foreach(stem IN LISTS apis records)
      add_executable(wire_${stem}_fuzz testing/fuzz_target.cc)
      target_compile_definitions(wire_${stem}_fuzz PRIVATE "LEAT_FUZZ_STEM=\"${stem}\"")
      target_link_libraries(wire_${stem}_fuzz PRIVATE leat_wire_testing)
    endforeach()
  elseif(BUILD_TESTING)
    add_executable(wire_messages_replay testing/replay_main.cc)
    target_link_libraries(wire_messages_replay PRIVATE leat_wire_testing)
    target_link_libraries(wire_test PRIVATE leat_wire_testing)
    add_test(NAME wire_messages_replay COMMAND wire_messages_replay "${PROJECT_SOURCE_DIR}/tests/corpus")
    add_test(NAME wiregen_test COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen/test_wiregen.py")
    add_test(NAME wiregen_pages_fresh
      COMMAND ${LEAT_WIREGEN} check "${PROJECT_SOURCE_DIR}/schemas" "${PROJECT_SOURCE_DIR}")
    set_tests_properties(wire_messages_replay wiregen_test wiregen_pages_fresh PROPERTIES LABELS unit TIMEOUT 60)
  endif()
endfunction()
