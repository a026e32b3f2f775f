# Where a Debian package would put things: the daemon in sbin, the tool in bin, the unit beside systemd's own.
if(NOT TARGET waylayd OR NOT TARGET waylay)
  return()
endif()
install(TARGETS waylayd DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS waylay DESTINATION ${CMAKE_INSTALL_BINDIR})

# The unit names the programs' places, which depend on the prefix. systemd reads units and users below /usr/lib and
# /usr/local/lib, never in a multiarch folder.
file(READ ${CMAKE_SOURCE_DIR}/systemd/waylayd.service unit)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/systemd/waylayd.service)
string(REPLACE "/usr/sbin/waylayd" "${CMAKE_INSTALL_FULL_SBINDIR}/waylayd" unit "${unit}")
string(REPLACE "/usr/bin/waylay" "${CMAKE_INSTALL_FULL_BINDIR}/waylay" unit "${unit}")
string(REPLACE "/usr/share/doc/waylay" "${CMAKE_INSTALL_FULL_DOCDIR}" unit "${unit}")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/packaging/waylayd.service CONTENT "${unit}")
install(FILES ${CMAKE_BINARY_DIR}/packaging/waylayd.service DESTINATION lib/systemd/system)
install(FILES systemd/waylay.sysusers DESTINATION lib/sysusers.d RENAME waylay.conf)

install(FILES packaging/waylay.json DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/waylay)
install(DIRECTORY DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/waylay/rules.d)

install(DIRECTORY scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/waylay)
install(DIRECTORY handlers DESTINATION ${CMAKE_INSTALL_DATADIR}/waylay USE_SOURCE_PERMISSIONS)
install(FILES README.md CHANGELOG.md docs/design.md docs/rules.md docs/faults.md docs/openapi.json docs/rules.schema.json
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# The tool prints its own completion and manual page from its table of verbs, so they cannot disagree with it.
set(printed ${CMAKE_BINARY_DIR}/packaging)
add_custom_command(
  OUTPUT ${printed}/waylay.bash ${printed}/_waylay ${printed}/waylay.fish ${printed}/waylay.1
  COMMAND waylay completion bash > ${printed}/waylay.bash
  COMMAND waylay completion zsh > ${printed}/_waylay
  COMMAND waylay completion fish > ${printed}/waylay.fish
  COMMAND waylay man > ${printed}/waylay.1
  DEPENDS waylay COMMENT "Completion and manual page" VERBATIM)
add_custom_target(waylay_printed ALL DEPENDS ${printed}/waylay.1)
install(FILES ${printed}/waylay.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME waylay)
install(FILES ${printed}/_waylay DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${printed}/waylay.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${printed}/waylay.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
