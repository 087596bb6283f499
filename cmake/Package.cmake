# Debian's packages, by `cpack -G DEB`. scripts/package builds what goes into them.
if(NOT ctflow_type STREQUAL SHARED_LIBRARY OR NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  message(FATAL_ERROR "ctflow: the packages take BUILD_SHARED_LIBS=ON and CMAKE_INSTALL_PREFIX=/usr, "
                      "as scripts/package says")
endif()

set(ctflow_debian "${PROJECT_SOURCE_DIR}/packaging/debian")
get_target_property(ctflow_abi ctflow SOVERSION)
set(ctflow_library libctflow${ctflow_abi})

# The changelog says which revision this is, and of which version.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${ctflow_debian}/changelog")
file(STRINGS "${ctflow_debian}/changelog" ctflow_entry LIMIT_COUNT 1)
if(NOT ctflow_entry MATCHES "^ctflow \\(([0-9.]+)-([0-9]+)\\)" OR NOT CMAKE_MATCH_1 STREQUAL
                                                                  PROJECT_VERSION)
  message(FATAL_ERROR "ctflow: packaging/debian/changelog must begin with ${PROJECT_VERSION}")
endif()
set(ctflow_deb_version "${PROJECT_VERSION}-${CMAKE_MATCH_2}")
file(STRINGS "${ctflow_debian}/changelog" ctflow_signature REGEX "^ -- " LIMIT_COUNT 1)
string(REGEX REPLACE "^ -- (.*>).*" "\\1" ctflow_maintainer "${ctflow_signature}")

# ctflow_compressed(INPUT OUTPUT): as Debian wants it, without time or name.
function(ctflow_compressed input output)
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${input}")
  execute_process(COMMAND gzip -9nc "${input}" OUTPUT_FILE "${CMAKE_CURRENT_BINARY_DIR}/${output}"
                          COMMAND_ERROR_IS_FATAL ANY)
endfunction()

ctflow_compressed("${ctflow_debian}/changelog" changelog.Debian.gz)
ctflow_compressed("${PROJECT_SOURCE_DIR}/examples/flowdump/flowdump.1" flowdump.1.gz)
foreach(package IN ITEMS library:${ctflow_library} development:libctflow-dev tools:ctflow-tools)
  string(REGEX MATCH "(.*):(.*)" package "${package}")
  install(
    FILES "${ctflow_debian}/copyright" "${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${CMAKE_MATCH_2}"
    COMPONENT ${CMAKE_MATCH_1})
endforeach()

# ldconfig is run by a trigger.
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/triggers" "activate-noawait ldconfig\n")

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL library development tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
                                                GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_VERSION "${ctflow_deb_version}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${ctflow_maintainer}")
set(CPACK_DEBIAN_PACKAGE_SOURCE ctflow)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Built from this tree, and no part of the system whose packages are asked.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
get_target_property(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ctflow BINARY_DIR)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# It would come before each package's own.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${ctflow_library})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_BINARY_DIR}/triggers")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "host's network flows, live, in Boost.Asio
ctflow tells a C++20 program which network flows its Linux host carries and
how many packets and bytes each has moved, without capturing a packet. A
small BPF program reads the counters that conntrack keeps; coroutines get
them inside the program's own io_context.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libctflow-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libboost1.81-dev | libboost-dev (>= 1.81)")
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "host's network flows, live, in Boost.Asio (development files)
ctflow tells a C++20 program which network flows its Linux host carries and
how many packets and bytes each has moved, without capturing a packet.

This package has the headers, and what CMake and pkg-config find it by.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME ctflow-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_COMPONENT_TOOLS_DEPENDS library)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
    "host's network flows, live, on the command line
flowdump prints which network flows this host carries and how many packets
and bytes each has moved, when they begin, while they last, and when they
end. It reads conntrack's counters with a BPF program, and captures nothing.

A systemd unit comes with it, which is not enabled.")

set(CPACK_POST_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/PackageScripts.cmake")
include(CPack)
