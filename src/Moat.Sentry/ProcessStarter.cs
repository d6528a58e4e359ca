using System.Text;
using Moat.Filesystems.HostFd;
using Moat.Host;
using Moat.Kernel.Credentials;
using Moat.Kernel.Loader;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Seccomp;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Sentry;

/// <summary>Makes processes from a configuration's description: the container's first one, and those that exec brings in later.</summary>
internal sealed class ProcessStarter(GuestContainer container, MountNamespace mounts, UtsNamespace uts, UserNamespace users, NetworkNamespace network)
{
    private const int NotFound = 127;
    private const int NotExecutable = 126;
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Makes descriptors of the host into open files; set when the tree stands.</summary>
    public StandardStreams Streams { get; set; } = null!;

    /// <summary>The nice value that processes start with.</summary>
    public int Niceness { get; init; }

    /// <summary>The filter of system calls that processes start with; null for none.</summary>
    public SeccompState? Filter { get; init; }

    /// <summary>A task at the root of the tree that may do everything; nothing runs in it yet.</summary>
    public GuestTask Create()
    {
        GuestTask task = InitialProcess.Create(container, mounts, RootCredentials(), uts, network, new ResourceLimits());
        task.Fs.Umask = default;
        task.Scheduling.Nice = Math.Clamp(Niceness, -20, 19);
        return task;
    }

    /// <summary>Whether a process's program is there and may be executed by its user, as far as can be told without loading it.</summary>
    /// <returns>Why it could not be started, in the words that engines look for; null if it can be tried.</returns>
    public string? Find(GuestTask task, OciProcess process, out int exitCode)
    {
        exitCode = NotExecutable;
        if (EnterDirectory(task, process.Cwd) is { } fault)
        {
            return fault;
        }

        TaskCredentials own = task.Credentials;
        task.Credentials = CredentialsOf(process, own.UserNamespace);
        Errno errno = Errno.ENOENT;
        foreach (string candidate in Candidates(process))
        {
            Errno tried = CheckExecutable(task, candidate);
            if (tried == Errno.None)
            {
                errno = tried;
                break;
            }

            errno = tried is Errno.ENOENT or Errno.ENOTDIR ? errno : tried;
        }

        task.Credentials = own;
        return errno == Errno.None ? null : Explain(process.Args[0], errno, out exitCode);
    }

    /// <summary>Turns a created task into what is described and lets it run. The descriptors are the task's then, whatever comes.</summary>
    /// <returns>Why it could not be started, in the words that engines look for; null if it runs.</returns>
    public string? Start(GuestTask task, OciProcess process, IReadOnlyList<int> descriptors, out int exitCode)
    {
        exitCode = NotExecutable;
        if (Streams.Install(task, descriptors) is { } terminal)
        {
            JobControl.OnOpen(task, terminal);
            container.Console ??= terminal;
        }

        SetLimits(task, process);
        task.Fs.Umask = (Mode)(process.User.Umask ?? 0x12); // 022
        string home = HomeOf(task, process.User.Uid);
        if (EnterDirectory(task, process.Cwd) is { } fault)
        {
            return fault;
        }

        task.Credentials = CredentialsOf(process, task.Credentials.UserNamespace);
        task.Seccomp = Filter;
        byte[][] arguments = [.. process.Args.Select(Encoding.UTF8.GetBytes)];
        List<byte[]> environment = [.. process.Env.Select(Encoding.UTF8.GetBytes)];
        if (!process.Env.Any(static variable => variable.StartsWith("HOME=", StringComparison.Ordinal)))
        {
            environment.Add(Encoding.UTF8.GetBytes($"HOME={home}"));
        }

        Errno errno = Errno.ENOENT;
        foreach (string candidate in Candidates(process))
        {
            Errno tried = InitialProcess.Start(task, Encoding.UTF8.GetBytes(candidate), arguments, environment);
            if (tried == Errno.None)
            {
                return null;
            }

            errno = tried is Errno.ENOENT or Errno.ENOTDIR ? errno : tried;
        }

        return Explain(process.Args[0], errno, out exitCode);
    }

    private static Errno CheckExecutable(GuestTask task, string path) =>
        PathWalker.Resolve(task, task.Fs.WorkingDirectory, Encoding.UTF8.GetBytes(path), WalkFlags.None).TryGet(out PathLocation place, out Errno errno)
            ? ProgramLoader.CheckExecutable(task, place) : errno;

    private static string Explain(string program, Errno errno, out int exitCode)
    {
        exitCode = errno == Errno.ENOENT ? NotFound : NotExecutable;
        return errno switch
        {
            Errno.ENOENT when program.Contains('/') => $"exec: \"{program}\": stat {program}: no such file or directory",
            Errno.ENOENT => $"exec: \"{program}\": executable file not found in $PATH",
            Errno.EACCES => $"exec: \"{program}\": permission denied",
            _ => $"exec: \"{program}\": {ErrorText.Describe(errno)}",
        };
    }

    private TaskCredentials RootCredentials()
    {
        CapabilitySet all = CapabilitySet.Full;
        return new TaskCredentials
        {
            RealUid = 0, EffectiveUid = 0, SavedUid = 0, FilesystemUid = 0,
            RealGid = 0, EffectiveGid = 0, SavedGid = 0, FilesystemGid = 0,
            Groups = [],
            Effective = all, Permitted = all, Bounding = all,
            UserNamespace = users,
        };
    }

    private static TaskCredentials CredentialsOf(OciProcess process, UserNamespace users)
    {
        OciUser user = process.User;
        OciCapabilities capabilities = process.Capabilities ?? new OciCapabilities();
        return new TaskCredentials
        {
            RealUid = user.Uid, EffectiveUid = user.Uid, SavedUid = user.Uid, FilesystemUid = user.Uid,
            RealGid = user.Gid, EffectiveGid = user.Gid, SavedGid = user.Gid, FilesystemGid = user.Gid,
            Groups = [.. user.AdditionalGids.Order()],
            Effective = SetOf(capabilities.Effective),
            Permitted = SetOf(capabilities.Permitted),
            Inheritable = SetOf(capabilities.Inheritable),
            Bounding = SetOf(capabilities.Bounding),
            Ambient = SetOf(capabilities.Ambient),
            NoNewPrivileges = process.NoNewPrivileges,
            UserNamespace = users,
        };
    }

    private static CapabilitySet SetOf(IReadOnlyList<string> names)
    {
        ulong bits = 0;
        foreach (string name in names)
        {
            // Names have been checked; one that this kernel does not know grants nothing.
            bits |= Enum.TryParse(name, out Capability capability) ? 1UL << (int)capability : 0;
        }

        return new CapabilitySet(bits);
    }

    private static void SetLimits(GuestTask task, OciProcess process)
    {
        string[] names =
        [
            "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
            "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
        ];
        foreach (OciRlimit limit in process.Rlimits)
        {
            if (Array.IndexOf(names, limit.Type) is >= 0 and var number)
            {
                task.ThreadGroup.Limits.Set(number, new ResourceLimit(limit.Soft, limit.Hard));
            }
        }
    }

    private static string? EnterDirectory(GuestTask task, string path)
    {
        string sofar = "";
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            // As other runtimes do: a working directory that does not exist is made.
            sofar += "/" + name;
            if (!PathWalker.Resolve(task, task.Fs.Root, Encoding.UTF8.GetBytes(sofar), WalkFlags.None).IsOk)
            {
                FileCreation.Make(task, task.Fs.Root, Encoding.UTF8.GetBytes(sofar), Mode.S_IFDIR | (Mode)0x1ED, default);
            }
        }

        if (!PathWalker.Resolve(task, task.Fs.Root, Encoding.UTF8.GetBytes(path), WalkFlags.Directory).TryGet(out PathLocation directory, out Errno errno))
        {
            return $"cannot enter the working directory {path}: {ErrorText.Describe(errno)}";
        }

        task.Fs.WorkingDirectory = directory;
        return null;
    }

    // As execvp(3): a name with a slash is a path, another is searched for.
    private static IEnumerable<string> Candidates(OciProcess process)
    {
        string name = process.Args[0];
        if (name.Contains('/'))
        {
            return [name];
        }

        string path = process.Env.LastOrDefault(static variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? DefaultPath;
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => $"{folder}/{name}");
    }

    // The home of a user by the container's own passwd(5).
    private static string HomeOf(GuestTask task, uint uid)
    {
        const int MaxBytes = 1 << 20;
        string home = uid == 0 ? "/root" : "/";
        if (!FileOpener.Open(task, task.Fs.Root, "/etc/passwd"u8, OpenFlags.O_RDONLY, default).TryGet(out FileDescription? file, out _))
        {
            return home;
        }

        byte[] text = new byte[MaxBytes];
        int length = 0;
        while (length < text.Length)
        {
            IoBuffer rest = new(text.AsSpan(length, Math.Min(text.Length - length, 1 << 16)));
            SyscallResult count = file.Read(task, ref rest, length);
            if (count.IsError || count.Raw == 0)
            {
                break;
            }

            length += (int)count.Raw;
        }

        file.Release();
        foreach (string line in Encoding.UTF8.GetString(text, 0, length).Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length >= 6 && uint.TryParse(fields[2], out uint number) && number == uid && fields[5].StartsWith('/'))
            {
                return fields[5];
            }
        }

        return home;
    }
}
