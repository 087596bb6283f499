// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/last_words.hpp"

#include "end.h"

#include <cstring>

namespace ctflow::ctnetlink {

ctflow_record record_of(const message& m) noexcept {
    ctflow_record r{};
    std::memcpy(r.src_addr, m.key.src_addr.data(), m.key.src_addr.size());
    std::memcpy(r.dst_addr, m.key.dst_addr.data(), m.key.dst_addr.size());
    r.src_port = m.key.src_port;
    r.dst_port = m.key.dst_port;
    r.proto = m.key.proto;
    r.family = m.key.family;
    r.start = m.start;
    return r;
}

void set_last_words(ctflow_record& r, const message& m) noexcept {
    r.packets_orig = m.packets_orig;
    r.bytes_orig = m.bytes_orig;
    r.packets_ret = m.packets_ret;
    r.bytes_ret = m.bytes_ret;
    r.connmark = m.mark;
    r.tcp_state = m.tcp_state & 0xf;
    const auto reason = end_reason_of(m.time_left ? CTFLOW_TIME_LEFT : CTFLOW_TIME_UP, r.proto,
                                      m.tcp_state, m.sctp_state, m.status, 0);
    r.end_reason = static_cast<unsigned char>(reason) & 0xf;
    ctflow_set_status(&r, m.status);
}

void set_over(ctflow_trailer& t) noexcept {
    t.parts &= ~unsigned{CTFLOW_TRAILER_TCP};
    t.offload = 0;
}

void set_last_words(ctflow_trailer& t, const ctflow_record& r, const message& m) noexcept {
    t.status = m.status;
    t.zone = m.zone;
    t.zone_dir = m.zone_dir;
    set_over(t);
    t.parts &= CTFLOW_TRAILER_LABELS | CTFLOW_TRAILER_MASTER | CTFLOW_TRAILER_PROCESS;
    if (m.reply) {
        t.reply = *m.reply;
        t.parts |= CTFLOW_TRAILER_REPLY;
    }
    if (t.parts != 0 || t.zone != 0 || t.status != ctflow_status_of(&r)) {
        t.parts |= CTFLOW_TRAILER_STATUS;
    }
}

} // namespace ctflow::ctnetlink
