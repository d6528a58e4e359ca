using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>A file of /proc/PID/net, of which the task's network writes the content.</summary>
internal sealed class NetworkFile(SyntheticFilesystem filesystem, GuestTask owner, string name) : SyntheticFile(filesystem, (Mode)0x124)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        if (owner.FindNetwork() is not { } network)
        {
            return Errno.EINVAL; // of a process that has ended
        }

        text.Append(network.Files.Read(name));
        return Errno.None;
    }
}
