using Moat.Linux;

namespace Moat.NineP;

/// <summary>Takes the files of a directory, with attributes, for a Rlist.</summary>
public sealed class NinePFileSink
{
    private const int FixedSize = 2 + NinePAttributes.BytesInMessage + 2;

    private readonly NinePWriter _writer;
    private readonly int _end;
    private readonly int _countPosition;
    private readonly int _maxFiles;
    private readonly List<(int Index, byte[] Name)>? _directories;

    /// <param name="writer">The answer, where the files' count comes next.</param>
    /// <param name="end">How long the answer may become.</param>
    /// <param name="maxFiles">How many files may come.</param>
    /// <param name="directories">Receives which of them are directories.</param>
    internal NinePFileSink(NinePWriter writer, int end, int maxFiles, List<(int Index, byte[] Name)>? directories)
    {
        _writer = writer;
        _end = end;
        _maxFiles = maxFiles;
        _directories = directories;
        _countPosition = writer.Length;
        writer.UInt32(0);
    }

    /// <summary>How many files came.</summary>
    public int Count { get; private set; }

    /// <summary>Where the listing goes on.</summary>
    public ulong Next { get; private set; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Adds a file if it fits.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="attributes">What it is.</param>
    /// <param name="target">A symbolic link's target; empty for others.</param>
    public bool TryAdd(ReadOnlySpan<byte> name, in NinePAttributes attributes, ReadOnlySpan<byte> target)
    {
        if (Count == _maxFiles || _writer.Length + FixedSize + name.Length + target.Length > _end)
        {
            return false;
        }

        _writer.String(name);
        attributes.Write(_writer);
        _writer.String(target);
        if ((attributes.Mode & Mode.S_IFMT) == Mode.S_IFDIR)
        {
            _directories?.Add((Count, name.ToArray()));
        }

        Count++;
        return true;
    }

    /// <summary>Says where the listing goes on, or that it has ended.</summary>
    public void Finish(ulong next, bool isEnd)
    {
        Next = next;
        HasEnded = isEnd;
        _writer.PatchUInt32(_countPosition, (uint)Count);
    }
}
