using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>The two open files of a call that copies between them, held until it is disposed of.</summary>
internal readonly ref struct FilePair
{
    private readonly FileDescription? _source;
    private readonly FileDescription? _target;

    private FilePair(FileDescription source, FileDescription target)
    {
        _source = source;
        _target = target;
    }

    /// <summary>Where bytes come from.</summary>
    public FileDescription Source => _source!;

    /// <summary>Where they go.</summary>
    public FileDescription Target => _target!;

    /// <summary>Looks both up; O_PATH descriptors are none.</summary>
    /// <param name="task">Whose descriptors.</param>
    /// <param name="sourceFd">Where bytes come from.</param>
    /// <param name="targetFd">Where they go.</param>
    /// <param name="errno">EBADF; nothing is held then.</param>
    public static FilePair Get(GuestTask task, int sourceFd, int targetFd, out Errno errno)
    {
        if (!task.Files.Get(sourceFd).TryGet(out FileDescription? source, out errno))
        {
            return default;
        }

        if (!task.Files.Get(targetFd).TryGet(out FileDescription? target, out errno))
        {
            source.Release();
            return default;
        }

        if (source.IsPath || target.IsPath)
        {
            source.Release();
            target.Release();
            errno = Errno.EBADF;
            return default;
        }

        return new FilePair(source, target);
    }

    /// <summary>Lets both go.</summary>
    public void Dispose()
    {
        _source?.Release();
        _target?.Release();
    }
}
