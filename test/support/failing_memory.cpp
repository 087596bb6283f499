// SPDX-License-Identifier: Apache-2.0
#include "support/failing_memory.hpp"

#include "support/sanitizers.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>

namespace ctflow::test {
namespace {

constexpr auto never = std::numeric_limits<std::size_t>::max();
thread_local std::size_t left = never;
thread_local bool failed = false;

// Of requests_of(), while it runs.
thread_local bool recording = false;
thread_local std::size_t recorded = 0;
std::array<std::size_t, 65536> sizes;

bool may_have(std::size_t size) noexcept {
    if (recording && recorded < sizes.size()) {
        sizes[recorded++] = size;
    }
    if (left == 0) {
        failed = true;
        errno = ENOMEM;
        return false;
    }
    left -= left != never ? 1 : 0;
    return true;
}

} // namespace

failing_memory::failing_memory(std::size_t nth) noexcept {
    left = nth;
    failed = false;
}

failing_memory::~failing_memory() {
    left = never;
}

bool failing_memory::happened() noexcept {
    return failed;
}

std::vector<std::size_t> requests_of(const std::function<void()>& f) {
    recorded = 0;
    recording = true;
    f();
    recording = false;
    return {sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(recorded)};
}

} // namespace ctflow::test

#if defined(CTFLOW_TEST_WITH_ASAN) || defined(CTFLOW_TEST_WITH_TSAN)

namespace {

void* allocate(std::size_t size) noexcept {
    return ctflow::test::may_have(size) ? std::malloc(size) : nullptr;
}

} // namespace

void* operator new(std::size_t size) {
    void* p = allocate(size);
    if (p == nullptr) {
        throw std::bad_alloc();
    }
    return p;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    std::free(p);
}

#else

// The C library's own names for what stands behind them ("Replacing malloc" in its manual has the
// rules; memory of the others, which are not replaced, comes from the same place).
// NOLINTBEGIN(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* p, std::size_t size);

void* malloc(std::size_t size) noexcept {
    return ctflow::test::may_have(size) ? __libc_malloc(size) : nullptr;
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    return ctflow::test::may_have(count * size) ? __libc_calloc(count, size) : nullptr;
}
void* realloc(void* p, std::size_t size) noexcept {
    return ctflow::test::may_have(size) ? __libc_realloc(p, size) : nullptr;
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name)

#endif
