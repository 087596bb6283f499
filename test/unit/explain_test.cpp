// SPDX-License-Identifier: Apache-2.0
#include "bpf/explain.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>

using ctflow::errc;
using ctflow::error_code;
using ctflow::bpf::circumstances;
using ctflow::bpf::refusal;
using ctflow::host::lockdown_mode;

namespace {

// Who has all rights, where nothing is in the way.
circumstances free_to_do_all() {
    circumstances c;
    c.lockdown = lockdown_mode::none;
    return c;
}

struct explanation {
    ctflow::error_code code;
    ctflow::diagnostics diag;
};

explanation ask(const refusal& r, const circumstances& c) {
    explanation e;
    e.code = ctflow::bpf::explain(r, c, e.diag);
    return e;
}

explanation refused(int error, const circumstances& c, const std::string& log = "the log") {
    return ask({error, errc::load_failed, log, {65536}}, c);
}

constexpr const char* no_table = "libbpf: map 'flows': failed to create: Cannot allocate memory";

} // namespace

BOOST_AUTO_TEST_SUITE(explain)

BOOST_AUTO_TEST_CASE(capabilities_that_are_missing_come_first) {
    auto c = free_to_do_all();
    c.missing_capabilities = "CAP_BPF";
    c.lockdown = lockdown_mode::confidentiality;
    BOOST_TEST((refused(EPERM, c).code == errc::missing_capabilities));
    BOOST_TEST(refused(EPERM, c).diag == "missing: CAP_BPF");
}

BOOST_AUTO_TEST_CASE(netfilter_is_not_tracing) {
    const auto at_load = [](int error, const circumstances& c) {
        return ask(
            {error, errc::load_failed, "the log", {65536}, 0, ctflow::attach_mode::netfilter}, c);
    };
    auto c = free_to_do_all();
    c.lockdown = lockdown_mode::confidentiality; // Which does not forbid it.
    BOOST_TEST((at_load(EPERM, c).code == errc::forbidden));
    BOOST_TEST((at_load(EINVAL, c).code == errc::load_failed));
    BOOST_TEST(at_load(EINVAL, c).diag == "the log");
    c.lacks_sys_admin = true; // For which it has no use.
    BOOST_TEST((at_load(EPERM, c).code == errc::forbidden));
    c.missing_capabilities = "CAP_NET_ADMIN";
    BOOST_TEST((at_load(EPERM, c).code == errc::missing_capabilities));

    // Nor does it say that the module is missing if it cannot be attached.
    const auto attached = ask(
        {ENOENT, errc::attach_failed, {}, {}, 0, ctflow::attach_mode::netfilter}, free_to_do_all());
    BOOST_TEST((attached.code == errc::attach_failed));
    BOOST_TEST(attached.diag == error_code(ENOENT, boost::system::system_category()).message());
}

BOOST_AUTO_TEST_CASE(lockdown_is_named_if_it_is_known_to_be_it) {
    auto c = free_to_do_all();
    c.lockdown = lockdown_mode::confidentiality;
    for (const int error : {EPERM, EACCES, EINVAL}) {
        BOOST_TEST((refused(error, c).code == errc::lockdown));
        BOOST_TEST(refused(error, c).diag == "");
    }
    c.lockdown.reset();
    for (const char* log : {"unknown func bpf_probe_read_kernel#113",
                            "program of this type cannot use helper bpf_probe_read#4"}) {
        BOOST_TEST((refused(EINVAL, c, log).code == errc::lockdown));
        BOOST_TEST((refused(EINVAL, free_to_do_all(), log).code == errc::load_failed));
    }
}

BOOST_AUTO_TEST_CASE(lockdown_is_not_guessed) {
    for (const auto mode : {std::optional<lockdown_mode>(), std::optional(lockdown_mode::none),
                            std::optional(lockdown_mode::not_confidentiality)}) {
        auto c = free_to_do_all();
        c.lockdown = mode;
        BOOST_TEST((refused(EPERM, c).code == errc::forbidden));
        BOOST_TEST((refused(EPERM, c).diag.find("cannot be told") != std::string::npos) == !mode);
        // The verifier's, say.
        BOOST_TEST((refused(EACCES, c).code == errc::load_failed));
        BOOST_TEST(refused(EACCES, c).diag == "the log");
    }
}

BOOST_AUTO_TEST_CASE(memory_that_a_map_lacks_is_told) {
    const auto c = free_to_do_all();
    for (const int error : {ENOMEM, E2BIG}) {
        const auto e = ask({error, errc::load_failed, no_table, {1U << 26}}, c);
        BOOST_TEST((e.code == errc::no_memory));
        BOOST_TEST(e.diag == "a table of 67108864 flows needs about 6720 MiB of kernel memory");
    }
    for (const std::string map : {"updates_ring", "destroys_ring"}) {
        const auto log = "libbpf: map '" + map + "': failed to create: Cannot allocate memory";
        const auto e = ask({ENOMEM, errc::load_failed, log, {65536}, 0, {}, "much"}, c);
        BOOST_TEST((e.code == errc::no_memory));
        BOOST_TEST(e.diag == "much");
    }
    BOOST_TEST((refused(ENOMEM, c).code == errc::no_memory));
    BOOST_TEST(refused(ENOMEM, c).diag == "the log");
    BOOST_TEST((refused(E2BIG, c).code == errc::load_failed)); // A program with too many steps.
}

BOOST_AUTO_TEST_CASE(rights_that_may_be_missing_are_told) {
    auto c = free_to_do_all();
    c.lacks_sys_admin = true;
    for (const int error : {EPERM, ESRCH}) {
        BOOST_TEST((refused(error, c).code == errc::missing_capabilities));
        BOOST_TEST(refused(error, c).diag.find("CAP_SYS_ADMIN") != std::string::npos);
    }
    const refusal of_perf{EACCES, errc::attach_failed, "the log", {}};
    BOOST_TEST((ask(of_perf, c).code == errc::missing_capabilities));
    BOOST_TEST(ask(of_perf, c).diag.find("perf_event_paranoid") != std::string::npos);
    BOOST_TEST((ask(of_perf, free_to_do_all()).code == errc::attach_failed));
    c.memory_is_limited = true;
    BOOST_TEST((refused(EPERM, c).code == errc::locked_memory));
}

BOOST_AUTO_TEST_CASE(rights_that_fentry_needs_are_not_asked_for_kprobes) {
    auto c = free_to_do_all();
    c.lacks_sys_admin = true;
    const auto code_for = [&](ctflow::attach_mode mode, int error, errc otherwise) {
        return ask({error, otherwise, "the log", {}, 0, mode}, c).code;
    };
    using enum ctflow::attach_mode;
    BOOST_TEST((code_for(fentry, EPERM, errc::load_failed) == errc::missing_capabilities));
    BOOST_TEST((code_for(kprobe, EPERM, errc::load_failed) == errc::forbidden));
    BOOST_TEST((code_for(kprobe, ESRCH, errc::load_failed) == errc::load_failed));
    BOOST_TEST((code_for(kprobe, EACCES, errc::attach_failed) == errc::missing_capabilities));
    BOOST_TEST((code_for(fentry, EACCES, errc::attach_failed) == errc::attach_failed));
    const auto e = ask({EPERM, errc::load_failed, "the log", {}, 0, kprobe}, c);
    BOOST_TEST(e.diag == "the filters of older container engines ask for CAP_SYS_ADMIN");
    c.lockdown.reset();
    BOOST_TEST(ask({EPERM, errc::load_failed, "", {}, 0, kprobe}, c).diag ==
               e.diag + "; whether lockdown does cannot be told: securityfs is not mounted");
}

BOOST_AUTO_TEST_CASE(ring_buffers_may_be_refused) {
    auto c = free_to_do_all();
    c.machine = {2, 4096};
    const auto refused_rings = [&](int error) {
        return ask({error, error_code(error, boost::system::system_category()), "the log", {}, 64},
                   c);
    };
    c.memory_is_limited = true; // BPF's is another matter.
    BOOST_TEST((refused_rings(EPERM).code == errc::forbidden));
    BOOST_TEST((refused_rings(EACCES).code == errc::forbidden));
    BOOST_TEST(refused_rings(EPERM).diag == "");
    BOOST_TEST((refused_rings(ENOMEM).code == errc::no_memory));
    BOOST_TEST(refused_rings(ENOMEM).diag.starts_with("perf buffers of 64 pages need 2 MiB"));
    BOOST_TEST(refused_rings(EINVAL).code.value() == EINVAL);
    BOOST_TEST(refused_rings(EINVAL).diag == "the log");

    c.lacks_sys_admin = true;
    BOOST_TEST((refused_rings(EPERM).code == errc::forbidden));
    BOOST_TEST((refused_rings(EACCES).code == errc::missing_capabilities));
    BOOST_TEST(refused_rings(EACCES).diag.find("perf_event_paranoid") != std::string::npos);
    c.rings_are_limited = true;
    BOOST_TEST((refused_rings(EPERM).code == errc::locked_memory));
    BOOST_TEST(refused_rings(EPERM).diag.starts_with("ulimit -l is "));
}

BOOST_AUTO_TEST_CASE(too_many_open_files_are_no_defect) {
    auto c = free_to_do_all();
    c.machine = {16, 4096};
    for (const auto otherwise : {errc::load_failed, errc::attach_failed}) {
        const auto mine = ask({EMFILE, otherwise, "the log"}, c);
        BOOST_TEST(mine.code.value() == EMFILE);
        BOOST_TEST((mine.code.category() == boost::system::system_category()));
        BOOST_TEST(mine.diag == "raise ulimit -n: perf buffers alone take two descriptors for each "
                                "of 16 CPUs");
        const auto all = ask({ENFILE, otherwise, "the log"}, c);
        BOOST_TEST(all.code.value() == ENFILE);
        BOOST_TEST(all.diag.starts_with("raise fs.file-max"));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_told_by_the_log_or_the_error) {
    const auto c = free_to_do_all();
    BOOST_TEST((refused(EINVAL, c).code == errc::load_failed));
    BOOST_TEST(refused(EINVAL, c).diag == "the log");
    BOOST_TEST(refused(EINVAL, c, "").diag == "Invalid argument");
}

BOOST_AUTO_TEST_CASE(what_can_be_loaded_may_not_be_attached) {
    const auto refused_to_attach = [](int error) {
        return ask({error, errc::attach_failed, "the log", {}}, free_to_do_all());
    };
    BOOST_TEST((refused_to_attach(ENOENT).code == errc::conntrack_missing));
    BOOST_TEST((refused_to_attach(E2BIG).code == errc::attach_failed));
    BOOST_TEST(refused_to_attach(E2BIG).diag.find("as many programs") != std::string::npos);
    BOOST_TEST((refused_to_attach(524).code == errc::attach_failed));
    BOOST_TEST(refused_to_attach(524).diag.find("machine") != std::string::npos);
    BOOST_TEST(refused_to_attach(EINVAL).diag == "the log");
}

BOOST_AUTO_TEST_SUITE_END()
