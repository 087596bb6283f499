// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctnetlink/doubtful_ends.hpp"
#include "ctnetlink/message.hpp"
#include "transport/record_tag.hpp"

#include <ctflow/detail/trailer.h>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ctflow::ctnetlink {

// A flow that is over.
struct ended {
    ctflow_record record;    // What to tell: the destroy record,
    ctflow_trailer trailer;  // and what follows it.
    std::uint64_t conntrack; // The address of its nf_conn, 0 if no record of it has been seen.
    std::uint64_t origin;    // By which the program remembers it (record_tag::origin): at one
                             // address there may be another flow by now, but not with the same.
    std::uint64_t stop;      // The kernel's time of its end, 0 if it was not told.
    std::uint64_t caught_up; // It was not before that time, by the clock of records.
    bool told;               // Else nothing is known of its counters, and it is not to be told.
    bool reconstructed;      // Its end was not seen but concluded: the counters are the last known.
};

// The flows known to be alive in one network namespace.
//
// It has two sources. A BPF program at netfilter's hooks tells of packets, and knows a flow by the
// address of its nf_conn. Ctnetlink tells of ends, and of what is in conntrack's table, and does
// not know that address. They agree on the flow's key (flow_key) within the namespace; a live flow
// has its key to itself, so that those of one key followed each other. They are told apart by their
// start (nf_conn_tstamp), where the kernel notes it. When it lets the first packet through it has
// not yet (__nf_conntrack_confirm() is last): the program writes an estimate, what it writes later
// is the kernel's. So an end is matched by the kernel's start if a later record has brought it, and
// else to the entry whose estimate is next to it.
//
// A flow's address is used again at once after its end, often by one with the same key: an update
// from the same address with another start of the kernel's is another flow's.
//
// Of some flows there are no records. If one of these had the key before (record_tag::follows), and
// ends from before its follower's birth may still be unread, nobody can tell whose an end is. So it
// waits until the follower turns out to be alive after all, or gone: by its next record, by another
// end, or by a resync.
//
// Nothing is allocated for a flow as long as there are no more than there have been at one time.
class flow_book {
public:
    static constexpr auto confirmation_time = doubtful_ends::confirmation_time;

    using unrecorded = doubtful_ends::unrecorded;

    explicit flow_book(unrecorded ask = {}, std::size_t expected = 1024);

    // An update record. Its start becomes the one that the flow's first record told, 0 included:
    // all events of a flow tell the same.
    //
    // A first packet begins a new entry even if there is one with its key: that one's end is on its
    // way, or was lost. `trailer`: what followed, null if nothing.
    void on_update(ctflow_record& r, const ctflow_trailer* trailer, transport::record_tag tag);

    // The end of a flow, told to `out` with its last counters. Its start is what its updates told,
    // or the kernel's of a flow without any. Flows of the same key that began before are over too,
    // since there is one place in the table: they are told before it.
    //
    // False if it waits: the table is to be listed.
    bool on_end(const message& m, const reading& at, std::vector<ended>& out);

    // Ends that waited, and turned out to be of flows without records.
    void take_others(std::vector<ended>& out);

    // If nothing more is to be found out: of whom the ends are that still wait, nobody knows, and
    // so they are told. The flows whose they may be are in doubt.
    void settle(std::vector<ended>& out);

    // After ends were lost the table is listed, from begin_resync() on. on_listed() takes what is
    // there; end_resync() tells that those are over that were known when it began and were not
    // listed, and returns whether all is known: if not, some were too young, and the table is to be
    // listed again. Updates and ends go on between. To begin again forgets what was listed.
    void begin_resync(std::uint64_t now) noexcept;
    void on_listed(const message& m);
    bool end_resync(std::uint64_t now, std::vector<ended>& out);

    // To be called at intervals. Whether there is a flow of which nothing but the first packet has
    // become known in all the time since the call before: it may never have been one, since
    // conntrack dropped that packet after all; or it was taken out of the table right when it came
    // into it, before it was confirmed, of which the kernel tells nobody
    // (nf_conntrack_eventmask_report()). Or whether an end waits. A resync finds out.
    bool in_doubt() noexcept;

    std::size_t size() const noexcept { return alive_; }
    // Forgets all flows. `netns` is what destroy records say from here on.
    void clear(std::uint32_t netns) noexcept;

private:
    using index = std::uint32_t; // Of an entry.
    static constexpr index none = ~index{};

    struct entry {
        ctflow_record record;     // The last; its start is the one told.
        std::uint64_t real_start; // The kernel's, 0 as long as it is not known.
        std::uint64_t origin;     // ended::origin.
        std::uint64_t birth;      // By the clock of records, 0 if it was not seen.
        std::uint32_t seen;       // The resync that began or listed it.
        index older;              // Of the same key; of a free entry, the next free one.
        std::uint32_t generation; // Between which calls of in_doubt() it began.
        bool confirmed;           // More than that is known.
        bool follows;             // record_tag::follows, at its birth.
    };

    struct hash {
        using is_avalanching = void;
        std::uint64_t seed;
        std::size_t operator()(const flow_key& key) const noexcept;
    };

    index add(const ctflow_record& r, transport::record_tag tag, index older);
    void keep(index i, const ctflow_trailer* trailer);
    void set_last_words(ended& e, index its, const message& m, std::uint64_t now) const;
    void tell(index its, const message& m, const reading& at, std::vector<ended>& out);
    void tell_all_over(index newest, std::uint64_t now, std::vector<ended>& out);
    void tell_over(index i, std::uint64_t now, std::vector<ended>& out);
    void disown(index i, std::vector<ended>& out);
    bool has_ended(index its, index newest, const message& m, const reading& at) const;
    static bool is_doubtful(const entry& e, const reading& at) noexcept;
    static bool is_another(const entry& e, const ctflow_record& r,
                           transport::record_tag tag) noexcept;
    index newest_before_resync(index newest) const noexcept;
    index match(index newest, std::uint64_t start) const noexcept;
    index unlink(index& newest, index its, std::uint64_t start) noexcept;
    bool missed(const entry& e) const noexcept;
    bool under_way(const entry& e) const noexcept;
    void confirm(entry& e) noexcept;
    void tell_reconstructed(index i, std::uint64_t now, std::vector<ended>& out);
    void release(index i) noexcept;

    std::uint32_t netns_ = 0;
    std::vector<entry> entries_;
    boost::unordered_flat_map<index, ctflow_trailer> trailers_; // The last of those that have one.
    doubtful_ends doubtful_;
    std::vector<ended> others_;
    index free_ = none;
    std::size_t alive_ = 0;
    std::uint32_t generation_ = 0;
    std::size_t young_ = 0; // Those not confirmed, of this generation,
    std::size_t old_ = 0;   // and of those before.
    boost::unordered_flat_map<flow_key, index, hash> newest_;
    resync resync_{};
};

} // namespace ctflow::ctnetlink
