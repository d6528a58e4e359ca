using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>What all tmpfs inodes have: attributes and extended attributes.</summary>
internal abstract class TmpfsInode : Inode
{
    private const int MaxExtendedAttributeBytes = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Mode _type;
    private readonly ulong _number;
    private readonly Timespec _birth;
    private Mode _permissions; // guarded by _lock
    private uint _uid; // guarded by _lock
    private uint _gid; // guarded by _lock
    private uint _links; // guarded by _lock
    private Timespec _accessed; // guarded by _lock
    private Timespec _modified; // guarded by _lock
    private Timespec _changed; // guarded by _lock
    private Dictionary<FileName, byte[]>? _attributes; // guarded by _lock
    private int _attributeBytes; // guarded by _lock

    protected TmpfsInode(TmpfsFilesystem filesystem, Mode mode, in NewOwner owner, uint links)
        : base(filesystem)
    {
        Tmpfs = filesystem;
        _type = mode & Mode.S_IFMT;
        _permissions = mode & Mode.PermissionMask;
        (_uid, _gid) = owner;
        _links = links;
        _number = filesystem.NextInode();
        _birth = _accessed = _modified = _changed = Now;
    }

    public override Mode FileType => _type;

    /// <summary>The inode number.</summary>
    public ulong Number => _number;

    protected TmpfsFilesystem Tmpfs { get; }

    /// <summary>st_size.</summary>
    protected virtual long Size => 0;

    /// <summary>Bytes in use.</summary>
    protected virtual long AllocatedBytes => 0;

    /// <summary>st_rdev.</summary>
    protected virtual DeviceNumber SpecialDevice => default;

    private Timespec Now => Timespec.FromNanoseconds(Tmpfs.Kernel.Clock.RealtimeNs);

    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        lock (_lock)
        {
            attributes = new InodeAttributes
            {
                Device = Filesystem.Device,
                Inode = _number,
                Mode = _type | _permissions,
                LinkCount = _links,
                Uid = _uid,
                Gid = _gid,
                SpecialDevice = SpecialDevice,
                Size = Size,
                BlockSize = 4096,
                Blocks = (ulong)AllocatedBytes / 512,
                AccessTime = _accessed,
                ModifyTime = _modified,
                ChangeTime = _changed,
                BirthTime = _birth,
                HasBirthTime = true,
            };
        }

        return Errno.None;
    }

    public override Errno GetOwnership(out FileOwnership ownership)
    {
        ownership = new FileOwnership(_type | _permissions, _uid, _gid); // without the lock: each is read as a whole
        return Errno.None;
    }

    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        const Mode ExecuteBits = (Mode)0x49;
        if (change.Permissions is { } wanted && KeepsExecuteBits && ((wanted ^ _permissions) & ExecuteBits) != 0)
        {
            return Errno.EPERM;
        }

        if (change.Size is { } size)
        {
            Errno errno = Resize(size);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        lock (_lock)
        {
            if (change.Uid is not null || change.Gid is not null || change.Size is not null)
            {
                RemoveCapabilities();
            }

            _permissions = change.Permissions ?? _permissions;
            _uid = change.Uid ?? _uid;
            _gid = change.Gid ?? _gid;
            _changed = Now;
            _accessed = change.AccessTime ?? _accessed;
            _modified = change.ModifyTime ?? (change.Size is not null ? _changed : _modified);
        }

        return Errno.None;
    }

    public override Result<byte[]> GetExtendedAttribute(GuestTask task, FileName name)
    {
        lock (_lock)
        {
            return _attributes is not null && _attributes.TryGetValue(name, out byte[]? value) ? value : Errno.ENODATA;
        }
    }

    public override Errno SetExtendedAttribute(GuestTask task, FileName name, ReadOnlySpan<byte> value, int flags)
    {
        const int Create = 1;
        const int Replace = 2;
        lock (_lock)
        {
            byte[]? before = _attributes?.GetValueOrDefault(name);
            if (before is not null && (flags & Create) != 0)
            {
                return Errno.EEXIST;
            }

            if (before is null && (flags & Replace) != 0)
            {
                return Errno.ENODATA;
            }

            int bytes = _attributeBytes + value.Length + (before is null ? name.Length : -before.Length);
            if (bytes > MaxExtendedAttributeBytes)
            {
                return Errno.ENOSPC;
            }

            _attributeBytes = bytes;
            (_attributes ??= new Dictionary<FileName, byte[]>(FileNameComparer.Instance))[name] = value.ToArray();
            _changed = Now;
            return Errno.None;
        }
    }

    public override Errno RemoveExtendedAttribute(GuestTask task, FileName name)
    {
        lock (_lock)
        {
            if (_attributes is null || !_attributes.Remove(name, out byte[]? value))
            {
                return Errno.ENODATA;
            }

            _attributeBytes -= name.Length + value.Length;
            _changed = Now;
            return Errno.None;
        }
    }

    public override Result<byte[]> ListExtendedAttributes(GuestTask task)
    {
        lock (_lock)
        {
            using MemoryStream list = new();
            foreach (FileName name in _attributes?.Keys ?? Enumerable.Empty<FileName>())
            {
                list.Write(name.Bytes);
                list.WriteByte(0);
            }

            return list.ToArray();
        }
    }

    public override void TouchAccessed(bool isRelative)
    {
        const long DayNs = 86_400 * 1_000_000_000L;
        lock (_lock)
        {
            Timespec now = Now;
            long accessedNs = _accessed.ToNanoseconds();
            if (!isRelative || accessedNs <= _modified.ToNanoseconds() || accessedNs <= _changed.ToNanoseconds() || now.ToNanoseconds() - accessedNs >= DayNs)
            {
                _accessed = now;
            }
        }
    }

    /// <summary>Whether the execute bits are sealed (F_SEAL_EXEC).</summary>
    protected virtual bool KeepsExecuteBits => false;

    /// <summary>ftruncate(2) of the content.</summary>
    protected virtual Errno Resize(long size) => Errno.EINVAL;

    /// <summary>The content was changed. A write by somebody without CAP_FSETID takes the set-id bits.</summary>
    internal void TouchModified(bool dropSetId = false)
    {
        lock (_lock)
        {
            _modified = _changed = Now;
            if (dropSetId)
            {
                _permissions = FilePermission.WithoutSetId(_permissions);
            }

            RemoveCapabilities();
        }
    }

    // A changed file or owner takes the capabilities of an executable (capabilities(7)).
    private void RemoveCapabilities()
    {
        if (_attributes is not null && _attributes.Remove(FileCapabilities.AttributeName, out byte[]? value))
        {
            _attributeBytes -= FileCapabilities.AttributeName.Length + value.Length;
        }
    }

    /// <summary>Another name, or one less; returns how many are left.</summary>
    internal uint ChangeLinks(int by)
    {
        lock (_lock)
        {
            _links = (uint)(_links + by);
            _changed = Now;
            return _links;
        }
    }
}
