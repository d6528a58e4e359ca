using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>A file of /proc/PID/net, of which the network writes the content.</summary>
internal sealed class NetworkFile(SyntheticFilesystem filesystem, INetworkFiles files, string name) : SyntheticFile(filesystem, (Mode)0x124)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        text.Append(files.Read(name));
        return Errno.None;
    }
}
