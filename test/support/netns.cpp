// SPDX-License-Identifier: Apache-2.0
#include "support/netns.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ctflow::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// Every packet passes a rule that looks at its connection: that makes conntrack follow it. The
// mark is set for those who send to port 4242.
constexpr const char* ruleset = R"(
table inet ctflow_test {
    chain output {
        type filter hook output priority 0; policy accept;
        th dport 4242 ct mark set 0x2a
        ct state new,established,related accept
    }
    chain input {
        type filter hook input priority 0; policy accept;
        ct state new,established,related accept
    }
}
)";

const std::string sysctls = "/proc/sys/net/";

std::vector<const netns*> there_are; // Tests have one thread that makes them.

void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    if (!(file << text << std::flush)) {
        fail(path + " = " + text);
    }
}

} // namespace

std::string shell(const std::string& command) {
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) {
        fail(command);
    }
    std::string output;
    std::array<char, 4096> buffer{};
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) != 0;) {
        output.append(buffer.data(), n);
    }
    if (::pclose(pipe) != 0) {
        throw std::runtime_error(command + ": " + output);
    }
    return output;
}

netns::netns(std::string name) : name_(std::move(name)) {
    if (std::filesystem::exists("/run/netns/" + name_)) { // Of a run that was killed.
        shell("ip netns del " + name_);
    }
    shell("ip netns add " + name_);
    sysctl("netfilter/nf_conntrack_acct", "1");
    sysctl("netfilter/nf_conntrack_timestamp", "1");
    run(std::string("ip link set lo up && nft '") + ruleset + "'");

    struct stat s {};
    if (::stat(("/run/netns/" + name_).c_str(), &s) != 0) {
        fail(name_);
    }
    inode_ = static_cast<std::uint32_t>(s.st_ino);
    there_are.push_back(this);
}

netns::~netns() {
    std::erase(there_are, this);
    try {
        shell("ip netns del " + name_);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
}

const std::vector<const netns*>& netns::all() noexcept {
    return there_are;
}

std::string netns::run(const std::string& command) const {
    const inside in(
        *this); // As is a process that this thread starts, for less than ip takes for it.
    return shell(command);
}

void netns::link_up(const std::string& device, const std::string& v4, const std::string& v6) const {
    // One process, and not one for each: in an emulator they take longer than most tests. No
    // duplicate address detection: the addresses are usable at once.
    run("printf '%s\\n' 'addr add " + v4 + " dev " + device + "' 'addr add " + v6 + " dev " +
        device + " nodad' 'link set " + device + " up' | ip -batch -");
}

void netns::sysctl(const std::string& name, const std::string& value) const {
    const inside in(*this);
    write_file(sysctls + name, value);
}

netns::inside::inside(const netns& ns)
    : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    const int fd = ::open(("/run/netns/" + ns.name()).c_str(), O_RDONLY | O_CLOEXEC);
    if (before_ < 0 || fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) {
        fail("entering " + ns.name());
    }
    ::close(fd);
}

netns::inside::~inside() {
    ::setns(before_, CLONE_NEWNET);
    ::close(before_);
}

scoped_sysctl::scoped_sysctl(const std::string& name, const std::string& value)
    : path_(sysctls + name) {
    if (!std::getline(std::ifstream(path_), before_)) {
        fail(path_);
    }
    write_file(path_, value);
}

scoped_sysctl::~scoped_sysctl() {
    try {
        write_file(path_, before_);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
}

netns_pair::netns_pair() : a("ctflow-a"), b("ctflow-b") {
    shell("ip link add va netns ctflow-a type veth peer name vb netns ctflow-b");
    a.link_up("va", "192.0.2.1/24", "2001:db8::1/64");
    b.link_up("vb", "192.0.2.2/24", "2001:db8::2/64");
}

conntrack_entry list_flow(const netns& ns, const std::string& filter) {
    const auto text = ns.run("conntrack -L -o extended " + filter + " 2>/dev/null");
    conntrack_entry e;
    std::size_t at = 0;
    for (auto* counter : {&e.packets_orig, &e.bytes_orig, &e.packets_ret, &e.bytes_ret}) {
        const auto key = counter == &e.packets_orig || counter == &e.packets_ret
                             ? std::string("packets=")
                             : std::string("bytes=");
        at = text.find(key, at);
        if (at == std::string::npos) {
            throw std::runtime_error("conntrack lists no such flow: " + filter + ": " + text);
        }
        at += key.size();
        *counter = std::stoull(text.substr(at));
    }
    if (text.find("packets=", at) != std::string::npos) {
        throw std::runtime_error("conntrack lists more than one flow: " + filter + ": " + text);
    }
    return e;
}

} // namespace ctflow::test
