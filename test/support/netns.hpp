// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::test {

// Runs a command; returns what it printed. A command that fails, fails the test.
std::string shell(const std::string& command);

// A network namespace that conntrack follows and accounts in. Gone with the object, and with it
// the flows.
class netns {
public:
    explicit netns(std::string name);
    ~netns();
    netns(const netns&) = delete;
    netns& operator=(const netns&) = delete;

    // Those that there are now.
    static const std::vector<const netns*>& all() noexcept;

    const std::string& name() const noexcept { return name_; }
    std::uint32_t inode() const noexcept { return inode_; }

    // Runs a command inside.
    std::string run(const std::string& command) const;

    // Switches a device on, with these addresses.
    void link_up(const std::string& device, const std::string& v4, const std::string& v6) const;

    // Sets /proc/sys/net/NAME inside.
    void sysctl(const std::string& name, const std::string& value) const;

    // The calling thread is inside while one lives: sockets that it opens belong there.
    class inside {
    public:
        explicit inside(const netns& ns);
        ~inside();
        inside(const inside&) = delete;
        inside& operator=(const inside&) = delete;

    private:
        int before_;
    };

private:
    std::string name_;
    std::uint32_t inode_ = 0;
};

// Two of them and a cable: 192.0.2.1, 2001:db8::1 in a; 192.0.2.2, 2001:db8::2 in b.
struct netns_pair {
    netns_pair();

    netns a;
    netns b;
};

// Sets /proc/sys/net/NAME where the calling thread is, for as long as it lives.
class scoped_sysctl {
public:
    scoped_sysctl(const std::string& name, const std::string& value);
    ~scoped_sysctl();
    scoped_sysctl(const scoped_sysctl&) = delete;
    scoped_sysctl& operator=(const scoped_sysctl&) = delete;

private:
    std::string path_;
    std::string before_;
};

// The counters of the only flow that conntrack lists in a namespace for a filter such as
// "-p udp --sport 1000".
struct conntrack_entry {
    std::uint64_t packets_orig = 0;
    std::uint64_t bytes_orig = 0;
    std::uint64_t packets_ret = 0;
    std::uint64_t bytes_ret = 0;
};
conntrack_entry list_flow(const netns& ns, const std::string& filter);

} // namespace ctflow::test
