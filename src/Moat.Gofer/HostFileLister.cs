using Moat.Host;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Gofer;

/// <summary>Adds to each entry of a directory what the file is.</summary>
/// <param name="directoryFd">The directory.</param>
/// <param name="sink">Takes the files.</param>
/// <param name="cookie">Where the listing starts.</param>
internal sealed class HostFileLister(int directoryFd, NinePFileSink sink, ulong cookie) : INinePEntrySink
{
    /// <summary>Where the listing goes on.</summary>
    public ulong Next { get; private set; } = cookie;

    /// <inheritdoc/>
    public bool TryAdd(Qid qid, ulong cookie, byte type, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || !HostFile.StatAt(directoryFd, name).TryGet(out HostStat stat, out _))
        {
            Next = cookie; // what has just gone is no entry
            return true;
        }

        byte[]? target = [];
        if (((Mode)stat.Mode & Mode.S_IFMT) == Mode.S_IFLNK)
        {
            HostFile.ReadLinkAt(directoryFd, name).TryGet(out target, out _);
        }

        if (!sink.TryAdd(name, HostNinePFile.ToAttributes(stat), target))
        {
            return false;
        }

        Next = cookie;
        return true;
    }
}
