namespace Moat.Netstack.Ip;

/// <summary>What one header of an IPv6 header chain asks for.</summary>
internal enum Ipv6ExtensionStep
{
    /// <summary>It is malformed.</summary>
    Malformed,

    /// <summary>The payload begins here.</summary>
    Transport,

    /// <summary>An extension header that has been read: go on behind it.</summary>
    Passed,

    /// <summary>A fragment header begins here.</summary>
    Fragment,

    /// <summary>The packet is dropped without a word.</summary>
    Discard,

    /// <summary>The packet is dropped with a parameter problem.</summary>
    Report,
}
