using Moat.Linux;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>The matches and targets of iptables that there are. Their structures come from a guest: sizes are checked here, values where they are read.</summary>
internal static class XtExtensions
{
    /// <summary>XT_EXTENSION_MAXNAMELEN: bytes of a name with its zero byte.</summary>
    public const int NameLength = 29;

    /// <summary>The highest revision of an extension, if it has the one that is asked for.</summary>
    /// <returns>ENOENT if there is none with this name, EPROTONOSUPPORT if there is no such revision.</returns>
    public static Result<int> FindRevision(bool isTarget, string name, byte revision, NetfilterFamily family)
    {
        int highest = -1;
        bool isFound = false;
        for (byte candidate = 0; candidate <= MaxRevision; candidate++)
        {
            if (LengthOf(isTarget, name, candidate, family) is not null)
            {
                highest = candidate;
                isFound |= candidate == revision;
            }
        }

        return highest < 0 ? Errno.ENOENT : isFound ? highest : Errno.EPROTONOSUPPORT;
    }

    /// <summary>Reads an extension.</summary>
    /// <param name="isTarget">Whether it is a target.</param>
    /// <param name="name">Its name.</param>
    /// <param name="revision">The revision of its structure.</param>
    /// <param name="info">The structure, with padding to eight bytes.</param>
    /// <param name="context">Where it stands.</param>
    /// <returns>ENOENT if there is none; EINVAL if its structure or its place is wrong.</returns>
    public static Result<XtExtension> Parse(bool isTarget, string name, byte revision, ReadOnlySpan<byte> info, in XtContext context)
    {
        if (LengthOf(isTarget, name, revision, context.Family) is not { } length)
        {
            return Errno.ENOENT;
        }

        if (info.Length != ((length + 7) & ~7))
        {
            return Errno.EINVAL;
        }

        if ((isTarget ? XtTargets.Parse(name, revision, info, context) : XtMatches.Parse(name, revision, info, context)) is not { } extension)
        {
            return Errno.EINVAL;
        }

        return context.Table is not null && extension.Table is not null && extension.Table != context.Table ? Errno.EINVAL : extension;
    }

    private const byte MaxRevision = 4;

    // Bytes of an extension's structure without padding; null if there is no such extension.
    private static int? LengthOf(bool isTarget, string name, byte revision, NetfilterFamily family) =>
        isTarget ? XtTargets.LengthOf(name, revision, family) : XtMatches.LengthOf(name, revision, family);
}
