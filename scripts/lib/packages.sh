# shellcheck shell=bash
# Debian's packages that ctflow is built and tested with. Sourced.

# shellcheck disable=SC2034
build_packages=(g++ cmake ninja-build pkgconf clang bpftool libbpf-dev libmnl-dev
    libboost1.81-dev libboost-test1.81-dev)

# What scripts/vm boots a guest with, and fills it.
# shellcheck disable=SC2034
vm_packages=(qemu-system-x86 cpio xz-utils busybox-static bash dash iproute2 nftables conntrack bpftool
    kmod util-linux libcap2-bin binutils)

# g++ has its sanitizers with it; the fuzzers, which clang builds, have theirs apart. systemd looks
# at flowdump's unit, and runs it in a VM. doxygen makes the reference.
# The examples are looked at in tmux, asked by wrk, and judged by promtool, which comes with
# prometheus.
# shellcheck disable=SC2034
test_packages=(git clang-format clang-tidy cppcheck shellcheck valgrind libbenchmark-dev
    libclang-rt-dev systemd man-db mandoc liburing-dev doxygen tmux wrk
    prometheus)

# What Debian packages are built with, and looked at.
# shellcheck disable=SC2034
package_packages=(dpkg-dev file lintian mmdebstrap)

# What scripts/coverage reports with.
# shellcheck disable=SC2034
coverage_packages=(gcovr jq)

# What scripts/bench measures with, and draws.
# shellcheck disable=SC2034
bench_packages=(libbenchmark-dev jq gnuplot-nox fonts-dejavu-core)
