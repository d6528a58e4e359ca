using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A kind of filesystem that mount(2) can make.</summary>
public interface IFilesystemType
{
    /// <summary>Makes an instance.</summary>
    /// <param name="task">Who mounts it.</param>
    /// <param name="options">The filesystem's own options: <c>size=1m,mode=755</c>.</param>
    /// <returns>EINVAL for options that it does not understand.</returns>
    Result<Filesystem> Make(GuestTask task, string options);
}
