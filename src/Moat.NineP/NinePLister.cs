using Moat.Linux;

namespace Moat.NineP;

/// <summary>Reads a directory with Tlist, for a client, whose lock is held.</summary>
/// <param name="exchange">The connection.</param>
/// <param name="limit">How many files are wanted at most.</param>
/// <param name="files">Receives them.</param>
/// <param name="below">Receives directories below; null if they are not wanted.</param>
internal readonly struct NinePLister(NinePExchange exchange, int limit, List<NinePListedFile> files, List<NinePListedDirectory>? below)
{
    private const uint WantedBelow = 512;
    private const int MinFile = 2 + NinePAttributes.BytesInMessage + 2;

    /// <summary>Asks until the end, or until there are enough.</summary>
    /// <param name="fid">The directory, or the one above it.</param>
    /// <param name="name">Its name there, or empty.</param>
    /// <param name="wanted">The fid it is to get, or <see cref="NinePSession.NoFid"/>.</param>
    /// <param name="made">The same once it has it.</param>
    /// <param name="own">What the directory was before.</param>
    /// <returns>Whether these are all.</returns>
    public Result<bool> Run(uint fid, ReadOnlySpan<byte> name, uint wanted, out uint? made, out NinePAttributes own)
    {
        made = null;
        own = default;
        ulong cookie = 0;
        for (int rounds = 0; rounds <= limit; rounds++)
        {
            exchange.Begin(NinePMessageType.Tlist);
            exchange.Writer.UInt32(fid);
            exchange.Writer.UInt32(wanted);
            exchange.Writer.String(name);
            exchange.Writer.UInt64(cookie);
            exchange.Writer.UInt32(below is null ? 0 : WantedBelow);
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

            NinePAttributes now = NinePAttributes.Read(ref reader);
            own = rounds == 0 ? now : own;
            cookie = reader.UInt64();
            bool isEnd = reader.Byte() != 0;
            int count = CountOf(ref reader);
            bool isWhole = files.Count + count <= limit;
            Take(ref reader, files, Math.Min(count, limit - files.Count));
            if (isWhole && isEnd)
            {
                TakeBelow(ref reader);
            }

            if (reader.IsMalformed)
            {
                break;
            }

            if (isEnd || files.Count >= limit)
            {
                return isEnd && isWhole;
            }
        }

        return exchange.Break(); // malformed, or a listing without end
    }

    // A count that cannot be true reads as malformed when the files are taken.
    private static int CountOf(ref NinePReader reader) => (int)Math.Min(reader.UInt32(), (uint)(reader.Remaining / MinFile) + 1);

    // A name that is none keeps its place, without a name: others are told by their index.
    private static void Take(ref NinePReader reader, List<NinePListedFile> into, int count)
    {
        for (int i = 0; i < count && !reader.IsMalformed; i++)
        {
            ReadOnlySpan<byte> name = reader.String();
            NinePAttributes attributes = NinePAttributes.Read(ref reader);
            ReadOnlySpan<byte> target = reader.String();
            if (!reader.IsMalformed)
            {
                into.Add(new NinePListedFile(new FileName(NinePSession.CheckName(name) == Errno.None ? name : default), attributes, target.IsEmpty ? [] : target.ToArray()));
            }
        }
    }

    private void TakeBelow(ref NinePReader reader)
    {
        while (below is not null && reader.Remaining > 0 && !reader.IsMalformed)
        {
            uint group = reader.UInt32();
            uint index = reader.UInt32();
            int count = CountOf(ref reader);
            List<NinePListedFile> own = new(count);
            Take(ref reader, own, count);
            if (group > (uint)below.Count || index >= (uint)(group == 0 ? files : below[(int)group - 1].Files).Count)
            {
                reader.Bytes(-1); // no such directory: malformed
                return;
            }

            below.Add(new NinePListedDirectory((int)group, (int)index, own));
        }
    }
}
