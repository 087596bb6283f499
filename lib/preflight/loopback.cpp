// SPDX-License-Identifier: Apache-2.0
#include "preflight/loopback.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ctflow::checks {
namespace {

// SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST. Their headers do not get on with netinet/in.h.
constexpr int original_destination = 80;

class tcp_socket {
public:
    explicit tcp_socket(int family)
        : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
    ~tcp_socket() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    tcp_socket(const tcp_socket&) = delete;
    tcp_socket& operator=(const tcp_socket&) = delete;

    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

bool connected(int fd, const sockaddr_storage& to, socklen_t length) {
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), length) == 0) {
        return true;
    }
    if (errno != EINPROGRESS) {
        return false;
    }
    pollfd wait{fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof(error);
    return ::poll(&wait, 1, 500) == 1 &&
           ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// A connected socket's destination before NAT is what conntrack knows, and ENOENT if it does not.
std::optional<bool> followed(int family, sockaddr_storage address, socklen_t length) {
    const tcp_socket server(family);
    const tcp_socket client(family);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (server.fd() < 0 || client.fd() < 0 || ::bind(server.fd(), generic, length) != 0 ||
        ::listen(server.fd(), 1) != 0 || ::getsockname(server.fd(), generic, &length) != 0 ||
        !connected(client.fd(), address, length)) {
        return std::nullopt;
    }
    // Ends by a reset: conntrack then forgets it in seconds.
    const linger reset{1, 0};
    (void)::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    sockaddr_storage original{};
    socklen_t size = sizeof(original);
    const int level = family == AF_INET ? SOL_IP : SOL_IPV6;
    if (::getsockopt(client.fd(), level, original_destination, &original, &size) == 0) {
        return true;
    }
    return errno == ENOENT ? std::optional(false) : std::nullopt;
}

template <class Address>
std::optional<bool> followed(const Address& address) {
    sockaddr_storage storage{};
    std::memcpy(&storage, &address, sizeof(address));
    return followed(storage.ss_family, storage, sizeof(address));
}

} // namespace

loopback_answers try_loopback() {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    return {followed(v4), followed(v6)};
}

} // namespace ctflow::checks
