using Moat.Linux;
using Moat.NineP;

namespace Moat.Fuzz.Targets;

/// <summary>A file of a small tree that exists only here: a directory with a file, a link and a directory, which holds the same again to some depth. It says yes to every change and makes none.</summary>
internal sealed class FakeFile : NinePFile
{
    private const int MaxDepth = 3;
    private static readonly byte[][] s_names = ["file"u8.ToArray(), "link"u8.ToArray(), "directory"u8.ToArray()];

    private readonly FakeFile? _parent;
    private readonly Counter _open;
    private readonly int _kind;
    private readonly int _depth;
    private bool _isDisposed;

    /// <summary>The root.</summary>
    public FakeFile()
        : this(null, new Counter(), kind: 2, depth: 0)
    {
    }

    private FakeFile(FakeFile? parent, Counter open, int kind, int depth)
    {
        (_parent, _open, _kind, _depth) = (parent, open, kind, depth);
        open.Value++;
    }

    /// <summary>How many files of the tree are in use.</summary>
    public int OpenCount => _open.Value;

    private bool IsDirectory => _kind == 2;

    /// <inheritdoc/>
    public override Result<NinePAttributes> GetAttributes()
    {
        Assert.False(_isDisposed);
        Mode mode = (Mode)0x1ed | (_kind switch { 0 => Mode.S_IFREG, 1 => Mode.S_IFLNK, _ => Mode.S_IFDIR });
        return new NinePAttributes { Mode = mode, Size = 64, Qid = new Qid(Qid.TypeOf(mode), 1, (ulong)((_depth * 8) + _kind)) };
    }

    /// <inheritdoc/>
    public override Result<NinePFile> Duplicate() => new FakeFile(_parent, _open, _kind, _depth);

    /// <inheritdoc/>
    public override Result<NinePFile> Walk(ReadOnlySpan<byte> name)
    {
        Assert.False(name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.IndexOfAny((byte)'/', (byte)0) >= 0);
        if (!IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        for (int i = 0; i < s_names.Length; i++)
        {
            if (name.SequenceEqual(s_names[i]) && _depth < MaxDepth)
            {
                return new FakeFile(this, _open, i, _depth + 1);
            }
        }

        return Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override Result<NinePFile> Parent() => _parent is null ? Duplicate() : new FakeFile(_parent._parent, _open, _parent._kind, _parent._depth);

    /// <inheritdoc/>
    public override Errno Open(OpenFlags flags) => _kind == 1 ? Errno.ELOOP : Errno.None;

    /// <inheritdoc/>
    public override Result<int> Read(ulong offset, Span<byte> destination) => IsDirectory ? Errno.EISDIR : (int)Math.Min((ulong)destination.Length, 64 - Math.Min(offset, 64));

    /// <inheritdoc/>
    public override Result<int> Write(ulong offset, ReadOnlySpan<byte> source) => source.Length;

    /// <inheritdoc/>
    public override Errno ReadDirectory(ulong offset, NinePDirectorySink sink)
    {
        for (ulong i = offset; i < (ulong)s_names.Length && sink.TryAdd(default, i + 1, 0, s_names[i]); i++)
        {
        }

        return IsDirectory ? Errno.None : Errno.ENOTDIR;
    }

    /// <inheritdoc/>
    public override Errno List(ulong cookie, NinePFileSink sink)
    {
        if (!IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        ulong count = _depth < MaxDepth ? (ulong)s_names.Length : 0;
        ulong next = cookie;
        while (next < count)
        {
            using FakeFile child = new(this, _open, (int)next, _depth + 1);
            if (!sink.TryAdd(s_names[next], child.GetAttributes().Value, next == 1 ? "file"u8 : []))
            {
                break;
            }

            next++;
        }

        sink.Finish(next, next >= count);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<byte[]> ReadLink() => _kind == 1 ? "file"u8.ToArray() : Errno.EINVAL;

    /// <inheritdoc/>
    public override Result<Qid> MakeDirectory(ReadOnlySpan<byte> name, Mode permissions, uint gid) => new Qid(0, 0, 99);

    /// <inheritdoc/>
    public override Result<Qid> MakeSymlink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, uint gid) => new Qid(0, 0, 99);

    /// <inheritdoc/>
    public override Errno Rename(ReadOnlySpan<byte> name, NinePFile newDirectory, ReadOnlySpan<byte> newName) => Errno.None;

    /// <inheritdoc/>
    public override Errno Link(ReadOnlySpan<byte> name, NinePFile target) => Errno.None;

    /// <inheritdoc/>
    public override Errno Unlink(ReadOnlySpan<byte> name, bool isDirectory) => Errno.None;

    /// <inheritdoc/>
    public override Errno SetAttributes(in NinePAttributeChange change) => Errno.None;

    /// <inheritdoc/>
    public override Result<NinePStatistics> GetStatistics() => new NinePStatistics(1, 4096, 1, 1, 1, 1, 1, 1, 255);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Assert.False(_isDisposed);
        _isDisposed = true;
        _open.Value--;
        base.Dispose(disposing);
    }

    private sealed class Counter
    {
        public int Value { get; set; }
    }
}
