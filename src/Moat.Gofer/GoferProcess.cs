using Moat.Control;
using Moat.Host;
using Moat.Host.Seccomp;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>The Gofer's process: serves each export on its connection until the Sentry has gone.</summary>
public static class GoferProcess
{
    private const int Failure = 128;

    /// <summary>Reads the configuration it inherits, shuts itself in, reports, and serves.</summary>
    /// <returns>The exit code.</returns>
    public static int Run()
    {
        if (!ConfigFile.Read(GoferConfig.Descriptor, ControlJson.Default.GoferConfig).TryGet(out GoferConfig? config, out Errno errno))
        {
            Console.Error.WriteLine($"runsc: gofer: no configuration: {errno}");
            return Failure;
        }

        HostMemory.Close(GoferConfig.Descriptor);
        List<Thread> threads = [];
        foreach (GoferExport export in config.Exports)
        {
            if (!HostTree.Open(export.Source, config.DescriptorsFd, export.IsReadOnly).TryGet(out HostNinePFile? root, out errno))
            {
                return Fail(config, $"{export.Name}: {errno}");
            }

            threads.Add(new Thread(() => new NinePServer(new UnixTransport(export.ConnectionFd), root).Run(), 256 << 10));
        }

        // New files get exactly the mode that the Sentry asks for.
        HostCall.Invoke(SyscallNumber.umask, 0);
        threads.ForEach(static thread => thread.Start());
        errno = CreateFilter().Install();
        if (errno != Errno.None)
        {
            return Fail(config, $"seccomp: {errno}");
        }

        Report(config, null);
        threads.ForEach(static thread => thread.Join());
        return 0;
    }

    private static int Fail(GoferConfig config, string error)
    {
        Report(config, $"gofer: {error}");
        return Failure;
    }

    private static void Report(GoferConfig config, string? error)
    {
        ConfigFile.Write(config.ReadyFd, new BootReport { Error = error }, ControlJson.Default.BootReport);
        HostMemory.Close(config.ReadyFd);
    }

    // What file calls and the runtime need. No sockets but the ones it has, no programs, no namespaces, no other processes.
    private static SeccompFilter CreateFilter() => new SeccompFilter()
        .Allow(
            SyscallNumber.recvmsg, SyscallNumber.sendmsg, SyscallNumber.openat, SyscallNumber.close, SyscallNumber.newfstatat, SyscallNumber.fstat, SyscallNumber.readlinkat, SyscallNumber.getdents64,
            SyscallNumber.lseek, SyscallNumber.read, SyscallNumber.write, SyscallNumber.pread64, SyscallNumber.pwrite64, SyscallNumber.fstatfs, SyscallNumber.ftruncate, SyscallNumber.fsync,
            SyscallNumber.fdatasync, SyscallNumber.mkdirat, SyscallNumber.mknodat, SyscallNumber.symlinkat, SyscallNumber.linkat, SyscallNumber.renameat2, SyscallNumber.unlinkat,
            SyscallNumber.fchmodat, SyscallNumber.fchownat, SyscallNumber.utimensat)
        .AllowIf(SyscallNumber.fcntl, 1, uint.MaxValue, 1030) // F_DUPFD_CLOEXEC
        .Allow(RuntimeCalls.Always)
        .AllowIf(SyscallNumber.mmap, 2, 4, 0) // no PROT_EXEC
        .AllowIf(SyscallNumber.mprotect, 2, 4, 0)
        .AllowIf(SyscallNumber.clone, 0, RuntimeCalls.ThreadFlags, RuntimeCalls.ThreadFlags)
        .Refuse(SyscallNumber.clone3, Errno.ENOSYS) // its flags are in memory: the C library falls back to clone
        .Kill(SyscallNumber.execve, SyscallNumber.execveat);
}
