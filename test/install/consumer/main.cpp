// SPDX-License-Identifier: Apache-2.0
//
// A program of somebody else's. It needs no right: what it must do is to link, and to begin.
#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>

#if CTFLOW_VERSION < 100
#error "an older ctflow was found"
#endif

int main() {
    boost::asio::io_context context;
    ctflow::consumer flows(context, "somebody else's");
    ctflow::error_code ec;
    ctflow::diagnostics why;
    const ctflow::probe probe(context, {}, ec, why);
    if (ec) { // Not everybody may: that is an answer, too.
        std::cout << ctflow::system_error(ec, why).what() << '\n';
    }
    std::cout << "ctflow " << CTFLOW_VERSION_STRING << " is there\n";
}
