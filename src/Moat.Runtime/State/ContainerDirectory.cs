using System.Text;
using System.Text.Json;
using Moat.Host;
using Moat.Linux;

namespace Moat.Runtime.State;

/// <summary>A container's directory under --root, locked: its record, control socket and the Sentry's empty root. Commands on one container take turns through the lock (flock(2), which
/// the kernel gives up with the process); reading the record needs none, since it is replaced in one step.</summary>
public sealed class ContainerDirectory : IDisposable
{
    private const string RecordName = "state.json";
    private const string LockName = "lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private int _lockFd;

    private ContainerDirectory(string path, int lockFd)
    {
        Folder = path;
        _lockFd = lockFd;
    }

    /// <summary>Its path.</summary>
    public string Folder { get; }

    /// <summary>The control socket's path.</summary>
    public string ControlSocket => Path.Combine(Folder, "control");

    /// <summary>An empty directory that becomes the Sentry's root.</summary>
    public string Jail => Path.Combine(Folder, "jail");

    /// <summary>Where the Sentry leaves the exit code.</summary>
    public string ExitStatusFile => Path.Combine(Folder, "exit");

    /// <summary>Makes the directory of a new container, locked.</summary>
    /// <exception cref="RuntimeException">The id is in use, or the host refuses.</exception>
    public static ContainerDirectory Create(string root, string id)
    {
        string path = Path.Combine(root, id);
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot make {root}: {HostFault.Describe(e)}", e);
        }

        Errno errno = HostPath.MakeDirectory(path, OwnerOnly);
        if (errno != Errno.None)
        {
            throw new RuntimeException(errno == Errno.EEXIST ? $"container with id \"{id}\" already exists" : $"cannot make {path}: {ErrorText.Describe(errno)}");
        }

        errno = HostPath.MakeDirectory(Path.Combine(path, "jail"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        if (errno != Errno.None || !Lock(path).TryGet(out int fd, out errno))
        {
            Directory.Delete(path, recursive: true);
            throw new RuntimeException($"cannot make {path}: {ErrorText.Describe(errno)}");
        }

        return new ContainerDirectory(path, fd);
    }

    /// <summary>Takes the lock of a container, waiting for whoever has it.</summary>
    /// <exception cref="RuntimeException">There is none with this id.</exception>
    public static ContainerDirectory Open(string root, string id)
    {
        if (ContainerId.Validate(id) is { } fault)
        {
            throw new RuntimeException(fault);
        }

        string path = Path.Combine(root, id);
        return Lock(path).TryGet(out int fd, out Errno errno) ? new ContainerDirectory(path, fd)
            : throw new RuntimeException(errno is Errno.ENOENT or Errno.ENOTDIR ? $"container \"{id}\" does not exist" : $"cannot lock {path}: {ErrorText.Describe(errno)}");
    }

    /// <summary>Whether a command works on a container just now.</summary>
    public static bool IsLocked(string root, string id)
    {
        const int ExclusiveNoWait = 6; // LOCK_EX | LOCK_NB
        if (!HostPath.OpenFile(Path.Combine(root, id, LockName), OpenFlags.O_RDONLY).TryGet(out int fd, out _))
        {
            return false;
        }

        Errno errno = HostCall.Invoke(SyscallNumber.flock, fd, ExclusiveNoWait).Errno;
        HostMemory.Close(fd);
        return errno == Errno.EAGAIN;
    }

    /// <summary>Reads a container's record without its lock; null if there is none.</summary>
    public static ContainerRecord? Peek(string root, string id)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(root, id, RecordName));
            return JsonSerializer.Deserialize(bytes, StateJson.Default.ContainerRecord);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The ids of all containers under a root, in order.</summary>
    public static IReadOnlyList<string> List(string root)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(root).Select(static path => Path.GetFileName(path)).Where(static id => ContainerId.Validate(id) is null).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot read {root}: {HostFault.Describe(e)}", e);
        }
    }

    /// <summary>The record; null if the command that made the container was killed before it wrote one.</summary>
    public ContainerRecord? Read() => Peek(Path.GetDirectoryName(Folder)!, Path.GetFileName(Folder));

    /// <summary>Replaces the record: a reader sees the old or the new one, also after a crash of the host.</summary>
    /// <exception cref="RuntimeException">The host refuses.</exception>
    public void Write(ContainerRecord record)
    {
        string temporary = Path.Combine(Folder, RecordName + ".new");
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
            {
                JsonSerializer.Serialize(file, record, StateJson.Default.ContainerRecord);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, Path.Combine(Folder, RecordName), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot write the state of {Folder}: {HostFault.Describe(e)}", e);
        }
    }

    /// <summary>Removes the directory; the id is free afterwards. It is renamed first (to a name that is no id), so that nobody finds half of it.</summary>
    public void Remove()
    {
        string root = Path.GetDirectoryName(Folder)!;
        try
        {
            Directory.Move(Folder, Path.Combine(root, $"~{Path.GetFileName(Folder)}.{Environment.ProcessId}"));
            foreach (string leftover in Directory.EnumerateDirectories(root, "~*"))
            {
                Directory.Delete(leftover, recursive: true);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // somebody else removed it
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot remove {Folder}: {HostFault.Describe(e)}", e);
        }
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _lockFd, -1);
        if (fd >= 0)
        {
            HostMemory.Close(fd);
        }
    }

    private static Result<int> Lock(string path)
    {
        const int Exclusive = 2; // LOCK_EX
        byte[] name = Encoding.UTF8.GetBytes(Path.Combine(path, LockName));
        while (true)
        {
            if (!HostPath.OpenFile(name, OpenFlags.O_RDWR | OpenFlags.O_CREAT).TryGet(out int fd, out Errno errno))
            {
                return errno;
            }

            do
            {
                errno = HostCall.Invoke(SyscallNumber.flock, fd, Exclusive).Errno;
            }
            while (errno == Errno.EINTR);

            // The container may have been deleted, and another made, while this waited.
            if (errno == Errno.None && HostFile.Stat(fd).TryGet(out HostStat held, out errno))
            {
                if (!HostFile.StatAt(HostFile.CurrentDirectory, name).TryGet(out HostStat now, out errno) || now.Inode != held.Inode)
                {
                    HostMemory.Close(fd);
                    continue;
                }

                return fd;
            }

            HostMemory.Close(fd);
            return errno;
        }
    }
}
