namespace Moat.Netstack.Wire;

/// <summary>An address and a port.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port in host order.</param>
public readonly record struct IpEndpoint(IpAddress Address, ushort Port)
{
    /// <summary>As in a URL: an IPv6 address stands in brackets.</summary>
    public override string ToString() => Address.IsV4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}
