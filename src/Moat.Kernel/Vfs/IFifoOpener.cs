using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Opens FIFOs (fifo(7)), whichever filesystem their node is on.</summary>
public interface IFifoOpener
{
    /// <summary>Opens one end, waiting for the other as the flags say.</summary>
    Result<FileDescription> Open(GuestTask task, Inode node, PathLocation location, OpenFlags flags);
}
