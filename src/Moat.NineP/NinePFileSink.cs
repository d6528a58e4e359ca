namespace Moat.NineP;

/// <summary>Takes the files of a directory, with attributes, for one Rlist.</summary>
public sealed class NinePFileSink
{
    private const int HeaderSize = 8 + 1;
    private const int FixedSize = 2 + NinePAttributes.BytesInMessage + 2;

    private readonly NinePWriter _writer;
    private readonly int _start;
    private readonly int _end;

    internal NinePFileSink(NinePWriter writer, int maxBytes)
    {
        _writer = writer;
        _start = writer.Length;
        _end = _start + Math.Min(maxBytes, writer.Room);
        writer.Take(HeaderSize).Clear();
    }

    /// <summary>Adds a file if it fits.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="attributes">What it is.</param>
    /// <param name="target">A symbolic link's target; empty for others.</param>
    public bool TryAdd(ReadOnlySpan<byte> name, in NinePAttributes attributes, ReadOnlySpan<byte> target)
    {
        if (_writer.Length + FixedSize + name.Length + target.Length > _end)
        {
            return false;
        }

        _writer.String(name);
        attributes.Write(_writer);
        _writer.String(target);
        return true;
    }

    /// <summary>Says where the listing goes on, or that it has ended.</summary>
    public void Finish(ulong next, bool isEnd)
    {
        _writer.PatchUInt64(_start, next);
        _writer.PatchByte(_start + 8, isEnd ? (byte)1 : (byte)0);
    }
}
