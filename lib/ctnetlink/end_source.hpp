// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctnetlink/flow_book.hpp"
#include "ctnetlink/message.hpp"
#include "ctnetlink/socket.hpp"
#include "transport/side_source.hpp"

#include <ctflow/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <linux/netlink.h>

namespace ctflow::ctnetlink {

struct end_stats {
    std::uint64_t overruns = 0;       // How often ends found no room.
    std::uint64_t messages_lost = 0;  // By the kernel's count, which knows of no kinds.
    std::uint64_t reconstructed = 0;  // Ends that were concluded.
    std::uint64_t unaccounted = 0;    // Ends that were not told for want of counters.
    std::uint64_t resyncs = 0;        // Times that the table was looked through.
    std::uint64_t resyncs_failed = 0; // Times that this was given up, until the next overrun.
};

// Brings the ends of flows from ctnetlink to the book of those alive, in a reactor.
//
// After an overrun, or to find out whose an end is, conntrack's table is listed by the same socket,
// so that it is known which ends come before and which after what is listed: the kernel tells of an
// end before it takes the flow out of the table (nf_ct_delete()). The list is asked for when the
// socket has been read empty, since up to then the kernel goes on dropping. Another overrun
// meanwhile takes nothing from the list, pieces of which cannot be lost; but it must be followed by
// another.
//
// A list goes on whenever something is read. So a socket that is empty while one is unfinished
// means that it is stuck: the kernel had no memory for a piece. A question with a short answer
// makes it go on. Whatever fails again and again is given up, and counted.
//
// All but stats() belongs to one thread at a time.
class end_source final : public transport::side_source {
public:
    using sink = std::function<void(std::span<const ended>)>;

    // How many messages are taken before others have their turn; a few more in fact.
    static constexpr std::size_t budget = 256;

    // Failures in a row after which a resync is given up.
    static constexpr int patience = 8;

    // `buffer` is config::netlink_buffer, `interval` config::audit_interval.
    end_source(flow_book& book, std::size_t buffer, std::chrono::nanoseconds interval,
               sink on_ended);

    // In the network namespace of the calling thread, which must be the book's. Flows that began
    // before tell of their end only if net.netfilter.nf_conntrack_events is 1; with 2, the default,
    // the kernel prepares new flows for it as soon as somebody listens (nf_ct_ecache_ext_add()).
    void open(error_code& ec, diagnostics& diag);
    void close() noexcept;

    // Has the table looked through at the next turn, as after an overrun.
    void request_resync() noexcept { needed_ = true; }

    int fd() const noexcept override { return socket_.fd(); }

    // Has the table looked through if a flow has been in doubt for longer than the interval.
    std::chrono::nanoseconds interval() const noexcept override { return interval_; }
    void tick() override;

    // Both are also false while the table is looked through, or to be.
    bool take() override;
    bool tell() override;

    // For the last time: tells what it would have told later.
    void settle();

    end_stats stats() const noexcept;

private:
    enum class what : std::uint8_t {
        end,
        listed,
        interrupted, // Part of the list is missing.
        done,        // The end of the list, or why there is none.
    };
    struct taken {
        what kind;
        int error; // Of what::done.
        std::uint32_t sequence;
        message about;
    };
    using counter = std::atomic<std::uint64_t>; // Written by one thread.

    void take_datagram(std::span<const std::byte> bytes);
    void take_message(const nlmsghdr& header);
    void on_taken(const taken& t, std::uint64_t now);
    void on_list_done(int error, std::uint64_t now);
    void begin_list(std::uint64_t now);
    void nudge();
    bool give_up();
    void count_drops();
    void hand_on();

    flow_book& book_;
    std::size_t buffer_;
    std::chrono::nanoseconds interval_;
    sink on_ended_;
    socket socket_;
    std::vector<taken> taken_;
    std::vector<ended> ended_;

    bool read_empty_ = false;     // By the last take(),
    std::uint64_t empty_at_ = 0;  // which began then; or by the last that found it empty.
    std::uint64_t caught_up_ = 0; // The same, before what is in taken_.
    bool needed_ = false;         // A resync: ends have been lost since the last one began, or one
                                  // has been read of which it is to tell whose it is.
    bool listing_ = false;        // A list has been asked for and is not through.
    bool incomplete_ = false;     // It lacks something.
    int failures_ = 0;            // In a row.
    std::uint32_t sequence_ = 0;
    std::uint32_t list_sequence_ = 0;
    std::uint32_t drops_ = 0; // At the last look.

    counter overruns_{0};
    counter messages_lost_{0};
    counter reconstructed_{0};
    counter unaccounted_{0};
    counter resyncs_{0};
    counter resyncs_failed_{0};
};

} // namespace ctflow::ctnetlink
