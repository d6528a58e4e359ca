using System.Text;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A file below /proc/sys/net or /sys/devices/virtual/net: a setting of the network of whoever reads or writes it.</summary>
internal sealed class NetworkSettingFile(SyntheticFilesystem filesystem, Func<NetworkNamespace, INetworkSettings> settings, string path, bool isWritable)
    : SyntheticFile(filesystem, isWritable ? (Mode)0x1a4 : (Mode)0x124)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        if (settings(task.Network).Read(path) is not { } value)
        {
            return Errno.ENOENT; // of an interface that has gone, or that another network has
        }

        text.AppendLine(value);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Store(GuestTask writer, ReadOnlySpan<byte> value)
    {
        if (!isWritable)
        {
            return Errno.EACCES;
        }

        return writer.Credentials.HasCapability(Capability.CAP_NET_ADMIN) ? settings(writer.Network).Write(path, Encoding.Latin1.GetString(value)) : Errno.EPERM;
    }
}
