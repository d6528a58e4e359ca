namespace Moat.NineP;

/// <summary>Versions of the protocol that both sides may agree on.</summary>
public static class NinePVersion
{
    /// <summary>As published.</summary>
    public const string Linux = "9P2000.L";

    /// <summary>With Moat's own messages and descriptors beside them. A server that does not know it answers <c>unknown</c> or <see cref="Linux"/>.</summary>
    public const string Extended = "9P2000.L.moat1";

    /// <summary>The answer to a version that is not spoken.</summary>
    public const string Unknown = "unknown";
}
