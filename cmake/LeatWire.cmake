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
  set_target_properties(leat_wire_messages PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 9 CXX_CLANG_TIDY "")
  target_include_directories(leat_wire_messages PUBLIC "${out}" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(leat_wire_messages PUBLIC leat_base)
endfunction()
