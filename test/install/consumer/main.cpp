// SPDX-License-Identifier: Apache-2.0
//
// A program of somebody else's. It needs no right: what it must do is to link, to begin, and to be
// of one mind with a library that may be a shared one.
#include <ctflow/ctflow.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <cstdlib>
#include <iostream>

#if CTFLOW_VERSION < 100
#error "an older ctflow was found"
#endif

namespace {

int failures = 0;

void check(bool ok, const char* what) {
    if (!ok) {
        std::cout << "FAILED: " << what << '\n';
        ++failures;
    }
}

// Thrown in the library, and caught here for what it is.
void an_exception() {
    try {
        ctflow::select("no kernel");
        check(false, "nothing was thrown");
    } catch (const ctflow::system_error& e) {
        check(e.code() == ctflow::errc::kernel_release, "another error was thrown");
        check(&e.code().category() == &ctflow::category(), "there are two categories");
    }
}

// What Asio remembers of a thread is one thing for both.
void a_strand(ctflow::probe& probe, boost::asio::io_context& context) {
    const auto strand = boost::asio::make_strand(context);
    bool called = false;
    probe.async_run(boost::asio::bind_executor(strand, [&](ctflow::error_code ec) {
        called = true;
        check(bool(ec), "a probe ran that was not started");
        check(strand.running_in_this_thread(), "the strand does not know of the handler");
    }));
    context.run();
    check(called, "the handler was not called");
}

} // namespace

int main() {
    boost::asio::io_context context;
    const ctflow::consumer flows(context, "somebody else's");
    ctflow::error_code ec;
    ctflow::diagnostics why;
    ctflow::probe probe(context, {}, ec, why);
    if (ec) { // Not everybody may: that is an answer, too.
        std::cout << ctflow::system_error(ec, why).what() << '\n';
    }
    an_exception();
    a_strand(probe, context);
    if (failures != 0) {
        return EXIT_FAILURE;
    }
    std::cout << "ctflow " << CTFLOW_VERSION_STRING << " is there\n";
}
