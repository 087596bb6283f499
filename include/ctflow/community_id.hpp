// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/event.hpp>

#include <cstdint>
#include <string>

namespace ctflow {

/// The flow's Community ID, version 1: "1:" and 28 characters of base64, by which Zeek, Suricata,
/// Wireshark and Elastic name it, too (https://github.com/corelight/community-id-spec). The same
/// for both directions, and for all flows between these endpoints, one after the other.
///
/// Of the addresses before any NAT: what a sensor on the originator's side sees. TCP, UDP and SCTP
/// with their ports, ICMP and ICMPv6 with type and code as Zeek pairs them, other protocols, as the
/// specification has it, by their addresses alone.
/// @param e     the event of a flow
/// @param seed  as the other tools are told, 0 if nothing
///
/// Computed at each call, some 400 ns. Throws std::bad_alloc.
CTFLOW_DECL std::string community_id(const event& e, std::uint16_t seed = 0);

/// The same of the addresses after NAT: what a sensor behind the translation sees. Equal to
/// community_id() of a flow without NAT (event::has_nat()).
CTFLOW_DECL std::string translated_community_id(const event& e, std::uint16_t seed = 0);

} // namespace ctflow
