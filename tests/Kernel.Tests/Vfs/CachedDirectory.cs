using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tests.Vfs;

/// <summary>A directory in which every name is there, as a directory of the same kind, in a filesystem that caches so many of them.</summary>
internal sealed class CachedDirectory : Inode
{
    private readonly CachedFilesystem _filesystem;

    public CachedDirectory(int limit)
        : this(new CachedFilesystem(limit))
    {
    }

    private CachedDirectory(CachedFilesystem filesystem)
        : base(filesystem)
    {
        _filesystem = filesystem;
    }

    public DentryCache Cache => _filesystem.Names!;

    /// <summary>How often the filesystem was asked.</summary>
    public int Lookups { get; private set; }

    public override Mode FileType => Mode.S_IFDIR;

    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        Lookups++;
        return new CachedDirectory(_filesystem);
    }

    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        attributes = default;
        return Errno.None;
    }

    private sealed class CachedFilesystem : Filesystem
    {
        public CachedFilesystem(int limit) => Names = new DentryCache(limit);

        public override string TypeName => "cached";

        public override DeviceNumber Device => default;

        public override Inode Root => throw new NotSupportedException();

        public override Errno GetStatistics(out FilesystemStatistics statistics)
        {
            statistics = new FilesystemStatistics();
            return Errno.None;
        }
    }
}
