using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A process' descriptors. Shared with CLONE_FILES. Any thread.</summary>
public sealed class FdTable
{
    private const int MaxDescriptors = 1 << 20;

    private readonly Lock _lock = new();
    private FileDescription?[] _files = new FileDescription?[64]; // changed under _lock
    private bool[] _closeOnExec = new bool[64]; // guarded by _lock
    private int _lowestFree; // guarded by _lock: nothing below is free
    private int _users = 1;

    /// <summary>How many numbers the table has room for: FDSize.</summary>
    public int Capacity => _files.Length;

    /// <summary>Another task uses the same table.</summary>
    public FdTable Share()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>Whether more than one task uses it.</summary>
    public bool IsShared => Volatile.Read(ref _users) > 1;

    /// <summary>A task stops using it; the last one closes everything.</summary>
    public void RemoveUser(GuestTask task)
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            CloseRange(task, 0, int.MaxValue, static (_, _) => true);
        }
    }

    /// <summary>A copy with the same descriptors.</summary>
    public FdTable Fork()
    {
        FdTable copy = new();
        lock (_lock)
        {
            copy._files = [.. _files];
            copy._closeOnExec = [.. _closeOnExec];
            copy._lowestFree = _lowestFree;
            foreach (FileDescription? file in _files)
            {
                file?.AddReference();
            }
        }

        return copy;
    }

    /// <summary>Looks a descriptor up and takes a reference on what it names; the caller releases it.</summary>
    /// <returns>EBADF if it is not open.</returns>
    public Result<FileDescription> Get(int fd)
    {
        while (true)
        {
            // Without the lock: a reference counts if the description still stood in the table afterwards; then it did so while the reference was taken.
            FileDescription?[] files = Volatile.Read(ref _files);
            if ((uint)fd >= (uint)files.Length || Volatile.Read(ref files[fd]) is not { } file)
            {
                return Errno.EBADF;
            }

            if (!file.TryAddReference())
            {
                continue; // it was closed just now
            }

            if (Volatile.Read(ref files[fd]) == file && Volatile.Read(ref _files) == files)
            {
                return file;
            }

            file.Release();
        }
    }

    /// <summary>Installs a description at the lowest free number not below <paramref name="minimum"/>; the table takes over the caller's reference (also on failure: it is released then).</summary>
    /// <param name="file">The description.</param>
    /// <param name="closeOnExec">FD_CLOEXEC.</param>
    /// <param name="minimum">The lowest number.</param>
    /// <param name="limit">RLIMIT_NOFILE of the caller.</param>
    /// <returns>EMFILE.</returns>
    public Result<int> Install(FileDescription file, bool closeOnExec, int minimum, ulong limit)
    {
        int end = (int)Math.Min(limit, MaxDescriptors);
        lock (_lock)
        {
            int fd = Math.Max(minimum, _lowestFree);
            while (fd < _files.Length && _files[fd] is not null)
            {
                fd++;
            }

            if (fd < end)
            {
                Grow(fd);
                _files[fd] = file;
                _closeOnExec[fd] = closeOnExec;
                if (minimum <= _lowestFree)
                {
                    _lowestFree = fd + 1;
                }

                return fd;
            }
        }

        file.Release();
        return Errno.EMFILE;
    }

    /// <summary>dup2(2): puts a description at a number, closing what was there. The table takes over the caller's reference.</summary>
    public Errno InstallAt(GuestTask task, int fd, FileDescription file, bool closeOnExec, ulong limit)
    {
        FileDescription? before;
        lock (_lock)
        {
            if ((uint)fd >= Math.Min(limit, MaxDescriptors))
            {
                before = null;
                file.Release();
                return Errno.EBADF;
            }

            Grow(fd);
            before = _files[fd];
            _files[fd] = file;
            _closeOnExec[fd] = closeOnExec;
        }

        Close(task, before);
        return Errno.None;
    }

    /// <summary>close(2).</summary>
    public Errno Close(GuestTask task, int fd)
    {
        FileDescription? file;
        lock (_lock)
        {
            if ((uint)fd >= (uint)_files.Length || (file = _files[fd]) is null)
            {
                return Errno.EBADF;
            }

            _files[fd] = null;
            _lowestFree = Math.Min(_lowestFree, fd);
        }

        return Close(task, file);
    }

    /// <summary>Closes what is in a range (both ends included) and fits: close_range(2), execve(2).</summary>
    public void CloseRange(GuestTask task, int first, int last, Func<int, bool, bool> fits)
    {
        List<FileDescription> closed = [];
        lock (_lock)
        {
            for (int fd = first; fd <= Math.Min(last, _files.Length - 1); fd++)
            {
                if (_files[fd] is { } file && fits(fd, _closeOnExec[fd]))
                {
                    closed.Add(file);
                    _files[fd] = null;
                    _lowestFree = Math.Min(_lowestFree, fd);
                }
            }
        }

        foreach (FileDescription file in closed)
        {
            Close(task, file);
        }
    }

    /// <summary>F_GETFD.</summary>
    public Result<bool> GetCloseOnExec(int fd)
    {
        lock (_lock)
        {
            return (uint)fd < (uint)_files.Length && _files[fd] is not null ? _closeOnExec[fd] : Errno.EBADF;
        }
    }

    /// <summary>F_SETFD.</summary>
    public Errno SetCloseOnExec(int fd, bool value)
    {
        lock (_lock)
        {
            if ((uint)fd >= (uint)_files.Length || _files[fd] is null)
            {
                return Errno.EBADF;
            }

            _closeOnExec[fd] = value;
            return Errno.None;
        }
    }

    /// <summary>The open numbers, in order.</summary>
    public IReadOnlyList<int> ListOpen()
    {
        lock (_lock)
        {
            List<int> open = [];
            for (int fd = 0; fd < _files.Length; fd++)
            {
                if (_files[fd] is not null)
                {
                    open.Add(fd);
                }
            }

            return open;
        }
    }

    private Errno Close(GuestTask task, FileDescription? file)
    {
        if (file is null)
        {
            return Errno.None;
        }

        file.Inode.Locks?.ReleaseOwner(this); // any close of the file by the process ends its record locks (fcntl(2))
        Errno errno = file.Flush(task);
        file.Release();
        return errno;
    }

    private void Grow(int fd)
    {
        if (fd < _files.Length)
        {
            return;
        }

        int size = Math.Max(fd + 1, _files.Length * 2);
        FileDescription?[] files = new FileDescription?[size];
        _files.CopyTo(files, 0);
        Volatile.Write(ref _files, files);
        Array.Resize(ref _closeOnExec, size);
    }
}
