# What `make install` and `make package` put on a machine: the program, its completion for three shells, unit, user, example
# settings, documents.
include(GNUInstallDirs)
# FHS: a package's settings go to /etc, those of another prefix beside it.
set(LEAT_ETC "${CMAKE_INSTALL_FULL_SYSCONFDIR}/leat")
set(LEAT_PACKAGING "${PROJECT_SOURCE_DIR}/packaging")

configure_file("${LEAT_PACKAGING}/leat.service.in" "${PROJECT_BINARY_DIR}/packaging/leat.service" @ONLY)
install(TARGETS leat RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${PROJECT_BINARY_DIR}/packaging/leat.service" DESTINATION lib/systemd/system)
install(FILES "${LEAT_PACKAGING}/leat.sysusers" DESTINATION lib/sysusers.d RENAME leat.conf)
install(FILES README.md NOTICE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(DIRECTORY docs/explanation docs/how-to docs/reference DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs")
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

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME leat)
set(CPACK_PACKAGE_VENDOR "The Leat authors")
set(CPACK_PACKAGE_CONTACT "The Leat authors <maintainers@leat.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "durable event backbone for Kafka clients")
set(CPACK_PACKAGE_DESCRIPTION "Leat speaks Kafka's wire protocol and keeps Kafka's log files, in one native process on
one machine: clients of Kafka use it unmodified as their broker. Acknowledged records
are on the disk. The package brings the server, run by systemd, and the command line.")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)  # /etc stands outside the prefix
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS kcat)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${LEAT_PACKAGING}/deb/postinst" "${LEAT_PACKAGING}/deb/prerm" "${LEAT_PACKAGING}/deb/postrm"
  "${LEAT_PACKAGING}/deb/conffiles")
include(CPack)
