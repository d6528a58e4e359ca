using Moat.Linux;

namespace Moat.NineP;

/// <summary>A server's side of extended attributes: a fid that is read for a value, or written to set one when it is given back. As Linux's client means it, no value at all with XATTR_REPLACE removes the attribute.</summary>
internal sealed class AttributeRequests(NinePSession session)
{
    private const int MaxValue = 65536; // XATTR_SIZE_MAX
    private const int MaxOpen = 16; // they are in memory

    private int _open;

    /// <summary>Txattrwalk: an empty name means the list of names.</summary>
    public Errno Walk(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        uint newNumber = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        if (!session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        if (_open == MaxOpen)
        {
            return Errno.EMFILE;
        }

        if (!(name.IsEmpty ? fid.File.ListExtendedAttributes() : fid.File.GetExtendedAttribute(name)).TryGet(out byte[]? value, out errno))
        {
            return errno;
        }

        errno = session.Install(newNumber, new AttributeFile(this, null, [], value, 0));
        if (errno == Errno.None && session.Find(newNumber, ref reader).TryGet(out NinePFid? made, out errno))
        {
            made.IsOpen = true;
            session.Writer.UInt64((ulong)value.Length);
        }

        return errno;
    }

    /// <summary>Txattrcreate: the fid is the attribute's from now on.</summary>
    public Errno Create(ref NinePReader reader)
    {
        uint number = reader.UInt32();
        ReadOnlySpan<byte> name = reader.String();
        ulong size = reader.UInt64();
        uint flags = reader.UInt32();
        if (!session.Find(number, ref reader).TryGet(out NinePFid? fid, out Errno errno))
        {
            return errno;
        }

        if (name.IsEmpty || flags > AttributeFile.Replace)
        {
            return Errno.EINVAL;
        }

        if (fid.IsOpen || size > MaxValue || _open == MaxOpen)
        {
            return fid.IsOpen ? Errno.EBUSY : size > MaxValue ? Errno.E2BIG : Errno.EMFILE;
        }

        fid.File = new AttributeFile(this, fid.File, name.ToArray(), new byte[size], (int)flags);
        fid.IsOpen = true;
        return Errno.None;
    }

    private sealed class AttributeFile : NinePFile
    {
        public const int Replace = 2; // XATTR_REPLACE

        private readonly AttributeRequests _owner;
        private readonly NinePFile? _target; // null for one that is read
        private readonly byte[] _name;
        private readonly byte[] _value;
        private readonly int _flags;
        private int _written;

        public AttributeFile(AttributeRequests owner, NinePFile? target, byte[] name, byte[] value, int flags)
        {
            (_owner, _target, _name, _value, _flags) = (owner, target, name, value, flags);
            owner._open++;
        }

        public override Result<NinePAttributes> GetAttributes() => Errno.EBADF;

        public override Result<NinePFile> Duplicate() => Errno.EBADF;

        public override Result<NinePFile> Walk(ReadOnlySpan<byte> name) => Errno.ENOTDIR;

        public override Result<NinePFile> Parent() => Errno.ENOTDIR;

        public override Result<int> Read(ulong offset, Span<byte> destination)
        {
            if (_target is not null)
            {
                return Errno.EBADF;
            }

            ReadOnlySpan<byte> rest = offset < (ulong)_value.Length ? _value.AsSpan((int)offset) : default;
            int count = Math.Min(rest.Length, destination.Length);
            rest[..count].CopyTo(destination);
            return count;
        }

        public override Result<int> Write(ulong offset, ReadOnlySpan<byte> source)
        {
            if (_target is null || offset != (ulong)_written || source.Length > _value.Length - _written)
            {
                return _target is null ? Errno.EBADF : Errno.EINVAL;
            }

            source.CopyTo(_value.AsSpan(_written));
            _written += source.Length;
            return source.Length;
        }

        public override Errno Complete() => _target is null ? Errno.None
            : _written < _value.Length ? Errno.EINVAL
            : _value.Length == 0 && _flags == Replace ? _target.RemoveExtendedAttribute(_name)
            : _target.SetExtendedAttribute(_name, _value, _flags);

        protected override void Dispose(bool disposing)
        {
            _owner._open--;
            _target?.Dispose();
            base.Dispose(disposing);
        }
    }
}
