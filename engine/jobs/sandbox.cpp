#include "engine/jobs/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <span>
#include <string>

#include "core/error.h"

namespace penta::engine {

namespace {

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

// What any of our processes needs: its memory, its threads, its clock, the files that it has.
constexpr std::array always{
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
    SCMP_SYS(getdents64), SCMP_SYS(fadvise64), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(mincore), SCMP_SYS(get_mempolicy), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(futex), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getcpu), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid),
    SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(arch_prctl), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(membarrier)};

// What writes results: only for jobs.
constexpr std::array for_writing{
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rmdir), SCMP_SYS(fsync),
    SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(utimensat), SCMP_SYS(copy_file_range),
    SCMP_SYS(sendfile), SCMP_SYS(flock), SCMP_SYS(umask), SCMP_SYS(fchmod)};

void check(int result, const char* doing) {
  if (result != 0) throw Error(Code::internal, std::string("the sandbox cannot be entered: ") + doing);
}

void limit(int what, rlim_t value) {
  const rlimit wanted{value, value};
  check(setrlimit(static_cast<__rlimit_resource>(what), &wanted), "setrlimit");
}

void allow(const Filter& filter, std::span<const int> calls) {
  for (const int call : calls)
    // What this machine does not have cannot be called either.
    if (const int result = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0); result != -EDOM) check(result, "a rule");
}

void allow_if(const Filter& filter, int call, const scmp_arg_cmp& argument) {
  check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &argument), "a rule");
}

scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// Reading opens nothing for writing and makes nothing.
void allow_opening_to_read(const Filter& filter) {
  constexpr std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
  allow_if(filter, SCMP_SYS(open), masked(1, writing, O_RDONLY));
  allow_if(filter, SCMP_SYS(openat), masked(2, writing, O_RDONLY));
}

void allow_threads(const Filter& filter) {
  constexpr std::uint64_t a_thread = 0x00010000U;  // CLONE_THREAD: no new process
  allow_if(filter, SCMP_SYS(clone), masked(0, a_thread, a_thread));
  // Its flags lie in memory, where a filter cannot look: the C library then takes clone.
  check(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "a rule");
  // abort() and what the C++ library does to end itself.
  const auto self = static_cast<std::uint64_t>(getpid());
  allow_if(filter, SCMP_SYS(tgkill), {0, SCMP_CMP_EQ, self, 0});
}

void allow_questions(const Filter& filter) {
  allow_if(filter, SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, TCGETS, 0});
  allow_if(filter, SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, TIOCGWINSZ, 0});
  // On the socket that is there: without an address, and no other can be made.
  allow_if(filter, SCMP_SYS(sendto), {4, SCMP_CMP_EQ, 0, 0});
  allow_if(filter, SCMP_SYS(prlimit64), {2, SCMP_CMP_EQ, 0, 0});
  for (const int what : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA})
    allow_if(filter, SCMP_SYS(prctl), {0, SCMP_CMP_EQ, static_cast<std::uint64_t>(what), 0});
}

}  // namespace

void enter_sandbox(const SandboxLimits& limits) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, static_cast<rlim_t>(limits.descriptors));
  limit(RLIMIT_FSIZE, static_cast<rlim_t>(limits.file_bytes));
  if (limits.processor.count() > 0) limit(RLIMIT_CPU, static_cast<rlim_t>(limits.processor.count()));
  if (limits.memory_gb > 0) limit(RLIMIT_DATA, static_cast<rlim_t>(limits.memory_gb * 1073741824.0));
  if (limits.ends_with_parent) check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (!filter) throw Error(Code::internal, "the sandbox cannot be entered: no filter");
  allow(filter, always);
  if (limits.writes) allow(filter, for_writing);
  else allow_opening_to_read(filter);
  allow_threads(filter);
  allow_questions(filter);
  check(seccomp_load(filter.get()), "seccomp_load");
}

}  // namespace penta::engine
