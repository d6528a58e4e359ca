using System.Buffers.Binary;
using System.Text;
using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Xt;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>The tables of one family of iptables, which are read and replaced as a whole through socket options. Any thread.</summary>
internal sealed class XtTables(PacketFilter filter, XtLayout layout)
{
    private readonly Lock _lock = new(); // above the filter's
    private readonly List<XtTable> _tables = []; // guarded by _lock: those that somebody has asked for, the newest first

    /// <summary>The names of the tables that somebody has asked for (/proc/net/ip_tables_names).</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
            {
                return _tables.ConvertAll(static table => table.Blob.Kind.Name);
            }
        }
    }

    /// <summary>IPT_SO_GET_INFO.</summary>
    /// <returns>EINVAL, ENOENT.</returns>
    public Errno GetInfo(Span<byte> value)
    {
        const int ValidHooks = 32;
        const int HookEntries = 36;
        const int Underflows = 56;
        const int Count = 76;
        const int Size = 80;
        if (value.Length != XtLayout.Info)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (FindLocked(value) is not { } table)
            {
                return Errno.ENOENT;
            }

            value.Clear();
            _ = Encoding.ASCII.GetBytes(table.Blob.Kind.Name, value);
            BinaryPrimitives.WriteUInt32LittleEndian(value[ValidHooks..], table.Blob.Kind.ValidHooks);
            for (int hook = 0; hook < XtLayout.Hooks; hook++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(value[(HookEntries + (4 * hook))..], table.Blob.HookEntries[hook]);
                BinaryPrimitives.WriteInt32LittleEndian(value[(Underflows + (4 * hook))..], table.Blob.Underflows[hook]);
            }

            BinaryPrimitives.WriteInt32LittleEndian(value[Count..], table.Blob.Entries.Count);
            BinaryPrimitives.WriteInt32LittleEndian(value[Size..], table.Blob.Length);
            return Errno.None;
        }
    }

    /// <summary>IPT_SO_GET_ENTRIES.</summary>
    /// <returns>EINVAL, ENOENT; EAGAIN if the table has another size by now.</returns>
    public Errno GetEntries(Span<byte> value)
    {
        if (value.Length < XtLayout.GetEntries)
        {
            return Errno.EINVAL;
        }

        uint size = BinaryPrimitives.ReadUInt32LittleEndian(value[XtLayout.TableName..]);
        if (value.Length != XtLayout.GetEntries + (long)size)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (FindLocked(value) is not { } table)
            {
                return Errno.ENOENT;
            }

            if (table.Blob.Length != size)
            {
                return Errno.EAGAIN;
            }

            table.Blob.CopyTo(value[XtLayout.GetEntries..]);
            return Errno.None;
        }
    }

    /// <summary>IPT_SO_GET_REVISION_MATCH, IPT_SO_GET_REVISION_TARGET.</summary>
    /// <returns>The highest revision; EINVAL, ENOENT, EPROTONOSUPPORT.</returns>
    public Result<int> GetRevision(ReadOnlySpan<byte> value, bool isTarget)
    {
        const int Length = 30; // struct xt_get_revision
        const int NameLength = 29;
        if (value.Length != Length)
        {
            return Errno.EINVAL;
        }

        NetfilterFamily family = layout.IsV6 ? NetfilterFamily.NFPROTO_IPV6 : NetfilterFamily.NFPROTO_IPV4;
        string name = ReadName(value[..NameLength]);
        return isTarget && name is "" or "ERROR" ? 0 : XtExtensions.FindRevision(isTarget, name, value[NameLength], family);
    }

    /// <summary>IPT_SO_SET_REPLACE.</summary>
    /// <param name="value">The new table.</param>
    /// <param name="counters">What the old one has counted, a <c>struct xt_counters</c> for each of its rules.</param>
    /// <param name="countersAddress">Where the guest wants that.</param>
    /// <returns>EINVAL, ENOENT, ENOMEM, ELOOP; EAGAIN if the old one has another number of rules.</returns>
    public Errno Replace(ReadOnlySpan<byte> value, out byte[] counters, out ulong countersAddress)
    {
        const int ValidHooks = 32;
        const int Count = 36;
        const int Size = 40;
        const int HookEntries = 44;
        const int Underflows = 64;
        const int CounterCount = 84;
        const int CounterPointer = 88;
        counters = [];
        countersAddress = 0;
        if (value.Length < XtLayout.Replace)
        {
            return Errno.EINVAL;
        }

        uint size = BinaryPrimitives.ReadUInt32LittleEndian(value[Size..]);
        uint wanted = BinaryPrimitives.ReadUInt32LittleEndian(value[CounterCount..]);
        if (wanted >= int.MaxValue / XtLayout.Counters || wanted == 0)
        {
            return wanted == 0 ? Errno.EINVAL : Errno.ENOMEM;
        }

        if (value.Length - XtLayout.Replace < size)
        {
            return size > XtBlob.MaxLength ? Errno.ENOMEM : Errno.EFAULT;
        }

        Span<int> hookEntries = stackalloc int[XtLayout.Hooks];
        Span<int> underflows = stackalloc int[XtLayout.Hooks];
        for (int hook = 0; hook < XtLayout.Hooks; hook++)
        {
            hookEntries[hook] = BinaryPrimitives.ReadInt32LittleEndian(value[(HookEntries + (4 * hook))..]);
            underflows[hook] = BinaryPrimitives.ReadInt32LittleEndian(value[(Underflows + (4 * hook))..]);
        }

        lock (_lock)
        {
            if (FindLocked(value) is not { } table)
            {
                return Errno.ENOENT;
            }

            if (BinaryPrimitives.ReadUInt32LittleEndian(value[ValidHooks..]) != table.Blob.Kind.ValidHooks)
            {
                return Errno.EINVAL;
            }

            byte[] bytes = value.Slice(XtLayout.Replace, (int)size).ToArray();
            int count = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(value[Count..]), int.MaxValue);
            if (!XtBlob.Parse(bytes, layout, table.Blob.Kind, count, hookEntries, underflows).TryGet(out XtBlob? blob, out Errno errno) || !XtCompiler.Compile(blob).TryGet(out FilterRuleset? ruleset, out errno))
            {
                return errno;
            }

            if (wanted != table.Blob.Entries.Count)
            {
                return Errno.EAGAIN;
            }

            filter.Replace(table.Ruleset is { } old ? [old] : [], [ruleset]);
            counters = CountersOf(table.Blob);
            countersAddress = BinaryPrimitives.ReadUInt64LittleEndian(value[CounterPointer..]);
            (table.Blob, table.Ruleset) = (blob, ruleset);
            return Errno.None;
        }
    }

    /// <summary>IPT_SO_SET_ADD_COUNTERS.</summary>
    /// <returns>EINVAL, ENOENT.</returns>
    public Errno AddCounters(ReadOnlySpan<byte> value)
    {
        const int Header = 40; // struct xt_counters_info
        if (value.Length < Header)
        {
            return Errno.EINVAL;
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(value[XtLayout.TableName..]);
        if (value.Length != Header + ((long)count * XtLayout.Counters))
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (FindLocked(value) is not { } table)
            {
                return Errno.ENOENT;
            }

            if (count != table.Blob.Entries.Count)
            {
                return Errno.EINVAL;
            }

            ReadOnlySpan<byte> counters = value[Header..];
            foreach (XtEntry entry in table.Blob.Entries)
            {
                entry.Counter.Add(BinaryPrimitives.ReadInt64LittleEndian(counters), BinaryPrimitives.ReadInt64LittleEndian(counters[8..]));
                counters = counters[XtLayout.Counters..];
            }

            return Errno.None;
        }
    }

    private static byte[] CountersOf(XtBlob blob)
    {
        byte[] bytes = new byte[blob.Entries.Count * XtLayout.Counters];
        Span<byte> rest = bytes;
        foreach (XtEntry entry in blob.Entries)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, entry.Counter.Packets);
            BinaryPrimitives.WriteInt64LittleEndian(rest[8..], entry.Counter.Bytes);
            rest = rest[XtLayout.Counters..];
        }

        return bytes;
    }

    private static string ReadName(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]);
    }

    // A table is made when somebody asks for it.
    private XtTable? FindLocked(ReadOnlySpan<byte> value)
    {
        string name = ReadName(value[..XtLayout.TableName]);
        if (_tables.Find(table => table.Blob.Kind.Name == name) is { } known)
        {
            return known;
        }

        foreach (XtTableKind kind in XtTableKind.All)
        {
            if (kind.Name == name)
            {
                XtTable made = new(XtBlob.Default(layout, kind));
                _tables.Insert(0, made);
                return made;
            }
        }

        return null;
    }
}
