# Run by CPack when the packages are there. It has given the library's maintainer scripts that call
# ldconfig, and cannot be told otherwise; Debian has a trigger for that, which the package has, too.
foreach(deb IN LISTS CPACK_PACKAGE_FILES)
  if(deb MATCHES "/libctflow[0-9]+_[^/]*\\.deb$")
    set(tree "${CPACK_TOPLEVEL_DIRECTORY}/without-scripts")
    file(REMOVE_RECURSE "${tree}")
    execute_process(COMMAND dpkg-deb --raw-extract "${deb}" "${tree}" COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE "${tree}/DEBIAN/postinst" "${tree}/DEBIAN/postrm")
    execute_process(COMMAND dpkg-deb --root-owner-group --build "${tree}" "${deb}"
                    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
