using Moat.Linux;

namespace Moat.NineP;

/// <summary>A client's side of extended attributes (Txattrwalk, Txattrcreate): several round trips for each.</summary>
/// <param name="client">The connection.</param>
public sealed class NinePAttributeCalls(NinePClient client)
{
    private const int MaxValue = 65536; // XATTR_SIZE_MAX
    private const int Replace = 2; // XATTR_REPLACE

    /// <summary>An attribute's value; the list of names, each ended by a zero byte, for an empty name.</summary>
    public Result<byte[]> Get(uint fid, ReadOnlySpan<byte> name)
    {
        lock (client.Lock)
        {
            uint made = client.TakeFid();
            client.Exchange.Begin(NinePMessageType.Txattrwalk);
            client.Exchange.Writer.UInt32(fid);
            client.Exchange.Writer.UInt32(made);
            client.Exchange.Writer.String(name);
            if (!client.Exchange.Call(static (ref NinePReader reader) => reader.UInt64()).TryGet(out ulong size, out Errno errno))
            {
                client.FreeFid(made);
                return errno;
            }

            byte[] value = new byte[size <= MaxValue ? size : 0];
            errno = size <= MaxValue ? Errno.None : client.Exchange.Break();
            for (int got = 0; got < value.Length && errno == Errno.None;)
            {
                if (client.Read(made, (ulong)got, value.AsSpan(got)).TryGet(out int count, out errno))
                {
                    got += count;
                    errno = count == 0 ? client.Exchange.Break() : Errno.None; // it said that there was more
                }
            }

            client.Clunk(made);
            return errno == Errno.None ? value : errno;
        }
    }

    /// <summary>Sets a value. The fid, which is not open, is given back.</summary>
    /// <param name="fid">The file.</param>
    /// <param name="name">The attribute.</param>
    /// <param name="value">Its value.</param>
    /// <param name="flags">XATTR_CREATE, XATTR_REPLACE.</param>
    public Errno Set(uint fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        lock (client.Lock)
        {
            // Nothing at all in the place of something would remove it.
            if (value.IsEmpty && flags == Replace)
            {
                if (!Get(fid, name).TryGet(out _, out Errno missing))
                {
                    client.Clunk(fid);
                    return missing;
                }

                flags = 0;
            }

            return Put(fid, name, value, flags);
        }
    }

    /// <summary>Removes an attribute. The fid, which is not open, is given back.</summary>
    public Errno Remove(uint fid, ReadOnlySpan<byte> name)
    {
        lock (client.Lock)
        {
            return Put(fid, name, default, Replace);
        }
    }

    private Errno Put(uint fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        client.Exchange.Begin(NinePMessageType.Txattrcreate);
        client.Exchange.Writer.UInt32(fid);
        client.Exchange.Writer.String(name);
        client.Exchange.Writer.UInt64((ulong)value.Length);
        client.Exchange.Writer.UInt32((uint)flags);
        Errno errno = client.Exchange.Call();
        for (int put = 0; put < value.Length && errno == Errno.None;)
        {
            if (client.Write(fid, (ulong)put, value[put..]).TryGet(out int count, out errno))
            {
                put += count;
                errno = count == 0 ? Errno.EIO : Errno.None;
            }
        }

        Errno given = client.Clunk(fid); // which is when it is set
        return errno != Errno.None ? errno : given;
    }
}
