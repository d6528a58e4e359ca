using Moat.Linux;

namespace Moat.NineP;

/// <summary>Reads a directory with Tlist, for a client, whose lock is held.</summary>
/// <param name="exchange">The connection.</param>
/// <param name="limit">How many files are wanted at most.</param>
/// <param name="files">Receives them.</param>
internal readonly struct NinePLister(NinePExchange exchange, int limit, List<NinePListedFile> files)
{
    /// <summary>Asks until the end, or until there are enough.</summary>
    /// <param name="fid">The directory, or the one above it.</param>
    /// <param name="name">Its name there, or empty.</param>
    /// <param name="wanted">The fid it is to get, or <see cref="NinePSession.NoFid"/>.</param>
    /// <param name="made">The same once it has it.</param>
    /// <returns>Whether these are all.</returns>
    public Result<bool> Run(uint fid, ReadOnlySpan<byte> name, uint wanted, out uint? made)
    {
        made = null;
        ulong cookie = 0;
        for (int rounds = 0; rounds <= limit; rounds++)
        {
            exchange.Begin(NinePMessageType.Tlist);
            exchange.Writer.UInt32(fid);
            exchange.Writer.UInt32(wanted);
            exchange.Writer.String(name);
            exchange.Writer.UInt64(cookie);
            Errno errno = exchange.Run(out NinePReader reader);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (wanted != NinePSession.NoFid)
            {
                made = fid = wanted;
                name = default;
                wanted = NinePSession.NoFid;
            }

            cookie = reader.UInt64();
            bool isEnd = reader.Byte() != 0;
            Take(ref reader);
            if (reader.IsMalformed)
            {
                break;
            }

            if (isEnd || files.Count >= limit)
            {
                return isEnd && reader.Remaining == 0;
            }
        }

        return exchange.Break(); // malformed, or a listing without end
    }

    // The server is not trusted to send names.
    private void Take(ref NinePReader reader)
    {
        while (reader.Remaining > 0 && files.Count < limit)
        {
            ReadOnlySpan<byte> name = reader.String();
            NinePAttributes attributes = NinePAttributes.Read(ref reader);
            ReadOnlySpan<byte> target = reader.String();
            if (!reader.IsMalformed && NinePSession.CheckName(name) == Errno.None)
            {
                files.Add(new NinePListedFile(new FileName(name), attributes, target.IsEmpty ? [] : target.ToArray()));
            }
        }
    }
}
