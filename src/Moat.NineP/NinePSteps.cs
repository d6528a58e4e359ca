using System.Text;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>What a client does that takes judging what the server is able to do.</summary>
internal static class NinePSteps
{
    private const ushort NoTag = ushort.MaxValue;
    private const int MinMessage = 4096;

    /// <summary>What a name is, and a symbolic link's target, from a server without Tlookup.</summary>
    public static Result<(NinePAttributes Attributes, byte[] Target)> Lookup(NinePClient client, uint fid, ReadOnlySpan<byte> name)
    {
        if (!client.Walk(fid, name).TryGet(out uint own, out Errno errno))
        {
            return errno;
        }

        byte[]? target = [];
        if (client.GetAttributes(own).TryGet(out NinePAttributes attributes, out errno) && (attributes.Mode & Mode.S_IFMT) == Mode.S_IFLNK)
        {
            errno = client.ReadLink(own).TryGet(out target, out Errno unread) ? Errno.None : unread;
        }

        client.Clunk(own);
        return errno == Errno.None ? (attributes, target!) : errno;
    }

    /// <summary>Trename, which servers had before Trenameat. Called with the client's lock held.</summary>
    public static Errno RenameByFid(NinePClient client, uint directory, ReadOnlySpan<byte> name, uint newDirectory, ReadOnlySpan<byte> newName)
    {
        if (!client.Walk(directory, name).TryGet(out uint fid, out Errno errno))
        {
            return errno;
        }

        client.Exchange.Begin(NinePMessageType.Trename);
        client.Exchange.Writer.UInt32(fid);
        client.Exchange.Writer.UInt32(newDirectory);
        client.Exchange.Writer.String(newName);
        errno = client.Exchange.Call();
        client.Clunk(fid);
        return errno;
    }

    /// <summary>Tversion.</summary>
    /// <returns>The agreed size of messages and whether the server speaks the very version; EPROTONOSUPPORT.</returns>
    public static Result<(int MessageSize, bool IsSame)> AgreeOnVersion(NinePExchange exchange, string version, int messageSize)
    {
        exchange.Writer.Begin((byte)NinePMessageType.Tversion, NoTag);
        exchange.Writer.UInt32((uint)messageSize);
        exchange.Writer.String(version);
        Result<(uint Size, string Version)> answer = exchange.Call(static (ref NinePReader reader) => (reader.UInt32(), Encoding.UTF8.GetString(reader.String())));
        if (!answer.TryGet(out (uint Size, string Version) agreed, out Errno errno))
        {
            return exchange.IsBroken ? errno : Errno.EPROTONOSUPPORT; // some servers refuse an unknown version with an error
        }

        bool isKnown = agreed.Version is NinePVersion.Extended or NinePVersion.Linux && agreed.Size is >= MinMessage && agreed.Size <= (uint)messageSize;
        return isKnown ? ((int)agreed.Size, agreed.Version == version) : Errno.EPROTONOSUPPORT;
    }
}
