// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <memory>

namespace ctflow {

// Memory for trailers, which is used again: nothing is allocated for one as long as there are no
// more than there have been at one time. Events give it back from any thread, also when the pool is
// gone.
class trailer_pool {
public:
    trailer_pool();

    // An event of a record and what followed it. One thread at a time.
    event make(const ctflow_record& record, const ctflow_trailer& trailer) {
        return trailer.parts == 0 ? event(record, detail::trailer_ref(trailer.duration))
                                  : event(record, share(trailer));
    }

private:
    class blocks;
    struct leave {
        void operator()(blocks* b) const noexcept;
    };

    detail::trailer_ref share(const ctflow_trailer& trailer);

    std::unique_ptr<blocks, leave> blocks_;
};

} // namespace ctflow
