// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <ctflow/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace asio = boost::asio;

namespace top_talkers {
namespace {

// The other screen, without a cursor, and without wrapping: for lines of a moment in which the
// terminal has just become narrower.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

ctflow::system_error last_error(const char* what) {
    return ctflow::system_error({errno, boost::system::system_category()}, what);
}

} // namespace

terminal::terminal(const asio::any_io_executor& executor) : tty_(executor) {
    if (::isatty(STDOUT_FILENO) == 0) {
        throw std::runtime_error(
            "standard output is not a terminal; flowdump prints flows to files and pipes");
    }
    // Opened anew, since Asio makes it non-blocking, and who shares ours has not asked.
    const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        throw last_error("/dev/tty");
    }
    tty_.assign(fd);
    if (::tcgetattr(fd, &before_) != 0) {
        throw last_error("tcgetattr");
    }
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // ISIG stays: Ctrl-C is SIGINT.
    raw.c_cc[VSUSP] = _POSIX_VDISABLE; // Nobody would restore the terminal for the shell.
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) {
        throw last_error("tcsetattr");
    }
    ctflow::error_code ignored; // What comes next will say so.
    asio::write(tty_, asio::buffer(enter), ignored);
}

terminal::~terminal() {
    ctflow::error_code gone; // Then nobody looks at it.
    asio::write(tty_, asio::buffer(leave), gone);
    ::tcsetattr(tty_.native_handle(), TCSANOW, &before_);
}

extent terminal::size() {
    winsize w{};
    // A serial line may not know.
    const bool known = ::ioctl(tty_.native_handle(), TIOCGWINSZ, &w) == 0 && w.ws_col != 0;
    return known ? extent{w.ws_col, w.ws_row} : extent{};
}

asio::awaitable<void> terminal::show(const std::vector<std::string>& lines) {
    std::string text;
    for (std::size_t row = 0; row != lines.size(); ++row) {
        // Erased first: after a line's last column, erasing would take that.
        text += "\x1b[" + std::to_string(row + 1) + ";1H\x1b[2K";
        text += row == 1 ? "\x1b[1m" + lines[row] + "\x1b[m" : lines[row];
    }
    co_await asio::async_write(tty_, asio::buffer(text), asio::use_awaitable);
}

asio::awaitable<void> terminal::until(char key) {
    char pressed = 0;
    ctflow::error_code gone;
    do {
        std::tie(gone, std::ignore) = co_await tty_.async_read_some(
            asio::buffer(&pressed, 1), asio::as_tuple(asio::use_awaitable));
    } while (!gone && pressed != key);
}

} // namespace top_talkers
