# leat_wire_messages(): runs tools/wiregen over schemas/*.wire at build time, into <build>/gen/wire, and makes
# the object library leat_wire_messages of it. A new schema file is found by the glob; nothing else lists it.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)

function(leat_wire_messages)
  file(GLOB schemas CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/schemas/*.wire")
  file(GLOB generator CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/wiregen/*.py")
  set(out "${PROJECT_BINARY_DIR}/gen")
  set(made "${out}/wire/api_keys.h" "${out}/wire/api_table.inc")
  set(sources)
  foreach(schema IN LISTS schemas)
    get_filename_component(stem "${schema}" NAME_WE)
    list(APPEND sources "${out}/wire/messages/${stem}.cc")
    list(APPEND made "${out}/wire/messages/${stem}_request.h" "${out}/wire/messages/${stem}_response.h")
  endforeach()
  # One run makes all; files that come out the same keep their time, so only what changed is compiled.
  add_custom_command(OUTPUT ${made} ${sources}
    COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen" cpp "${PROJECT_SOURCE_DIR}/schemas" "${out}"
    DEPENDS ${schemas} ${generator}
    COMMENT "Messages from schemas/" VERBATIM)
  # Several messages a compiler run: most of the time goes into the standard headers.
  add_library(leat_wire_messages OBJECT ${sources} ${made})
  set_target_properties(leat_wire_messages PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12 CXX_CLANG_TIDY "")
  target_include_directories(leat_wire_messages PUBLIC "${out}" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(leat_wire_messages PUBLIC leat_base)
endfunction()

# leat_wire_testing(): the static library leat_wire_testing, with which tests and fuzz targets handle any message
# by name, and the fuzz targets wire_<api>_fuzz (one binary each with the fuzz preset; elsewhere one binary replays
# the corpora of all of them).
function(leat_wire_testing)
  file(GLOB schemas CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/schemas/*.wire")
  file(GLOB generator CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/wiregen/*.py")
  set(out "${PROJECT_BINARY_DIR}/gen")
  set(sources "${out}/wire/testing/catalog.cc")
  foreach(schema IN LISTS schemas)
    get_filename_component(stem "${schema}" NAME_WE)
    list(APPEND sources "${out}/wire/testing/${stem}.cc")
  endforeach()
  add_custom_command(OUTPUT ${sources}
    COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen" testing "${PROJECT_SOURCE_DIR}/schemas" "${out}"
    DEPENDS ${schemas} ${generator}
    COMMENT "Message printers for tests" VERBATIM)
  add_library(leat_wire_testing STATIC ${sources} testing/dump.cc testing/fuzz_api.cc)
  set_target_properties(leat_wire_testing PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16 CXX_CLANG_TIDY "")
  target_link_libraries(leat_wire_testing PUBLIC leat_wire)
  if(LEAT_SANITIZE MATCHES "fuzzer")
    foreach(schema IN LISTS schemas)
      get_filename_component(stem "${schema}" NAME_WE)
      add_executable(wire_${stem}_fuzz testing/fuzz_target.cc)
      target_compile_definitions(wire_${stem}_fuzz PRIVATE "LEAT_FUZZ_STEM=\"${stem}\"")
      target_link_libraries(wire_${stem}_fuzz PRIVATE leat_wire_testing)
    endforeach()
  elseif(BUILD_TESTING)
    add_executable(wire_messages_replay testing/replay_main.cc)
    target_link_libraries(wire_messages_replay PRIVATE leat_wire_testing)
    add_test(NAME wire_messages_replay COMMAND wire_messages_replay "${PROJECT_SOURCE_DIR}/tests/corpus")
    set_tests_properties(wire_messages_replay PROPERTIES LABELS unit TIMEOUT 60)
    target_link_libraries(wire_test PRIVATE leat_wire_testing)
    add_test(NAME wiregen_test COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen/test_wiregen.py")
    add_test(NAME wiregen_pages_fresh COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tools/wiregen" check
      "${PROJECT_SOURCE_DIR}/schemas" "${PROJECT_SOURCE_DIR}")
    set_tests_properties(wiregen_test wiregen_pages_fresh PROPERTIES LABELS unit TIMEOUT 60)
  endif()
endfunction()
