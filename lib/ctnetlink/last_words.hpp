// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctnetlink/message.hpp"

#include <ctflow/detail/record.h>
#include <ctflow/detail/trailer.h>

namespace ctflow::ctnetlink {

// What an end's message tells of a flow of which there is no record.
ctflow_record record_of(const message& m) noexcept;

// What it tells of one whose last record and trailer these are. The rest is as it was.
void set_last_words(ctflow_record& r, const message& m) noexcept;
void set_last_words(ctflow_trailer& t, const ctflow_record& r, const message& m) noexcept;

// Takes out what changes up to a flow's end: that its last update does not tell.
void set_over(ctflow_trailer& t) noexcept;

} // namespace ctflow::ctnetlink
