using Moat.Linux;

namespace Moat.NineP;

/// <summary>Asks with Tlookuppath, for a client, whose lock is held and which has begun the request.</summary>
/// <param name="exchange">The connection.</param>
/// <param name="path">Names with slashes between.</param>
internal readonly ref struct NinePPathLookup(NinePExchange exchange, ReadOnlySpan<byte> path)
{
    private readonly ReadOnlySpan<byte> _path = path;

    /// <summary>Asks.</summary>
    public Result<NinePAttributes> Run(List<(NinePAttributes Attributes, byte[] Target)> found, out Errno error)
    {
        error = Errno.None;
        int names = WriteNames();
        Errno errno = exchange.Run(out NinePReader reader);
        if (errno != Errno.None)
        {
            return errno;
        }

        NinePAttributes own = NinePAttributes.Read(ref reader);
        error = (Errno)reader.UInt32();
        int count = reader.UInt16();
        for (int i = 0; i < count && !reader.IsMalformed; i++)
        {
            NinePAttributes attributes = NinePAttributes.Read(ref reader);
            found.Add((attributes, reader.String().ToArray()));
        }

        return reader.IsMalformed || count > names || (uint)error >= 4096 ? exchange.Break() : own;
    }

    private int WriteNames()
    {
        int position = exchange.Writer.Length;
        exchange.Writer.UInt16(0);
        int count = 0;
        ReadOnlySpan<byte> rest = _path.TrimStart((byte)'/');
        while (!rest.IsEmpty && count < NinePServer.MaxWalk)
        {
            int end = rest.IndexOf((byte)'/');
            ReadOnlySpan<byte> name = end < 0 ? rest : rest[..end];
            if (NinePSession.CheckName(name) != Errno.None)
            {
                break;
            }

            exchange.Writer.String(name);
            count++;
            rest = rest[name.Length..].TrimStart((byte)'/');
        }

        exchange.Writer.PatchUInt16(position, (ushort)count);
        return count;
    }
}
