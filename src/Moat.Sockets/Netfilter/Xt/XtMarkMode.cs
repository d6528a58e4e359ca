namespace Moat.Sockets.Netfilter.Xt;

/// <summary>Which mark is changed, and to what.</summary>
internal enum XtMarkMode
{
    /// <summary>The packet's, to what the rule says.</summary>
    Packet,

    /// <summary>The connection's, to what the rule says.</summary>
    SetConnection,

    /// <summary>The connection's, to the packet's.</summary>
    Save,

    /// <summary>The packet's, to the connection's.</summary>
    Restore,
}
