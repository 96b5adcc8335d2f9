install(TARGETS rserpool EXPORT RSerPool
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS rserpool-core LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/rserpool.h include/rserpool.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES capi/valgrind.supp DESTINATION ${CMAKE_INSTALL_DATADIR}/rserpool)
install(PROGRAMS ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/rserpool DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN "*.[1-9]")
install(DIRECTORY c-examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
	FILES_MATCHING PATTERN "*.c" PATTERN "*.cpp" PATTERN "*.h" PATTERN "README.md")

# pkg-config. The prefix is found from where the file lies: the tree can be moved.
set(RSERPOOL_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
set(RSERPOOL_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
set(RSERPOOL_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
	file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
	string(REGEX REPLACE "/$" "" up "${up}")
	set(RSERPOOL_PC_PREFIX "\${pcfiledir}/${up}")
	set(RSERPOOL_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
	set(RSERPOOL_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/rserpool.pc.in rserpool.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/rserpool.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(RSerPool) -> RSerPool::rserpool
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/RSerPool)
configure_package_config_file(cmake/RSerPoolConfig.cmake.in RSerPoolConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(RSerPoolConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RSerPoolConfig.cmake ${PROJECT_BINARY_DIR}/RSerPoolConfigVersion.cmake
	DESTINATION ${package_dir})
install(EXPORT RSerPool NAMESPACE RSerPool:: FILE RSerPoolTargets.cmake DESTINATION ${package_dir})
