# shellcheck shell=bash
# Debian's packages that ctflow is built and tested with. Sourced.

# shellcheck disable=SC2034
build_packages=(g++ cmake ninja-build pkgconf clang bpftool libbpf-dev libboost1.81-dev
    libboost-test1.81-dev)

# Besides those that scripts/vm asks for itself. The sanitizers come with g++.
# shellcheck disable=SC2034
test_packages=(git clang-format clang-tidy shellcheck libbenchmark-dev)
