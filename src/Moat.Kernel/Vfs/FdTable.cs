using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A process' descriptors. Shared with CLONE_FILES. Look-ups take no lock.</summary>
public sealed class FdTable
{
    /// <summary>Looks a descriptor up and takes a reference on what it names; the caller releases it.</summary>
    /// <returns>EBADF if it is not open.</returns>
    public Result<FileDescription> Get(int fd) => throw new NotSupportedException();

    /// <summary>Installs a description at the lowest free number not below <paramref name="minimum"/>; the table takes over the caller's reference (also on failure: it is released then).</summary>
    /// <param name="limit">RLIMIT_NOFILE of the caller.</param>
    /// <returns>EMFILE.</returns>
    public Result<int> Install(FileDescription file, bool closeOnExec, int minimum, ulong limit) => throw new NotSupportedException();

    /// <summary>dup2(2): puts a description at a number, closing what was there.</summary>
    public Errno InstallAt(int fd, FileDescription file, bool closeOnExec, ulong limit) => throw new NotSupportedException();

    /// <summary>Takes a descriptor out of the table; the caller gets its reference.</summary>
    public Result<FileDescription> Remove(int fd) => throw new NotSupportedException();
}
