// SPDX-License-Identifier: Apache-2.0
#include "subjects/libbpf_subject.hpp"

#include "subjects/handover.hpp"
#include "support/pipeline.hpp"
#include "support/worker.hpp"

#include <ctflow/consumer.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <system_error>

#include <bpf/libbpf.h>
#include <linux/perf_event.h>

namespace ctflow::bench {
namespace {

constexpr int poll_timeout_ms = 100; // As in libbpf's examples.

// Both of libbpf's have the same functions, but for their names.
struct perf {
    using type = ::perf_buffer;
    static constexpr bool late = false;
    static constexpr auto kind = transport_kind::perf_buffer;
    static type* make(int fd, void (*sample)(void*, int, void*, __u32), void* context) {
        return perf_buffer__new(fd, perf_buffer_pages(), sample, nullptr, context, nullptr);
    }
    static int poll(type* b) { return perf_buffer__poll(b, poll_timeout_ms); }
    static int consume(type* b) { return perf_buffer__consume(b); }
    static void free(type* b) { perf_buffer__free(b); }
};

// Tuned by hand: woken less often, and late for the last ones.
struct perf_tuned : perf {
    static constexpr bool late = true;
    static type* make(int fd, bpf_perf_event_ret (*record)(void*, int, perf_event_header*),
                      void* context) {
        perf_event_attr attr{};
        attr.size = sizeof(attr);
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_BPF_OUTPUT;
        attr.sample_type = PERF_SAMPLE_RAW;
        attr.sample_period = 1;
        attr.wakeup_events = 512;
        return perf_buffer__new_raw(fd, perf_buffer_pages(), &attr, record, context, nullptr);
    }
};

struct ring {
    using type = ::ring_buffer;
    static constexpr bool late = false;
    static constexpr auto kind = transport_kind::ring_buffer;
    static type* make(int fd, int (*sample)(void*, void*, size_t), void* context) {
        return ring_buffer__new(fd, sample, context, nullptr);
    }
    static int poll(type* b) { return ring_buffer__poll(b, poll_timeout_ms); }
    static int consume(type* b) { return ring_buffer__consume(b); }
    static void free(type* b) { ring_buffer__free(b); }
};

[[noreturn]] void fail(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

template <class Buffer>
class libbpf_subject final : public subject {
public:
    explicit libbpf_subject(in_callback what)
        : subject(make_source(Buffer::kind), 1), what_(what), queue_(consumer::default_capacity),
          buffer_(Buffer::make(source_->maps().updates, on_sample, this), Buffer::free) {
        if (!buffer_) {
            fail(errno, "opening libbpf's buffer");
        }
    }

    ~libbpf_subject() override {
        stopping_ = true;
        queue_.close();
    }

    void start() override {
        poller_.emplace(consumer_cpu, [this] { poll(); });
        if (what_ == in_callback::hand_over) {
            working_.emplace(consumer_cpu, [this] { work(); });
        }
    }

    void finish() override {
        stopping_ = true;
        cpu_ns_ = poller_->join();
        queue_.close();
        cpu_ns_ += working_ ? working_->join() : 0;
        lost_.front() = queue_.lost();
    }

private:
    static void on_sample(void* context, int, void* data, __u32 size) {
        static_cast<libbpf_subject*>(context)->take(data, size);
    }
    static int on_sample(void* context, void* data, size_t size) {
        static_cast<libbpf_subject*>(context)->take(data, size);
        return 0;
    }
    static bpf_perf_event_ret on_sample(void* context, int, perf_event_header* header) {
        if (header->type == PERF_RECORD_SAMPLE) {
            std::uint32_t size{};
            const auto* const body = reinterpret_cast<const std::byte*>(header + 1);
            std::memcpy(&size, body, sizeof(size));
            static_cast<libbpf_subject*>(context)->take(body + sizeof(size), size);
        }
        return LIBBPF_PERF_EVENT_CONT;
    }

    void take(const void* data, std::size_t size) {
        if (size < event_length) {
            return; // The books will not balance.
        }
        if (what_ == in_callback::count) {
            receivers_.front().count(1);
            return;
        }
        ctflow_record record;
        std::memcpy(&record, data, sizeof(record));
        queue_.put(event(record));
    }

    void poll() {
        while (!stopping_) {
            const int result = Buffer::poll(buffer_.get());
            if (result < 0 && result != -EINTR) {
                fail(-result, "polling libbpf's buffer");
            }
            if (Buffer::late && result == 0) {
                Buffer::consume(buffer_.get()); // Those that woke nobody.
            }
        }
        Buffer::consume(buffer_.get());
    }

    void work() {
        auto& to = receivers_.front();
        for (std::deque<event> all; queue_.take(all);) {
            to.woke();
            for (const auto& e : all) {
                to.take({&e, 1});
            }
        }
    }

    const in_callback what_;
    handover queue_;
    std::unique_ptr<typename Buffer::type, void (*)(typename Buffer::type*)> buffer_;
    std::atomic<bool> stopping_{false};
    std::optional<worker> poller_;
    std::optional<worker> working_;
};

} // namespace

std::unique_ptr<subject> make_libbpf_tuned() {
    return std::make_unique<libbpf_subject<perf_tuned>>(in_callback::hand_over);
}

std::unique_ptr<subject> make_libbpf(transport_kind kind, in_callback what) {
    if (kind == transport_kind::ring_buffer) {
        return std::make_unique<libbpf_subject<ring>>(what);
    }
    return std::make_unique<libbpf_subject<perf>>(what);
}

} // namespace ctflow::bench
