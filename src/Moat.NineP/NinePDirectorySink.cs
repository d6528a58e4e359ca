namespace Moat.NineP;

/// <summary>Takes the entries of a directory for one Rreaddir.</summary>
public sealed class NinePDirectorySink : INinePEntrySink
{
    private const int FixedSize = 13 + 8 + 1 + 2;
    private readonly NinePWriter _writer;
    private readonly int _end;

    internal NinePDirectorySink(NinePWriter writer, int count)
    {
        _writer = writer;
        _end = writer.Length + Math.Min(count, writer.Room);
    }

    /// <inheritdoc/>
    public bool TryAdd(Qid qid, ulong cookie, byte type, ReadOnlySpan<byte> name)
    {
        if (_writer.Length + FixedSize + name.Length > _end)
        {
            return false;
        }

        _writer.Qid(qid);
        _writer.UInt64(cookie);
        _writer.Byte(type);
        _writer.String(name);
        return true;
    }
}
