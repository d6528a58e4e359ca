using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>The socket options of iptables and ip6tables.</summary>
/// <param name="tables">The tables of the family.</param>
/// <param name="layout">The family.</param>
internal sealed class XtOptions(XtTables tables, XtLayout layout)
{
    /// <summary>Bytes of the largest value.</summary>
    public const int MaxLength = XtLayout.Replace + XtBlob.MaxLength;

    private const int SetReplace = 64; // IPT_SO_SET_REPLACE, IPT_SO_GET_INFO
    private const int SetAddCounters = 65; // IPT_SO_SET_ADD_COUNTERS, IPT_SO_GET_ENTRIES
    private const int FirstRevisionV4 = 66; // IPT_SO_GET_REVISION_MATCH; the target's is the next
    private const int FirstRevisionV6 = 68;

    /// <summary>Whether an option is one of these.</summary>
    public bool Has(int level, int option, bool isSet)
    {
        int first = layout.IsV6 ? FirstRevisionV6 : FirstRevisionV4;
        return level == (layout.IsV6 ? InetLevel.IPPROTO_IPV6 : InetLevel.IPPROTO_IP) && (option is SetReplace or SetAddCounters || (!isSet && (option == first || option == first + 1)));
    }

    /// <summary>setsockopt(2).</summary>
    /// <returns>EPERM without CAP_NET_ADMIN; what the tables say.</returns>
    public Errno Set(GuestTask task, int option, ReadOnlySpan<byte> value)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        if (option == SetAddCounters)
        {
            return tables.AddCounters(value);
        }

        Errno errno = tables.Replace(value, out byte[] counters, out ulong address);

        // The new table stands even if its maker's memory has gone: Linux says so in its log at most.
        _ = errno == Errno.None ? task.Memory.CopyOut(new GuestAddress(address), counters) : errno;
        return errno;
    }

    /// <summary>getsockopt(2).</summary>
    /// <param name="task">The caller.</param>
    /// <param name="option">Which.</param>
    /// <param name="value">What the guest has there, and the answer.</param>
    /// <returns>How many bytes are the answer; EPERM without CAP_NET_ADMIN; what the tables say.</returns>
    public Result<int> Get(GuestTask task, int option, Span<byte> value)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        switch (option)
        {
            case SetReplace:
                Errno told = tables.GetInfo(value);
                return told != Errno.None ? told : value.Length;
            case SetAddCounters:
                Errno shown = tables.GetEntries(value);
                return shown != Errno.None ? shown : value.Length;
            default:
                bool isTarget = option == (layout.IsV6 ? FirstRevisionV6 : FirstRevisionV4) + 1;
                return tables.GetRevision(value, isTarget).TryGet(out int _, out Errno errno) ? value.Length : errno;
        }
    }
}
