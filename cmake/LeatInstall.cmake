# What `make install` and `make package` put on a machine. Component leat: the program, its completion for three shells, unit,
# user, example settings, documents. Component dev: the streams library with its headers, for CMake and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME leat)
# FHS: a package's settings go to /etc, those of another prefix beside it.
set(LEAT_ETC "${CMAKE_INSTALL_FULL_SYSCONFDIR}/leat")
set(LEAT_PACKAGING "${PROJECT_SOURCE_DIR}/packaging")

configure_file("${LEAT_PACKAGING}/leat.service.in" "${PROJECT_BINARY_DIR}/packaging/leat.service" @ONLY)
install(TARGETS leat RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${PROJECT_BINARY_DIR}/packaging/leat.service" DESTINATION lib/systemd/system)
install(FILES "${LEAT_PACKAGING}/leat.sysusers" DESTINATION lib/sysusers.d RENAME leat.conf)
# Pages link to each other all over docs/, and to sources that a user does not have.
set(docs "${PROJECT_BINARY_DIR}/packaging/docs")
install(CODE "execute_process(COMMAND \"${Python3_EXECUTABLE}\" -B \"${PROJECT_SOURCE_DIR}/tools/installed_docs.py\" \"${docs}\" COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY "${docs}/" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
# Settings that are there already are the operator's.
install(CODE "
  set(file \"\$ENV{DESTDIR}${LEAT_ETC}/leat.properties\")
  if(EXISTS \"\${file}\")
    message(STATUS \"Kept: \${file}\")
  else()
    file(INSTALL DESTINATION \"${LEAT_ETC}\" TYPE FILE FILES \"${LEAT_PACKAGING}/leat.properties\")
  endif()")

# The program prints its own completion.
set(completion "${PROJECT_BINARY_DIR}/packaging/completion")
install(CODE "
  file(MAKE_DIRECTORY \"${completion}\")
  foreach(shell IN ITEMS bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:leat>\" completion \${shell} OUTPUT_FILE \"${completion}/\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(FILES "${completion}/bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME leat)
install(FILES "${completion}/zsh" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" RENAME _leat)
install(FILES "${completion}/fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" RENAME leat.fish)

# spdlog's compile options are not the user's, so it stands among the libraries in leat-streams.pc.
set(LEAT_SDK_REQUIRES ${LEAT_SDK_LIBRARIES})
list(REMOVE_ITEM LEAT_SDK_REQUIRES spdlog)
list(JOIN LEAT_SDK_REQUIRES " " LEAT_SDK_REQUIRES)
list(JOIN LEAT_SDK_DEBIAN " " LEAT_SDK_DEBIAN_TEXT)
list(JOIN LEAT_SDK_DEBIAN ", " LEAT_SDK_DEBIAN_DEPENDS)
set(packages "${CMAKE_INSTALL_LIBDIR}/cmake/leat")
# The installed tree may be moved as a whole.
file(RELATIVE_PATH LEAT_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" LEAT_PC_PREFIX "${LEAT_PC_PREFIX}")
configure_package_config_file("${LEAT_PACKAGING}/leat-config.cmake.in" "${PROJECT_BINARY_DIR}/packaging/leat-config.cmake"
  INSTALL_DESTINATION "${packages}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 each minor version may change what a program sees.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/packaging/leat-config-version.cmake" COMPATIBILITY SameMinorVersion)
configure_file("${LEAT_PACKAGING}/leat-streams.pc.in" "${PROJECT_BINARY_DIR}/packaging/leat-streams.pc" @ONLY)
install(FILES "${LEAT_SDK_ARCHIVE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
install(DIRECTORY "${PROJECT_BINARY_DIR}/sdk/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
install(FILES "${PROJECT_BINARY_DIR}/packaging/leat-config.cmake" "${PROJECT_BINARY_DIR}/packaging/leat-config-version.cmake"
  DESTINATION "${packages}" COMPONENT dev)
install(FILES "${PROJECT_BINARY_DIR}/packaging/leat-streams.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libleat-dev" RENAME copyright COMPONENT dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME leat)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL leat dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_LEAT_PACKAGE_NAME leat)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libleat-dev)
set(CPACK_PACKAGE_VENDOR "The Leat authors")
# The maintainer of a package is whoever builds it, and says so as for Debian's own tools. There is no address that reaches the authors.
# make exports both, empty when they are not set.
set(CPACK_PACKAGE_CONTACT "The Leat authors")
if(NOT "$ENV{DEBEMAIL}" STREQUAL "")
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBEMAIL}")
  if(NOT "$ENV{DEBFULLNAME}" STREQUAL "" AND NOT "$ENV{DEBEMAIL}" MATCHES "<")
    set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
  endif()
endif()
set(CPACK_COMPONENT_LEAT_DESCRIPTION "durable event backbone for Kafka clients
Leat speaks Kafka's wire protocol and keeps Kafka's log files, in one native process on
one machine: clients of Kafka use it unmodified as their broker. Acknowledged records
are on the disk. The package brings the server, run by systemd, and the command line.")
set(CPACK_COMPONENT_DEV_DESCRIPTION "stream processing for C++, as Kafka Streams does it
Streams and tables, windows, joins, state and exactly-once processing on any Kafka
cluster, with the semantics of Kafka Streams. The package brings the static library,
its headers (C++20), a CMake package and a pkg-config file.")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)  # /etc stands outside the prefix
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_LEAT_PACKAGE_SECTION net)
set(CPACK_DEBIAN_LEAT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LEAT_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_LEAT_PACKAGE_SUGGESTS kcat)
set(CPACK_DEBIAN_LEAT_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_LEAT_PACKAGE_CONTROL_EXTRA "${LEAT_PACKAGING}/deb/postinst" "${LEAT_PACKAGING}/deb/prerm"
  "${LEAT_PACKAGING}/deb/postrm" "${LEAT_PACKAGING}/deb/conffiles")
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "${LEAT_SDK_DEBIAN_DEPENDS}")
include(CPack)
