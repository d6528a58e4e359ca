using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tests.Vfs;

/// <summary>A directory whose entries vanish without a word, as the processes of /proc do: those whose names are in <see cref="Present"/> are there.</summary>
internal sealed class VanishingDirectory() : Inode(new VanishingFilesystem())
{
    public HashSet<string> Present { get; } = [];

    public override Mode FileType => Mode.S_IFDIR;

    public override bool Revalidate(FileName name, Inode? child) => Present.Contains(name.ToString());

    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        attributes = default;
        return Errno.None;
    }

    private sealed class VanishingFilesystem : Filesystem
    {
        public override string TypeName => "vanishing";

        public override DeviceNumber Device => default;

        public override Inode Root => throw new NotSupportedException();

        public override bool IsStable => false;

        public override Errno GetStatistics(out FilesystemStatistics statistics)
        {
            statistics = new FilesystemStatistics();
            return Errno.None;
        }
    }
}
