using Moat.Linux;
using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>Follows the jumps of a table from where packets enter: they end, and lead to rules only (mark_source_chains).</summary>
internal sealed class XtReachability
{
    /// <summary>How deep chains may call one another. Linux has no limit but memory; nobody comes near.</summary>
    public const int MaxDepth = 64;

    private readonly XtBlob _blob;
    private readonly uint _hook;
    private readonly HashSet<int> _open = []; // chains that are being followed
    private readonly HashSet<int> _closed = []; // and that have been

    private XtReachability(XtBlob blob, FilterHook hook) => (_blob, _hook) = (blob, 1u << (int)hook);

    /// <summary>Notes for each rule which hooks lead to it.</summary>
    /// <returns>ELOOP, as Linux says of a jump to where no rule begins too.</returns>
    public static Errno Mark(XtBlob blob)
    {
        foreach (FilterHook hook in blob.Kind.Hooks)
        {
            Errno errno = new XtReachability(blob, hook).Visit(blob.HookEntries[(int)hook], 0);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    private Errno Visit(int offset, int depth)
    {
        if (_closed.Contains(offset))
        {
            return Errno.None;
        }

        if (depth > MaxDepth || _blob.IndexAt(offset) < 0 || !_open.Add(offset))
        {
            return Errno.ELOOP;
        }

        for (int i = _blob.IndexAt(offset); i < _blob.Entries.Count; i++)
        {
            XtEntry entry = _blob.Entries[i];
            entry.Hooks |= _hook;
            if (entry.IsStandard && entry.Verdict >= 0 && entry.Verdict != entry.Offset + entry.Length)
            {
                Errno errno = Visit(entry.Verdict, depth + 1);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            if (entry.IsEnd)
            {
                break;
            }
        }

        _ = _open.Remove(offset);
        _ = _closed.Add(offset);
        return Errno.None;
    }
}
