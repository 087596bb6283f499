# ctflow_add_bpf_skeleton(NAME SOURCE [CLANG_ARGUMENT...])
#
# Compiles a BPF program and makes the INTERFACE target NAME whose users can include <NAME.skel.h>,
# libbpf's skeleton with the object inside. Only clang and bpftool take part: what the program
# needs of the kernel's types it declares itself, and CO-RE fits it to the kernel at load.

find_program(CTFLOW_BPF_CLANG NAMES clang clang-19 clang-16 clang-15 clang-14 REQUIRED)
find_program(CTFLOW_BPFTOOL NAMES bpftool HINTS /usr/sbin /sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(CTFLOW_BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(CTFLOW_BPF_ARCH arm64)
else()
  message(FATAL_ERROR "ctflow: bpf/types.h does not know the registers of ${CMAKE_SYSTEM_PROCESSOR}")
endif()

function(ctflow_add_bpf_skeleton name source)
  get_filename_component(source "${source}" ABSOLUTE)
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/skeleton")
  file(MAKE_DIRECTORY "${dir}")
  set(compiled "${dir}/${name}.compiled.o")
  set(object "${dir}/${name}.bpf.o")
  set(skeleton "${dir}/${name}.skel.h")

  add_custom_command(
    OUTPUT "${compiled}"
    COMMAND
      "${CTFLOW_BPF_CLANG}" -target bpf "-D__TARGET_ARCH_${CTFLOW_BPF_ARCH}" -g -O2 -Wall -Wextra
      -Werror -Wno-unused-parameter "-I${PROJECT_SOURCE_DIR}/include"
      "-I${PROJECT_SOURCE_DIR}/bpf" ${ARGN} -MD -MF "${compiled}.d" -MT "${compiled}" -c "${source}" -o
      "${compiled}"
    DEPENDS "${source}"
    DEPFILE "${compiled}.d"
    COMMENT "Compiling BPF program ${name}"
    VERBATIM)
  # Linking a single object drops the DWARF and keeps the BTF, in a reproducible file.
  add_custom_command(
    OUTPUT "${object}"
    COMMAND "${CTFLOW_BPFTOOL}" gen object "${object}" "${compiled}"
    DEPENDS "${compiled}"
    VERBATIM)
  add_custom_command(
    OUTPUT "${skeleton}"
    COMMAND "${CTFLOW_BPFTOOL}" gen skeleton "${object}" name "${name}" > "${skeleton}"
    DEPENDS "${object}"
    COMMENT "Generating ${name}.skel.h"
    VERBATIM)
  add_custom_target(${name}_generate DEPENDS "${skeleton}")

  add_library(${name} INTERFACE)
  # SYSTEM: the warnings of generated code are bpftool's business.
  target_include_directories(${name} SYSTEM INTERFACE "${dir}")
  add_dependencies(${name} ${name}_generate)
endfunction()
