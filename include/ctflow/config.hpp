// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/error.hpp>
#include <ctflow/filter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ctflow {

/// One point of the rate curve: a flow of at least this age sends at most one update event each
/// rate. Both are durations, as in conntracct's CurvePoint, from zero to config::curve_limit; zero
/// takes the default of its place (with_defaults()).
struct curve_point {
    std::chrono::nanoseconds age{};  ///< From this age on.
    std::chrono::nanoseconds rate{}; ///< An update each so long.

    /// Whether both are the same.
    friend bool operator==(const curve_point&, const curve_point&) = default;
};

/// How the BPF program gets at conntrack's flows.
enum class attach_mode : std::uint8_t {
    automatic, ///< fentry where the kernel can, else kprobe, else netfilter.
    fentry,    ///< fentry and fexit: the cheapest; needs BTF of nf_conntrack.
    kprobe,    ///< kprobe and kretprobe: works without BTF of modules, costs several times more.

    /// Programs at netfilter's hooks (Linux 6.4), and ctnetlink for the ends of flows: works where
    /// tracing is forbidden (lockdown), and sees one network namespace, that of the thread that
    /// calls start(). Events come by a ring buffer, whatever config::transport says. See the README
    /// for what else differs.
    netfilter,
};

/// "automatic", "fentry", "kprobe", "netfilter".
CTFLOW_DECL const char* to_string(attach_mode mode) noexcept;

/// How events travel from the kernel to the process. Events that find no room are lost and counted
/// either way (probe_stats).
enum class transport_kind : std::uint8_t {
    /// A ring for each CPU: CPUs do not get in each other's way, and one that is busy cannot push
    /// out another's events. Events of different CPUs can arrive out of order.
    perf_buffer,

    /// A BPF ring buffer (Linux 5.8) for all CPUs together: events arrive in order, and a busy CPU
    /// can use the memory of idle ones. CPUs take turns to reserve their place in it, which is felt
    /// where many send at the same time.
    ring_buffer,
};

/// The settings of a probe. A default-constructed config is right for most. A plain value: the
/// probe takes a copy, and later changes do nothing.
struct config {
    /// Upper limit of buffer_pages. Beyond those of the three sizes, kernels refuse with errors
    /// that name no reason.
    static constexpr std::size_t buffer_pages_limit = 65536;

    /// Upper limit of reserve_pages.
    static constexpr std::size_t reserve_pages_limit = 16384;

    /// Upper limit of max_flows.
    static constexpr std::uint32_t max_flows_limit = 1U << 26;

    /// Upper limit of flush_interval.
    static constexpr std::chrono::nanoseconds flush_interval_limit = std::chrono::seconds(1);

    /// Upper limit of audit_interval.
    static constexpr std::chrono::nanoseconds audit_interval_limit = std::chrono::hours(24);

    /// Lower limit of netlink_buffer, in bytes.
    static constexpr std::size_t netlink_buffer_least = std::size_t{4} << 10;

    /// Upper limit of netlink_buffer, in bytes.
    static constexpr std::size_t netlink_buffer_limit = std::size_t{1} << 30;

    /// Upper limit of the ages and rates of curve points, a way to say "never".
    static constexpr std::chrono::nanoseconds curve_limit = std::chrono::hours(24 * 36500);

    /// From this age on (default: from the first packet), an update each 20 s.
    ///
    /// An age above zero suppresses the updates of younger flows altogether. Flows that end
    /// before still have their destroy event.
    curve_point curve0{};

    /// From this age on (default 60 s), an update each 60 s.
    curve_point curve1{};

    /// From this age on (default 5 min), an update each 5 min.
    curve_point curve2{};

    /// How events get here.
    transport_kind transport = transport_kind::perf_buffer;

    /// Room for events, for each CPU that is online, in pages (4 KiB as a rule): a power of two,
    /// 65536 at most; or zero, for the default. Once for updates and once for destroys, so that the
    /// ones cannot push out the others. The default is 256, some 8700 events (3850 with details),
    /// as many as a busy CPU may send while the reader does not get its own for 17 ms (500,000 a
    /// second). For who may lock only as much memory as everybody (no CAP_IPC_LOCK, ulimit -l), 64
    /// pages fit.
    ///
    /// With perf buffers this is the size of each CPU's ring. The ring buffers, one for updates and
    /// one for destroys, have so many pages for each CPU in total, rounded up to a power of two,
    /// and 2 GiB at most: where it comes to more, a probe is refused (errc::buffer_pages).
    std::size_t buffer_pages = 0;

    /// Room for destroy events that find their ring full, or whose CPU has none, in pages: a power
    /// of two, 16384 at most. One for all CPUs; 1024 pages hold some 35,000 events. An update that
    /// is lost is made up for by the flow's next, a destroy event by nothing: only if there is no
    /// room here either is it lost. By netfilter's hooks, where ends come by netlink, it is not
    /// needed.
    std::size_t reserve_pages = 1024;

    /// How often the reader looks for events by itself while they come fast, 20 or more within this
    /// time (500 us; 1 s at most). They wake nobody then, but when a perf buffer is half full: a
    /// wake-up costs about a microsecond, in the path of a packet. An event waits twice this long
    /// at most, 1 ms, if the process gets its CPU when it asks for it. While few come each wakes
    /// the reader, and is read at once. With zero that is so however many come.
    std::chrono::nanoseconds flush_interval = std::chrono::microseconds(500);

    /// How many flows the kernel side can follow at a time, 1 to 67108864, about 100 bytes of
    /// kernel memory each (and half a megabyte at least). A flow that finds no place has its first
    /// and its destroy event, but no updates between; with an age of curve0 its destroy event
    /// alone. By netfilter's hooks, with a filter or an age of curve0, flows without an event have
    /// as many places of their own, 121 bytes each.
    std::uint32_t max_flows = 65536;

    /// Room for the ends of flows that the kernel has told and nobody has read yet, in bytes, with
    /// attach_mode::netfilter: the receive buffer of a netlink socket, 4 KiB to 1 GiB. Each end
    /// takes 640 to 1280 bytes. When it overflows, ends are found out by a look at conntrack's
    /// table (probe_stats::netlink_overruns).
    std::size_t netlink_buffer = std::size_t{4} << 20;

    /// With attach_mode::netfilter: conntrack's table is looked through when nothing has been heard
    /// of a flow but its first packet for longer than this, since that packet may have been dropped
    /// on its last steps, and the kernel does not tell (150 s, longer than most such flows live; up
    /// to a day, zero: never). If the flow is not there its destroy event is sent, at the age of
    /// twice the interval at most; see probe_stats::destroys_reconstructed.
    std::chrono::nanoseconds audit_interval = std::chrono::seconds(150);

    /// Whether events of TCP connections tell both sides' flags and window scales
    /// (event::tcp_sides()). They take more than twice the room then, in the kernel's buffers.
    bool tcp_sides = false;

    /// Whether events of flows that a local process began tell which (event::process()): they take
    /// more than twice the room then, in the kernel's buffers. The kernel side takes about 100
    /// bytes more for each of max_flows, and each new flow runs two programs more. By netfilter's
    /// hooks nobody can tell; nor on kernels where these have no place.
    bool processes = false;

    /// Which flows have events; without, all. Others are refused in the kernel, and their packets
    /// cost no more than those of flows in cooldown. They take a place as others do: see max_flows.
    /// With one, filter() say, which lets all through, it can be replaced while the probe runs
    /// (basic_probe::set_filter()).
    std::optional<ctflow::filter> filter;

    /// How to attach. An explicit choice is not replaced by another when it cannot be had.
    attach_mode attach = attach_mode::automatic;

    /// Kernel functions that must not be hooked: the next best are taken in their place. Here, as
    /// functions come and go from kernel to kernel, what is not known is ignored.
    std::vector<std::string> avoid_functions;

    /// A file with this kernel's BTF, for a kernel that was built without (BTFHub has many); empty:
    /// the kernel's own. Such kernels can be hooked by kprobes alone. A file that contradicts the
    /// kernel's own is refused (errc::btf_file); where there is none, nobody can tell.
    std::string btf_file;
};

/// The configuration with each age and rate that is zero replaced by its default, but for curve0's
/// age, for which zero is the default.
CTFLOW_DECL config with_defaults(config c) noexcept;

/// Checks a configuration, defaults filled in. A probe does so first of all.
///
/// @return the first thing that is wrong with it, or success
///
/// @par Errors
/// errc::curve0_age, errc::curve1_age: ages do not rise, and this is the one that is too high;
/// errc::curve_out_of_range: an age or rate is negative, or above config::curve_limit;
/// errc::buffer_pages, errc::reserve_pages, errc::flush_interval, errc::max_flows,
/// errc::netlink_buffer, errc::audit_interval: the member of that name is out of its range.
CTFLOW_DECL error_code validate(const config& c) noexcept;

} // namespace ctflow
