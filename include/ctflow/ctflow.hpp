// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @namespace ctflow
/// All of ctflow. What is in its namespace `detail` is none of its users' business.

// All of ctflow.
#include <ctflow/clock.hpp>
#include <ctflow/community_id.hpp>
#include <ctflow/config.hpp>
#include <ctflow/consumer.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>
#include <ctflow/filter.hpp>
#include <ctflow/flow_deltas.hpp>
#include <ctflow/kernel.hpp>
#include <ctflow/perf_buffer.hpp>
#include <ctflow/preflight.hpp>
#include <ctflow/probe.hpp>
#include <ctflow/ring_buffer.hpp>
#include <ctflow/stats.hpp>
#include <ctflow/sysctl.hpp>
#include <ctflow/version.hpp>
