using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>A file of /proc/sys/net.</summary>
internal sealed class NetworkSettingFile(SyntheticFilesystem filesystem, INetworkSettings settings, string path)
    : SyntheticFile(filesystem, settings.IsWritable(path) ? (Mode)0x1a4 : (Mode)0x124)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        text.AppendLine(settings.Read(path));
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Store(GuestTask writer, ReadOnlySpan<byte> value)
    {
        if (!settings.IsWritable(path))
        {
            return Errno.EACCES;
        }

        return writer.Credentials.HasCapability(Capability.CAP_NET_ADMIN) ? settings.Write(path, Encoding.Latin1.GetString(value)) : Errno.EPERM;
    }

    /// <summary>The tree of all settings.</summary>
    public static StaticDirectory MakeTree(SyntheticFilesystem filesystem, INetworkSettings settings)
    {
        StaticDirectory root = new(filesystem);
        Dictionary<string, StaticDirectory> made = new() { [""] = root };
        foreach (string path in settings.Paths)
        {
            int slash = path.LastIndexOf('/');
            FolderOf(filesystem, made, slash < 0 ? "" : path[..slash]).Add(path[(slash + 1)..], new NetworkSettingFile(filesystem, settings, path));
        }

        return root;
    }

    private static StaticDirectory FolderOf(SyntheticFilesystem filesystem, Dictionary<string, StaticDirectory> made, string path)
    {
        if (made.TryGetValue(path, out StaticDirectory? folder))
        {
            return folder;
        }

        int slash = path.LastIndexOf('/');
        folder = new StaticDirectory(filesystem);
        FolderOf(filesystem, made, slash < 0 ? "" : path[..slash]).Add(path[(slash + 1)..], folder);
        made.Add(path, folder);
        return folder;
    }
}
