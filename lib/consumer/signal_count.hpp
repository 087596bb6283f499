// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

namespace ctflow::detail {

// Counts the threads that tell a consumer's receive to complete, which is a function that they post
// to an execution context. The receive may be through, its consumer gone, and the context about to
// be destroyed, before such a thread has left the context's functions: somebody has to wait for it.
class signal_count {
public:
    // One that is under way. Keeps the count, should the consumer be destroyed meanwhile.
    class one {
    public:
        explicit one(std::shared_ptr<signal_count> of) noexcept;
        ~one();
        one(const one&) = delete;
        one& operator=(const one&) = delete;

    private:
        friend signal_count;
        const std::shared_ptr<signal_count> of_;
        const one* const outer_; // That this thread is in, too.
    };

    // Returns when no other thread is in one. This one may be: Asio destroys, there and then, what
    // it can no longer call, and that may own the consumer.
    void await_others() const noexcept;

private:
    std::atomic<int> all_{0};
};

} // namespace ctflow::detail
