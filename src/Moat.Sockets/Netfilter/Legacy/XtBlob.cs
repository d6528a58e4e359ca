using System.Buffers.Binary;
using System.Text;
using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Xt;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>The entries of a table as a guest gave them: nothing in them is trusted before it has been checked here.</summary>
internal sealed class XtBlob
{
    /// <summary>The largest table.</summary>
    public const int MaxLength = 4 << 20;

    private const int MaxTargetName = 29;
    private const int AcceptVerdict = -2; // -NF_ACCEPT - 1
    private const int DropVerdict = -1;
    private const int ReturnVerdict = -5; // XT_RETURN
    private const byte KnownInverted = 0x7f;

    private readonly byte[] _bytes;
    private readonly XtLayout _layout;
    private readonly Dictionary<int, int> _indexes = [];

    private XtBlob(byte[] bytes, XtLayout layout, XtTableKind kind) => (_bytes, _layout, Kind) = (bytes, layout, kind);

    /// <summary>The table.</summary>
    public XtTableKind Kind { get; }

    /// <summary>The rules, in the order of their places.</summary>
    public List<XtEntry> Entries { get; } = [];

    /// <summary>Where packets enter, by hook.</summary>
    public int[] HookEntries { get; } = new int[XtLayout.Hooks];

    /// <summary>Where the policies are, by hook.</summary>
    public int[] Underflows { get; } = new int[XtLayout.Hooks];

    /// <summary>Its bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The layout.</summary>
    public XtLayout Layout => _layout;

    /// <summary>Checks the entries of a table (translate_table).</summary>
    /// <param name="bytes">They; the blob keeps them.</param>
    /// <param name="layout">The family.</param>
    /// <param name="kind">The table.</param>
    /// <param name="count">How many there are to be.</param>
    /// <param name="hookEntries">Where packets enter.</param>
    /// <param name="underflows">Where the policies are.</param>
    /// <returns>EINVAL, ENOENT, ELOOP.</returns>
    public static Result<XtBlob> Parse(byte[] bytes, XtLayout layout, XtTableKind kind, int count, ReadOnlySpan<int> hookEntries, ReadOnlySpan<int> underflows)
    {
        XtBlob blob = new(bytes, layout, kind);
        hookEntries.CopyTo(blob.HookEntries);
        underflows.CopyTo(blob.Underflows);
        Errno errno = blob.ReadEntries(count);
        errno = errno != Errno.None ? errno : blob.CheckHooks();
        errno = errno != Errno.None ? errno : XtReachability.Mark(blob);
        errno = errno != Errno.None ? errno : blob.ReadExtensions();
        return errno != Errno.None ? errno : blob;
    }

    /// <summary>The table that Linux begins with: every hook lets packets pass.</summary>
    public static XtBlob Default(XtLayout layout, XtTableKind kind)
    {
        int standard = layout.Entry + XtLayout.StandardTarget;
        byte[] bytes = new byte[(kind.Hooks.Length * standard) + layout.Entry + XtLayout.ErrorTarget];
        int[] offsets = new int[XtLayout.Hooks];
        int at = 0;
        foreach (FilterHook hook in kind.Hooks)
        {
            offsets[(int)hook] = at;
            WriteTarget(bytes.AsSpan(at), layout, XtLayout.StandardTarget, "");
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + layout.Entry + XtLayout.ExtensionHeader), AcceptVerdict);
            at += standard;
        }

        WriteTarget(bytes.AsSpan(at), layout, XtLayout.ErrorTarget, "ERROR");
        Encoding.ASCII.GetBytes("ERROR", bytes.AsSpan(at + layout.Entry + XtLayout.ExtensionHeader));
        return Parse(bytes, layout, kind, kind.Hooks.Length + 1, offsets, offsets).TryGet(out XtBlob? blob, out Errno errno) ? blob : throw new InvalidOperationException($"{kind.Name}: {errno}");
    }

    /// <summary>The index of the rule at an offset, or -1.</summary>
    public int IndexAt(int offset) => _indexes.GetValueOrDefault(offset, -1);

    /// <summary>Writes the entries with what their counters have counted.</summary>
    public void CopyTo(Span<byte> destination)
    {
        _bytes.CopyTo(destination);
        foreach (XtEntry entry in Entries)
        {
            Span<byte> counters = destination[(entry.Offset + _layout.CountersOffset)..];
            BinaryPrimitives.WriteInt64LittleEndian(counters, entry.Counter.Packets);
            BinaryPrimitives.WriteInt64LittleEndian(counters[8..], entry.Counter.Bytes);
        }
    }

    private static void WriteTarget(Span<byte> entry, XtLayout layout, int length, string name)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(entry[layout.TargetOffset..], (ushort)layout.Entry);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[(layout.TargetOffset + 2)..], (ushort)(layout.Entry + length));
        BinaryPrimitives.WriteUInt16LittleEndian(entry[layout.Entry..], (ushort)length);
        Encoding.ASCII.GetBytes(name, entry[(layout.Entry + 2)..]);
    }

    private Errno ReadEntries(int count)
    {
        const int Alignment = 8;
        int at = 0;
        while (at < _bytes.Length)
        {
            ReadOnlySpan<byte> rest = _bytes.AsSpan(at);
            if (at % Alignment != 0 || rest.Length < _layout.Entry + XtLayout.ExtensionHeader)
            {
                return Errno.EINVAL;
            }

            int target = BinaryPrimitives.ReadUInt16LittleEndian(rest[_layout.TargetOffset..]);
            int next = BinaryPrimitives.ReadUInt16LittleEndian(rest[(_layout.TargetOffset + 2)..]);
            if (next < _layout.Entry + XtLayout.ExtensionHeader || next > rest.Length || target < _layout.Entry || target + XtLayout.ExtensionHeader > next)
            {
                return Errno.EINVAL;
            }

            ReadOnlySpan<byte> entry = rest[..next];
            if ((entry[_layout.Flags] & ~_layout.KnownFlags) != 0 || (entry[_layout.Inverted] & ~KnownInverted) != 0 || !AreMatchesInPlace(entry[..target]) || ReadTarget(at, entry, target) is not { } read)
            {
                return Errno.EINVAL;
            }

            _indexes.Add(at, Entries.Count);
            Entries.Add(read);
            at += next;
        }

        return Entries.Count == count ? Errno.None : Errno.EINVAL;
    }

    // Each match begins where the one before ends, and the target where the last ends.
    private bool AreMatchesInPlace(ReadOnlySpan<byte> entry)
    {
        int at = _layout.Entry;
        while (at < entry.Length)
        {
            if (entry.Length - at < XtLayout.ExtensionHeader)
            {
                return false;
            }

            int size = BinaryPrimitives.ReadUInt16LittleEndian(entry[at..]);
            if (size < XtLayout.ExtensionHeader || size > entry.Length - at || size % 8 != 0)
            {
                return false;
            }

            at += size;
        }

        return true;
    }

    private XtEntry? ReadTarget(int offset, ReadOnlySpan<byte> entry, int target)
    {
        ReadOnlySpan<byte> bytes = entry[target..];
        int size = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        if (size < XtLayout.ExtensionHeader || size > bytes.Length || target % 8 != 0)
        {
            return null;
        }

        string name = NameOf(bytes);
        bool isStandard = name.Length == 0;
        bool isError = name == "ERROR";
        if ((isStandard && bytes.Length != XtLayout.StandardTarget) || (isError && bytes.Length != XtLayout.ErrorTarget) || (isStandard && size != XtLayout.StandardTarget) || (isError && size != XtLayout.ErrorTarget))
        {
            return null;
        }

        int verdict = isStandard ? BinaryPrimitives.ReadInt32LittleEndian(bytes[XtLayout.ExtensionHeader..]) : 0;
        if (isStandard && verdict < 0 && verdict is not (AcceptVerdict or DropVerdict or ReturnVerdict))
        {
            return null; // NF_QUEUE, and what is for the kernel alone
        }

        return new XtEntry(offset, entry.Length, target)
        {
            IsUnconditional = target == _layout.Entry && new XtIp(entry, _layout).IsEmpty,
            IsStandard = isStandard,
            IsError = isError,
            IsGoto = isStandard && (entry[_layout.Flags] & _layout.GotoFlag) != 0,
            Verdict = verdict,
        };
    }

    private Errno CheckHooks()
    {
        foreach (FilterHook hook in Kind.Hooks)
        {
            int first = IndexAt(HookEntries[(int)hook]);
            int policy = IndexAt(Underflows[(int)hook]);
            if (first < 0 || policy < first || Entries[policy] is not { IsUnconditional: true, IsStandard: true, Verdict: AcceptVerdict or DropVerdict })
            {
                return Errno.EINVAL;
            }
        }

        return Errno.None;
    }

    private Errno ReadExtensions()
    {
        foreach (XtEntry entry in Entries)
        {
            Errno errno = Compile(entry);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    private Errno Compile(XtEntry entry)
    {
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(entry.Offset, entry.Length);
        XtIp ip = new(bytes, _layout);
        XtContext context = new(_layout.IsV6 ? NetfilterFamily.NFPROTO_IPV6 : NetfilterFamily.NFPROTO_IPV4, ip.Protocol) { Table = Kind.Name };
        List<FilterExpression> expressions = ip.IsEmpty ? [] : [ip];
        int at = _layout.Entry;
        Errno errno;
        while (at < entry.TargetOffset)
        {
            int size = BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
            errno = ReadExtension(bytes.Slice(at, size), isTarget: false, context, entry.Hooks, expressions);
            if (errno != Errno.None)
            {
                return errno;
            }

            at += size;
        }

        expressions.Add(entry.Counter);
        if (entry.IsError)
        {
            expressions.Add(new Verdict(FilterStep.Drop)); // a packet that gets here has lost its way
        }
        else if (!entry.IsStandard)
        {
            int size = BinaryPrimitives.ReadUInt16LittleEndian(bytes[entry.TargetOffset..]);
            errno = ReadExtension(bytes.Slice(entry.TargetOffset, size), isTarget: true, context, entry.Hooks, expressions);
            if (errno != Errno.None)
            {
                return errno;
            }
        }
        else if (entry.Verdict < 0)
        {
            expressions.Add(new Verdict(entry.Verdict switch { AcceptVerdict => FilterStep.Accept, DropVerdict => FilterStep.Drop, _ => FilterStep.Return }));
        }

        entry.Compiled = new FilterRule([.. expressions]);
        return Errno.None;
    }

    private static Errno ReadExtension(ReadOnlySpan<byte> bytes, bool isTarget, in XtContext context, uint hooks, List<FilterExpression> expressions)
    {
        const int Revision = 31;
        if (!XtExtensions.Parse(isTarget, NameOf(bytes), bytes[Revision], bytes[XtLayout.ExtensionHeader..], context).TryGet(out XtExtension? extension, out Errno errno))
        {
            return errno;
        }

        if (extension.Hooks != 0 && (hooks & ~extension.Hooks) != 0)
        {
            return Errno.EINVAL;
        }

        expressions.Add(extension.Expression);
        return Errno.None;
    }

    private static string NameOf(ReadOnlySpan<byte> extension)
    {
        ReadOnlySpan<byte> name = extension.Slice(2, MaxTargetName);
        int end = name.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? name : name[..end]);
    }
}
