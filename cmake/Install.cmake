# What `cmake --install` puts where, and what CMake and pkg-config find of it.
include(CMakePackageConfigHelpers)

set(CTFLOW_UNIT_DIR "lib/systemd/system" CACHE STRING "Where systemd's units are installed")

set(ctflow_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ctflow")

install(
  TARGETS ctflow
  EXPORT ctflow
  LIBRARY COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/include/ctflow"
  TYPE INCLUDE
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.hpp"
  PATTERN "*.h")
install(
  EXPORT ctflow
  NAMESPACE ctflow::
  FILE ctflowTargets.cmake
  DESTINATION "${ctflow_cmake_dir}"
  COMPONENT development)

get_target_property(ctflow_type ctflow TYPE)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/ctflowConfig.cmake.in" ctflowConfig.cmake
                              INSTALL_DESTINATION "${ctflow_cmake_dir}")
# Before 1.0 every minor version may break what the one before promised.
write_basic_package_version_file(ctflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/ctflowConfig.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/ctflowConfigVersion.cmake"
  DESTINATION "${ctflow_cmake_dir}"
  COMPONENT development)

# A static library's users link what it needs, too. A shared one's need not even have it.
set(ctflow_pc_requires "")
if(ctflow_type STREQUAL STATIC_LIBRARY)
  set(ctflow_pc_requires "Requires: libbpf >= 1.1, libmnl\n")
endif()
# Wherever the whole is moved to.
file(RELATIVE_PATH ctflow_pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/ctflow.pc.in" ctflow.pc @ONLY)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/ctflow.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
  COMPONENT development)

if(TARGET flowdump)
  install(TARGETS flowdump RUNTIME COMPONENT tools)
  # Packages have it compressed.
  set(ctflow_man "${PROJECT_SOURCE_DIR}/examples/flowdump/flowdump.1")
  if(CTFLOW_DEBIAN)
    set(ctflow_man "${CMAKE_CURRENT_BINARY_DIR}/flowdump.1.gz")
  endif()
  install(
    FILES "${ctflow_man}"
    DESTINATION "${CMAKE_INSTALL_MANDIR}/man1"
    COMPONENT tools)
  # Installed, and not enabled. What it asks of the host's sysctls is the administrator's to grant: an
  # example, that nothing reads.
  file(READ "${PROJECT_SOURCE_DIR}/packaging/systemd/flowdump.service" ctflow_unit)
  string(REPLACE "/usr/bin/flowdump" "${CMAKE_INSTALL_FULL_BINDIR}/flowdump" ctflow_unit "${ctflow_unit}")
  file(CONFIGURE OUTPUT flowdump.service CONTENT "${ctflow_unit}" @ONLY)
  install(
    FILES "${CMAKE_CURRENT_BINARY_DIR}/flowdump.service"
    DESTINATION "${CTFLOW_UNIT_DIR}"
    COMPONENT tools)
  install(
    FILES "${PROJECT_SOURCE_DIR}/packaging/systemd/flowdump.conf"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/ctflow-tools/examples"
    COMPONENT tools)
endif()
