namespace Moat.Netstack.Wire;

/// <summary>ICMP types for IPv4 (RFC 792).</summary>
public static class IcmpType
{
    /// <summary>Answers an echo.</summary>
    public const byte EchoReply = 0;

    /// <summary>The packet could not be delivered.</summary>
    public const byte DestinationUnreachable = 3;

    /// <summary>A better router.</summary>
    public const byte Redirect = 5;

    /// <summary>Asks for an echo.</summary>
    public const byte Echo = 8;

    /// <summary>The TTL ran out, or a fragment did not come.</summary>
    public const byte TimeExceeded = 11;

    /// <summary>A header makes no sense.</summary>
    public const byte ParameterProblem = 12;
}
