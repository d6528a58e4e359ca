using Moat.Linux;

namespace Moat.Host.Seccomp;

/// <summary>Calls that no confined process of ours may make, each with arguments that would do no harm if it could. For tests of the filters: they run in the real executable.</summary>
public static unsafe class ForbiddenCalls
{
    private const nint CurrentDirectory = HostFile.CurrentDirectory;
    private const int Sigchld = 17;
    private const int CloneNewUser = 0x10000000;
    private const int ThreadOfTheRuntime = 0x3d0f00;
    private const int ProtReadExec = 5;
    private const int PrivateAnonymous = 0x22;

    /// <summary>Makes them all.</summary>
    /// <param name="report">Told of each: its name, and the error, None if it was allowed.</param>
    public static void TryAll(Action<string, Errno> report)
    {
        ReadOnlySpan<byte> path = "/etc/passwd\0"u8;
        long word = 0;

        // SAFETY: a zero-terminated name and eight bytes of this stack frame, which live until the end.
        fixed (byte* name = path)
        {
            nint file = (nint)name;
            nint pair = (nint)(&word);
            (string What, SyscallNumber Number, nint[] Arguments)[] calls =
            [
                ("open", SyscallNumber.open, [file, 0]), ("creat", SyscallNumber.creat, [0, 0]), ("openat", SyscallNumber.openat, [CurrentDirectory, file, 0]), ("openat2", SyscallNumber.openat2, []),
                ("open_by_handle_at", SyscallNumber.open_by_handle_at, []), ("name_to_handle_at", SyscallNumber.name_to_handle_at, []), ("stat", SyscallNumber.stat, [file, 0]),
                ("access", SyscallNumber.access, [file, 0]), ("newfstatat following links", SyscallNumber.newfstatat, [CurrentDirectory, file, 0, 0]), ("statx", SyscallNumber.statx, [CurrentDirectory, file, 0, 0, 0]),
                ("chmod", SyscallNumber.chmod, [0, 0]), ("fchmod", SyscallNumber.fchmod, [-1, 0]), ("truncate", SyscallNumber.truncate, [0, 0]), ("chdir", SyscallNumber.chdir, [0]),
                ("socket", SyscallNumber.socket, [1, 1, 0]), ("socketpair", SyscallNumber.socketpair, [1, 1, 0, pair]), ("bind", SyscallNumber.bind, [-1, 0, 0]), ("connect", SyscallNumber.connect, [-1, 0, 0]),
                ("mmap executable", SyscallNumber.mmap, [0, 4096, ProtReadExec, PrivateAnonymous, -1, 0]), ("mprotect executable", SyscallNumber.mprotect, [0, 4096, ProtReadExec]),
                ("pkey_mprotect", SyscallNumber.pkey_mprotect, [0, 0, ProtReadExec, -1]), ("shmat", SyscallNumber.shmat, [-1, 0, 0]), ("memfd_create", SyscallNumber.memfd_create, [file, 0]),
                ("memfd_secret", SyscallNumber.memfd_secret, [-1]), ("remap_file_pages", SyscallNumber.remap_file_pages, []), ("personality", SyscallNumber.personality, [-1]),
                ("fork", SyscallNumber.fork, []), ("clone of a process", SyscallNumber.clone, [Sigchld, 0, 0, 0, 0]), ("clone with a namespace", SyscallNumber.clone, [ThreadOfTheRuntime | CloneNewUser, 0, 0, 0, 0]),
                ("ptrace attach", SyscallNumber.ptrace, [16, int.MaxValue, 0, 0]), ("ptrace poke", SyscallNumber.ptrace, [5, int.MaxValue, 0, 0]), ("ptrace traceme", SyscallNumber.ptrace, [0, 0, 0, 0]),
                ("process_vm_readv", SyscallNumber.process_vm_readv, [-1, 0, 0, 0, 0, 0]), ("process_vm_writev", SyscallNumber.process_vm_writev, [-1, 0, 0, 0, 0, 0]), ("kcmp", SyscallNumber.kcmp, [-1, -1, 0, 0, 0]),
                ("pidfd_open", SyscallNumber.pidfd_open, [-1, 0]), ("pidfd_getfd", SyscallNumber.pidfd_getfd, [-1, 0, 0]), ("rt_sigqueueinfo", SyscallNumber.rt_sigqueueinfo, [-1, 0, 0]),
                ("mount", SyscallNumber.mount, [0, 0, 0, 0, 0]), ("umount2", SyscallNumber.umount2, [0, 0]), ("open_tree", SyscallNumber.open_tree, [-1, 0, 0]), ("move_mount", SyscallNumber.move_mount, [-1, 0, -1, 0, 0]),
                ("fsopen", SyscallNumber.fsopen, [0, 0]), ("chroot", SyscallNumber.chroot, [0]), ("pivot_root", SyscallNumber.pivot_root, [0, 0]), ("unshare", SyscallNumber.unshare, [0]), ("setns", SyscallNumber.setns, [-1, 0]),
                ("setuid", SyscallNumber.setuid, [-1]), ("setresuid", SyscallNumber.setresuid, [-1, -1, -1]), ("setgroups", SyscallNumber.setgroups, [-1, 0]), ("capset", SyscallNumber.capset, [0, 0]),
                ("prctl dumpable", SyscallNumber.prctl, [4, 1]), ("arch_prctl", SyscallNumber.arch_prctl, [0, 0]), ("seccomp", SyscallNumber.seccomp, [2, 0, pair]), ("prlimit64", SyscallNumber.prlimit64, [0, 0, 0, pair]),
                ("io_uring_setup", SyscallNumber.io_uring_setup, [0, 0]), ("bpf", SyscallNumber.bpf, [-1, 0, 0]), ("userfaultfd", SyscallNumber.userfaultfd, [-1]), ("perf_event_open", SyscallNumber.perf_event_open, [0, -1, -1, -1, 0]),
                ("keyctl", SyscallNumber.keyctl, [0, -3, 0]), ("add_key", SyscallNumber.add_key, []), ("fanotify_init", SyscallNumber.fanotify_init, [-1, 0]), ("inotify_init1", SyscallNumber.inotify_init1, [-1]),
                ("shmget", SyscallNumber.shmget, [0, 0, 0]), ("msgget", SyscallNumber.msgget, [1, 0]), ("semget", SyscallNumber.semget, [1, 0, 0]), ("mq_open", SyscallNumber.mq_open, [0, 0]), ("io_setup", SyscallNumber.io_setup, [0, 0]),
                ("ioctl TIOCSTI", SyscallNumber.ioctl, [-1, 0x5412, 0]), ("fcntl F_SETFL", SyscallNumber.fcntl, [-1, 4, 0]), ("fcntl F_SETOWN", SyscallNumber.fcntl, [-1, 8, 0]), ("setsid", SyscallNumber.setsid, []),
                ("modify_ldt", SyscallNumber.modify_ldt, [0, 0, 0]), ("iopl", SyscallNumber.iopl, [-1]), ("ioperm", SyscallNumber.ioperm, [-1, 0, 0]), ("init_module", SyscallNumber.init_module, [0, 0, 0]),
                ("finit_module", SyscallNumber.finit_module, [-1, 0, 0]), ("kexec_load", SyscallNumber.kexec_load, [0, -1, 0, 0]), ("reboot", SyscallNumber.reboot, [0, 0, 0, 0]), ("syslog", SyscallNumber.syslog, [10, 0, 0]),
                ("sched_setscheduler", SyscallNumber.sched_setscheduler, [0, -1, 0]), ("timer_create", SyscallNumber.timer_create, [-1, 0, 0]),
                ("splice", SyscallNumber.splice, [-1, 0, -1, 0, 0, 0]), ("vmsplice", SyscallNumber.vmsplice, [-1, 0, 0, 0]), ("landlock_create_ruleset", SyscallNumber.landlock_create_ruleset, [0, 0, 1]),
            ];
            foreach ((string what, SyscallNumber number, nint[] arguments) in calls)
            {
                report(what, Invoke(number, arguments).Errno);
            }
        }
    }

    /// <summary>execveat(2), which ends the process.</summary>
    public static Errno Execute() => HostCall.Invoke(SyscallNumber.execveat, -1, 0, 0, 0, 0).Errno;

    private static SyscallResult Invoke(SyscallNumber number, nint[] given)
    {
        Span<nint> all = stackalloc nint[6];
        all.Clear();
        given.CopyTo(all);
        SyscallResult result = HostCall.Invoke(number, all[0], all[1], all[2], all[3], all[4], all[5]);
        if (!result.IsError && result.Raw == 0 && number is (SyscallNumber.fork or SyscallNumber.clone))
        {
            HostCall.Invoke(SyscallNumber.exit_group, 0); // a child that must not be
        }

        return result;
    }
}
