using System.Globalization;
using Moat.Kernel;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.Tmpfs;

/// <summary>tmpfs (tmpfs(5)): files in the sandbox's memory.</summary>
public sealed class TmpfsFilesystem : Filesystem
{
    private readonly Mount _unnamedMount; // where files are that have no place
    private long _lastInode;
    private long _inodes = 1; // the root

    /// <summary>An empty filesystem.</summary>
    /// <param name="kernel">Whose memory it uses.</param>
    /// <param name="options">Limits, and the root's mode and owner.</param>
    public TmpfsFilesystem(SentryKernel kernel, TmpfsOptions options)
    {
        Kernel = kernel;
        Limits = options;
        Device = new DeviceNumber(0, (uint)kernel.NextAnonymousDevice());
        Names = new DentryCache();
        long pages = (long)Math.Min(options.SizeBytes / MemoryFile.PageSize, long.MaxValue / 2);
        Pages = options.SizeBytes == ulong.MaxValue ? null : new PageBudget(pages);
        Root = new TmpfsDirectory(this, options.RootMode, new NewOwner(options.Uid, options.Gid), null);
        _unnamedMount = new Mount(this, new Dentry(null, new FileName("/"), Root));
    }

    /// <inheritdoc/>
    public override string TypeName => Limits.TypeName;

    /// <inheritdoc/>
    public override DeviceNumber Device { get; }

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <summary>Whose memory it uses.</summary>
    internal SentryKernel Kernel { get; }

    /// <summary>What size= leaves for files; null for no limit.</summary>
    internal PageBudget? Pages { get; }

    /// <summary>Limits.</summary>
    internal TmpfsOptions Limits { get; }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        ulong total = Math.Min(Pages is null ? ulong.MaxValue : (ulong)Pages.Limit, Kernel.MemoryFile.LimitBytes / MemoryFile.PageSize);
        ulong used = Math.Min(total, Pages is not null ? (ulong)Pages.Used : Kernel.MemoryFile.UsedBytes / MemoryFile.PageSize);
        statistics = new FilesystemStatistics
        {
            Magic = 0x01021994,
            BlockSize = MemoryFile.PageSize,
            Blocks = total,
            BlocksFree = total - used,
            BlocksAvailable = total - used,
            Files = (ulong)Limits.MaxInodes,
            FilesFree = (ulong)Math.Max(0, Limits.MaxInodes - Volatile.Read(ref _inodes)),
            NameLength = FileName.MaxLength,
        };
        return Errno.None;
    }

    /// <inheritdoc/>
    public override void Discard() => ((TmpfsDirectory)Root).Discard();

    /// <inheritdoc/>
    public override string Options
    {
        get
        {
            string size = Pages is null ? "" : string.Create(CultureInfo.InvariantCulture, $"size={Pages.Limit * (MemoryFile.PageSize / 1024)}k");
            string mode = Limits.RootMode == new TmpfsOptions().RootMode ? "" : "mode=" + Convert.ToString((uint)Limits.RootMode, 8);
            return size.Length > 0 && mode.Length > 0 ? size + "," + mode : size + mode;
        }
    }

    /// <inheritdoc/>
    public override Errno Reconfigure(string options)
    {
        if (!TmpfsOptions.Parse(options, Kernel.Facts.MemoryBytes).TryGet(out TmpfsOptions? parsed, out Errno errno))
        {
            return errno;
        }

        bool hasSize = options.Contains("size=", StringComparison.Ordinal) || options.Contains("nr_blocks=", StringComparison.Ordinal);
        if (!hasSize)
        {
            return Errno.None;
        }

        long pages = (long)Math.Min(parsed.SizeBytes / MemoryFile.PageSize, long.MaxValue / 2);
        if (Pages is null || pages < Pages.Used)
        {
            return Errno.EINVAL;
        }

        Pages.Limit = pages;
        return Errno.None;
    }

    /// <summary>A file without a name, open for reading and writing: what memfd_create(2) makes.</summary>
    /// <param name="task">Who owns it.</param>
    /// <param name="name">What /proc shows for it.</param>
    /// <param name="permissions">Its permission bits.</param>
    /// <param name="seals">The seals it begins with.</param>
    public Result<FileDescription> OpenUnnamed(GuestTask task, FileName name, Mode permissions, FileSeals seals)
    {
        if (!TryAddInode())
        {
            return Errno.ENOSPC;
        }

        TmpfsFile file = new(this, Mode.S_IFREG | permissions, new NewOwner(task.Credentials.FilesystemUid, task.Credentials.FilesystemGid), 0);
        file.Pages.AddSeals(seals);
        Dentry dentry = Dentry.MakeUnnamed(_unnamedMount.Root, name, file);
        return file.Open(task, new PathLocation(_unnamedMount, dentry), OpenFlags.O_RDWR | OpenFlags.O_LARGEFILE);
    }

    /// <summary>Counts a new inode; false at the limit.</summary>
    internal bool TryAddInode()
    {
        if (Interlocked.Increment(ref _inodes) <= Limits.MaxInodes)
        {
            return true;
        }

        Interlocked.Decrement(ref _inodes);
        return false;
    }

    /// <summary>An inode has gone.</summary>
    internal void RemoveInode() => Interlocked.Decrement(ref _inodes);

    /// <summary>A number for a new inode.</summary>
    internal ulong NextInode() => (ulong)Interlocked.Increment(ref _lastInode);
}
