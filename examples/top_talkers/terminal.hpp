// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "screen.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>
#include <vector>

#include <termios.h>

namespace top_talkers {

/// The terminal that the process runs on, as a screen of our own, with keys that come at once and
/// without echo. What it was before it is again when this is destroyed.
class terminal {
public:
    /// Throws std::runtime_error or ctflow::system_error if there is none.
    explicit terminal(const boost::asio::any_io_executor& executor);
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    extent size();

    /// Shows a screen, the second line of which has the heads.
    boost::asio::awaitable<void> show(const std::vector<std::string>& lines);

    /// Returns when this key has been pressed, or the terminal has gone away.
    boost::asio::awaitable<void> until(char key);

private:
    boost::asio::posix::stream_descriptor tty_;
    termios before_{};
};

} // namespace top_talkers
