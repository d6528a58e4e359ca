using Moat.Linux;
using Moat.Sockets.Netfilter.Nft;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>NFNL_MSG_COMPAT_GET: which revision of an extension of iptables there is.</summary>
internal static class XtRevisions
{
    private const int Subsystem = 11;
    private const ushort NFTA_COMPAT_NAME = 1;
    private const ushort NFTA_COMPAT_REV = 2;
    private const ushort NFTA_COMPAT_TYPE = 3;
    private const int MaxName = 32;

    /// <summary>Answers.</summary>
    /// <returns>EINVAL; ENOENT or EPROTONOSUPPORT if there is none.</returns>
    public static Errno Answer(in NftRequest request, NetlinkWriter answer)
    {
        AttributeReader attributes = request.Attributes;
        Errno errno = attributes.ReadName(NFTA_COMPAT_NAME, MaxName, out string? name);
        uint? revision = null;
        uint? target = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_COMPAT_REV, out revision);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_COMPAT_TYPE, out target);
        if (errno != Errno.None || name is null || revision is null || target is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (!XtExtensions.FindRevision(target == 1, name, (byte)Math.Min(revision.Value, byte.MaxValue), request.Family).TryGet(out int highest, out errno))
        {
            return errno;
        }

        answer.Begin(Subsystem, 0, NetlinkFlags.None, (byte)request.Family, 0);
        answer.Put(NFTA_COMPAT_NAME, name);
        answer.PutBig(NFTA_COMPAT_REV, (uint)highest);
        answer.PutBig(NFTA_COMPAT_TYPE, target.Value);
        answer.End();
        return Errno.None;
    }
}
