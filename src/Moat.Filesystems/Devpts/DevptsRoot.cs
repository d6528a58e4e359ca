using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Devpts;

/// <summary>The directory of a devpts: ptmx and the terminals.</summary>
internal sealed class DevptsRoot(DevptsFilesystem filesystem) : SyntheticDirectory(filesystem, (Mode)0x1ED)
{
    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) => (Lookup(null, name).TryGet(out Inode? found, out _) ? found : null) == child;

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (name.Bytes.SequenceEqual("ptmx"u8))
        {
            return filesystem.Master;
        }

        bool isNumber = int.TryParse(name.Bytes, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && (name.Bytes.Length == 1 || name.Bytes[0] != (byte)'0');
        return isNumber && filesystem.Find(index) is { } slave ? slave : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override Result<Inode> MakeNode(GuestTask task, FileName name, Mode mode, DeviceNumber device, in NewOwner owner) =>
        (mode & Mode.S_IFMT) == Mode.S_IFREG ? Errno.EACCES : Errno.EPERM;

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [new SyntheticEntry(new FileName("ptmx"), filesystem.Master.Number, Mode.S_IFCHR)];
        foreach (DevptsSlave slave in filesystem.List())
        {
            entries.Add(new SyntheticEntry(new FileName(slave.Terminal.Index.ToString(CultureInfo.InvariantCulture)), slave.Number, Mode.S_IFCHR));
        }

        return entries;
    }
}
