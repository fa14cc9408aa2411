# leat_sdk: the streams library as users get it, in <build>/sdk. One archive of the streams module and all below it, without
# debugging symbols, and the installed headers with those of base that they include. Decision 0023 says why it is static.
#   LEAT_SDK_LIBRARIES  pkg-config names of what the archive needs beside the standard library
#   LEAT_SDK_DEBIAN     the Debian packages that bring them
set(LEAT_SDK_LIBRARIES rdkafka rocksdb openssl libisal zlib snappy liblz4 libzstd spdlog)
set(LEAT_SDK_DEBIAN librdkafka-dev librocksdb-dev libssl-dev libisal-dev zlib1g-dev libsnappy-dev liblz4-dev libzstd-dev
  libspdlog-dev pkg-config)

# With it the archive would hold the compiler's own code, which only the same compiler can link.
if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELWITHDEBINFO} ${CMAKE_CXX_FLAGS_DEBUG}" MATCHES "-flto" OR CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  message(FATAL_ERROR "the streams library is installed for other compilers: build without link-time optimisation")
endif()

set(sdk "${PROJECT_BINARY_DIR}/sdk")
set(LEAT_SDK_ARCHIVE "${sdk}/libleat-streams.a")
set(archives)
set(merge "CREATE ${LEAT_SDK_ARCHIVE}\n")
foreach(module IN ITEMS stream_endpoint streams client wire auth http rt codec config obs base)
  list(APPEND archives "$<TARGET_FILE:leat_${module}>")
  string(APPEND merge "ADDLIB $<TARGET_FILE:leat_${module}>\n")
endforeach()
file(GENERATE OUTPUT "${sdk}/merge-$<CONFIG>.mri" CONTENT "${merge}SAVE\nEND\n")
add_custom_command(OUTPUT "${LEAT_SDK_ARCHIVE}"
  COMMAND "${CMAKE_COMMAND}" -E rm -f "${LEAT_SDK_ARCHIVE}"
  COMMAND sh -c "exec \"$0\" -M < \"$1\"" "${CMAKE_AR}" "${sdk}/merge-$<CONFIG>.mri"
  COMMAND "${CMAKE_STRIP}" --strip-debug "${LEAT_SDK_ARCHIVE}"
  DEPENDS ${archives} COMMENT "sdk/libleat-streams.a" VERBATIM)

# The headers stand below leat/ alone, so that nobody's base/result.h is taken for ours: those of base move there, and what
# includes them says so.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/leat/*.h")
set(base_headers "${PROJECT_SOURCE_DIR}/src/base/check.h" "${PROJECT_SOURCE_DIR}/src/base/errc.def"
  "${PROJECT_SOURCE_DIR}/src/base/errc.h" "${PROJECT_SOURCE_DIR}/src/base/result.h" "${PROJECT_SOURCE_DIR}/src/base/uuid.h")
add_custom_command(OUTPUT "${sdk}/headers.stamp"
  COMMAND "${CMAKE_COMMAND}" "-DFROM=${PROJECT_SOURCE_DIR}" "-DTO=${sdk}/include" -P "${PROJECT_SOURCE_DIR}/cmake/LeatSdkHeaders.cmake"
  COMMAND "${CMAKE_COMMAND}" -E touch "${sdk}/headers.stamp"
  DEPENDS ${headers} ${base_headers} "${PROJECT_SOURCE_DIR}/cmake/LeatSdkHeaders.cmake" COMMENT "sdk/include" VERBATIM)
set(all)
if(BUILD_TESTING)
  set(all ALL)
endif()
add_custom_target(leat_sdk ${all} DEPENDS "${LEAT_SDK_ARCHIVE}" "${sdk}/headers.stamp")
